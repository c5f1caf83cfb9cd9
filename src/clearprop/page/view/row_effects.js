/**
 * How an answer changes with one column of a row at a time.
 *
 * All other cells stay as they are: this is the row's own curve of a column, not that of all rows.
 *
 * Source: Goldstein, Kapelner, Bleich, Pitkin, "Peeking Inside the Black Box" (2015), section 3.
 *
 * @typedef {Object} Effect
 * @property {import("./row_fields.js").RowField} field
 * @property {Array<number|string>} values - What the column was set to, in order.
 * @property {Array<number>} answers - The answer to the row with each of them.
 * @property {number} span - From the least to the largest of these.
 */

import { valuesOfField } from "./row_fields.js";

/** Values of a column while all columns are compared, and of those that are shown. */
const FEW_VALUES = 5;
const MANY_VALUES = 25;

/** Rows that are answered at a time. */
const ROWS_AT_ONCE = 512;

/**
 * Return the columns that an answer changes most with.
 *
 * @param {Array<import("./row_fields.js").RowField>} fields
 * @param {Object<string, *>} row - Cells by column.
 * @param {function(Array<Object>): ArrayLike<number>} ask - Answers rows, with a number for each.
 * @param {number} most - Columns that are told.
 * @returns {Array<Effect>} The largest span first.
 */
export function effectsOf(fields, row, ask, most) {
  const rough = withAnswers(fields, row, ask, FEW_VALUES).sort(bySpan).slice(0, most);
  return withAnswers(
    rough.map(({ field }) => field),
    row,
    ask,
    MANY_VALUES,
  ).sort(bySpan);
}

function withAnswers(fields, row, ask, most) {
  const swept = fields
    .map((field) => ({ field, values: valuesOfField(field, most) }))
    .filter(({ values }) => values.length > 1);
  const rows = swept.flatMap(({ field, values }) =>
    values.map((value) => ({ ...row, [field.name]: value })),
  );
  const every = [];
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    every.push(...ask(rows.slice(start, start + ROWS_AT_ONCE)));
  }
  let start = 0;
  return swept.map(({ field, values }) => {
    const answers = every.slice(start, (start += values.length));
    return { field, values, answers, span: Math.max(...answers) - Math.min(...answers) };
  });
}

function bySpan(one, other) {
  return other.span - one.span;
}
