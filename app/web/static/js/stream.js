// The one stream of a page. A regular end is the browser's to mend; what else ends it, or keeps it
// silent, makes it lost: it is opened anew, after a pause that grows.

const FIRST_MS = 1000;
const LONGEST_MS = 30000;
/** Three signs of life that did not come. */
const SILENT_MS = 15000;

/** Pauses that grow from a second to half a minute, each by chance a quarter shorter or longer. */
export class Pauses {
  constructor() {
    this.reset();
  }

  reset() {
    this.nextMs = FIRST_MS;
  }

  next() {
    const pauseMs = this.nextMs * (0.75 + Math.random() / 2);
    this.nextMs = Math.min(this.nextMs * 2, LONGEST_MS);
    return pauseMs;
  }
}

export class Stream {
  /** `hear` is called with each event, `turn` when the stream is lost (`lostAtMs`) or back (0). */
  constructor({ hear, turn }) {
    this.hear = hear;
    this.turn = turn;
    this.source = null;
    this.path = "";
    this.names = [];
    this.isSilent = true;
    this.lostAtMs = 0;
    this.heardAtMs = Date.now();
    this.pauses = new Pauses();
    this.again = 0;
    this.silence = 0;
    window.addEventListener("online", () => this.again && this.connect());
  }

  open(path, names) {
    if (this.source || this.again) return;
    this.path = path;
    this.names = names;
    this.heardAtMs = Date.now();
    this.connect();
  }

  close() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.again);
    clearTimeout(this.silence);
    this.again = 0;
  }

  connect() {
    this.close();
    this.isSilent = true;
    this.source = new EventSource(this.path);
    for (const name of this.names) this.source.addEventListener(name, (event) => this.heard(event));
    this.source.addEventListener("error", () => this.failed());
    this.await();
  }

  await() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lose(), SILENT_MS);
  }

  heard(event) {
    this.isSilent = false;
    this.heardAtMs = Date.now();
    this.pauses.reset();
    this.await();
    if (this.lostAtMs) {
      this.lostAtMs = 0;
      this.turn();
    }
    this.hear(event);
  }

  failed() {
    const isEnd = this.source?.readyState === EventSource.CONNECTING && !this.isSilent;
    this.isSilent = true;
    if (!isEnd) this.lose();
  }

  lose() {
    this.close();
    this.again = setTimeout(() => this.connect(), this.pauses.next());
    if (this.lostAtMs) return;
    this.lostAtMs = this.heardAtMs;
    this.turn();
  }
}
