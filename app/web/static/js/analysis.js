// A long analysis: the page asks how far it is, draws it, and loads the answer when it is there.
import { $ } from "./dom.js";
import { call } from "./api.js";

const EVERY_MS = 1500;

/** What the page says now of how far it is; the server draws it. */
async function redraw() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = fresh.getElementById("analysis-progress");
  if (next) $("#analysis-progress")?.replaceWith(document.importNode(next, true));
}

async function look(path) {
  try {
    const { state } = await call("GET", path);
    if (state !== "waiting" && state !== "running") {
      location.reload();
      return;
    }
    if (!document.hidden) await redraw();
  } catch {
    // it is asked again: the server may be restarting
  }
  setTimeout(() => look(path), EVERY_MS);
}

export function start() {
  const path = $("[data-analysis]")?.dataset.analysis;
  if (path) setTimeout(() => look(path), EVERY_MS);
}
