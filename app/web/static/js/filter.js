// Suggestions of a filter: its qualifiers, and after the colon their values. Down and up choose, Enter
// or Tab takes, Escape closes; without a choice Enter sends the form as ever.
import { $, $$, el } from "./dom.js";

const MOST = 8;
const ENDS = /[\s\u3000]/;

/** The term that the cursor stands in: where it begins, and what is written of it so far. */
function termAt(text, at) {
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < at; index += 1) {
    if (text[index] === '"' && text[index - 1] !== "\\") isQuoted = !isQuoted;
    else if (!isQuoted && ENDS.test(text[index])) start = index + 1;
  }
  return isQuoted ? null : { start, written: text.slice(start, at) };
}

/** What could stand there: each with the text that it puts from `start` on. */
function choices({ filters, flags }, { start, written }) {
  const minus = written.startsWith("-") ? "-" : "";
  const [, name, values] = /^-?([a-z-]*)(?::(.*))?$/i.exec(written) ?? [];
  if (name === undefined) return [];
  if (values === undefined) {
    if (!name) return [];
    return filters
      .filter((one) => one.name.startsWith(name.toLowerCase()))
      .map((one) => ({ start, put: `${minus}${one.name}:`, shown: `${one.name}:`, says: one.says }));
  }
  const known = filters.find((one) => one.name === name.toLowerCase())?.values ?? [];
  const last = values.split(",").at(-1);
  const from = start + written.length - last.length;
  return known
    .filter((value) => value !== last && value.toLowerCase().startsWith(last.toLowerCase()))
    .map((value) => ({
      start: from,
      put: `${/[\s,"*]/.test(value) && value !== '""' ? JSON.stringify(value) : value} `,
      shown: value,
      says: name.toLowerCase() === "is" ? flags[value] : "",
    }));
}

class Suggestions {
  constructor(field, list) {
    this.field = field;
    this.list = list;
    this.known = JSON.parse(field.dataset.suggest);
    this.found = [];
    this.chosen = -1;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    field.addEventListener("input", () => this.look());
    field.addEventListener("keydown", (event) => this.onKey(event));
    field.addEventListener("blur", () => this.close());
    list.addEventListener("mousedown", (event) => this.onPress(event));
    this.close();
  }

  look() {
    const term = termAt(this.field.value, this.field.selectionStart);
    this.found = term ? choices(this.known, term).slice(0, MOST) : [];
    this.chosen = -1;
    this.draw();
  }

  draw() {
    this.list.replaceChildren(...this.found.map((one, index) => {
      const isChosen = index === this.chosen;
      return el(
        "li",
        { id: `${this.list.id}-${index}`, role: "option", "aria-selected": String(isChosen), "data-at": index },
        el("b", {}, one.shown),
        el("span", {}, one.says ?? ""),
      );
    }));
    const isOpen = this.found.length > 0;
    this.list.hidden = !isOpen;
    this.field.setAttribute("aria-expanded", String(isOpen));
    if (this.chosen < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `${this.list.id}-${this.chosen}`);
  }

  close() {
    this.found = [];
    this.chosen = -1;
    this.draw();
  }

  onKey(event) {
    if (!this.found.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.chosen = (this.chosen + step + this.found.length) % this.found.length;
      this.draw();
    } else if (event.key === "Escape") {
      this.close();
    } else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0) {
      this.take(this.found[this.chosen]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  onPress(event) {
    const item = event.target.closest("[data-at]");
    if (!item) return;
    event.preventDefault(); // the field keeps the focus
    this.take(this.found[Number(item.dataset.at)]);
  }

  take(choice) {
    const { field } = this;
    const rest = field.value.slice(field.selectionStart).trimStart();
    field.value = field.value.slice(0, choice.start) + choice.put + rest;
    const at = choice.start + choice.put.length;
    field.setSelectionRange(at, at);
    this.look();
  }
}

export function start() {
  for (const field of $$("[data-suggest]")) new Suggestions(field, $(`#${field.dataset.list ?? "suggestions"}`));
}
