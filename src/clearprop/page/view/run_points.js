/** The samples of a run as a table, of which two columns are the plane of a playground. */

import { MOST_POINT_CLASSES, MOST_POINTS, PointTable } from "./points.js";
import { say } from "./words.js";

/** Columns that can be chosen from. */
const MOST_RUN_COLUMNS = 100;

/**
 * Return a run's training samples as lines of numbers and a class.
 *
 * @param {Object} model
 * @param {import("./samples.js").Samples} train
 * @returns {?PointTable} Null where they are no rows of numbers, or have no classes or too many.
 */
export function tableOfRun(model, train) {
  const { classNames, target } = model;
  if (classNames === null || classNames.length > MOST_POINT_CLASSES) return null;
  const columns = numbersOfRun(model.inputs, train).slice(0, MOST_RUN_COLUMNS);
  if (columns.length < 2) return null;
  const lines = train.spread(MOST_POINTS).map((place) => ({
    number: place + 1,
    cells: [...columns.map(({ cellAt }) => String(cellAt(place) ?? "")), classNames[train.truth[place]]],
  }));
  return new PointTable([...columns.map(({ name }) => name), target.name ?? say("class")], lines);
}

/** Return the columns of numbers: their names, and their cells by the place of a sample. */
function numbersOfRun(inputs, train) {
  if (train.raw !== null) {
    return Object.entries(train.raw)
      .filter(([, cells]) => cells.some((cell) => typeof cell === "number"))
      .map(([name, cells]) => ({ name, cellAt: (place) => cells[place] }));
  }
  if (train.shape.length !== 1 || inputs?.restore === undefined) return [];
  const values = inputs.restore(train.inputs);
  return Array.from({ length: train.size }, (_, at) => ({
    name: `x${at + 1}`,
    cellAt: (place) => values[place * train.size + at],
  }));
}
