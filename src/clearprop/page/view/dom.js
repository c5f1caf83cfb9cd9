/**
 * Elements out of calls, and numbers as people write them.
 *
 * Whatever text comes in becomes text, never markup: a class may be called "<b>".
 */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Make an element of HTML.
 *
 * @param {string} tag
 * @param {Object<string, *>} attributes - A function is a listener, under "on" and the event's name:
 *   onclick; `style` is an object of properties; null and false leave an attribute out, true gives
 *   it no value.
 * @param {...(Node|string|null|Array)} children - Nodes and texts, or lists of them; null is none.
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  return furnished(document.createElement(tag), attributes, children);
}

/** Make an element of SVG; the arguments are those of `make`. */
export function svg(tag, attributes = {}, ...children) {
  return furnished(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function furnished(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") setStyle(element, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  const given = children.flat(Infinity).filter((child) => child !== null && child !== undefined);
  element.append(...given.map((child) => (typeof child === "string" ? shownText(child) : child)));
  return element;
}

// Control characters, and those that are not seen, or turn the text around them.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2065\u206a-\u206f\ufeff]/g;

/** Return a text with no character in it that a reader can't see: each is written as its code. */
export function shownText(text) {
  return text.replace(HIDDEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Set properties of an element's style, custom ones too; the page's policy forbids the attribute. */
export function setStyle(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
}

/**
 * Write a number as people do, no digit before the point lost: "1,234,567", "0.01235".
 *
 * @param {number|null} value - What is null or NaN is a dash.
 * @param {number} digits - The digits that a smaller number has.
 * @returns {string}
 */
export function number(value, digits = 4) {
  if (typeof value !== "number" || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 10 ** (digits - 1) && size < 1e15) return withCommas(value.toFixed(0));
  return generalNumber(value, digits);
}

/**
 * Write a number as Python's format "g" does: "0.01235", "1.2e-05", "nan".
 *
 * @param {number} value
 * @param {number} digits - The significant digits; zeros behind the last other one are left out.
 */
export function generalNumber(value, digits) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0"; // a negative zero is a zero
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) {
    const written = String(Math.abs(power)).padStart(2, "0");
    return `${withoutZeros(mantissa)}e${power < 0 ? "-" : "+"}${written}`;
  }
  return withoutZeros(value.toFixed(Math.max(0, digits - 1 - power)));
}

/** Write a share as a percentage: "95.9%". */
export function percent(share, decimals = 1) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(decimals)}%` : "–";
}

function withoutZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function withCommas(text) {
  return text.replace(/\B(?=(\d{3})+$)/g, ",");
}
