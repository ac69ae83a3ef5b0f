// Which view is shown, what is open in front of it, and keeping both up to date.

import { linkTo, load, plural, pointLink, say } from "./dom.js";
import { closeDetails, onClosing, refreshDetails, showDetails } from "./details.js";
import { addressBooks } from "./address-books.js";
import { contacts, suppressions } from "./contacts.js";
import { imports, requests } from "./traffic.js";

const VIEWS = { "/address-books": addressBooks, "/contacts": contacts, "/suppressions": suppressions, "/imports": imports, "/requests": requests };
const LINKS = { "/suppressions": "/contacts" };
const BUSY_MILLISECONDS = 400;
const CALM_MILLISECONDS = 1000;

const main = document.getElementById("main");
const pulse = document.getElementById("pulse");
const pulseText = document.getElementById("pulse-text");

let shown = null;
let cameFromView = false;
let timer = 0;
let turn = 0;

/** `#/contacts/1001?status=suppressed`: a view, what is open in front of it, and the filters. */
function place() {
  const [whole, query = ""] = location.hash.slice(1).split("?");
  const [, name, id = null] = whole.split("/");
  const path = `/${name}` in VIEWS ? `/${name}` : "/address-books";
  return { path, id: id && decodeURIComponent(id), query: new URLSearchParams(query) };
}

function open() {
  const { path, id, query } = place();
  cameFromView = Boolean(id) && shown?.path === path && !shown.id;
  if (!id) closeDetails();
  if (shown?.path === path) {
    shown.view.reopen?.(query);
  } else {
    const moved = shown !== null;
    shown = { path, view: VIEWS[path](query) };
    main.replaceChildren(shown.view.node);
    for (const link of document.querySelectorAll("nav a")) {
      if (linkTo(LINKS[path] ?? path) === link) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (moved) main.focus({ preventScroll: true });
  }
  shown.id = id;
  document.title = `${shown.view.title} · Dotdigital sandbox`;
  pointLink(path, query);
  if (id) showDetails(path, id);
  refresh();
}

onClosing(() => {
  const { path, id, query } = place();
  if (!id) return;
  // Back, where it was opened from a list: the list is not in the history twice.
  if (cameFromView) history.back();
  else location.replace(`#${path}${query.size ? `?${query}` : ""}`);
});

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  let wait = CALM_MILLISECONDS;
  try {
    const { active } = await load("/sandbox/page/activity");
    await shown.view.update?.();
    await refreshDetails();
    pulse.className = active ? "pulse busy" : "pulse";
    say(pulseText, active ? `${plural(active, "import", "imports")} under way` : "Idle");
    if (active) wait = BUSY_MILLISECONDS;
  } catch (error) {
    pulse.className = "pulse gone";
    say(pulseText, error instanceof TypeError ? "The sandbox has stopped" : `The sandbox ${error.message}`);
  }
  if (mine === turn && !document.hidden) timer = setTimeout(refresh, wait);
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
addEventListener("hashchange", open);
open();
