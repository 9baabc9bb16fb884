// Live pages: one stream tells that something changed, then the page is read again and its parts that
// differ are put in place. Nothing jumps: new rows wait to be asked for, and a row under the pointer,
// with the focus or with an open menu keeps its buttons.
import { $, $$, el } from "./dom.js";
import { number, t } from "./words.js";

const LEAST_MS = 700;

class Live {
  constructor(main) {
    this.main = main;
    this.source = null;
    this.timer = 0;
    this.isReading = false;
    this.isAgain = false;
    this.costMs = 0;
    this.fresh = null;
    this.drawn = new WeakMap();
    this.released = new Set();
    this.showsNext = false;
    this.newer = 0;
    this.isHolding = false;
    this.remember();
    document.addEventListener("visibilitychange", () => this.onVisibility());
    document.addEventListener("pointerout", (event) => {
      if (this.isHolding && event.target.closest?.("[data-live]")) this.soon();
    });
    if (!document.hidden) this.open();
  }

  open() {
    const path = this.main.dataset.stream;
    if (this.source || !path) return;
    this.source = new EventSource(path);
    for (const name of ["message", ...(this.main.dataset.events ?? "").split(" ")]) {
      if (name) this.source.addEventListener(name, () => this.soon());
    }
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  onVisibility() {
    if (document.hidden) {
      this.close();
    } else {
      this.soon();
      this.open();
    }
  }

  /** Reads the page again, soon: not more often than it can be drawn five times over. */
  soon(waitMs = Math.max(LEAST_MS, this.costMs * 5)) {
    if (this.isReading) {
      this.isAgain = true;
    } else if (!this.timer && !document.hidden) {
      this.timer = setTimeout(() => this.read(), waitMs);
    }
  }

  /** Reads the page again at once; what a visitor has just changed is not held back from them. */
  release(id) {
    if (id) this.released.add(id);
    this.soon(0);
  }

  /** Reads the page again; rows that the visitor has just added are shown without being asked for. */
  showNext() {
    this.showsNext = true;
    this.soon(0);
  }

  async read() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.isReading = true;
    const started = performance.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (response.ok) this.put(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      // The server is away for a moment: the stream opens again by itself and tells when it is back.
    }
    this.costMs = performance.now() - started;
    this.isReading = false;
    if (this.isAgain) {
      this.isAgain = false;
      this.soon();
    }
  }

  remember() {
    for (const node of $$("[data-live]")) this.drawn.set(node, node.outerHTML);
  }

  put(fresh) {
    if (fresh.querySelector("main")?.dataset.shape !== this.main.dataset.shape) {
      // Another page altogether: a task that has ended gets its player, or its reason.
      location.reload();
      return;
    }
    this.fresh = fresh;
    this.newer = this.countNewer(fresh);
    let isHeld = false;
    for (const node of $$("[data-live]")) isHeld = this.putOne(node, fresh) || isHeld;
    this.tell(isHeld);
    const stream = fresh.querySelector("main")?.dataset.stream;
    if (stream) this.main.dataset.stream = stream;
    else {
      delete this.main.dataset.stream;
      this.close();
    }
    document.dispatchEvent(new Event("redrawn"));
  }

  /** Puts one part in place; true where it had to be held. */
  putOne(node, fresh) {
    const next = fresh.getElementById(node.id);
    if (!next) {
      // Rows that wait to be asked for have pushed it to the next page.
      if (this.newer && node.matches("[data-row]")) return false;
      if (isHeld(node)) return true;
      node.remove();
      return false;
    }
    const html = next.outerHTML;
    if (html === this.drawn.get(node)) return false;
    if (isHeld(node) && !this.released.delete(node.id)) {
      this.putPieces(node, next);
      return true;
    }
    const made = document.importNode(next, true);
    flash(node, made);
    this.drawn.set(made, html);
    keepOpen(node, made);
    const hadFocus = node.contains(document.activeElement);
    node.replaceWith(made);
    if (hadFocus) $("[data-open], a, button", made)?.focus({ preventScroll: true });
    return false;
  }

  /** Of a held part, what nobody can click by mistake: progress and its words. */
  putPieces(node, next) {
    const pieces = $$("[data-piece]", next);
    $$("[data-piece]", node).forEach((piece, index) => {
      if (pieces[index]) piece.replaceWith(document.importNode(pieces[index], true));
    });
  }

  /** How many rows of the fresh page are not shown yet. */
  countNewer(fresh) {
    const list = $("[data-live-list]");
    const next = fresh.querySelector("[data-live-list]");
    if (!list || !next) return 0;
    const known = new Set($$("[data-row]", list).map((row) => row.id));
    return $$("[data-row]", next).filter((row) => !known.has(row.id)).length;
  }

  /** Says that rows wait, or shows them: the first of all, and those that the visitor has added. */
  tell(held) {
    this.isHolding = held;
    const isEmpty = !$("[data-live-list] [data-row]");
    if (this.newer && (this.showsNext || isEmpty)) this.showNewer();
    else $("#newer")?.replaceChildren(...(this.newer ? [this.newerButton(this.newer)] : []));
    const live = $("#live");
    if (!live) return;
    live.toggleAttribute("data-paused", held);
    $("[data-live-word]", live).textContent = t(held ? "held" : "live");
  }

  newerButton(count) {
    const button = el("button", { type: "button", class: "btn btn-small", "data-newer": number(count) });
    button.append(`${t("newer", { n: count })} `, el("kbd", {}, "r"));
    button.addEventListener("click", () => this.showNewer());
    return button;
  }

  /** Draws the list as it is now, new rows included. */
  showNewer() {
    const list = $("[data-live-list]");
    const next = this.fresh?.querySelector("[data-live-list]");
    if (!list || !next) return;
    list.replaceChildren(...[...next.children].map((child) => document.importNode(child, true)));
    this.showsNext = false;
    this.newer = 0;
    this.remember();
    $("#newer")?.replaceChildren();
    document.dispatchEvent(new Event("redrawn"));
  }
}

/** Lets what has another `data-flash` than before fade in: a status, a headline number. */
function flash(before, after) {
  const was = [before, ...$$("[data-flash]", before)].map((node) => node.dataset?.flash);
  [after, ...$$("[data-flash]", after)].forEach((node, index) => {
    if (node.dataset.flash === undefined || node.dataset.flash === was[index]) return;
    node.dataset.changed = "";
    node.addEventListener("animationend", () => delete node.dataset.changed, { once: true });
  });
}

function isHeld(node) {
  const focus = document.activeElement;
  const hasFocus = focus && focus !== document.body && node.contains(focus);
  return node.matches(":hover") || hasFocus || Boolean(node.querySelector("details[open][data-menu]"));
}

/** What a visitor has unfolded stays unfolded. */
function keepOpen(before, after) {
  const was = $$("details:not([data-menu])", before);
  $$("details:not([data-menu])", after).forEach((node, index) => {
    if (was[index]) node.open = was[index].open;
  });
}

export function start() {
  const main = $("main");
  const live = new Live(main);
  return {
    soon: (waitMs) => live.soon(waitMs),
    showNext: () => live.showNext(),
    release: (id) => live.release(id),
    showNewer: () => live.showNewer(),
  };
}
