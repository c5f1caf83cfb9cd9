/** Losses of values: with less regard for outliers, for quantiles, and for counts. */

import { Loss, requireEach, requireLength } from "./loss.js";

/** Mean over the outputs of |z - y|, of which the median is predicted; dloss/dz = sign(z - y) / K. */
export class AbsoluteError extends Loss {
  /** Write losses (N,) and sign(z - y) / K (N, K). */
  each(logits, y, losses, dlogits) {
    overOutputs(logits, losses, (at, K) => {
      const error = logits.data[at] - y[at];
      dlogits.data[at] = Math.sign(error) / K;
      return Math.abs(error) / K;
    });
  }
}

/**
 * Squared error near the target, absolute error far from it; the mean over the outputs.
 *
 * With e = z - y:
 * loss = sum_k (e_k^2 / 2 where |e_k| <= delta, else delta (|e_k| - delta / 2)) / K.
 */
export class Huber extends Loss {
  constructor({ delta = 1 } = {}) {
    super();
    if (!(delta > 0 && Number.isFinite(delta))) {
      throw new Error(`Huber needs a positive delta, found ${delta}.`);
    }
    this.delta = delta;
  }

  /** Write losses (N,) and their derivatives (N, K). */
  each(logits, y, losses, dlogits) {
    overOutputs(logits, losses, (at, K) => {
      const error = logits.data[at] - y[at];
      const clipped = Math.min(Math.max(error, -this.delta), this.delta);
      dlogits.data[at] = clipped / K;
      return (clipped * (error - clipped / 2)) / K;
    });
  }
}

/** Pinball loss, the mean over the outputs: with e = z - y and level q, max((1 - q) e, -q e). */
export class Quantile extends Loss {
  constructor({ level = 0.5 } = {}) {
    super();
    if (!(level > 0 && level < 1)) {
      throw new Error(`Quantile needs a level above 0 and below 1, found ${level}.`);
    }
    this.level = level;
  }

  /** Write losses (N,) and their derivatives (N, K). */
  each(logits, y, losses, dlogits) {
    overOutputs(logits, losses, (at, K) => {
      const error = logits.data[at] - y[at];
      const slope = error > 0 ? 1 - this.level : error < 0 ? -this.level : 0;
      dlogits.data[at] = slope / K;
      return (slope * error) / K;
    });
  }
}

/** Pinball loss of several quantiles of one target: each output is one, the mean is minimised. */
export class Quantiles extends Loss {
  constructor({ levels = [0.1, 0.5, 0.9] } = {}) {
    super();
    const edges = [0, ...levels, 1];
    if (
      levels.length === 0 ||
      !levels.every((level, i) => edges[i] < level && level < edges[i + 2])
    ) {
      throw new Error(
        `Quantiles needs levels above 0 and below 1, each above the one before, found ${levels}.`,
      );
    }
    this.levels = levels;
  }

  /** Write losses (N,) and their derivatives (N, K), of targets (N,). */
  each(logits, y, losses, dlogits) {
    overOutputs(logits, losses, (at, K) => {
      const error = y[Math.floor(at / K)] - logits.data[at];
      const level = this.levels[at % K];
      const slope = error > 0 ? level : error < 0 ? level - 1 : 0;
      dlogits.data[at] = -slope / K;
      return (slope * error) / K;
    });
  }

  checkOutputs(outputs) {
    if (outputs !== this.levels.length) {
      throw new Error(
        `Quantiles of ${this.levels.length} levels needs as many outputs, found ${outputs}.`,
      );
    }
  }

  /** Take finite targets, one a sample, (N,). */
  targets(y, n, outputs) {
    return super.targets(y, n, 1);
  }

  /** Return the quantiles that logits say, in ascending order, (N, K). */
  quantiles(logits, n, outputs) {
    const ordered = logits.slice(0, n * outputs);
    for (let row = 0; row < n; row++) {
      ordered.subarray(row * outputs, (row + 1) * outputs).sort();
    }
    return ordered;
  }

  /**
   * Return the median (N,): where it is not among the levels, it lies on the straight line between
   * its neighbours; where all are above it, or all below, it is the nearest.
   */
  predict(logits, n, outputs) {
    const ordered = this.quantiles(logits, n, outputs);
    const at = this.placeOfMedian();
    const below = Math.floor(at);
    const above = Math.min(below + 1, outputs - 1);
    return Float64Array.from({ length: n }, (_, row) => {
      const [low, high] = [ordered[row * outputs + below], ordered[row * outputs + above]];
      return at === below ? low : (below + 1 - at) * low + (at - below) * high;
    });
  }

  /** Return the place of the level 0.5 among the levels, which may lie between two of them. */
  placeOfMedian() {
    const { levels } = this;
    const above = levels.findIndex((level) => level >= 0.5);
    if (above <= 0) {
      return above < 0 ? levels.length - 1 : 0;
    }
    return above - 1 + (0.5 - levels[above - 1]) / (levels[above] - levels[above - 1]);
  }
}

/**
 * Half the Poisson deviance, of a network that gives the logarithm of the expected value:
 * loss = y log(y / exp(z)) - y + exp(z) with 0 log 0 = 0, dloss/dz = exp(z) - y.
 */
export class PoissonDeviance extends Loss {
  /** Write losses (N,) and exp(z) - y (N, K); with several outputs, their losses are added. */
  each(logits, y, losses, dlogits) {
    overOutputs(logits, losses, (at) => {
      const difference = Math.exp(logits.data[at]) - y[at];
      dlogits.data[at] = difference;
      return (Math.log(y[at] > 0 ? y[at] : 1) - logits.data[at]) * y[at] + difference;
    });
  }

  /** Take targets of at least 0, (N * K,). */
  targets(y, n, outputs) {
    requireLength(this, y, n * outputs, n, outputs);
    requireEach(this, y, (one) => one >= 0 && one < Infinity, "targets of at least 0");
    return y;
  }

  /** Return the expected values exp(z), (N, K). */
  predict(logits, n, outputs) {
    return Float64Array.from(logits.subarray(0, n * outputs), Math.exp);
  }
}

/** Write each sample's loss: the sum of what `ofOutput(place, K)` returns for its outputs. */
function overOutputs({ n, size }, losses, ofOutput) {
  for (let row = 0, at = 0; row < n; row++) {
    losses[row] = 0;
    for (let k = 0; k < size; k++, at++) {
      losses[row] += ofOutput(at, size);
    }
  }
}
