/**
 * How sure a model is: sets of classes and intervals of values by its coverage, and quantiles.
 *
 * Sources: Sadinle, Lei, Wasserman, "Least Ambiguous Set-Valued Classifiers with Bounded Error
 * Levels" (2019), for sets by the probability of each class; Lei, G'Sell, Rinaldo, Tibshirani,
 * Wasserman, "Distribution-Free Predictive Inference for Regression" (2018), algorithm 2, for
 * intervals; Romano, Patterson, Candès, "Conformalized Quantile Regression" (2019), algorithm 1, for
 * those between quantiles.
 */

import { softplusOf } from "./special.js";
import { Quantiles } from "./value_losses.js";

/**
 * Return log((1 - p) / p) for the probability p of each class, (N, K).
 *
 * It is log sum over j != k of exp(z_j) - z_k for a softmax of the logits z divided by the
 * temperature, and -z_k for a sigmoid; of one output, z and -z.
 *
 * @param {Loss} loss - One with probabilities.
 * @param {Float64Array} logits - (N, outputs).
 * @param {number} n
 * @param {number} outputs
 * @param {number} [temperature]
 * @returns {Float64Array}
 */
export function oddsAgainst(loss, logits, n, outputs, temperature = 1) {
  const z = logits.subarray(0, n * outputs).map((one) => one / temperature);
  if (!loss.constructor.oneOfMany) {
    return Float64Array.from(outputs > 1 ? z.map((one) => -one) : [...z].flatMap((one) => [one, -one]));
  }
  const against = new Float64Array(n * outputs);
  for (let row = 0; row < n; row++) {
    const own = z.subarray(row * outputs, (row + 1) * outputs);
    // What lies before and behind a class, added up from both ends: nothing is subtracted.
    const [before, behind] = [own, own.slice().reverse()].map(logOfSums);
    for (let k = 0; k < outputs; k++) {
      against[row * outputs + k] = logOfSum(before[k], behind[outputs - 1 - k]) - own[k];
    }
  }
  return against;
}

/**
 * Return the classes of each set that holds the true one for the promised share, the likeliest first.
 *
 * @param {ClassTarget} target
 * @param {Loss} loss
 * @param {Float64Array} logits - (N, outputs).
 * @param {number} n
 * @param {number} outputs
 * @returns {?number[][]} Null where nothing is promised.
 */
export function coveringSets(target, loss, logits, n, outputs) {
  if (target.coverage === null) return null;
  const against = oddsAgainst(loss, logits, n, outputs, target.temperature);
  const classes = against.length / n;
  return Array.from({ length: n }, (_, row) => {
    const own = against.subarray(row * classes, (row + 1) * classes);
    const held = [...own.keys()].filter((k) => own[k] <= target.coverage.score);
    return held.sort((a, b) => own[a] - own[b]);
  });
}

/**
 * Return where the interval of each value begins and ends that holds it for the promised share.
 *
 * @param {ValueTarget} target
 * @param {Loss} loss
 * @param {Float64Array} logits - (N, outputs).
 * @param {number} n
 * @param {number} outputs
 * @returns {?{lower: Float64Array, upper: Float64Array}} Both (N, values) on the values' own scale;
 *   null where nothing is promised.
 */
export function coveringIntervals(target, loss, logits, n, outputs) {
  if (target.coverage === null) return null;
  const { share, score } = target.coverage;
  const [from, to] = measuredFrom(target, loss, logits, n, outputs, share);
  const lower = from.map((one) => one - score);
  const upper = to.map((one) => one + score);
  lower.forEach((low, at) => {
    // Quantiles may be so near to each other that a score below 0 leaves nothing between them.
    if (score < 0 && low > upper[at]) lower[at] = upper[at] = (low + upper[at]) / 2;
  });
  return { lower: target.unbounded(lower), upper: target.unbounded(upper) };
}

/**
 * Return quantiles on the values' own scale, in ascending order.
 *
 * @returns {?Float64Array} (N, number of levels); null where none were learned.
 */
export function quantilesOf(target, loss, logits, n, outputs) {
  if (!(loss instanceof Quantiles)) return null;
  const ordered = loss.quantiles(logits, n, outputs);
  return target === null ? ordered : target.restore(ordered);
}

/**
 * Return what values are measured from, in standard deviations: the answer twice, or of quantiles
 * those whose levels are nearest to (1 - share) / 2 and to (1 + share) / 2.
 */
function measuredFrom(target, loss, logits, n, outputs, share) {
  if (!(loss instanceof Quantiles)) {
    const answer = target.within(loss.predict(logits, n, outputs));
    return [answer, answer];
  }
  const ordered = loss.quantiles(logits, n, outputs);
  return [(1 - share) / 2, (1 + share) / 2].map((wanted) => {
    const far = loss.levels.map((level) => Math.abs(level - wanted));
    const place = far.indexOf(Math.min(...far));
    return target.within(Float64Array.from({ length: n }, (_, row) => ordered[row * outputs + place]));
  });
}

/** Return for each place log sum of exp of the numbers before it; for the first minus infinity. */
function logOfSums(numbers) {
  let sum = -Infinity;
  return Float64Array.from(numbers, (one) => {
    const before = sum;
    sum = logOfSum(sum, one);
    return before;
  });
}

/** Return log(exp(a) + exp(b)). */
function logOfSum(a, b) {
  const [small, large] = a < b ? [a, b] : [b, a];
  return small === -Infinity ? large : large + softplusOf(small - large);
}
