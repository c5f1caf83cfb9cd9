/** The base of all losses, and the check of targets. */

import { sigmoidOf } from "./special.js";

/**
 * Base of every loss: it takes logits, so that the final sigmoid or softmax belongs to it.
 *
 * Its class has the name of Python's, and its constructor takes the fields of the description in a
 * model file. One's own has `each`, and `predictProba` or `predict` where these differ.
 */
export class Loss {
  /** Whether predictions are classes. */
  static classifies = false;

  /** Whether a sample has one of K classes, rather than a yes or no for each output. */
  static oneOfMany = false;

  /**
   * Compute every sample's loss and its derivative.
   *
   * @param {Batch} logits - The last layer's output (N, K).
   * @param {ArrayLike<number>} y - Targets as `targets` gives them.
   * @param {Float64Array} losses - (N,), written.
   * @param {Batch} dlogits - (N, K), written: the derivative of each sample's own loss.
   */
  each(logits, y, losses, dlogits) {
    throw new Error(`${this.constructor.name} has no each.`);
  }

  /**
   * Compute the mean loss of a batch and its gradient.
   *
   * @param {Batch} logits - (N, K).
   * @param {ArrayLike<number>} y - Targets as `targets` gives them.
   * @param {ArrayLike<number>|null} weights - A weight for each sample: the mean becomes
   *   sum(weight loss) / sum(weight), and zero where all weights are.
   * @param {Trace} trace - The memory to write to.
   * @returns {{loss: number, dlogits: Batch}}
   */
  meanAndGradient(logits, y, weights, trace) {
    const { n, size } = logits;
    const losses = trace.scratch("losses", n);
    const dlogits = trace.buffer("dlogits", n, logits.shape);
    this.each(logits, y, losses, dlogits);
    const total = weights === null ? n : totalOf(weights, n);
    let loss = 0;
    for (let row = 0, at = 0; row < n; row++) {
      const share = total > 0 ? (weights === null ? 1 : weights[row]) / total : 0;
      loss += losses[row] * share;
      for (let k = 0; k < size; k++, at++) {
        dlogits.data[at] *= share;
      }
    }
    return { loss, dlogits };
  }

  /** Refuse a number of outputs that the loss can't be used with. */
  checkOutputs(outputs) {}

  /**
   * Check targets and bring them into the form that `each` takes.
   *
   * @param {ArrayLike<number>} y - (N * K,): finite numbers.
   * @param {number} n
   * @param {number} outputs - The number K of the network's outputs.
   * @returns {ArrayLike<number>}
   */
  targets(y, n, outputs) {
    requireLength(this, y, n * outputs, n, outputs);
    requireEach(this, y, Number.isFinite, "finite numbers");
    return y;
  }

  /** Whether it gives probabilities of classes. */
  get givesProbabilities() {
    return false;
  }

  /**
   * Return the probability of each class.
   *
   * @param {Float64Array} logits - (N, K).
   * @param {number} n
   * @param {number} outputs
   * @returns {Float64Array} (N, number of classes).
   */
  predictProba(logits, n, outputs) {
    throw new Error(`${this.constructor.name} gives no probabilities.`);
  }

  /** Return predictions (N, answers) of logits (N, K): unless overridden the logits. */
  predict(logits, n, outputs) {
    return logits.slice(0, n * outputs);
  }
}

/** Refuse targets of another number than the samples and outputs ask for. */
export function requireLength(loss, y, expected, n, outputs) {
  if (y.length !== expected) {
    throw new Error(
      `${loss.constructor.name} takes ${expected} targets for ${n} samples and ${outputs} outputs, ` +
        `found ${y.length}.`,
    );
  }
}

/** Refuse targets of which one is not as it must be. */
export function requireEach(loss, y, isRight, what) {
  for (let at = 0; at < y.length; at++) {
    if (!isRight(y[at])) {
      throw new Error(`${loss.constructor.name} takes ${what}; target ${at} is ${y[at]}.`);
    }
  }
}

/** Return the place of the largest of the numbers from `start` on, the first of several. */
export function placeOfLargest(numbers, start, count) {
  let best = 0;
  for (let k = 1; k < count; k++) {
    best = numbers[start + k] > numbers[start + best] ? k : best;
  }
  return best;
}

/** Return the number of each sample's largest logit, (N,). */
export function largestOfRows(logits, n, outputs) {
  return Float64Array.from({ length: n }, (_, row) =>
    placeOfLargest(logits, row * outputs, outputs),
  );
}

/** Return the probabilities of 0 and 1 (N, 2) for one output, else that of 1 (N, K). */
export function sigmoidShares(logits, n, outputs) {
  if (outputs > 1) {
    return Float64Array.from(logits.subarray(0, n * outputs), sigmoidOf);
  }
  const shares = new Float64Array(2 * n);
  for (let row = 0; row < n; row++) {
    shares[2 * row] = sigmoidOf(-logits[row]);
    shares[2 * row + 1] = sigmoidOf(logits[row]);
  }
  return shares;
}

/** Return p = exp(z) / sum exp(z) of each row, the largest logit subtracted first, (N, K). */
export function softmaxShares(logits, n, outputs) {
  const shares = new Float64Array(n * outputs);
  for (let row = 0; row < n; row++) {
    softmaxInto(shares, logits, row * outputs, outputs);
  }
  return shares;
}

/**
 * Write the softmax of one row of logits.
 *
 * @param {Float64Array} p - The array to write to.
 * @param {Float64Array} logits
 * @param {number} start - The row's first place in both.
 * @param {number} count
 * @returns {number} log sum exp(z - largest).
 */
export function softmaxInto(p, logits, start, count) {
  const largest = logits[start + placeOfLargest(logits, start, count)];
  let total = 0;
  for (let k = start; k < start + count; k++) {
    p[k] = Math.exp(logits[k] - largest);
    total += p[k];
  }
  for (let k = start; k < start + count; k++) {
    p[k] /= total;
  }
  return Math.log(total);
}

/** Return the sum of the weights of n samples. */
export function totalOf(weights, n) {
  let total = 0;
  for (let row = 0; row < n; row++) {
    total += weights[row];
  }
  return total;
}
