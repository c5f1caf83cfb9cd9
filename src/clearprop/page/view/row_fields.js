/**
 * The fields of a table's row, as a model's recipe tells them, and what a row is with one changed.
 *
 * @typedef {Object} RowField
 * @property {string} name - The column's.
 * @property {"number"|"category"|"date"} kind
 * @property {?number} low - The least in training: a number, or days since 1970; null where unknown.
 * @property {?number} high - The largest.
 * @property {boolean} isRange - Whether these are the ends of all numbers, or of the usual ones.
 * @property {?(number|string)} middle - The median number, a frequent category, or a day between.
 * @property {string} unit - Of numbers; "" for none.
 * @property {Array<string>} categories
 * @property {boolean} hasHour - Whether the time of a date counts.
 * @property {boolean} mayMiss - Whether the cell may be empty.
 */

import { PlainColumn } from "../engine/table_columns.js";
import { say } from "./words.js";

/** Features of an array up to which each is a field. */
const MOST_ARRAY_FIELDS = 100;

/** Standard deviations around the mean in which numbers lie whose range is not known. */
const USUAL = 2;

/** Inputs of a date whose time of day does not count. */
const PARTS_OF_DAYS = 4;

const DAY = 86_400_000; // milliseconds

/** The last digits that a written number has lost, as a share of it. */
const ROUNDED = 1e-6;

/**
 * Return the fields of a recipe's rows.
 *
 * @param {Object} inputs - The model's recipe, of a table or of an array.
 * @returns {Array<RowField>|null} Null where rows are not filled in by hand.
 */
export function rowFields(inputs) {
  if (inputs.columns) return inputs.columns.map(fieldOfColumn);
  const { shape, mean, std } = inputs;
  if (shape?.length !== 1 || shape[0] > MOST_ARRAY_FIELDS) return null;
  return Array.from({ length: shape[0] }, (_, at) => {
    const every = mean.length === 1 ? 0 : at; // one for all
    return {
      ...EMPTY_FIELD,
      name: `x${at + 1}`,
      kind: "number",
      low: mean[every] - USUAL * std[every],
      high: mean[every] + USUAL * std[every],
      isRange: false,
      middle: mean[every],
      mayMiss: false,
    };
  });
}

const EMPTY_FIELD = {
  low: null,
  high: null,
  isRange: true,
  middle: null,
  unit: "",
  categories: [],
  hasHour: false,
  mayMiss: true,
};

function fieldOfColumn(column) {
  const field = { ...EMPTY_FIELD, name: column.name, kind: column.role };
  const range = { low: column.low ?? null, high: column.high ?? null };
  if (column.role === "number") {
    return {
      ...field,
      ...range,
      middle: column.median ?? null,
      unit: column.unit ?? "",
      mayMiss: !(column instanceof PlainColumn),
    };
  }
  if (column.role === "date") {
    const hasHour = column.mean.length > PARTS_OF_DAYS;
    return { ...field, ...range, middle: dateOf(column.mean[0], hasHour), hasHour };
  }
  const { categories } = column;
  // A median of 1 tells the category that more than half of the rows have.
  const often = Math.max(0, column.medians?.indexOf(1) ?? 0);
  return { ...field, categories, middle: categories[often] ?? null };
}

/**
 * Read the cell of a field as it was typed.
 *
 * @param {RowField} field
 * @param {string} text
 * @returns {?(number|string)} Null for an empty cell.
 * @throws {Error} With a sentence.
 */
export function readCell(field, text) {
  const found = text.trim();
  if (found === "") {
    if (field.mayMiss) return null;
    throw new Error(
      say("{name} is empty, and the model needs a number there.", { name: field.name }),
    );
  }
  if (field.kind !== "number") return found;
  const value = Number(found.replace(/^([+-]?\d+),(\d+)$/, "$1.$2"));
  if (Number.isFinite(value)) return value;
  throw new Error(
    say('{name} is "{found}", expected a number such as {example}.', {
      name: field.name,
      found: found.slice(0, 40),
      example: field.middle ?? 0.5,
    }),
  );
}

/** Whether a cell lies outside of what the model has seen in training. */
export function isOutside(field, value) {
  const { kind, isRange, low, high } = field;
  if (value === null || !isRange || low === null || high === null) return false;
  const at = kind === "date" ? daysOf(value) : value;
  const rounding = ROUNDED * Math.max(Math.abs(low), Math.abs(high)); // a cell has few digits
  return kind !== "category" && (at < low - rounding || at > high + rounding);
}

/**
 * Return values of a field between which its answers can be compared.
 *
 * @param {RowField} field
 * @param {number} most - Of a number or a date; categories are all of them, to four times as many.
 * @returns {Array<number|string>} In order; none where nothing is known of the field.
 */
export function valuesOfField(field, most) {
  if (field.kind === "category") return field.categories.slice(0, 4 * most);
  const { low, high } = field;
  if (low === null || high === null || low === high) return [];
  const isWhole = field.kind === "date" || [low, high, field.middle].every(Number.isInteger);
  const steps = isWhole && high - low < most ? Math.floor(high - low) : most - 1;
  const values = Array.from({ length: steps + 1 }, (_, n) => low + (n / steps) * (high - low));
  return field.kind === "date" ? values.map((days) => dateOf(days, field.hasHour)) : values;
}

/** Write days since 1970 as "2024-01-31", with the time of day behind it where that counts. */
function dateOf(days, hasHour) {
  const written = new Date(hasHour ? days * DAY : Math.floor(days) * DAY).toISOString();
  return hasHour ? written.slice(0, 16) : written.slice(0, 10);
}

/** Return the days since 1970 of a date; NaN where it is none. */
function daysOf(text) {
  return Date.parse(/[T ]/.test(text) ? `${text.replace(" ", "T")}Z` : text) / DAY;
}
