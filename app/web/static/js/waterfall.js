// Folds and unfolds spans of the waterfall: a row's children follow it with a deeper level.
import { $, on } from "./dom.js";

const level = (row) => Number(row.dataset.level);

function fold(row, isOpen) {
  const twist = $(".twist", row);
  twist.setAttribute("aria-expanded", String(isOpen));
  $("use", twist).setAttribute("href", isOpen ? "#i-down" : "#i-right");
  for (let next = row.nextElementSibling; next && level(next) > level(row); next = next.nextElementSibling) {
    const isDirect = level(next) === level(row) + 1;
    if (!isOpen) next.hidden = true;
    else if (isDirect) {
      next.hidden = false;
      if ($(".twist", next)) fold(next, $(".twist", next).getAttribute("aria-expanded") === "true");
    }
  }
}

export function start() {
  on("click", ".waterfall .twist", (twist) => {
    fold(twist.closest("tr"), twist.getAttribute("aria-expanded") !== "true");
  });
}
