// Uploads: files by drop or choice, each a request of its own with its own line.
import { $, $$, el, icon, svg } from "./dom.js";
import { call } from "./api.js";
import { number, size, t } from "./words.js";

const BLOCKS = 20;
const AT_ONCE = 2;

function blocks(ratio) {
  const bar = svg("svg", { class: "progress", height: 8, role: "img", "aria-label": t("upload.percent", { n: Math.floor(ratio * 100) }) });
  for (let n = 0; n < BLOCKS; n += 1) {
    const kind = n < Math.floor(ratio * BLOCKS) ? "processing" : "track";
    bar.append(svg("rect", { class: `f-${kind}`, x: `${n * 5}%`, y: 0, width: "3.9%", height: 8, rx: 1 }));
  }
  return bar;
}

/** One line of the list: a glyph, a name, what became of it, a measure, and a button. */
class Line {
  constructor(name, bytes) {
    this.name = name;
    this.bytes = bytes;
    this.glyph = el("span", {});
    this.says = el("div", { class: "small" });
    this.measure = el("div", {});
    this.button = el("button", { class: "copy", type: "button" }, icon("i-x"));
    const who = el("div", {}, el("div", { class: "name clip" }, name), this.says);
    this.node = el("li", {}, this.glyph, who, this.measure, this.button);
    this.button.addEventListener("click", () => this.onButton());
    this.waits();
  }

  onButton() {
    this.request?.abort();
    this.node.remove();
    countFiles();
  }

  set(state, sign, attributes, says) {
    this.node.dataset.state = state;
    this.glyph.replaceChildren(icon(sign, { class: "glyph", ...attributes }));
    this.says.replaceChildren(...[says].flat());
    this.says.classList.toggle("say-bad", state === "refused");
    const key = state === "sending" || state === "waiting" ? "upload.stop" : "upload.take_off";
    this.button.setAttribute("aria-label", t(key, { name: this.name }));
    countFiles();
  }

  waits() {
    this.set("waiting", "g-pending", { "data-status": "pending" }, t("upload.waiting"));
    this.measure.replaceChildren(el("span", { class: "small nowrap" }, size(this.bytes)));
  }

  sends(loaded, total) {
    this.set("sending", "g-processing", { "data-status": "processing" }, t("upload.sending"));
    const told = t("upload.of", { loaded: size(loaded), total: size(total) });
    this.measure.replaceChildren(blocks(total ? loaded / total : 0), el("span", { class: "small nowrap" }, told));
  }

  refused(says) {
    this.set("refused", "g-failed", { "data-level": "bad" }, says);
    this.measure.replaceChildren(el("span", { class: "small nowrap" }, size(this.bytes)));
  }

  answered({ disposition, text, task }) {
    const link = (key) => el("a", { class: "link", href: `/tasks/${task.id}` }, t(key));
    if (disposition === "skipped") {
      this.set("same", "g-reused", { "data-status": "reused" }, [`${t("upload.same_ready")} `, link("upload.open_audio")]);
    } else if (disposition === "followed") {
      this.set("follows", "g-reused", { "data-status": "reused" }, [`${t("upload.same_running")} `, link("upload.open_task")]);
    } else {
      this.set("added", "g-completed", { "data-level": "ok" }, [`${t("upload.added")} `, link("upload.open_task")]);
    }
    const encoding = text.encoding && text.encoding !== "utf-8" ? `, ${text.encoding.toUpperCase()}` : "";
    const told = `${t("characters", { n: text.char_count })}${encoding}`;
    this.measure.replaceChildren(el("span", { class: "small nowrap" }, told));
  }
}

/** Why a file cannot be sent at all; null where it can. */
function refusal(file, limits) {
  const isText = /\.(txt|md|markdown|text)$/i.test(file.name) || file.type.startsWith("text/");
  if (!isText) return t("upload.not_text");
  if (file.size === 0) return t("upload.empty");
  if (file.size > limits.bytes) return t("upload.too_large", { limit: size(limits.bytes) });
  return null;
}

/** Why the server refused, in the page's language; its own words are added where they are that. */
function reason(status, body) {
  const key = `upload.refused_${status}`;
  const text = t(key) === key ? t("upload.refused") : t(key);
  const detail = document.documentElement.lang === "en" && body?.detail;
  return detail ? `${text} ${detail}` : text;
}

const choices = () => new FormData($("[data-choices]") ?? document.createElement("form"));

