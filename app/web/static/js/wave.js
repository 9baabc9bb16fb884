// A waveform that fills as it is heard. The server draws every bar as not yet heard.
import { $ } from "./dom.js";

const split = (path) => (path.getAttribute("d") ?? "").split(/(?=M)/).filter(Boolean);

export class Wave {
  constructor(root) {
    this.root = root;
    this.done = $(".w-done", root);
    this.todo = $(".w-todo", root);
    const heard = split(this.done);
    this.bars = [...heard, ...split(this.todo)];
    this.filled = heard.length;
  }

  /** Fills the bars up to a ratio from 0 to 1. */
  show(ratio) {
    const filled = Math.round(Math.min(1, Math.max(0, ratio)) * this.bars.length);
    if (filled === this.filled) return;
    this.filled = filled;
    this.done.setAttribute("d", this.bars.slice(0, filled).join(""));
    this.todo.setAttribute("d", this.bars.slice(filled).join(""));
  }

  /** Calls `seek` with the ratio of a place that is clicked. */
  onSeek(seek) {
    this.root.addEventListener("click", (event) => {
      const box = this.root.getBoundingClientRect();
      seek(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    });
  }
}
