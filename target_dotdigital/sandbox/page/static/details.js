// The dialog in front of the page: one contact, or one import.

import { badge, el, load, number, toneOf, when, words } from "./dom.js";

const dialog = document.getElementById("dialog");
const title = document.getElementById("dialog-title");
const body = document.getElementById("dialog-body");

document.getElementById("dialog-close").addEventListener("click", () => closeDialog());
dialog.addEventListener("click", (event) => event.target === dialog && closeDialog());

export const dialogIsOpen = () => dialog.open;
export const closeDialog = () => dialog.close();

async function show(heading, path, draw) {
  title.textContent = heading;
  body.replaceChildren(el("p", { class: "quiet" }, "Loading…"));
  dialog.showModal();
  try {
    body.replaceChildren(...draw(await load(path)));
  } catch (error) {
    body.replaceChildren(el("p", {}, `This could not be read: ${error.message}.`));
  }
}

function facts(heading, pairs, empty) {
  if (!pairs.length) return [el("h3", {}, heading), el("p", { class: "quiet" }, empty)];
  const rows = pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return [el("h3", {}, heading), el("dl", {}, rows)];
}

const optional = (heading, pairs) => (pairs.length ? facts(heading, pairs) : []);
const named = (fields) => fields.map(({ name, value }) => [name, value]);

export function showContact(contact) {
  const heading = contact.email ?? contact.mobile_number ?? `Contact ${contact.id}`;
  return show(heading, `/sandbox/page/contacts/${contact.id}`, (found) => [
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
  ]);
}

export function showImport(entry) {
  return show(`Import ${entry.id.slice(0, 8)}`, `/sandbox/page/imports/${entry.id}`, ({ summary, failed }) => [
    el("p", {}, badge(words(summary.status), toneOf(summary.status))),
    ...facts("Import", [
      ["ID", summary.id],
      ["Accepted", when(summary.accepted)],
      ["Finished", summary.finished ? when(summary.finished) : "Not yet"],
      ["Contacts", number(summary.contacts)],
      ["Created", number(summary.created)],
      ["Updated", number(summary.updated)],
      ["Failed", number(summary.failed)],
    ]),
    ...facts("Failures by code", summary.codes.map(([code, count]) => [code, number(count)]), "None."),
    ...(failed.length ? examples(failed, summary.failed) : []),
  ]);
}

function examples(failed, total) {
  const heading = failed.length < total ? `The first ${failed.length} contacts that failed` : "Contacts that failed";
  const entries = failed.map((one) =>
    el(
      "li",
      {},
      el("strong", {}, String(one.identifiers[one.matchIdentifier] ?? Object.values(one.identifiers)[0] ?? "?")),
      one.failures.map((failure) => el("span", {}, `${failure.failureCode}: ${failure.description}`)),
    ),
  );
  return [el("h3", {}, heading), el("ul", { class: "failed" }, entries)];
}
