/** The three losses that most networks are trained for. */

import {
  largestOfRows,
  Loss,
  placeOfLargest,
  requireEach,
  requireLength,
  sigmoidShares,
  softmaxInto,
  softmaxShares,
} from "./loss.js";
import { sigmoidOf } from "./special.js";

/**
 * Cross-entropy of a sigmoid: one yes or no for each output; with several, losses are added.
 *
 * loss = max(z, 0) - z y + log(1 + exp(-|z|)), dloss/dz = p - y.
 */
export class BinaryCrossEntropy extends Loss {
  static classifies = true;

  /** Write losses (N,) and p - y (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    for (let row = 0, at = 0; row < n; row++) {
      losses[row] = 0;
      for (let k = 0; k < size; k++, at++) {
        losses[row] += Math.max(z[at], 0) - z[at] * y[at] + Math.log1p(Math.exp(-Math.abs(z[at])));
        dlogits.data[at] = sigmoidOf(z[at]) - y[at];
      }
    }
  }

  /** Take targets between 0 and 1, (N * K,). */
  targets(y, n, outputs) {
    requireLength(this, y, n * outputs, n, outputs);
    requireEach(this, y, (one) => one >= 0 && one <= 1, "targets between 0 and 1");
    return y;
  }

  get givesProbabilities() {
    return true;
  }

  predictProba(logits, n, outputs) {
    return sigmoidShares(logits, n, outputs);
  }

  /** Return 1 where the logit is positive, else 0: (N, K). */
  predict(logits, n, outputs) {
    return Float64Array.from(logits.subarray(0, n * outputs), (z) => (z > 0 ? 1 : 0));
  }
}

/**
 * Cross-entropy of a softmax: one of K classes.
 *
 * loss = log sum_k exp(z_k) - sum_k y_k z_k, dloss/dz = p - y. Targets are class numbers (N,) or
 * rows of probabilities (N * K,).
 */
export class SoftmaxCrossEntropy extends Loss {
  static classifies = true;
  static oneOfMany = true;

  /** Write losses (N,) and p - y (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    const p = dlogits.data;
    for (let row = 0; row < n; row++) {
      const start = row * size;
      const largest = z[start + placeOfLargest(z, start, size)];
      losses[row] = softmaxInto(p, z, start, size);
      if (y.length === n) {
        losses[row] -= z[start + y[row]] - largest;
        p[start + y[row]] -= 1;
        continue;
      }
      for (let k = start; k < start + size; k++) {
        losses[row] -= (z[k] - largest) * y[k];
        p[k] -= y[k];
      }
    }
  }

  checkOutputs(outputs) {
    if (outputs < 2) {
      throw new Error(
        `${this.constructor.name} needs an output for each class, at least 2; found ${outputs}. ` +
          "For two classes in one output use BinaryCrossEntropy.",
      );
    }
  }

  /** Take class numbers (N,), or rows of probabilities (N * K,). */
  targets(y, n, outputs) {
    if (y.length === n * outputs) {
      requireEach(this, y, (one) => one >= 0 && one <= 1, "probabilities between 0 and 1");
      return y;
    }
    requireLength(this, y, n, n, outputs);
    const isClass = (one) => Number.isInteger(one) && one >= 0 && one < outputs;
    requireEach(this, y, isClass, `class numbers 0 to ${outputs - 1}`);
    return y;
  }

  get givesProbabilities() {
    return true;
  }

  predictProba(logits, n, outputs) {
    return softmaxShares(logits, n, outputs);
  }

  /** Return the number of the likeliest class, (N,). */
  predict(logits, n, outputs) {
    return largestOfRows(logits, n, outputs);
  }
}

/** Mean over the outputs of (z - y)^2; dloss/dz = 2 (z - y) / K. */
export class MeanSquaredError extends Loss {
  /** Write losses (N,) and 2 (z - y) / K (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    for (let row = 0, at = 0; row < n; row++) {
      losses[row] = 0;
      for (let k = 0; k < size; k++, at++) {
        const error = z[at] - y[at];
        losses[row] += (error * error) / size;
        dlogits.data[at] = (2 / size) * error;
      }
    }
  }
}
