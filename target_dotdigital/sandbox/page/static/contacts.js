// The views of contacts, all or those of an address book, and of the suppression list.

import { badge, breakable, el, follow, keep, load, plural, remember, say, send, table, toneOf, when, words } from "./dom.js";

const TYPING_MILLISECONDS = 150;
const SHOWN_CONTACTS = 50;
const STATUSES = ["subscribed", "unsubscribed", "suppressed", "pendingOptIn", "noSubscription"];
const FILTERS = ["search", "list", "status"];

export function contacts(query) {
  const heading = el("h1", {}, "Contacts");
  const lead = el("p", { class: "lead", hidden: true });
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "E-mail address begins with…",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("select", { id: "list" }, el("option", { value: "" }, "All Contacts"));
  const status = el("select", { id: "status" }, el("option", { value: "" }, "Any"), STATUSES.map((one) => el("option", { value: one }, words(one))));
  const { node, body } = table("Contacts", [["Contact", ""], ["Status", "wide"], ["Data fields", "wide"], ["Mobile number", "wide"], ["Updated", "number wide"]]);
  const more = el("button", { type: "button", hidden: true }, "Show more");
  const note = el("p", { class: "empty", hidden: true });
  const wanted = { list: "", status: "", turn: 0, next: null };

  function here() {
    const values = { search: search.value.trim(), list: wanted.list, status: wanted.status };
    return new URLSearchParams(FILTERS.filter((name) => values[name]).map((name) => [name, values[name]]));
  }

  function take(changed) {
    search.value = changed.get("search") ?? "";
    wanted.list = changed.get("list") ?? "";
    wanted.status = STATUSES.includes(changed.get("status")) ? changed.get("status") : "";
    list.value = wanted.list;
    status.value = wanted.status;
  }

  // The server looks through some thousands of contacts at a time: this asks until a page is full.
  async function find(position) {
    const turn = ++wanted.turn;
    let shown = 0;
    let scanned = 0;
    let next = position;
    do {
      const parameters = here();
      if (next) parameters.set("position", next);
      const page = await load(`/sandbox/page/contacts?${parameters}`);
      if (turn !== wanted.turn) return;
      const rows = page.items.map((contact) => contactRow(contact, here));
      if (shown || position) body.append(...rows);
      else body.replaceChildren(...rows);
      if (position && !shown) rows[0]?.querySelector("a").focus();
      shown += rows.length;
      scanned += page.scanned;
      next = page.next;
      describe(page.address_book);
      node.hidden = !body.children.length;
      note.hidden = Boolean(body.children.length);
      say(note, next === null ? emptyNote(here(), page.address_book) : `Looked through ${plural(scanned, "contact", "contacts")}…`);
    } while (next !== null && shown < SHOWN_CONTACTS);
    wanted.next = next;
    more.hidden = next === null;
  }

  function describe(book) {
    const isOne = book !== null && book.name !== "All Contacts";
    say(heading, isOne ? book.name : "Contacts");
    lead.hidden = !isOne;
    if (!isOne) return;
    say(lead, `${book.visibility} address book with ${plural(book.contacts, "contact", "contacts")}. Its ID is ${book.id}.`);
    if (![...list.options].some((option) => option.value === wanted.list)) list.append(el("option", { value: book.id }, book.name));
    list.value = wanted.list;
  }

  const again = () => find().catch(() => say(note, "The contacts could not be read."));
  let typing = 0;
  search.addEventListener("input", () => {
    remember("/contacts", here());
    clearTimeout(typing);
    typing = setTimeout(again, TYPING_MILLISECONDS);
  });
  for (const choice of [list, status]) {
    choice.addEventListener("change", () => {
      wanted[choice.id] = choice.value;
      remember("/contacts", here());
      again();
    });
  }
  more.addEventListener("click", () => find(wanted.next).catch(() => {}));
  load("/sandbox/page/address-books")
    .then((books) => {
      const known = new Set([...list.options].map((option) => option.value));
      const others = books.filter((book) => book.name !== "All Contacts" && !known.has(String(book.id)));
      list.append(...others.map((book) => el("option", { value: book.id }, book.name)));
      list.value = wanted.list;
      if (list.selectedIndex < 0) list.value = "";
    })
    .catch(() => {});
  take(query);
  again();

  const tools = el(
    "div",
    { class: "tools" },
    el("label", { for: "search" }, "Search", search),
    el("label", { for: "list" }, "Address book", list),
    el("label", { for: "status" }, "Status", status),
  );
  const aside = el("a", { href: "#/suppressions" }, "Suppression list");
  return {
    title: "Contacts",
    node: el("section", {}, el("div", { class: "heading" }, heading, aside), lead, tools, note, node, more),
    reopen(changed) {
      if (String(changed) === String(here())) return;
      take(changed);
      again();
    },
    async update() {
      // An empty account fills by itself; a page that is being read stays as it is.
      if (!body.children.length && !search.value && !wanted.status) await find();
    },
  };
}

