/**
 * Further losses of classes.
 *
 * Smoothed labels are never quite sure; focal losses are cross-entropies that care less for what is
 * easy; hinge losses ask nothing of what is right by a margin of 1.
 */

import { BinaryCrossEntropy, SoftmaxCrossEntropy } from "./basic_losses.js";
import { largestOfRows, Loss, placeOfLargest, softmaxInto } from "./loss.js";
import { softplusOf } from "./special.js";

/** Cross-entropy of a softmax whose targets are t = (1 - smoothing) y + smoothing / K. */
export class SmoothedCrossEntropy extends SoftmaxCrossEntropy {
  constructor({ smoothing = 0.1 } = {}) {
    super();
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new Error(
        `SmoothedCrossEntropy needs a smoothing of at least 0 and below 1, found ${smoothing}.`,
      );
    }
    this.smoothing = smoothing;
  }

  /** Write losses (N,) and p - t (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    const p = dlogits.data;
    for (let row = 0; row < n; row++) {
      const start = row * size;
      const largest = z[start + placeOfLargest(z, start, size)];
      losses[row] = softmaxInto(p, z, start, size);
      for (let k = 0; k < size; k++) {
        const t = (1 - this.smoothing) * shareOf(y, n, row, k, size) + this.smoothing / size;
        losses[row] -= (z[start + k] - largest) * t;
        p[start + k] -= t;
      }
    }
  }
}

/**
 * Focal loss of a sigmoid: with sign s and p = 1 / (1 + exp(-s z)),
 * loss = -(1 - p)^gamma log p, dloss/dz = s (1 - p)^gamma (gamma p log p - (1 - p)).
 */
export class BinaryFocal extends BinaryCrossEntropy {
  constructor({ gamma = 2 } = {}) {
    super();
    requireGamma("BinaryFocal", gamma);
    this.gamma = gamma;
  }

  /** Write losses (N,) and their derivatives (N, K): targets between 0 and 1 mix both answers. */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    for (let row = 0, at = 0; row < n; row++) {
      losses[row] = 0;
      for (let k = 0; k < size; k++, at++) {
        losses[row] += y[at] * this.lossOf(z[at]) + (1 - y[at]) * this.lossOf(-z[at]);
        dlogits.data[at] = y[at] * this.slopeOf(z[at]) - (1 - y[at]) * this.slopeOf(-z[at]);
      }
    }
  }

  /** Return the loss of the right answer's logit. */
  lossOf(z) {
    return Math.exp(-softplusOf(z)) ** this.gamma * softplusOf(-z);
  }

  /** Return the derivative of that. */
  slopeOf(z) {
    const logP = -softplusOf(-z);
    const wrong = Math.exp(-softplusOf(z));
    return wrong ** this.gamma * (this.gamma * Math.exp(logP) * logP - wrong);
  }
}

/**
 * Focal loss of a softmax: with p_y the probability of the right class y,
 * loss = -(1 - p_y)^gamma log p_y and
 * dloss/dz_k = (1 - p_y)^gamma (gamma p_y log p_y / (1 - p_y) - 1) ([k = y] - p_k).
 */
export class SoftmaxFocal extends SoftmaxCrossEntropy {
  constructor({ gamma = 2 } = {}) {
    super();
    requireGamma("SoftmaxFocal", gamma);
    this.gamma = gamma;
  }

  /** Write losses (N,) and their derivatives (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    const p = dlogits.data;
    for (let row = 0; row < n; row++) {
      const start = row * size;
      const largest = z[start + placeOfLargest(z, start, size)];
      const logTotal = softmaxInto(p, z, start, size);
      losses[row] = 0;
      let pulls = 0;
      for (let k = 0; k < size; k++) {
        pulls += this.pull(z[start + k] - largest - logTotal, shareOf(y, n, row, k, size));
      }
      for (let k = 0; k < size; k++) {
        const logP = z[start + k] - largest - logTotal;
        const share = shareOf(y, n, row, k, size);
        losses[row] -= share * (-Math.expm1(logP)) ** this.gamma * logP;
        p[start + k] = this.pull(logP, share) - Math.exp(logP) * pulls;
      }
    }
  }

  /** Return the pull at the logit of a class of which the target has a share. */
  pull(logP, share) {
    const wrong = -Math.expm1(logP);
    const ratio = wrong > 0 ? logP / wrong : -1; // its limit where p is 1
    return share * wrong ** this.gamma * (this.gamma * Math.exp(logP) * ratio - 1);
  }
}

/** Hinge loss of yes or no: with sign s, loss = max(0, 1 - s z), dloss/dz = -s where s z < 1. */
export class Hinge extends Loss {
  static classifies = true;

  /** Write losses (N,) and their derivatives (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    for (let row = 0, at = 0; row < n; row++) {
      losses[row] = 0;
      for (let k = 0; k < size; k++, at++) {
        const sign = 2 * y[at] - 1;
        const short = 1 - sign * z[at];
        losses[row] += Math.max(short, 0);
        dlogits.data[at] = short > 0 ? -sign : 0;
      }
    }
  }

  /** Take targets between 0 and 1, (N * K,). */
  targets(y, n, outputs) {
    return BinaryCrossEntropy.prototype.targets.call(this, y, n, outputs);
  }

  /** Return 1 where the logit is positive, else 0: (N, K). */
  predict(logits, n, outputs) {
    return BinaryCrossEntropy.prototype.predict.call(this, logits, n, outputs);
  }
}

/**
 * Hinge loss of one of K classes: with the largest other logit at r, loss = max(0, 1 - z_y + z_r),
 * and where it is positive dloss/dz_y = -1 and dloss/dz_r = 1.
 */
export class MulticlassHinge extends Loss {
  static classifies = true;
  static oneOfMany = true;

  /** Write losses (N,) and their derivatives (N, K). */
  each(logits, y, losses, dlogits) {
    const { data: z, n, size } = logits;
    dlogits.data.fill(0);
    for (let row = 0; row < n; row++) {
      const start = row * size;
      let rival = y[row] === 0 ? 1 : 0;
      for (let k = rival + 1; k < size; k++) {
        rival = k !== y[row] && z[start + k] > z[start + rival] ? k : rival;
      }
      losses[row] = Math.max(1 - z[start + y[row]] + z[start + rival], 0);
      if (losses[row] > 0) {
        dlogits.data[start + y[row]] = -1;
        dlogits.data[start + rival] = 1;
      }
    }
  }

  checkOutputs(outputs) {
    SoftmaxCrossEntropy.prototype.checkOutputs.call(this, outputs);
  }

  /** Take class numbers (N,); rows (N * K,) stand for their largest number. */
  targets(y, n, outputs) {
    const chosen = SoftmaxCrossEntropy.prototype.targets.call(this, y, n, outputs);
    return chosen.length === n ? chosen : largestOfRows(chosen, n, outputs);
  }

  /** Return the number of the class with the largest logit, (N,). */
  predict(logits, n, outputs) {
    return largestOfRows(logits, n, outputs);
  }
}

/** Return the share of class k in a sample's target: a class number, or a row of probabilities. */
function shareOf(y, n, row, k, size) {
  return y.length === n ? Number(y[row] === k) : y[row * size + k];
}

function requireGamma(name, gamma) {
  if (!(gamma >= 0 && Number.isFinite(gamma))) {
    throw new Error(`${name} needs a gamma of at least 0, found ${gamma}.`);
  }
}
