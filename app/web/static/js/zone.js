// Tells the server the browser's time zone. A page that was drawn in another zone is drawn again, once.
import { remember } from "./dom.js";

export function start() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.cookie.split("; ").find((part) => part.startsWith("voxtrace_zone="));
  if (!zone || known === `voxtrace_zone=${zone}`) return;
  remember("voxtrace_zone", zone);
  const drawn = Number(document.documentElement.dataset.offset);
  const isOther = drawn !== -new Date().getTimezoneOffset();
  const isKept = document.cookie.includes("voxtrace_zone=");
  if (isOther && isKept && document.documentElement.dataset.method === "GET") location.reload();
}
