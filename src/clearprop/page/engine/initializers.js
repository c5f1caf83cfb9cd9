/**
 * First values of parameters.
 *
 * Weights are drawn in the order of Python's, unit by unit, from another generator: see `Random`.
 */

import { byClassName } from "./configuration.js";
import { sizeOf } from "./trace.js";

/** Every entry the same. */
export class Constant {
  constructor({ value }) {
    this.value = value;
  }

  /** Write the first values of one array of a shape into `out`. */
  draw(random, shape, out) {
    out.fill(this.value);
  }
}

/** Every entry zero: right for biases; as weights, every unit of a layer stays the same. */
export class Zeros {
  draw(random, shape, out) {
    out.fill(0);
  }
}

/** Normal with mean 0 and a given standard deviation. */
export class Normal {
  constructor({ std = 0.01 } = {}) {
    requirePositive("Normal", "standard deviation", std);
    this.std = std;
  }

  draw(random, shape, out) {
    drawNormal(random, shape, this.std, out);
  }
}

/** Uniform on ±bound. */
export class Uniform {
  constructor({ bound }) {
    requirePositive("Uniform", "bound", bound);
    this.bound = bound;
  }

  draw(random, shape, out) {
    drawUniform(random, shape, this.bound, out);
  }
}

/** Normal with variance 1 / inputs: keeps the variance of what passes a linear layer. */
export class Scaled {
  draw(random, shape, out) {
    drawNormal(random, shape, 1 / Math.sqrt(inputsOf(shape)), out);
  }
}

/** Normal with variance 2 / inputs: makes up for the half that ReLU cuts off. */
export class HeNormal {
  draw(random, shape, out) {
    drawNormal(random, shape, Math.sqrt(2 / inputsOf(shape)), out);
  }
}

/** Uniform on ±sqrt(6 / inputs), which has the variance of `HeNormal`. */
export class HeUniform {
  draw(random, shape, out) {
    drawUniform(random, shape, Math.sqrt(6 / inputsOf(shape)), out);
  }
}

/** Normal with variance 2 / (inputs + units): a compromise of both directions. */
export class GlorotNormal {
  draw(random, shape, out) {
    drawNormal(random, shape, Math.sqrt(2 / inputsAndReached(shape)), out);
  }
}

/** Uniform on ±sqrt(6 / (inputs + units)), which has the variance of `GlorotNormal`. */
export class GlorotUniform {
  draw(random, shape, out) {
    drawUniform(random, shape, Math.sqrt(6 / inputsAndReached(shape)), out);
  }
}

const PRODUCTS_MIXED = 5; // that a bias is a mean of
const ROUNDING_OF_PRODUCTS = 16 * Number.EPSILON; // by which equal products may differ

/** Standard normal weights, which `Network.initializeFrom` fits to samples. */
export class FromData {
  draw(random, shape, out) {
    drawNormal(random, shape, 1, out);
  }

  /**
   * Return the factor of each unit's weights, and the bias that goes with it.
   *
   * @param {Random} random
   * @param {Batch} products - The outputs (N, M) with the weights that were drawn, without biases.
   * @returns {{factors: Float64Array, biases: Float64Array}} Of shape (M,) both.
   */
  fit(random, { data, n, size }) {
    const factors = new Float64Array(size);
    const biases = new Float64Array(size);
    for (let unit = 0; unit < size; unit++) {
      factors[unit] = 1 / spreadOf(data, n, size, unit);
      let total = 0;
      let mixed = 0;
      for (let i = 0; i < PRODUCTS_MIXED; i++) {
        const share = random.exponential();
        total += share;
        mixed += share * data[random.integer(n) * size + unit];
      }
      biases[unit] = (-factors[unit] * mixed) / total;
    }
    return { factors, biases };
  }
}

/** Every initializer, by its class's name. */
export const INITIALIZERS = byClassName(
  ...[Constant, Zeros, Normal, Uniform, Scaled, HeNormal, HeUniform],
  ...[GlorotNormal, GlorotUniform, FromData],
);

/** Return the standard deviation of one unit's products; 1 where all are the same. */
function spreadOf(data, n, size, unit) {
  let mean = 0;
  let largest = 0;
  for (let row = 0; row < n; row++) {
    mean += data[row * size + unit] / n;
    largest = Math.max(largest, Math.abs(data[row * size + unit]));
  }
  let variance = 0;
  for (let row = 0; row < n; row++) {
    variance += (data[row * size + unit] - mean) ** 2 / n;
  }
  const std = Math.sqrt(variance);
  return std <= ROUNDING_OF_PRODUCTS * largest ? 1 : std;
}

/** Fill (inputs, units) unit by unit, as the published systems do. */
function drawNormal(random, shape, std, out) {
  const units = shape[shape.length - 1];
  const inputs = out.length / units;
  for (let unit = 0; unit < units; unit++) {
    for (let input = 0; input < inputs; input++) {
      out[input * units + unit] = std * random.normal();
    }
  }
}

function drawUniform(random, shape, bound, out) {
  const units = shape[shape.length - 1];
  const inputs = out.length / units;
  for (let unit = 0; unit < units; unit++) {
    for (let input = 0; input < inputs; input++) {
      out[input * units + unit] = random.uniform(-bound, bound);
    }
  }
}

function inputsOf(shape) {
  return sizeOf(shape.slice(0, -1));
}

/** The units that count are those that one input reaches: of a convolution kh kw F. */
function inputsAndReached(shape) {
  const [inputs, units] = shape.slice(-2);
  return sizeOf(shape.slice(0, -2)) * (inputs + units);
}

function requirePositive(name, what, value) {
  if (!(value > 0)) {
    throw new Error(`${name} needs a positive ${what}, found ${value}.`);
  }
}
