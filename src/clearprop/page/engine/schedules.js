/** Numbers as functions of the step, the number of updates done before: rates above all. */

import { byClassName } from "./configuration.js";

/** One number for every step. */
export class ConstantSchedule {
  constructor({ learning_rate }) {
    this.learningRate = learning_rate;
  }

  /** Return the number of one update. */
  at(step) {
    return this.learningRate;
  }
}

/** Falls by a factor every so many steps: learning_rate factor^floor(step / every). */
export class StepSchedule {
  constructor({ learning_rate, every, factor = 0.1 }) {
    Object.assign(this, { learningRate: learning_rate, every, factor });
  }

  at(step) {
    return this.learningRate * this.factor ** Math.floor(step / this.every);
  }
}

/** Falls evenly by a factor over so many steps: learning_rate factor^(step / every). */
export class ExponentialSchedule {
  constructor({ learning_rate, every, factor = 0.1 }) {
    Object.assign(this, { learningRate: learning_rate, every, factor });
  }

  at(step) {
    return this.learningRate * this.factor ** (step / this.every);
  }
}

/** Falls along half a cosine, and stays at the end. */
export class CosineSchedule {
  constructor({ learning_rate, steps, final = 0 }) {
    Object.assign(this, { learningRate: learning_rate, steps, final });
  }

  at(step) {
    return onCosine(this.learningRate, this.final, Math.min(step / this.steps, 1));
  }
}

/** Rises to a peak and falls far below the start, along half a cosine each. */
export class OneCycleSchedule {
  constructor({ peak, steps, rise = 0.3, start_divisor = 25, final_divisor = 1e4 }) {
    Object.assign(this, {
      peak,
      steps,
      rise,
      startDivisor: start_divisor,
      finalDivisor: final_divisor,
    });
  }

  at(step) {
    const start = this.peak / this.startDivisor;
    const top = this.rise * this.steps - 1;
    if (step < top) {
      return onCosine(start, this.peak, step / top);
    }
    const down = (step - top) / (this.steps - 1 - top);
    return onCosine(this.peak, start / this.finalDivisor, Math.min(down, 1));
  }
}

/** Rises evenly to another schedule's first number, then follows it from its beginning. */
export class WarmUp {
  constructor({ steps, then }) {
    this.steps = steps;
    this.then = then;
  }

  at(step) {
    return step < this.steps
      ? (this.then.at(0) * (step + 1)) / this.steps
      : this.then.at(step - this.steps);
  }
}

/** Swings between 0 and a peak four times: peak (1 - cos(2 pi log2(1 + 15 t))) / 2. */
export class CosLogSchedule {
  constructor({ peak, steps }) {
    this.peak = peak;
    this.steps = steps;
  }

  at(step) {
    const swings = Math.log2(1 + 15 * Math.min(step / this.steps, 1));
    return (this.peak * (1 - Math.cos(2 * Math.PI * swings))) / 2;
  }
}

/** Stays for the first half, then falls to 0 along half a cosine. */
export class FlatCosineSchedule {
  constructor({ first, steps }) {
    this.first = first;
    this.steps = steps;
  }

  at(step) {
    const t = Math.min(step / this.steps, 1);
    return onCosine(this.first, 0, Math.max(2 * t, 1) - 1);
  }
}

/** Every schedule, by its class's name. */
export const SCHEDULES = byClassName(
  ...[ConstantSchedule, StepSchedule, ExponentialSchedule, CosineSchedule],
  ...[OneCycleSchedule, WarmUp, CosLogSchedule, FlatCosineSchedule],
);

/**
 * Return the number of one update.
 *
 * @param {number|{at: function(number): number}} rate - A number, or a schedule.
 * @param {number} step
 */
export function rateAt(rate, step) {
  return typeof rate === "number" ? rate : rate.at(step);
}

function onCosine(first, last, progress) {
  return last + ((first - last) * (1 + Math.cos(Math.PI * progress))) / 2;
}