function emptyNote(filters, book) {
  if (filters.get("list") && !book) return `There is no address book ${filters.get("list")}.`;
  if (filters.get("search")) return "No address begins so. The search looks at the beginning of e-mail addresses.";
  return filters.get("status") ? "No contact here has this status." : "No contacts here yet.";
}

function contactRow(contact, here) {
  const name = contact.email ?? (contact.mobile_number ? `+${contact.mobile_number}` : `Contact ${contact.id}`);
  const path = `#/contacts/${contact.id}`;
  const link = el("a", { href: path }, breakable(name));
  // With the filters as they are when it is followed.
  link.addEventListener("click", () => {
    const filters = here();
    link.href = filters.size ? `${path}?${filters}` : path;
  });
  const state = () => badge(words(contact.status), toneOf(contact.status));
  return el(
    "tr",
    { class: "opens", onclick: follow(link) },
    el(
      "th",
      { scope: "row" },
      link,
      el("span", { class: "under" }, contact.name ? el("span", { class: "name" }, contact.name) : null, el("span", { class: "narrow" }, state())),
    ),
    el("td", { class: "wide" }, state()),
    el("td", { class: "wide fields" }, contact.fields.map(({ name: field, value }) => el("span", {}, el("i", {}, field), " ", value))),
    el("td", { class: "wide figures" }, contact.mobile_number ? `+${contact.mobile_number}` : ""),
    el("td", { class: "number wide quiet" }, when(contact.updated)),
  );
}

const SUPPRESSIONS = "/sandbox/suppressions";
const ADDRESS_OR_DOMAIN = /^([^\s@]+@)?([^\s@./]+\.)+[^\s@./]+$/;

export function suppressions() {
  const value = el("input", { type: "text", id: "suppression", placeholder: "ada@example.com", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const problem = el("p", { class: "bad", role: "alert", hidden: true });
  const list = el("ul", { class: "values", "aria-label": "Suppression list" });
  const note = el("p", { class: "empty", hidden: true }, "Nothing is on the list.");
  const lead = el("p", { class: "lead" }, "Addresses and domains that Dotdigital bars in every account; here you set them. Nobody on the list is created or updated: an import reports globallySuppressed or suppressedByDomain.");

  function show(values) {
    note.hidden = values.length > 0;
    list.hidden = !values.length;
    keep(list, values, (one) => one, entry);
  }

  function complain(text) {
    say(problem, text);
    problem.hidden = !text;
  }

  async function change(method, path, body) {
    try {
      await send(method, path, body);
      complain("");
      show(await load(SUPPRESSIONS));
      return true;
    } catch (error) {
      complain(`The list could not be changed: the sandbox ${error.message}.`);
      return false;
    }
  }

  function entry(one) {
    const remove = el("button", { type: "button", "aria-label": `Remove ${one}` }, "Remove");
    remove.addEventListener("click", async () => {
      if (await change("DELETE", `${SUPPRESSIONS}/${encodeURIComponent(one)}`)) value.focus();
    });
    return { node: el("li", {}, el("span", {}, breakable(one)), remove) };
  }

  async function add(event) {
    event.preventDefault();
    const written = value.value.trim();
    if (!ADDRESS_OR_DOMAIN.test(written)) {
      complain("Write an e-mail address, such as ada@example.com, or a domain, such as example.com.");
    } else {
      value.value = "";
      if (!(await change("POST", SUPPRESSIONS, { value: written }))) value.value ||= written;
    }
    value.focus();
  }

  load(SUPPRESSIONS).then(show).catch((error) => complain(`The list could not be read: the sandbox ${error.message}.`));
  const form = el("form", { class: "tools", onsubmit: add, novalidate: true }, el("label", { for: "suppression" }, "E-mail address or domain", value), el("button", {}, "Add"));
  return {
    title: "Suppression list",
    node: el("section", {}, el("div", { class: "heading" }, el("h1", {}, "Suppression list"), el("a", { href: "#/contacts" }, "Contacts")), lead, form, problem, note, list),
  };
}
