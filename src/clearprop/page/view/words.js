/** Every word that a person reads, in the page's language. */

import { number, shownText } from "./dom.js";

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
  return inThisLanguage(text, values);
}

function inThisLanguage(text, values) {
  const said = translations.get(text) ?? text;
  return said.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : isolated(shownText(value));
  });
}

/**
 * Say what came with the data: a text, perhaps with values, that Python has put into the catalogues.
 *
 * @param {string|{text: string, values: Object<string, string>}} told
 * @returns {string}
 */
export function sayTold(told) {
  return typeof told === "string" ? inThisLanguage(told, {}) : inThisLanguage(told.text, told.values);
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Keep a name that runs from right to left from turning the words and numbers around it. */
function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
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
