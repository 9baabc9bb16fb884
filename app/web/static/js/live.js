// Live pages: one stream tells that something changed, then the page is read again and its parts that
// differ are put in place. Nothing jumps: new rows wait to be asked for, and a row under the pointer,
// with the focus or with an open menu keeps its buttons. Where the stream or the page does not come
// through, the page says so.
import { showAges, showAsOf } from "./ages.js";
import { $, $$, el } from "./dom.js";
import { inPlaceOf } from "./focus.js";
import { Pauses, Stream } from "./stream.js";
import { clock, number, t } from "./words.js";

const LEAST_MS = 700;
const ALIVE = "alive";

/** What a page or an event has seen: `version@microseconds`; without a moment, of a task. */
function seenOf(text = "") {
  const [version, at] = text.split("@");
  return { version, atUs: Number(at ?? 0) };
}

class Live {
  constructor(main) {
    this.main = main;
    this.stream = new Stream({ hear: (event) => this.hear(event), turn: () => this.mark() });
    this.seen = seenOf(main.dataset.seen);
    this.heard = "";
    this.timer = 0;
    this.isReading = false;
    this.isAgain = false;
    this.isOwn = false;
    this.unreadAtMs = 0;
    this.pauses = new Pauses();
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
    if (!path) return;
    const names = (this.main.dataset.events ?? "").split(" ").filter((name) => name);
    this.stream.open(path, ["message", ALIVE, ...names]);
  }

  /** An event: something moved, unless the page has seen as much already. */
  hear(event) {
    if (event.type === ALIVE) {
      this.tick(JSON.parse(event.data));
      return;
    }
    const { version, atUs } = seenOf(event.lastEventId);
    if (version === this.seen.version || (atUs && atUs <= this.seen.atUs)) return;
    this.heard = event.lastEventId;
    this.soon(undefined, false);
  }

  /** Nothing moved, and that was looked at now: what is told as an age grows. */
  tick({ seen, now, ages_s: ages }) {
    if (ages) showAges(ages);
    if (this.unreadAtMs) return;
    showAsOf(now);
    if (this.main.dataset.steady === undefined) return;
    this.heard = seen;
    this.soon(undefined, false);
  }

  onVisibility() {
    if (document.hidden) {
      this.stream.close();
    } else {
      this.soon();
      this.open();
    }
  }

  /**
   * Reads the page again, soon: not more often than it can be drawn five times over. Where the visitor
   * does not ask for it (`isOwn`), what others were shown a moment ago will do.
   */
  soon(waitMs = Math.max(LEAST_MS, this.costMs * 5), isOwn = true) {
    this.isOwn ||= isOwn;
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
    const isRead = await this.fetch();
    this.costMs = performance.now() - started;
    this.isReading = false;
    if (isRead) this.pauses.reset();
    this.unreadAtMs = isRead ? 0 : this.unreadAtMs || Date.now();
    this.mark();
    const isAgain = this.isAgain;
    this.isAgain = false;
    if (!isRead) this.soon(this.pauses.next());
    else if (isAgain) this.soon(undefined, false);
  }

  /** Reads the page and puts it in place; false where the server does not give it. */
  async fetch() {
    const headers = { Accept: "text/html" };
    const heard = this.heard;
    if (!this.isOwn && heard) headers["X-Voxtrace-Seen"] = heard;
    this.isOwn = false;
    try {
      const response = await fetch(location.href, { headers, cache: "no-store" });
      const text = await response.text();
      if (response.status >= 500) return false;
      const fresh = new DOMParser().parseFromString(text, "text/html");
      this.seen = seenOf(fresh.querySelector("main")?.dataset.seen ?? heard);
      this.put(fresh);
      return true;
    } catch {
      return false;
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
      this.stream.close();
    }
    document.dispatchEvent(new Event("redrawn"));
  }

  /** Puts one part in place; true where it had to be held. */
  putOne(node, fresh) {
    const next = fresh.getElementById(node.id);
    if (!next) {
      // Rows that wait to be asked for have pushed it to the next page.
      if (this.newer && node.matches("[data-row]")) return false;
      if (isHeld(node) || hasFocus(node)) return true;
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
    const focused = document.activeElement;
    const hadFocus = node.contains(focused);
    const { scrollLeft } = node;
    node.replaceWith(made);
    made.scrollLeft = scrollLeft;
    if (hadFocus) inPlaceOf(focused, made)?.focus({ preventScroll: true });
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
    this.mark();
  }

  /** Says whether what is shown is of now: live, held, or since when nothing comes. */
  mark() {
    const live = $("#live");
    if (!live) return;
    const lostAtMs = this.stream.lostAtMs || this.unreadAtMs;
    document.documentElement.toggleAttribute("data-lost", lostAtMs > 0);
    live.toggleAttribute("data-lost", lostAtMs > 0);
    live.toggleAttribute("data-paused", this.isHolding && !lostAtMs);
    const word = this.isHolding ? t("held") : t("live");
    $("[data-live-word]", live).textContent = lostAtMs ? t("lost", { at: clock(new Date(lostAtMs)) }) : word;
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

/** Whether somebody works in it by keys, or types: what was clicked has no focus that is seen. */
function hasFocus(node) {
  return node.contains(document.activeElement) && document.activeElement.matches(":focus-visible");
}

/** Whether it has to stay as it is; a row's link opens the same thing whatever the row says. */
function isHeld(node) {
  const isAtControl = hasFocus(node) && !document.activeElement.matches("[data-open]");
  return node.matches(":hover") || isAtControl || Boolean(node.querySelector("details[open][data-menu]"));
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
