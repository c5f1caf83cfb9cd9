/**
 * Optimizers: hyper-parameters, and a state of flat arrays that lies outside them.
 *
 * Two kinds of pull towards zero exist, on weights only: `alpha` is L2 as scikit-learn scales it,
 * added to loss and gradient by `regularize`; `weight_decay` is decoupled, w is multiplied by
 * 1 - learning_rate weight_decay before the update. Arrays may have a factor of the learning rate.
 */

import { byClassName } from "./configuration.js";
import { rateAt } from "./schedules.js";

const FLUSH_EVERY = 16; // steps
const TINY = 2.2250738585072014e-308; // the least number of full precision

/** Base of every optimizer. */
export class Optimizer {
  /** The name on the command line. */
  static label = "";

  /** The names of the arrays that `update` keeps from step to step, zero at first. */
  static moments = [];

  /** @param {object} fields - learning_rate (a number or a schedule), alpha, and others. */
  constructor({ learning_rate = 0.01, alpha = 0, weight_decay = 0 } = {}) {
    this.learningRate = learning_rate;
    this.alpha = alpha;
    this.weightDecay = weight_decay;
    requireFrom0(this, { learning_rate, alpha, weight_decay });
  }

  /**
   * Return the state before the first step.
   *
   * @param {ParameterVector} parameters
   * @returns {object} The arrays named by `moments`, each (P,).
   */
  start(parameters) {
    const zeros = this.constructor.moments.map((name) => [
      name,
      new Float64Array(parameters.data.length),
    ]);
    return Object.fromEntries(zeros);
  }

  /**
   * Add the gradient of L2 to `gradient`, and return what L2 adds to the loss.
   *
   * @param {ParameterVector} parameters
   * @param {ParameterVector} gradient - The gradient of the loss, changed in place.
   * @param {number} samples - The number of samples in the batch, or the sum of their weights.
   */
  regularize(parameters, gradient, samples) {
    if (this.alpha === 0) {
      return 0;
    }
    const [w, g, pull] = [parameters.data, gradient.data, this.alpha / samples];
    let squares = 0;
    for (const { start, end, decays } of parameters.stretches) {
      for (let i = start; decays && i < end; i++) {
        g[i] += pull * w[i];
        squares += w[i] * w[i];
      }
    }
    return 0.5 * pull * squares;
  }

  /**
   * Update the parameters and the state in place.
   *
   * @param {ParameterVector} parameters
   * @param {ParameterVector} gradient - It is left as it is.
   * @param {object} state - The arrays that `start` made, as earlier steps left them.
   * @param {number} step - The number of updates done before this one.
   */
  step(parameters, gradient, state, step) {
    const rate = rateAt(this.learningRate, step);
    const decay = rateAt(this.weightDecay, step);
    const floor = step % FLUSH_EVERY === 0 ? TINY : 0;
    const w = parameters.data;
    for (const stretch of parameters.stretches) {
      if (decay !== 0 && stretch.decays) {
        const kept = 1 - rate * stretch.rate * (decay * stretch.rate);
        for (let i = stretch.start; i < stretch.end; i++) {
          w[i] *= kept;
        }
      }
      this.update(w, gradient.data, state, rate * stretch.rate, step, floor, stretch);
    }
  }
}

/** Gradient descent: w -= learning_rate g. */
export class SGD extends Optimizer {
  static label = "sgd";

  update(w, g, state, rate, step, floor, { start, end }) {
    for (let i = start; i < end; i++) {
      w[i] -= g[i] * rate;
    }
  }
}

/** Gradient descent with a heavy ball: v = momentum v - learning_rate g; w += v. */
export class Momentum extends Optimizer {
  static label = "momentum";
  static moments = ["v"];

  constructor({ momentum = 0.9, ...fields } = {}) {
    super(fields);
    requireFrom0(this, { momentum }, 1);
    this.momentum = momentum;
  }

  update(w, g, { v }, rate, step, floor, { start, end }) {
    for (let i = start; i < end; i++) {
      v[i] = flushed(v[i] * this.momentum - g[i] * rate, floor);
      w[i] += v[i];
    }
  }
}

/** Momentum that looks ahead: w += momentum v - learning_rate g, with the new v of `Momentum`. */
export class Nesterov extends Momentum {
  static label = "nesterov";

  update(w, g, { v }, rate, step, floor, { start, end }) {
    for (let i = start; i < end; i++) {
      const down = g[i] * rate;
      v[i] = flushed(v[i] * this.momentum - down, floor);
      w[i] += v[i] * this.momentum - down;
    }
  }
}

/** Divides by the root of all squares so far: w -= learning_rate g / (sqrt(sum g^2) + epsilon). */
export class AdaGrad extends Optimizer {
  static label = "adagrad";
  static moments = ["s"];

