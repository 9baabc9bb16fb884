// Lists of tasks that a visitor has saved: name, filter and order, kept in this browser.
import { $, el, icon, on } from "./dom.js";
import { number, t } from "./words.js";
import { toast } from "./toast.js";

const KEY = "voxtrace_lists";
const MOST = 20;

function saved() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => one.name && one.search !== undefined) : [];
  } catch {
    return [];
  }
}

function keep(lists) {
  localStorage.setItem(KEY, JSON.stringify(lists.slice(-MOST)));
  draw();
}

/** What of the address is a list: its filter and its order, not the place in it. */
function here() {
  const all = new URLSearchParams(location.search);
  const kept = new URLSearchParams();
  for (const name of ["query", "status", "sort"]) if (all.get(name)) kept.set(name, all.get(name));
  return kept.toString();
}

function draw() {
  const place = $("#saved");
  const lists = saved();
  place.hidden = lists.length === 0;
  $("ul", place).replaceChildren(...lists.map((one) => {
    const count = el("span", { class: "n" });
    const link = el("a", { href: `/tasks?${one.search}`, "aria-current": one.search === here() ? "true" : null },
      el("span", { class: "noglyph" }), one.name, count);
    const remove = el("button", { type: "button", class: "copy", "data-remove-list": one.name,
      "aria-label": t("remove_list", { name: one.name }) }, icon("i-x"));
    tell(one.search, count);
    return el("li", { class: "saved-list" }, link, remove);
  }));
}

/** How many tasks a list holds; nothing where it cannot be told. */
async function tell(search, place) {
  try {
    const response = await fetch(`/api/v1/tasks?${search}&limit=1&count=1`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const { count } = await response.json();
    place.textContent = `${number(count.n)}${count.is_exact ? "" : "+"}`;
  } catch {
    // The server is away for a moment; the list is still there.
  }
}

export function start() {
  if (!$("#saved")) return;
  const dialog = $("#save-view");
  draw();
  const button = $("[data-save-view]");
  if (button) button.hidden = false;
  on("click", "[data-save-view]", () => dialog.showModal());
  on("click", "[data-remove-list]", (node) => keep(saved().filter((one) => one.name !== node.dataset.removeList)));
  dialog.addEventListener("close", () => {
    const name = $("[name=name]", dialog).value.trim();
    if (dialog.returnValue !== "save" || !name) return;
    keep([...saved().filter((one) => one.name !== name), { name, search: here() }]);
    $("form", dialog).reset();
    toast(t("saved_list"), null, 2000);
  });
}
