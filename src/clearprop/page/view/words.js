/** Every word that a person reads, in the page's language. */

import { number } from "./dom.js";

const translations = new Map();

/**
 * Take the translations that a page brings along.
 *
 * @param {Object<string, string>|undefined} words - The translation by the English text.
 */
export function useWords(words) {
  translations.clear();
  for (const [english, translated] of Object.entries(words ?? {})) {
    translations.set(english, translated);
  }
}

/**
 * Say a text in the page's language.
 *
 * @param {string} text - In English, with values in braces: "{count} samples".
 * @param {Object<string, string|number>} values - By their names; numbers are written as people do.
 * @returns {string}
 */
export function say(text, values = {}) {
  const said = translations.get(text) ?? text;
  return said.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : value;
  });
}

/**
 * Say how many there are.
 *
 * @param {number} count
 * @param {string} one - The text of a single one: "{count} sample".
 * @param {string} many - That of any other number: "{count} samples".
 * @param {Object<string, string|number>} values
 * @returns {string}
 */
export function sayCount(count, one, many, values = {}) {
  return say(count === 1 ? one : many, { count, ...values });
}
