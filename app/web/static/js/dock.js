// The library's player: a row plays in place, the dock at the foot shows what is heard.
import { $, $$, on } from "./dom.js";
import { Player, showButton } from "./player.js";
import { toast } from "./toast.js";
import { position, t } from "./words.js";
import { Wave } from "./wave.js";

class Dock {
  constructor(root) {
    this.root = root;
    this.player = new Player();
    this.playing = "";
    this.rowWave = null;
    this.wave = null;
    this.player.addEventListener("change", () => this.show());
    this.player.addEventListener("failed", () => toast(t("sound_failed")));
    $("[data-play]", root).addEventListener("click", () => this.player.toggle());
    $("[data-speed]", root).addEventListener("click", () => this.player.faster());
    root.addEventListener("click", (event) => {
      const wave = event.target.closest(".wave-mini");
      if (!wave) return;
      const box = wave.getBoundingClientRect();
      this.player.seek(((event.clientX - box.left) / box.width) * this.player.durationS);
    });
  }

  row() { return document.getElementById(this.playing); }

  toggle(row) {
    const button = $("[data-play-row]", row);
    if (row.id === this.playing) {
      this.player.toggle();
      return;
    }
    this.leaveRow();
    this.playing = row.id;
    this.player.load(button.dataset.audio, Number(button.dataset.durationMs) / 1000);
    this.fill(row);
    this.takeRow();
    this.player.seek(0);
    this.player.play();
  }

  /** Copies what the row says into the dock. */
  fill(row) {
    const title = $("h2", row);
    const shown = $("[data-title]", this.root);
    shown.textContent = title.textContent.trim();
    shown.lang = title.lang;
    $("[data-read-along]", this.root).href = `${$("h2 a", row).getAttribute("href")}#listen`;
    const wave = $(".wave-mini", row).cloneNode(true);
    $(".dock-wave", this.root).replaceChildren(wave);
    this.wave = new Wave(wave);
    this.root.hidden = false;
  }

  /** Takes the row up again after the list was drawn anew. */
  takeRow() {
    const row = this.row();
    if (!row) return;
    row.dataset.playing = "";
    this.rowWave = new Wave($(".wave-mini", row));
    this.show();
  }

  leaveRow() {
    const row = this.row();
    this.rowWave?.show(0);
    if (!row) return;
    delete row.dataset.playing;
    const button = $("[data-play-row]", row);
    button.classList.replace("play-now", "play-ghost");
    showButton(button, false, t("play_title", { title: $("h2", row).textContent.trim() }));
  }

  show() {
    const { player, root } = this;
    this.wave?.show(player.ratio);
    this.rowWave?.show(player.ratio);
    $(".clock b", root).textContent = position(player.atS);
    $(".clock span", root).textContent = `/ ${position(Math.round(player.durationS))}`;
    $("[data-speed]", root).textContent = `${player.speed.toFixed(2).replace(/0$/, "")} ×`;
    showButton($("[data-play]", root), player.isPlaying, t(player.isPlaying ? "pause" : "play"));
    const row = this.row();
    const button = row && $("[data-play-row]", row);
    if (!button) return;
    button.classList.replace("play-ghost", "play-now");
    const key = player.isPlaying ? "pause_title" : "play_title";
    showButton(button, player.isPlaying, t(key, { title: $("h2", row).textContent.trim() }));
  }
}

export function start() {
  const root = $("#dock");
  if (!root) return null;
  const dock = new Dock(root);
  on("click", "[data-play-row]", (button) => dock.toggle(button.closest("[data-row]")));
  document.addEventListener("redrawn", () => dock.takeRow());
  return {
    toggle: () => {
      const focused = document.activeElement?.closest?.("[data-row]");
      const first = focused ?? dock.row() ?? $$("[data-row]").find((row) => $("[data-play-row]", row));
      if (first && $("[data-play-row]", first)) dock.toggle(first);
    },
    step: () => {},
  };
}
