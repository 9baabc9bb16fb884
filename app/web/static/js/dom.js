// Finding and making elements.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with attributes (null leaves one out) and children (strings become text). */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A sign of the page's sprite. */
export function icon(id, attributes = {}) {
  return svg("svg", { "aria-hidden": "true", ...attributes }, svg("use", { href: `#${id}` }));
}

/** Calls `handle` with the nearest element that matches, for events anywhere in the page. */
export function on(type, selector, handle, options) {
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element ? event.target.closest(selector) : null;
    if (target) handle(target, event);
  }, options);
}

/** Keeps a choice (letters, digits and / _ + -) for a year; the server reads it on the next page. */
export function remember(name, value) {
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`;
}
