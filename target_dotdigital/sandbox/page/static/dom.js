// Making nodes. Everything that comes from the server becomes a text node or an attribute that
// runs nothing; there is no markup in any string.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A text that breaks between the parts of an address or of a path, before it breaks in a word. */
export function breakable(text) {
  return text.split(/(?<=[@._+/-])/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));
}

/** A click anywhere in a row follows its link; other links, and a text that is marked, stay. */
export const follow = (link) => (event) => {
  if (event.target.closest("a, button") || !getSelection().isCollapsed) return;
  link.click();
};

/** The link of a view, in the navigation. */
export const linkTo = (path) => [...document.querySelectorAll("nav a")].find((link) => link.hash.split("?")[0] === `#${path}`);

/** Let the link of a view lead to where one is in it, its filters included. */
export function pointLink(path, query) {
  // The attribute: `hash` would write the whole address, with the credentials that may be in it.
  linkTo(path)?.setAttribute("href", `#${path}${query.size ? `?${query}` : ""}`);
}

/** Write the filters into the address, so that they are there after a reload and on the way back. */
export function remember(path, query) {
  history.replaceState(null, "", `#${path}${query.size ? `?${query}` : ""}`);
  pointLink(path, query);
}

/** Set a text only if it changed, so that what is selected or read aloud stays. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Show items in order as children of a node, keeping those that are there already. */
export function keep(parent, items, key, create, update) {
  const known = parent.known ?? (parent.known = new Map());
  const wanted = new Set(items.map(key));
  for (const [id, entry] of known) {
    if (!wanted.has(id)) {
      entry.node.remove();
      known.delete(id);
    }
  }
  let previous = null;
  for (const item of items) {
    const id = key(item);
    let entry = known.get(id);
    if (!entry) {
      entry = create(item);
      known.set(id, entry);
    }
    update?.(entry, item);
    const place = previous ? previous.nextSibling : parent.firstChild;
    if (entry.node !== place) parent.insertBefore(entry.node, place);
    previous = entry.node;
  }
}

export function table(caption, columns) {
  const body = el("tbody");
  const head = columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  const node = el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: "hidden" }, caption), el("thead", {}, el("tr", {}, head)), body),
  );
  return { node, body };
}

const numbers = new Intl.NumberFormat("en-GB");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const number = (value) => numbers.format(value);

export function when(value) {
  const date = new Date(value);
  const time = clock.format(date);
  return date.toDateString() === new Date().toDateString() ? time : `${day.format(date)}, ${time}`;
}

/** "unsubscribed", "pendingOptIn" and "NotFinished" as people write them. */
export function words(name) {
  const spaced = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The status of an import, where the vendor's own word says what it is not. */
export const importStatus = (status) => (status === "NotFinished" ? "Under way" : words(status));

export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

export function badge(status, tone) {
  return el("span", { class: `badge ${tone}` }, status);
}

export function toneOf(status) {
  const good = ["subscribed", "Finished"];
  const waiting = ["pendingOptIn", "pending", "NotFinished", "noSubscription"];
  if (good.includes(status)) return "good";
  return waiting.includes(status) ? "waiting" : "bad";
}

// With the origin: an address that was opened with credentials in it cannot be fetched from.
async function call(path, options) {
  const reply = await fetch(location.origin + path, options);
  if (!reply.ok) throw new Error(`answered ${reply.status}`);
  return reply;
}

export async function load(path) {
  const reply = await call(path, { headers: { Accept: "application/json" } });
  return reply.json();
}

export const send = (method, path, body) =>
  call(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
