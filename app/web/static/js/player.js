// One sound at a time: play, pause, seek, speed. Pages show it; this only plays.

const SPEEDS = [1, 1.25, 1.5, 2, 0.75];

export class Player extends EventTarget {
  constructor() {
    super();
    this.sound = new Audio();
    this.sound.preload = "none";
    this.src = "";
    this.knownS = 0;
    for (const type of ["play", "pause", "ended", "timeupdate", "seeked", "durationchange"]) {
      this.sound.addEventListener(type, () => this.dispatchEvent(new Event("change")));
    }
    this.sound.addEventListener("error", () => this.dispatchEvent(new Event("failed")));
  }

  /** Takes up a file; `durationS` is what the server knows of its length. */
  load(src, durationS) {
    if (src === this.src) return;
    this.src = src;
    this.knownS = durationS;
    this.sound.src = src;
  }

  get isPlaying() { return Boolean(this.src) && !this.sound.paused && !this.sound.ended; }
  get atS() { return this.sound.currentTime; }
  get durationS() { return this.knownS || this.sound.duration || 0; }
  get ratio() { return this.durationS ? this.atS / this.durationS : 0; }
  get speed() { return this.sound.playbackRate; }

  async play() {
    try {
      await this.sound.play();
    } catch (error) {
      // A pause that came before the sound began is no failure.
      if (error.name !== "AbortError") this.dispatchEvent(new Event("failed"));
    }
  }

  toggle() {
    if (this.isPlaying) this.sound.pause();
    else this.play();
  }

  pause() { this.sound.pause(); }

  seek(seconds) {
    this.sound.currentTime = Math.min(this.durationS || seconds, Math.max(0, seconds));
    this.dispatchEvent(new Event("change"));
  }

  faster() {
    const next = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length] ?? 1;
    this.sound.playbackRate = next;
    this.sound.defaultPlaybackRate = next;
    this.dispatchEvent(new Event("change"));
  }
}

/** Shows on a play button whether it plays. */
export function showButton(button, isPlaying, label) {
  button.querySelector("use").setAttribute("href", isPlaying ? "#i-pause" : "#i-play");
  button.setAttribute("aria-label", label);
}
