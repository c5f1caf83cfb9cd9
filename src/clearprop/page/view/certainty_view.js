/** How sure an answer is: the set of classes, the interval or the quantiles that a model gives. */

import { make, number } from "./dom.js";
import { say } from "./words.js";

/** Classes of a set that are named. */
const MOST_IN_SET = 20;

/** Digits of values, as answers have them. */
const VALUE_DIGITS = 5;

/**
 * Make what stands beside an answer, as `clearprop predict` prints it.
 *
 * @param {Object} model
 * @param {Float64Array} logits - Of one sample.
 * @param {object} about
 * @param {boolean} about.isTrained - Whether the network is the one that a coverage was fitted to,
 *   and not that of an earlier epoch.
 * @param {number|number[]} [about.truth] - The class or values of the sample, where they are known.
 * @returns {?HTMLElement} Null where a model gives nothing of the kind.
 */
export function certaintyView(model, logits, { isTrained, truth }) {
  const rows = [
    ...setRows(model, logits, truth),
    ...intervalRows(model, logits, truth),
    ...quantileRows(model, logits),
  ];
  if (rows.length === 0) return null;
  return make(
    "dl",
    { class: "certainty" },
    rows.map(({ name, text, about = null, isHeld }) =>
      make(
        "div",
        {},
        make("dt", {}, name),
        make("dd", {}, text, isHeld === undefined ? null : heldText(isHeld)),
        about &&
          make(
            "dd",
            { class: "note small" },
            isTrained ? about : say("An earlier epoch promises nothing: the trained network does."),
          ),
      ),
    ),
  );
}

/** Write a share as it is typed: "90%", "99.9%". */
export function shareAsTyped(share) {
  return `${Number((100 * share).toPrecision(12))}%`;
}

function setRows(model, logits, truth) {
  const sets = model.sets(logits, 1);
  if (sets === null) return [];
  const [held] = sets;
  const { share } = model.target.coverage;
  const names = held.slice(0, MOST_IN_SET).map((place) => model.classNames[place]);
  const more = held.length - names.length;
  const said = names.length > 0 ? names.join(", ") : say("(none)");
  return [
    {
      name: say("{share} set", { share: shareAsTyped(share) }),
      text: more > 0 ? `${said} ${say("and {more} more", { more })}` : said,
      isHeld: truth === undefined ? undefined : held.includes(truth),
      about: say(
        "Sets hold the true class of {share} of all rows drawn as those of training were, though perhaps not of each class of them.",
        { share: shareAsTyped(share) },
      ),
    },
  ];
}

function intervalRows(model, logits, truth) {
  const found = model.intervals(logits, 1);
  if (found === null) return [];
  const { share } = model.target.coverage;
  const ends = Array.from(found.lower, (low, at) => [low, found.upper[at]]);
  const values = truth === undefined ? undefined : [truth].flat();
  return [
    {
      name: say("{share} interval", { share: shareAsTyped(share) }),
      text: ends
        .map(([low, high]) =>
          say("{low} to {high}", { low: number(low, VALUE_DIGITS), high: number(high, VALUE_DIGITS) }),
        )
        .join("; "),
      isHeld: values?.every((value, at) => ends[at][0] <= value && value <= ends[at][1]),
      about: say(
        "Intervals hold the true value of {share} of all rows drawn as those of training were, though perhaps not of each group of them.",
        { share: shareAsTyped(share) },
      ),
    },
  ];
}

function quantileRows(model, logits) {
  const found = model.quantiles(logits, 1);
  if (found === null) return [];
  return model.network.loss.levels.map((level, at) => ({
    name: say("quantile {level}", { level: String(level) }),
    text: number(found[at], VALUE_DIGITS),
  }));
}

function heldText(isHeld) {
  return make(
    "span",
    { class: isHeld ? "good" : "bad" },
    isHeld ? say(", which holds the truth") : say(", which does not hold the truth"),
  );
}
