// Toasts: what has just happened, with a way back where there is one.
import { $, el } from "./dom.js";
import { t } from "./words.js";

const SHOWN_MS = 6000;

let waiting = null;
document.addEventListener("keydown", (event) => {
  if (event.key === "Tab" && !event.shiftKey && waiting) waiting(event);
});

/** Makes a toast's button what Tab reaches next, and lets Tab lead back from it. */
function reachable(button, back) {
  let from = null;
  const home = () => (from?.isConnected && from !== document.body ? from : back?.());
  waiting = (event) => {
    waiting = null;
    if (!button.isConnected) return;
    from = document.activeElement;
    event.preventDefault();
    event.stopPropagation();
    button.focus();
  };
  button.addEventListener("keydown", (event) => {
    const place = event.key === "Tab" && home();
    if (!place) return;
    // Forwards the browser goes on from there by itself.
    place.focus();
    if (event.shiftKey) event.preventDefault();
  });
  return home;
}

/**
 * Shows a text; `action` is {label, run, back}: what has the focus after it where nothing had before.
 * It stays while its button has the focus. Returns a function that takes the toast away.
 */
export function toast(text, action = null, shownMs = SHOWN_MS) {
  const node = el("div", { class: "toast" }, el("span", {}, text));
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    node.remove();
  };
  if (action) {
    const button = el("button", { type: "button" }, action.label);
    const home = reachable(button, action.back);
    button.addEventListener("click", (event) => {
      if (event.detail === 0) home()?.focus();
      close();
      action.run();
    });
    node.append(button);
  }
  $("#toasts").append(node);
  const count = () => {
    if (shownMs) timer = setTimeout(close, shownMs);
  };
  node.addEventListener("focusin", () => clearTimeout(timer));
  node.addEventListener("focusout", count);
  count();
  return close;
}

/** Counts down and then runs; Undo stops it, leaving the page runs it at once. */
export function later(text, run, seconds = 5) {
  const started = performance.now();
  const count = el("span", { class: "count" });
  let isOpen = true;
  const finish = (act) => {
    if (!isOpen) return;
    isOpen = false;
    clearInterval(clock);
    removeEventListener("pagehide", now);
    close();
    if (act) run();
  };
  const now = () => finish(true);
  const close = toast(text, { label: t("undo"), run: () => finish(false) }, 0);
  $("#toasts").lastElementChild.firstElementChild.append(" ", count);
  const tick = () => {
    const left = Math.ceil(seconds - (performance.now() - started) / 1000);
    if (left <= 0) now();
    else count.textContent = t("in_seconds", { n: left });
  };
  const clock = setInterval(tick, 250);
  addEventListener("pagehide", now);
  tick();
}
