$head
$modules
const LONE_MODEL = new LoneModel("$file");

/** The names of the classes by index; null where values are answered. */
export const classNames = LONE_MODEL.classNames;

/**
 * Answer rows: the name of a class, a number, or several numbers for each.
 *
 * @param {Row[]} rows
 * @returns {Array<string|number|number[]>}
 * @throws {Error} If a row does not fit; the row and the column are named. So do the others.
 */
export function predict(rows) {
  return LONE_MODEL.predict(rows);
}

/**
 * Return the probability of each class for each row, in the order of `classNames`.
 *
 * @param {Row[]} rows
 * @returns {number[][]}
 */
export function predictProbabilities(rows) {
  return LONE_MODEL.probabilities(rows);
}

/**
 * Return the outputs of the last layer for each row.
 *
 * @param {Row[]} rows
 * @returns {number[][]}
 */
export function logits(rows) {
  return LONE_MODEL.logits(rows);
}
$certainty