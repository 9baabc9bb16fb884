// The texts that scripts say, in the language of the page; the server puts them into the page.

const holder = document.getElementById("words");
const phrases = holder ? JSON.parse(holder.dataset.words) : {};

export const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/** The text of a key with its {placeholders} filled; `n` chooses between one and other. */
export function t(key, values = {}) {
  let phrase = phrases[key] ?? key;
  if (typeof phrase !== "string") phrase = values.n === 1 && phrase.one ? phrase.one : phrase.other;
  return phrase.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

const shown = (value) => (Number.isInteger(value) ? number(value) : String(value));

/** A whole number, thousands apart by a narrow space. */
export const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** A place in audio: 12:41, 1:23:40. */
export function position(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Bytes in the unit of their size: 512 B, 38 kB, 28.1 MB. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999500) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1).replace(/\.0$/, "")} MB`;
}

/** A moment of today on this computer's clock: 14:20:05. */
export const clock = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()]
  .map((part) => String(part).padStart(2, "0")).join(":");

/** How long ago, in the largest whole unit: 14 s ago, 3 min ago, 2 h ago. */
export function ago(seconds) {
  const whole = Math.max(1, Math.floor(seconds));
  if (whole < 60) return t("ago.s", { n: whole });
  return whole < 3600 ? t("ago.min", { n: Math.floor(whole / 60) }) : t("ago.h", { n: Math.floor(whole / 3600) });
}
