// The views of imports and of the request log.

import { badge, breakable, el, follow, importStatus, keep, load, number, plural, say, table, toneOf, when, words } from "./dom.js";

const NAMED_LISTS = 3;

export function imports() {
  const list = el("ol", { class: "imports" });
  const note = el("p", { class: "empty", hidden: true }, "No imports yet. They appear here as soon as one is accepted, and their bars move by themselves.");
  return {
    title: "Imports",
    node: el("section", {}, el("h1", {}, "Imports"), note, list),
    async update() {
      const entries = await load("/sandbox/page/imports");
      note.hidden = entries.length > 0;
      keep(list, entries, (entry) => entry.id, importRow, updateImport);
    },
  };
}

function importRow(entry) {
  const parts = {
    status: el("span"),
    done: el("span", { class: "figures" }),
    bar: el("progress", { max: entry.contacts, "aria-label": `Progress of import ${entry.id.slice(0, 8)}` }),
    created: el("dd"),
    updated: el("dd"),
    failed: el("dd"),
    codes: el("ul", { class: "codes", "aria-label": "Failures by code" }),
  };
  const link = el("a", { class: "mono", href: `#/imports/${entry.id}` }, entry.id.slice(0, 8));
  const count = (name, value) => el("div", {}, el("dt", {}, name), value);
  const node = el(
    "li",
    { "data-import": entry.id, class: "opens", onclick: follow(link) },
    el(
      "div",
      { class: "line" },
      link,
      parts.status,
      el("time", { class: "quiet figures", datetime: entry.accepted }, when(entry.accepted)),
      parts.done,
    ),
    parts.bar,
    el("p", { class: "into" }, namedLists(entry.lists)),
    el("div", { class: "line" }, el("dl", { class: "counts" }, count("created", parts.created), count("updated", parts.updated), count("failed", parts.failed)), parts.codes),
  );
  return { node, parts, status: "" };
}

function namedLists(lists) {
  if (!lists.length) return "Into no address book";
  const links = lists
    .slice(0, NAMED_LISTS)
    .flatMap(({ id, name }) => [", ", name === null ? el("span", { class: "bad" }, `${id} (no such address book)`) : el("a", { href: `#/contacts?list=${id}` }, name)]);
  const others = lists.length - NAMED_LISTS;
  return ["Into ", ...links.slice(1), others > 0 ? ` and ${plural(others, "other", "others")}` : ""];
}

function updateImport(row, entry) {
  const { parts } = row;
  if (row.status !== entry.status) {
    row.status = entry.status;
    parts.status.replaceChildren(badge(importStatus(entry.status), toneOf(entry.status)));
    row.node.dataset.status = entry.status;
  }
  parts.bar.value = entry.done;
  const took = entry.finished ? ` in ${seconds(new Date(entry.finished) - new Date(entry.accepted))}` : "";
  const whole = plural(entry.contacts, "contact", "contacts");
  say(parts.done, entry.finished ? `${whole}${took}` : `${number(entry.done)} of ${whole}`);
  for (const name of ["created", "updated", "failed"]) {
    say(parts[name], number(entry[name]));
    parts[name].className = entry[name] ? (name === "failed" ? "bad" : "") : "quiet";
  }
  keep(parts.codes, entry.codes, ([code]) => code, codeItem, (item, [, count]) => say(item.count, number(count)));
}

function codeItem([code]) {
  const count = el("b");
  return { node: el("li", {}, code, " ", count), count };
}

function seconds(milliseconds) {
  if (milliseconds < 100) return "under 0.1 s";
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const whole = Math.round(milliseconds / 1000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function requests() {
  const note = el("p", { class: "empty", hidden: true }, "No calls in the last five minutes. Every call of a client is listed here: its route, status and time, never its values.");
  const lead = el("p", { class: "lead" });
  const tiers = el("ul", { class: "tiers", "aria-label": "Rate limits" });
  const routes = table("Calls by route", [["Route", ""], ["Calls", "number"], ["Errors", "number"], ["Median", "number wide"], ["Slowest", "number"]]);
  const log = table("Latest calls", [["Time", "figures"], ["Call", ""], ["Status", "number"], ["Took", "number"], ["Tier", "wide tier"], ["Left", "number wide tier"]]);
  const filled = el("div", {}, lead, tiers, el("h2", {}, "By route"), routes.node, el("h2", {}, "Latest"), log.node);
  return {
    title: "Requests",
    node: el("section", {}, el("h1", {}, "Requests"), note, filled),
    async update() {
      const found = await load("/sandbox/page/requests");
      note.hidden = found.calls.length > 0;
      filled.hidden = !found.calls.length;
      const total = found.statuses.reduce((sum, [, , count]) => sum + count, 0);
      const each = found.statuses.map(([status, phrase, count]) => `${number(count)} × ${status || ""} ${phrase}`.replace("  ", " "));
      say(lead, `${plural(total, "call", "calls")} in the last five minutes: ${each.join(", ")}.`);
      keep(tiers, found.tiers, (tier) => tier.scope, tierItem, updateTier);
      tiers.hidden = !found.tiers.length;
      log.node.classList.toggle("no-tiers", !found.calls.some((call) => call.tier));
      keep(routes.body, found.routes, (route) => `${route.method} ${route.route}`, routeRow, updateRoute);
      keep(log.body, found.calls, (call) => call.number, callRow);
    },
  };
}

function tierItem(tier) {
  const used = el("span", { class: "figures" });
  const bar = el("progress", { "aria-label": `Use of ${tier.scope}` });
  return { node: el("li", {}, el("span", {}, words(tier.scope)), bar, used), used, bar };
}

function updateTier({ used, bar, node }, tier) {
  bar.max = Math.max(tier.limit, 1);
  bar.value = tier.limit - tier.remaining;
  node.className = tier.remaining ? "" : "bad";
  say(used, `${number(tier.limit - tier.remaining)} of ${number(tier.limit)} used`);
}

const method = (name) => el("span", { class: "method" }, name);
const milliseconds = (value) => `${value < 100 ? value.toFixed(1) : number(Math.round(value))} ms`;

function routeRow(route) {
  const cells = Array.from({ length: 4 }, (_, index) => el("td", { class: index === 2 ? "number wide" : "number" }));
  return { node: el("tr", {}, el("th", { scope: "row", class: "mono" }, method(route.method), breakable(route.route)), cells), cells };
}

function updateRoute({ cells }, route) {
  say(cells[0], number(route.calls));
  say(cells[1], route.errors ? number(route.errors) : "–");
  cells[1].className = `number ${route.errors ? "bad" : "quiet"}`;
  say(cells[2], milliseconds(route.median));
  say(cells[3], milliseconds(route.slowest));
}

function callRow(call) {
  const tone = call.status === 0 || call.status >= 500 ? "bad" : call.status >= 400 ? "waiting" : "good";
  const node = el(
    "tr",
    {},
    el("td", { class: "figures quiet" }, when(call.time * 1000)),
    el("th", { scope: "row", class: "mono" }, method(call.method), breakable(call.route)),
    el("td", { class: "number" }, badge(call.status ? String(call.status) : "none", tone)),
    el("td", { class: "number" }, milliseconds(call.milliseconds)),
    el("td", { class: "wide tier quiet" }, call.tier ? words(call.tier.scope) : ""),
    el("td", { class: "number wide tier quiet" }, call.tier ? `${number(call.tier.remaining)} of ${number(call.tier.limit)}` : ""),
  );
  return { node };
}
