// Which view is shown, and keeping it up to date.

import { load, plural, say } from "./dom.js";
import { closeDialog, dialogIsOpen } from "./details.js";
import { addressBooks, contacts } from "./people.js";
import { imports, requests } from "./traffic.js";

const VIEWS = { "/address-books": addressBooks, "/contacts": contacts, "/imports": imports, "/requests": requests };
const BUSY_MILLISECONDS = 400;
const CALM_MILLISECONDS = 1000;

const main = document.getElementById("main");
const pulse = document.getElementById("pulse");
const pulseText = document.getElementById("pulse-text");

let shown = null;
let timer = 0;
let turn = 0;

function place() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  return { path: path in VIEWS ? path : "/address-books", query: new URLSearchParams(query) };
}

function open() {
  const { path, query } = place();
  if (dialogIsOpen()) closeDialog();
  const moved = shown !== null;
  if (shown?.path === path && shown.view.reopen) {
    shown.view.reopen(query);
  } else {
    shown = { path, view: VIEWS[path](query) };
    main.replaceChildren(shown.view.node);
    document.title = `${shown.view.title} · Dotdigital sandbox`;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${path}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (moved) main.focus({ preventScroll: true });
  }
  refresh();
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  let wait = CALM_MILLISECONDS;
  try {
    const { active } = await load("/sandbox/page/activity");
    await shown.view.update?.();
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
