// The views of address books and of contacts.

import { badge, el, keep, load, number, plural, say, svg, table, toneOf, when, words } from "./dom.js";
import { showContact } from "./details.js";

const HOUR = 3600;
const WIDTH = 120;
const HEIGHT = 26;
const TYPING_MILLISECONDS = 150;

export function addressBooks() {
  const total = el("p", { class: "lead" });
  const { node, body } = table("Address books", [
    ["Name", ""],
    ["ID", "number wide"],
    ["Visibility", "wide"],
    ["Contacts", "number"],
    ["Last hour", "number"],
    ["", "wide spark"],
  ]);
  const root = el("section", {}, el("h1", {}, "Address books"), total, node);
  return {
    title: "Address books",
    node: root,
    async update() {
      const books = await load("/sandbox/page/address-books");
      const everyone = books.find((book) => book.name === "All Contacts")?.contacts ?? 0;
      say(
        total,
        everyone
          ? `${plural(everyone, "contact", "contacts")} in ${plural(books.length, "address book", "address books")}.`
          : "No contacts yet. Point the target at this address with api_url and load some: they appear here by themselves.",
      );
      keep(body, books, (book) => book.id, bookRow, updateBook);
    },
  };
}

function bookRow(book) {
  const cells = { contacts: el("td", { class: "number" }), grown: el("td", { class: "number" }), spark: el("td", { class: "wide spark" }) };
  const node = el(
    "tr",
    {},
    el("th", { scope: "row" }, el("a", { href: `#/contacts?list=${book.id}` }, book.name)),
    el("td", { class: "number wide quiet" }, String(book.id)),
    el("td", { class: "wide quiet" }, book.visibility),
    cells.contacts,
    cells.grown,
    cells.spark,
  );
  return { node, cells, drawn: "" };
}

function updateBook({ cells, ...entry }, book) {
  const now = Date.now() / 1000;
  const before = book.growth.filter(([time]) => time < now - HOUR);
  const start = (before.at(-1) ?? book.growth[0] ?? [0, book.contacts])[1];
  const grown = book.contacts - start;
  say(cells.contacts, number(book.contacts));
  say(cells.grown, grown > 0 ? `+${number(grown)}` : grown < 0 ? `−${number(-grown)}` : "–");
  cells.grown.className = `number ${grown > 0 ? "up" : "quiet"}`;
  cells.spark.replaceChildren(...(grown ? [sparkline(book, start, now)] : []));
  return entry;
}

function sparkline(book, start, now) {
  const points = book.growth.filter(([time]) => time >= now - HOUR);
  const counts = [start, book.contacts, ...points.map(([, count]) => count)];
  const low = Math.min(...counts);
  const span = Math.max(...counts) - low || 1;
  const x = (time) => ((Math.min(Math.max(time - now + HOUR, 0), HOUR) / HOUR) * WIDTH).toFixed(1);
  const y = (count) => (HEIGHT - 2 - ((count - low) / span) * (HEIGHT - 4)).toFixed(1);
  let path = `M0 ${y(start)}`;
  for (const [time, count] of points) path += `H${x(time)}V${y(count)}`;
  path += `V${y(book.contacts)}H${WIDTH}`;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": "Growth in the last hour" },
    svg("path", { class: "area", d: `${path}V${HEIGHT}H0Z` }),
    svg("path", { class: "line", d: path }),
  );
}

export function contacts(query) {
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "E-mail address begins with…",
    autocomplete: "off",
    spellcheck: "false",
    value: query.get("search") ?? "",
  });
  const choice = el("select", { id: "list" }, el("option", { value: "" }, "All Contacts"));
  const { node, body } = table("Contacts", [["E-mail address", ""], ["Status", ""], ["Mobile number", "wide"], ["Contact ID", "number wide"], ["Updated", "number wide"]]);
  const more = el("button", { type: "button", hidden: true }, "Show more");
  const note = el("p", { class: "empty", hidden: true });
  const wanted = { list: query.get("list") ?? "", turn: 0, next: null };

  async function find(position) {
    const turn = ++wanted.turn;
    const parameters = new URLSearchParams({ search: search.value.trim() });
    if (wanted.list) parameters.set("list", wanted.list);
    if (position) parameters.set("position", position);
    const page = await load(`/sandbox/page/contacts?${parameters}`);
    if (turn !== wanted.turn) return;
    const rows = page.items.map(contactRow);
    if (position) body.append(...rows);
    else body.replaceChildren(...rows);
    if (position) rows[0]?.querySelector("button").focus();
    wanted.next = page.next;
    more.hidden = page.next === null;
    node.hidden = !body.children.length;
    note.hidden = Boolean(body.children.length);
    say(note, emptyNote(search.value.trim(), page.next));
  }

  const again = () => find().catch(() => say(note, "The contacts could not be read."));
  function remember() {
    const parameters = new URLSearchParams();
    if (wanted.list) parameters.set("list", wanted.list);
    if (search.value.trim()) parameters.set("search", search.value.trim());
    history.replaceState(null, "", `#/contacts${parameters.size ? `?${parameters}` : ""}`);
    again();
  }
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(remember, TYPING_MILLISECONDS);
  });
  choice.addEventListener("change", () => {
    wanted.list = choice.value;
    remember();
  });
  more.addEventListener("click", () => find(wanted.next).catch(() => {}));
  load("/sandbox/page/address-books")
    .then((books) => {
      const others = books.filter((book) => book.name !== "All Contacts");
      choice.append(...others.map((book) => el("option", { value: book.id }, book.name)));
      choice.value = wanted.list;
      if (choice.selectedIndex < 0) choice.value = "";
    })
    .catch(() => {});
  again();

  const tools = el(
    "div",
    { class: "tools" },
    el("label", { for: "search" }, "Search", search),
    el("label", { for: "list" }, "Address book", choice),
  );
  const root = el("section", {}, el("h1", {}, "Contacts"), tools, note, node, more);
  return {
    title: "Contacts",
    node: root,
    reopen(changed) {
      search.value = changed.get("search") ?? "";
      wanted.list = changed.get("list") ?? "";
      choice.value = wanted.list;
      again();
    },
    async update() {
      // An empty account fills by itself; a page that is being read stays as it is.
      if (!body.children.length && !search.value) await find();
    },
  };
}

function emptyNote(searched, next) {
  if (next !== null) return "None among the first addresses that begin so. Show more looks further.";
  return searched ? "No address begins so. The search looks at the beginning of e-mail addresses." : "No contacts here yet.";
}

function contactRow(contact) {
  const name = contact.email ?? contact.mobile_number ?? `Contact ${contact.id}`;
  const open = el("button", { type: "button", class: "link", onclick: () => showContact(contact) }, name);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, open),
    el("td", {}, badge(words(contact.status), toneOf(contact.status))),
    el("td", { class: "wide figures" }, contact.mobile_number ? `+${contact.mobile_number}` : ""),
    el("td", { class: "number wide quiet" }, contact.id),
    el("td", { class: "number wide quiet" }, when(contact.updated)),
  );
}
