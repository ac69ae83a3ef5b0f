// The dialog in front of the page: one contact, or one import.

import { badge, breakable, el, importStatus, load, number, toneOf, when, words } from "./dom.js";

const dialog = document.getElementById("dialog");
const title = document.getElementById("dialog-title");
const body = document.getElementById("dialog-body");

const KINDS = {
  "/contacts": { name: "Contact", draw: drawContact, heading: contactName, isOver: () => true },
  "/imports": { name: "Import", draw: drawImport, heading: importName, isOver: ({ summary }) => summary.finished !== null },
};

let open = null;

document.getElementById("dialog-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

/** Call back when the dialog was closed by whoever reads it. */
export function onClosing(closed) {
  dialog.addEventListener("close", () => dialog.open || closed());
}

export function closeDetails() {
  open = null;
  dialog.close();
}

/** Open what the address names. */
export async function showDetails(path, id) {
  const kind = KINDS[path];
  if (!kind || (dialog.open && open?.kind === kind && open.id === id)) return;
  open = { kind, id, address: `/sandbox/page${path}/${encodeURIComponent(id)}`, drawn: "" };
  title.textContent = kind.name;
  body.replaceChildren(el("p", { class: "quiet" }, "Loading…"));
  if (!dialog.open) dialog.showModal();
  try {
    await draw(open);
  } catch (error) {
    body.replaceChildren(el("p", {}, `This could not be read: ${error.message}.`));
  }
}

/** Draw an import anew as long as it is under way. */
export async function refreshDetails() {
  if (dialog.open && open?.drawn && !open.isOver) await draw(open);
}

async function draw(one) {
  const found = await load(one.address);
  const text = JSON.stringify(found);
  if (one !== open || one.drawn === text) return;
  one.drawn = text;
  one.isOver = found === null || one.kind.isOver(found);
  title.replaceChildren(...(found === null ? [one.kind.name] : breakable(one.kind.heading(found))));
  body.replaceChildren(...(found === null ? [el("p", {}, `${one.kind.name} ${one.id} is not in the account.`)] : one.kind.draw(found)));
}

function contactName({ id, identifiers }) {
  const known = Object.fromEntries(identifiers.map(({ name, value }) => [name, value]));
  return known.email ?? (known.mobileNumber ? `+${known.mobileNumber}` : `Contact ${id}`);
}

function importName({ summary }) {
  return `Import ${summary.id.slice(0, 8)}`;
}

function facts(heading, pairs, empty) {
  if (!pairs.length) return [el("h3", {}, heading), el("p", { class: "quiet" }, empty)];
  const rows = pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, breakable(value))));
  return [el("h3", {}, heading), el("dl", {}, rows)];
}

const optional = (heading, pairs) => (pairs.length ? facts(heading, pairs) : []);
const named = (fields) => fields.map(({ name, value }) => [name, value]);

function drawContact(found) {
  return [
    el("p", {}, badge(words(found.status), toneOf(found.status))),
    ...facts("Data fields", named(found.data_fields), "None is set."),
    ...facts(
      "Address books",
      found.lists.map(({ id, name, status }) => [name, `${words(status)} · ID ${id}`]),
      "In none but All Contacts.",
    ),
    ...facts("Identifiers", [["contactId", found.id], ...named(found.identifiers)]),
    ...facts("Channels", named(found.channels), "None."),
    ...optional("Preferences", found.preferences.map(({ id, isOptedIn }) => [String(id), isOptedIn ? "Opted in" : "Opted out"])),
    ...optional("Consents", found.consents.map(({ text, dateTimeConsented }) => [when(dateTimeConsented), text])),
    ...facts("History", [
      ["Created", when(found.created)],
      ["Last updated", when(found.updated)],
    ]),
  ];
}

function drawImport({ summary, failed }) {
  return [
    el("p", {}, badge(importStatus(summary.status), toneOf(summary.status))),
    ...facts("Import", [
      ["ID", summary.id],
      ["Accepted", when(summary.accepted)],
      ["Finished", summary.finished ? when(summary.finished) : "Not yet"],
      ["Contacts", number(summary.contacts)],
      ["Created", number(summary.created)],
      ["Updated", number(summary.updated)],
      ["Failed", number(summary.failed)],
    ]),
    ...facts(
      "Address books",
      summary.lists.map(({ id, name, contacts }) => [name ?? `${id}: no such address book`, `${number(contacts)} of its contacts${name === null ? "" : ` · ID ${id}`}`]),
      "It names none.",
    ),
    ...facts("Failures by code", summary.codes.map(([code, count]) => [code, number(count)]), "None."),
    ...(failed.length ? examples(failed, summary.failed) : []),
  ];
}

function examples(failed, total) {
  const heading = failed.length < total ? `The first ${failed.length} contacts that failed` : "Contacts that failed";
  const entries = failed.map((one) =>
    el(
      "li",
      {},
      el("strong", {}, breakable(String(one.identifiers[one.matchIdentifier] ?? Object.values(one.identifiers)[0] ?? "?"))),
      one.failures.map((failure) => el("span", {}, `${failure.failureCode}: ${failure.description}`)),
    ),
  );
  return [el("h3", {}, heading), el("ul", { class: "failed" }, entries)];
}
