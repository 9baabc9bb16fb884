// Where the trace of this task is: asked of Jaeger when the page is opened, and again while it may still
// come. What a look has said stays when the page is drawn anew.
import { $ } from "./dom.js";

const PAUSES_MS = [2000, 5000, 10000, 30000];
const OPEN = new Set(["running", "on_its_way", "missing", "lost", "unreachable"]);

let said = null;

async function look(path) {
  const response = await fetch(path, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!response.ok) return null;
  return $("#jaeger", new DOMParser().parseFromString(await response.text(), "text/html"));
}

function put(node) {
  const here = $("#jaeger");
  if (!here || !node || here.contains(document.activeElement)) return;
  here.replaceWith(document.importNode(node, true));
}

async function watch(path, turn = 0) {
  if (!document.hidden) {
    try {
      said = (await look(path)) ?? said;
      put(said);
    } catch {
      // The server is away for a moment; the next turn asks again.
    }
  }
  if (!said || OPEN.has(said.dataset.where)) {
    setTimeout(watch, PAUSES_MS[Math.min(turn, PAUSES_MS.length - 1)], path, turn + 1);
  }
}

export function start() {
  const here = $("#jaeger");
  if (!here || ["no_jaeger", "off"].includes(here.dataset.where)) return;
  watch(here.dataset.look);
  document.addEventListener("redrawn", () => put(said));
}
