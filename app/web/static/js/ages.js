// What grows by itself on a page where nothing moves: ages, and the moment that the page is of.
import { $, $$ } from "./dom.js";
import { ago, clock } from "./words.js";

/** Ages in seconds by what they are of: a worker's last heartbeat, a duty's last turn. */
export function showAges(agesS) {
  for (const node of $$("[data-age]")) {
    const ageS = agesS[node.dataset.age];
    if (ageS !== undefined && ageS < 86400) $("time", node).textContent = ago(ageS);
  }
}

/** The moment (ISO 8601) at which it was last seen that the page shows what is. */
export function showAsOf(now) {
  const time = $("[data-as-of] time");
  if (!time || !now) return;
  const at = new Date(now);
  time.dateTime = now;
  time.title = at.toString();
  time.textContent = clock(at);
}