  constructor({ epsilon = 1e-10, ...fields } = {}) {
    super(fields);
    requireEpsilonOf(this, epsilon);
    this.epsilon = epsilon;
  }

  update(w, g, { s }, rate, step, floor, { start, end }) {
    for (let i = start; i < end; i++) {
      s[i] = flushed(s[i] + g[i] * g[i], floor);
      w[i] -= (g[i] / (Math.sqrt(s[i]) + this.epsilon)) * rate;
    }
  }
}

/** s = decay s + (1 - decay) g^2; w -= learning_rate g / (sqrt(s) + epsilon). */
export class RMSprop extends Optimizer {
  static label = "rmsprop";
  static moments = ["s"];

  constructor({ learning_rate = 0.001, decay = 0.99, epsilon = 1e-8, ...fields } = {}) {
    super({ learning_rate, ...fields });
    requireFrom0(this, { decay }, 1);
    requireEpsilonOf(this, epsilon);
    this.decay = decay;
    this.epsilon = epsilon;
  }

  update(w, g, { s }, rate, step, floor, { start, end }) {
    const share = 1 - this.decay;
    for (let i = start; i < end; i++) {
      s[i] = flushed(s[i] * this.decay + g[i] * g[i] * share, floor);
      w[i] -= (g[i] / (Math.sqrt(s[i]) + this.epsilon)) * rate;
    }
  }
}

/**
 * Running means of the gradient and of its square, both corrected for their start at zero.
 *
 * m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2; in step t = 1, 2, ...
 * w -= learning_rate m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon).
 */
export class Adam extends Optimizer {
  static label = "adam";
  static moments = ["m", "v"];

  constructor({
    learning_rate = 0.001,
    beta_1 = 0.9,
    beta_2 = 0.999,
    epsilon = 1e-8,
    ...fields
  } = {}) {
    super({ learning_rate, ...fields });
    requireFrom0(this, { beta_1, beta_2 }, 1);
    requireEpsilonOf(this, epsilon);
    this.beta1 = beta_1;
    this.beta2 = beta_2;
    this.epsilon = epsilon;
  }

  update(w, g, { m, v }, rate, step, floor, { start, end }) {
    const { beta1, beta2, epsilon } = this;
    const [share1, share2] = [1 - beta1, 1 - beta2];
    const scaledRate = rate / (1 - beta1 ** (step + 1));
    const rootScale = 1 / Math.sqrt(1 - beta2 ** (step + 1));
    for (let i = start; i < end; i++) {
      m[i] = flushed(m[i] * beta1 + g[i] * share1, floor);
      v[i] = flushed(v[i] * beta2 + g[i] * g[i] * share2, floor);
      w[i] -= (m[i] / (Math.sqrt(v[i]) * rootScale + epsilon)) * scaledRate;
    }
  }
}

/** Adam with decoupled weight decay. */
export class AdamW extends Adam {
  static label = "adamw";

  constructor({ weight_decay = 0.01, ...fields } = {}) {
    super({ weight_decay, ...fields });
  }
}

const OPTIMIZER_CLASSES = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW];

/** Every optimizer by the name that the command line gives it. */
export const OPTIMIZERS = new Map(OPTIMIZER_CLASSES.map((kind) => [kind.label, kind]));

const OPTIMIZERS_BY_CLASS = byClassName(...OPTIMIZER_CLASSES);

/**
 * Make an optimizer.
 *
 * @param {string} name - Its name on the command line, or that of its class.
 * @param {object} [options] - `rate` (a number or a schedule), and the fields of the class: alpha,
 *   weight_decay, momentum, decay, beta_1, beta_2, epsilon.
 * @throws {Error} If there is none of that name in a page: L-BFGS trains by a search along lines.
 */
export function makeOptimizer(name, { rate, ...fields } = {}) {
  const kind = OPTIMIZERS.get(name) ?? OPTIMIZERS_BY_CLASS.get(name);
  if (kind === undefined) {
    throw new Error(
      `A page can't train by "${name}"; it knows ${[...OPTIMIZERS.keys()].join(", ")}.`,
    );
  }
  return new kind(rate === undefined ? fields : { learning_rate: rate, ...fields });
}

/** Return 0 in the place of a mean that is, or soon will be, a denormal number, which is slow. */
function flushed(mean, floor) {
  return Math.abs(mean) < floor ? 0 : mean;
}

function requireFrom0(optimizer, fields, below = Infinity) {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "number" && !(value >= 0 && value < below)) {
      throw new Error(
        `${optimizer.constructor.name} needs a ${name} of at least 0${below === 1 ? " and below 1" : ""}, ` +
          `found ${value}.`,
      );
    }
  }
}

function requireEpsilonOf(optimizer, epsilon) {
  if (!(epsilon > 0)) {
    throw new Error(`${optimizer.constructor.name} needs a positive epsilon, found ${epsilon}.`);
  }
}
