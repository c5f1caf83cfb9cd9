/** The scores of a run's report: which one counts, and how scores are written. */

import { number, percent } from "./dom.js";
import { say } from "./words.js";

const PARTS = ["test", "folds", "validation", "train"]; // the first that there is counts
const SHARES = new Set(["accuracy", "balanced_accuracy", "error"]);
const NOT_SCORES = new Set(["samples", "threshold"]);

/**
 * Return the part of the data whose score counts.
 *
 * @param {Object<string, *>} report - What report.json holds.
 * @returns {{part: string, told: Object<string, *>}|null}
 */
export function countedScores(report) {
  const part = PARTS.find((name) => typeof report?.[name]?.score === "string");
  return part === undefined ? null : { part, told: report[part] };
}

/** Return the scores of a part by name, the one that counts first. */
export function scoreNames(told) {
  const names = Object.keys(told).filter((name) => typeof told[name] === "number" && !NOT_SCORES.has(name));
  return [told.score, ...names.filter((name) => name !== told.score)];
}

/** Write a score: a share as a percentage. */
export function scoreText(name, value) {
  if (typeof value !== "number") return "–";
  return SHARES.has(name) ? percent(value) : number(value, 4);
}

/** Write the name of a score or of a column of the history. */
export function scoreName(name) {
  const words = {
    accuracy: say("accuracy"),
    balanced_accuracy: say("balanced accuracy"),
    f1: say("F1"),
    log_loss: say("log loss"),
    roc_auc: say("area under the ROC curve"),
    loss: say("loss"),
    r2: say("R²"),
    mae: say("mean absolute error"),
    rmse: say("root mean square error"),
    learning_rate: say("learning rate"),
  };
  return words[name] ?? name.replaceAll("_", " ");
}

/** Say what a part of the data is. */
export function partName(part) {
  const words = {
    test: say("held out for the test"),
    folds: say("each held out once, in folds"),
    validation: say("held out for validation"),
    train: say("learned from"),
  };
  return words[part] ?? part;
}

/** Say what a baseline is. */
export function baselineName(name) {
  const words = { constant: say("always the same answer"), linear: say("a linear model") };
  return words[name] ?? name.replaceAll("_", " ");
}
