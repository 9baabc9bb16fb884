// Menus: a <details> with a list. Closes on Escape, on a click elsewhere, and when another opens.
import { $$, on } from "./dom.js";

const open = () => $$("details[data-menu][open]");

export function start() {
  document.addEventListener("click", (event) => {
    for (const menu of open()) {
      const isInside = menu.contains(event.target);
      const isItem = isInside && event.target.closest("a, button");
      if (!isInside || isItem) menu.open = false;
    }
  });
  on("keydown", "details[data-menu][open]", (menu, event) => {
    const items = $$(".menu a, .menu button", menu);
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      items[(at + step + items.length) % items.length]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