function send(file, line) {
  const form = new FormData();
  form.append("file", file);
  for (const [key, value] of choices()) {
    const isChoice = ["engine", "voice", "format", "timeout_s", "encoding"].includes(key);
    if (isChoice && value) form.append(key, value);
  }
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    line.request = request;
    request.open("POST", "/api/v1/texts");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => line.sends(event.loaded, event.total);
    request.onload = () => {
      if (request.status < 300) line.answered(request.response);
      else line.refused(reason(request.status, request.response));
      resolve();
    };
    request.onerror = () => { line.refused(t("problem.0")); resolve(); };
    request.onabort = resolve;
    line.sends(0, file.size);
    request.send(form);
  });
}

function countFiles() {
  const panel = $("[data-files]");
  if (!panel) return;
  const lines = $$("li", panel);
  panel.hidden = lines.length === 0;
  $("[data-files-count]", panel).textContent = t("upload.files", { n: lines.length });
  const of = (...states) => lines.filter((line) => states.includes(line.dataset.state)).length;
  const parts = [
    ["upload.count_added", of("added")],
    ["upload.count_same", of("same", "follows")],
    ["upload.count_waiting", of("waiting", "sending")],
    ["upload.count_refused", of("refused")],
  ];
  $("[data-files-note]", panel).textContent = parts.filter(([, n]) => n)
    .map(([key, n]) => t(key, { n })).join(t("comma"));
}

/** Takes files up: a line each at once, two requests at a time. */
async function take(files, live) {
  const panel = $("[data-files]");
  const limits = { bytes: Number(panel.dataset.maxBytes) };
  const waiting = [];
  for (const file of files) {
    const line = new Line(file.name, file.size);
    $("ul", panel).append(line.node);
    const why = refusal(file, limits);
    if (why) line.refused(why);
    else waiting.push([file, line]);
  }
  countFiles();
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (next[1].node.isConnected) await send(...next);
      live.showNext();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function connectDrop(zone, live) {
  let depth = 0;
  const over = (isOver) => zone.toggleAttribute("data-over", isOver);
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; over(true); });
  zone.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) { depth = 0; over(false); } });
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    take([...event.dataTransfer.files], live);
  });
  $("input[type=file]", zone)?.addEventListener("change", (event) => {
    take([...event.target.files], live);
    event.target.value = "";
  });
}

/** A text that was written: sent by script, so that the page and its list stay. */
function connectWriting(form, live) {
  const content = $("textarea", form);
  const count = $("[data-count]", form);
  const tell = () => { count.textContent = t("characters", { n: [...content.value].length }); };
  content.addEventListener("input", tell);
  tell();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!content.value.trim()) {
      // said beside the field, by the browser in its own words; nothing on the page is lost
      content.value = "";
      content.required = true;
      content.reportValidity();
      return;
    }
    const title = $("[name=title]", form).value.trim();
    const line = new Line(title || [...content.value.trim()].slice(0, 24).join(""), new Blob([content.value]).size);
    $("[data-files] ul").prepend(line.node);
    await sendWritten(form, content.value, title, line);
    live.soon(0);
  });
}

async function sendWritten(form, content, title, line) {
  const body = { content };
  if (title) body.title = title;
  for (const [key, value] of new FormData(form)) {
    if (["engine", "voice", "format"].includes(key) && value) body[key] = value;
    if (key === "timeout_s" && value) body.timeout_s = Number(value);
  }
  line.sends(0, line.bytes);
  try {
    line.answered(await call("POST", "/api/v1/texts", body));
    $("textarea", form).value = "";
    $("[name=title]", form).value = "";
    $("textarea", form).dispatchEvent(new Event("input"));
  } catch (error) {
    line.refused(error.message);
  }
}

function connectTitle(field) {
  const note = document.getElementById("title-note");
  field.addEventListener("change", async () => {
    note.hidden = true;
    if (!field.value.trim()) return;
    const answer = await call("GET", `/api/text/title_exists?title=${encodeURIComponent(field.value.trim())}`);
    note.hidden = !answer.exists;
  });
}

/** Offers only the voices of the engine that is chosen. */
function connectVoices(form) {
  const voices = $("select[name=voice]", form);
  const show = () => {
    const engine = $("[name=engine]:checked", form)?.value;
    for (const group of $$("optgroup", voices)) {
      const isOff = group.dataset.engine !== engine;
      group.hidden = isOff;
      group.disabled = isOff;
    }
    if (voices.selectedOptions[0]?.parentElement.disabled) voices.value = "auto";
  };
  form.addEventListener("change", (event) => { if (event.target.name === "engine") show(); });
  show();
}

export function start(live) {
  const zones = $$("[data-drop]");
  for (const zone of zones) connectDrop(zone, live);
  // A file that misses the zone must not replace the page.
  const events = zones.length ? ["dragover", "drop"] : [];
  for (const type of events) addEventListener(type, (event) => event.preventDefault());
  const form = $("[data-choices]");
  if (!form) return;
  connectWriting(form, live);
  connectTitle($("[name=title]", form));
  connectVoices(form);
}
