/** Recipes of targets, and the scales on which skewed values are learned. */

import { coveringIntervals, coveringSets } from "./certainty.js";

/** What makes sets and intervals that hold the truth for a promised share of the rows. */
export class Coverage {
  constructor({ share, samples, score }) {
    Object.assign(this, { share, samples, score });
  }
}

/** A target of classes. */
export class ClassTarget {
  constructor({
    class_names,
    name,
    threshold = null,
    positive = 1,
    temperature = 1,
    coverage = null,
  }) {
    this.classNames = class_names;
    Object.assign(this, { name, threshold, positive, temperature, coverage });
  }

  /**
   * Return the probability of each class, of logits divided by the temperature.
   *
   * @param {Loss} loss
   * @param {Float64Array} logits - (N, outputs).
   * @param {number} n
   * @param {number} outputs
   * @returns {Float64Array} (N, K).
   */
  probabilities(loss, logits, n, outputs) {
    return loss.predictProba(
      logits.map((z) => z / this.temperature),
      n,
      outputs,
    );
  }

  /** Return class indices (N,) as they are learned. */
  encode(classes) {
    return Float64Array.from(classes);
  }

  /** Return the class indices (N,) that logits say: the likeliest, or by the threshold. */
  answers(loss, logits, n, outputs) {
    if (this.threshold === null) {
      return loss.predict(logits, n, outputs);
    }
    const shares = this.probabilities(loss, logits, n, outputs);
    return Float64Array.from({ length: n }, (_, row) =>
      shares[2 * row + this.positive] >= this.threshold ? this.positive : 1 - this.positive,
    );
  }

  /** Return the sets of classes that a coverage promises; null where there is none. */
  sets(loss, logits, n, outputs) {
    return coveringSets(this, loss, logits, n, outputs);
  }
}

/** A target of values, standardised by the training data: (t - mean) / std. */
export class ValueTarget {
  constructor({ mean, std, name, scale = null, coverage = null, low = null, high = null }) {
    Object.assign(this, { mean, std, name, scale, coverage, low, high });
    this.classNames = null;
  }

  /** Return the values (N, outputs) on their own scale that logits say, kept within the range. */
  answers(loss, logits, n, outputs) {
    return this.restore(loss.predict(logits, n, outputs));
  }

  /** Return the intervals of values that a coverage promises; null where there is none. */
  intervals(loss, logits, n, outputs) {
    return coveringIntervals(this, loss, logits, n, outputs);
  }

  /** Return values (N, outputs) as they are learned. */
  encode(values) {
    return Float64Array.from(values, (value, at) => {
      const i = at % this.mean.length;
      const scaled = this.scale === null ? value : this.scale.transform(value);
      return (scaled - this.mean[i]) / this.std[i];
    });
  }

  /** Return standardised answers (N, outputs) on the values' own scale, kept within the range. */
  restore(standardised) {
    return this.unbounded(this.within(standardised));
  }

  /** Return standardised answers (N, outputs) kept within `low` and `high`, if there are any. */
  within(standardised) {
    return Float64Array.from(standardised, (answer, at) => {
      const i = at % this.mean.length;
      return this.low === null ? answer : clip(answer, this.low[i], this.high[i]);
    });
  }

  /** Return what `restore` does of numbers that may lie beyond `low` and `high`. */
  unbounded(standardised) {
    return Float64Array.from(standardised, (answer, at) => {
      const i = at % this.mean.length;
      const value = clip(answer * this.std[i] + this.mean[i], -Number.MAX_VALUE, Number.MAX_VALUE);
      return this.scale === null ? value : this.scale.inverse(value);
    });
  }
}

/**
 * A power of values, or their logarithm where the exponent is 0.
 *
 * Without a shift, t(y) = ((y / unit)^e - 1) / e, of Box and Cox. With a shift of 1,
 * t(y) = ((y / unit + 1)^e - 1) / e for y >= 0 and -((1 - y / unit)^(2 - e) - 1) / (2 - e) below,
 * of Yeo and Johnson.
 */
export class PowerScale {
  constructor({ exponent, shift, unit, bounds }) {
    Object.assign(this, { exponent, shift, unit, bounds });
  }

  /** Bring a value to the scale that is learned. */
  transform(value) {
    if (this.shift === 0) {
      return powerOfLog(Math.log(value) - Math.log(this.unit), this.exponent);
    }
    const log = Math.log1p(Math.abs(value) / this.unit);
    return value >= 0 ? powerOfLog(log, this.exponent) : -powerOfLog(log, 2 - this.exponent);
  }

  /** Bring an answer back: within `bounds`. */
  inverse(scaled) {
    let value;
    if (this.shift === 0) {
      value = Math.exp(logOfPower(scaled, this.exponent));
    } else if (scaled >= 0) {
      value = Math.expm1(logOfPower(scaled, this.exponent));
    } else {
      value = -Math.expm1(logOfPower(-scaled, 2 - this.exponent));
    }
    return clip(value * this.unit, ...this.bounds);
  }
}

/** Return (x^e - 1) / e of ln x, to full digits for small e. */
function powerOfLog(log, exponent) {
  return exponent === 0 ? log : Math.expm1(exponent * log) / exponent;
}

/** Return ln x of (x^e - 1) / e; where no x has such a power, that of 0 or of infinity. */
function logOfPower(power, exponent) {
  return exponent === 0 ? power : Math.log1p(Math.max(exponent * power, -1)) / exponent;
}

function clip(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
