/** The cells of a table's column, as a person gives them, to numbers, seconds or words. */

import { isMarker, isTime, readDates, readNumber, tellsDecimal } from "./numerals.js";

/** How text becomes cells, as far as somebody has said it of the training data. */
export class TextForm {
  constructor(fields = {}) {
    const { decimal = null, missing = [], day_first = null } = fields;
    this.decimal = decimal;
    this.missing = missing;
    this.dayFirst = day_first;
  }

  /** Whether a text stands for a missing value among numbers or dates. */
  isMissing(text) {
    return isMarker(text) || this.missing.some((one) => one.toLowerCase() === text.toLowerCase());
  }
}

/**
 * Read cells as numbers.
 *
 * @param {Array<number|string|boolean|null>} cells
 * @param {string} name - The column's name, for messages.
 * @param {TextForm} form
 * @returns {Float64Array} NaN where missing.
 * @throws {Error} If a cell is no number; its row and column are named.
 */
export function asNumbers(cells, name, form) {
  const texts = cells.filter((cell) => typeof cell === "string" && !form.isMissing(cell.trim()));
  const decimal = decimalOf(texts) ?? form.decimal ?? ".";
  const times = texts.filter((text) => isTime(text.trim())).length;
  const present = cells.filter((cell) => !isMissingCell(cell, form)).length;
  const asHours = 2 * times > present; // 12:30 among other numbers is none
  const markers = form.missing.map((text) => readNumber(text, decimal));
  return Float64Array.from(cells, (cell, row) => {
    if (isMissingCell(cell, form)) {
      return NaN;
    }
    const text = String(cell).trim();
    const isHour = isTime(text);
    const number = typeof cell === "string" ? readNumber(text, decimal) : Number(cell);
    if (!Number.isFinite(number) || (isHour && !asHours)) {
      throw new Error(
        `Row ${row + 1} of column "${name}" is "${shortText(text)}", expected a number. ` +
          "Correct the cell, or leave it empty if the number is missing.",
      );
    }
    return markers.includes(number) ? NaN : number;
  });
}

/**
 * Read cells as dates.
 *
 * @param {Array<string|number|null>} cells
 * @param {string} name
 * @param {TextForm} form
 * @returns {Float64Array} Seconds since 1970, NaN where missing.
 * @throws {Error} If a cell is no date; its row and column are named.
 */
export function asDates(cells, name, form) {
  const texts = cells.map((cell) => (isMissingCell(cell, form) ? "" : String(cell).trim()));
  const read = readDates(
    texts.filter((text) => text !== ""),
    form.dayFirst ?? form.decimal === ",",
  );
  let next = 0;
  return Float64Array.from(texts, (text, row) => {
    const seconds = text === "" ? NaN : read[next++];
    if (text !== "" && Number.isNaN(seconds)) {
      throw new Error(
        `Row ${row + 1} of column "${name}" is "${shortText(text)}", expected a date such as ` +
          "2024-01-31. Correct the cell, or leave it empty if the date is missing.",
      );
    }
    return seconds;
  });
}

/**
 * Return the place of each cell among categories; -1 where it is missing or none of them.
 *
 * A word that is not there under its own spelling is looked for under that of its number, 7.0 is 7,
 * and TRUE is True and true, as one program or another writes it.
 *
 * @param {Array<string|number|boolean|null>} cells
 * @param {string[]} categories
 * @returns {Int32Array}
 */
export function placesOfCategories(cells, categories) {
  const places = new Map(categories.map((text, place) => [text, place]));
  return Int32Array.from(cells, (cell) => {
    if (cell === null || cell === "" || Number.isNaN(cell)) {
      return -1;
    }
    const found = spellingsOf(String(cell)).find((text) => places.has(text));
    return found === undefined ? -1 : places.get(found);
  });
}

function isMissingCell(cell, form) {
  return (
    cell === null || Number.isNaN(cell) || (typeof cell === "string" && form.isMissing(cell.trim()))
  );
}

/** Return the decimal sign that most texts leave no doubt of; null where none does. */
function decimalOf(texts) {
  const told = texts.map(tellsDecimal);
  const [points, commas] = [".", ","].map((sign) => told.filter((one) => one === sign).length);
  return points + commas === 0 ? null : points >= commas ? "." : ",";
}

function spellingsOf(text) {
  const bare = text.trim();
  if (/^(true|false)$/i.test(bare)) {
    const small = bare.toLowerCase();
    return [text, bare, small.toUpperCase(), small[0].toUpperCase() + small.slice(1), small];
  }
  return [text, bare, shortestNumber(bare)];
}

/** Write a number as short as it can be; leave 007, which is a name, and other text as it is. */
function shortestNumber(text) {
  const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text);
  const value = Number(text);
  if (!isNumber || !Number.isFinite(value) || /^0\d+$/.test(text)) {
    return text;
  }
  return String(value);
}

function shortText(text) {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
