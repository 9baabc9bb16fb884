// Light and dark: the system's choice until the half-moon button is used. Kept in a cookie that the
// server reads, so that no page flashes.
import { on, remember } from "./dom.js";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function toggle() {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  remember("voxtrace_theme", root.dataset.theme);
}

export function start() {
  on("click", "[data-theme-toggle]", toggle);
}
