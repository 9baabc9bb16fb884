// The task page's player: waveform, segments, and the text that is read along.
import { $, $$, on } from "./dom.js";
import { Player, showButton } from "./player.js";
import { toast } from "./toast.js";
import { position, t } from "./words.js";
import { Wave } from "./wave.js";

class Listen {
  constructor(section) {
    this.section = section;
    this.player = new Player();
    this.player.load(section.dataset.audio, Number(section.dataset.durationMs) / 1000);
    this.wave = new Wave($(".wave-bars", section));
    this.segments = $$("[data-start-ms]", section).map((node) => ({
      node,
      number: Number(node.dataset.segment),
      startS: Number(node.dataset.startMs) / 1000,
      endS: (Number(node.dataset.startMs) + Number(node.dataset.lengthMs)) / 1000,
    }));
    this.now = -1;
    this.player.addEventListener("change", () => this.show());
    this.player.addEventListener("failed", () => toast(t("sound_failed")));
    this.connect();
    const asked = new URLSearchParams(location.search).get("t");
    if (asked) this.player.seek(Number(asked) || 0);
    else this.seekSegment(Number(new URLSearchParams(location.search).get("segment")), false);
  }

  connect() {
    const { section, player } = this;
    $("[data-play]", section).addEventListener("click", () => player.toggle());
    $("[data-speed]", section).addEventListener("click", () => player.faster());
    for (const button of $$("[data-skip]", section)) {
      button.addEventListener("click", () => player.seek(player.atS + Number(button.dataset.skip)));
    }
    const wave = $(".wave", section);
    wave.addEventListener("click", (event) => {
      const box = wave.getBoundingClientRect();
      player.seek(((event.clientX - box.left) / box.width) * player.durationS);
      this.showSpan();
    });
    section.addEventListener("click", (event) => {
      const link = event.target.closest("[data-seek-segment]");
      if (!link) return;
      event.preventDefault();
      this.seekSegment(Number(link.dataset.seekSegment), true);
    });
  }

  /** Goes to a segment by its number in the text, from 1. */
  seekSegment(number, plays) {
    const segment = this.segments.find((one) => one.number === number);
    if (!segment) return;
    this.player.seek(segment.startS + 0.001);
    this.showSpan();
    if (plays && !this.player.isPlaying) this.player.play();
  }

  /** The neighbour of the segment that is heard: `step` is 1 or -1. */
  step(step) {
    const at = Math.max(0, this.indexAt(this.player.atS));
    const next = this.segments[Math.min(this.segments.length - 1, Math.max(0, at + step))];
    if (next) this.seekSegment(next.number, false);
  }

  /** The last segment that starts before a place; -1 before the first. */
  indexAt(seconds) {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.segments[middle].startS <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  show() {
    const { player, section } = this;
    this.wave.show(player.ratio);
    const x = `${(player.ratio * 100).toFixed(2)}%`;
    for (const line of $$(".head", section)) ["x1", "x2"].forEach((end) => line.setAttribute(end, x));
    $(".head-dot", section).setAttribute("cx", x);
    $(".player-head", section).removeAttribute("hidden");
    $(".clock b", section).textContent = position(player.atS);
    showButton($("[data-play]", section), player.isPlaying, t(player.isPlaying ? "pause" : "play"));
    $("[data-speed]", section).textContent = `${player.speed.toFixed(2).replace(/0$/, "")} ×`;
    this.showSegment(this.indexAt(player.atS));
  }

  showSegment(index) {
    if (index === this.now) return;
    this.segments[this.now]?.node.classList.remove("now");
    this.segments.forEach((one, i) => one.node.classList.toggle("heard", i < index));
    this.now = index;
    const segment = this.segments[index];
    if (!segment) return;
    segment.node.classList.add("now");
    $("[data-segment-note]", this.section).textContent = segment.node.dataset.note;
    const band = $(".seg-sel", this.section);
    band.setAttribute("x", `${(segment.startS / this.player.durationS) * 100}%`);
    band.setAttribute("width", `${((segment.endS - segment.startS) / this.player.durationS) * 100}%`);
    this.follow(segment.node);
  }

  /** Keeps the line that is read in sight, inside the reading panel only. */
  follow(node) {
    const panel = $(".reading", this.section);
    const top = node.offsetTop - panel.offsetTop;
    const isSeen = top >= panel.scrollTop && top + node.offsetHeight <= panel.scrollTop + panel.clientHeight;
    if (!isSeen) panel.scrollTop = top - panel.clientHeight / 3;
  }

  /** Selects the waterfall's row of the segment that is heard. */
  showSpan() {
    const segment = this.segments[this.indexAt(this.player.atS)];
    for (const row of $$("tr[data-segment]")) {
      const isThis = segment && Number(row.dataset.segment) === segment.number;
      if (isThis) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
  }
}

export function start() {
  const section = $("[data-listen]");
  if (!section) return null;
  const listen = new Listen(section);
  on("click", "tr[data-segment]", (row) => listen.seekSegment(Number(row.dataset.segment), false));
  return {
    toggle: () => listen.player.toggle(),
    step: (by) => listen.step(by),
    isFor: (node) => node === section,
  };
}
