// The focus: it stays where the work is when parts are drawn anew, and what has it is in sight.
import { $, $$, on } from "./dom.js";

// Rows that scroll sideways on a narrow screen, and what is left free beside what is shown there.
const ROWS = ":is(.nav, .tabs, .seg, .views)";
const FREE_PX = 12;

/** Does a form's work, once at a time. Its button is not disabled: that would lose the focus. */
export async function busy(form, work) {
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  try {
    await work();
  } finally {
    form.ariaBusy = null;
  }
}

/** What is in `made` where `focused` was in what it replaces: the same thing, or the way on or back. */
export function inPlaceOf(focused, made) {
  const { act } = focused.closest("[data-act]")?.dataset ?? {};
  const same = act && $(`[data-act="${act}"] ${focused.localName}`, made);
  return same || $("[data-open]", made) || $("[data-act] button", made) || $("a, button", made);
}

/** Scrolls a row, and not the page, until something in it is in sight whole. */
function show(item) {
  const row = item.closest(ROWS);
  if (!row || row.scrollWidth <= row.clientWidth) return;
  const [own, all] = [item, row].map((node) => node.getBoundingClientRect());
  const left = Math.min(0, own.left - FREE_PX - all.left);
  row.scrollLeft += left || Math.max(0, own.right + FREE_PX - all.right);
}

export function start() {
  on("focusin", `${ROWS} :is(a, button)`, show);
  for (const item of $$(`${ROWS} [aria-current]`)) show(item);
}
