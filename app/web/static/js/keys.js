// Keys: / search, j k rows, Enter opens, Space plays, [ ] segments, r newer, g and a letter goes, ? all.
import { $, $$ } from "./dom.js";

const GO = { l: "/", a: "/audios", u: "/upload", m: "/monitor", t: "/tasks", f: "/failures", c: "/correlate", y: "/system", s: "/settings" };

function isTyping(node) {
  return node.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
}

function moveRow(step) {
  const rows = $$("[data-row]");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  const link = $("[data-open]", rows[next]);
  link?.focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

function search() {
  const field = $("[data-search]");
  field?.closest("details")?.setAttribute("open", "");
  if (field) field.focus();
  else location.assign("/?focus=search");
}

export function start({ sound, live }) {
  let isGoing = false;
  const dialog = $("#keys");
  const commands = {
    "/": search,
    j: () => moveRow(1),
    k: () => moveRow(-1),
    r: () => live.showNewer(),
    "[": () => sound()?.step(-1),
    "]": () => sound()?.step(1),
    "?": () => dialog.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (isGoing && GO[event.key]) location.assign(GO[event.key]);
    isGoing = event.key === "g";
    const isButton = event.target.closest("button, summary") !== null;
    if (event.key === " " && !isButton && sound()) sound().toggle();
    else if (commands[event.key]) commands[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys]")) dialog.showModal();
    if (event.target === dialog) dialog.close();
  });
  if (new URLSearchParams(location.search).get("focus") === "search") $("[data-search]")?.focus();
}
