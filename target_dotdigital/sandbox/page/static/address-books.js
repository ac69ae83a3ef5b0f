// The view of address books.

import { el, follow, keep, load, number, plural, say, svg, table } from "./dom.js";

const HOUR = 3600;
const WIDTH = 120;
const HEIGHT = 26;

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
  const link = el("a", { href: `#/contacts?list=${book.id}` }, book.name);
  const node = el(
    "tr",
    { class: "opens", onclick: follow(link) },
    el("th", { scope: "row" }, link),
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
