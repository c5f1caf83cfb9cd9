/**
 * The arithmetic of any entry of a layer's matrices and of their gradients.
 *
 * Formulas are those of the layers' classes in Python, written once more here; the entry of a layer
 * that has none here is shown without.
 */

import {
  callOf,
  constant,
  leaf,
  negativeOf,
  powerOf,
  productOf,
  quotientOf,
  seriesOf,
  sumOf,
} from "./expressions.js";
import { keptStatistics, ownStatistics } from "./norm_arithmetic.js";
import { convolution, largestOfWindows, meanOfPlaces, meanOfWindows } from "./window_arithmetic.js";

const SELU_SCALE = 1.0507009873554805;
const SELU_LIMIT = SELU_SCALE * 1.6732632423543772;

/** The matrices that formulas read: by name, each with its shape and its numbers in C order. */
export class Operands {
  /** @param {Object<string, {shape: number[], data: Float64Array}|undefined>} arrays */
  constructor(arrays) {
    this.arrays = arrays;
  }

  has(name) {
    return this.arrays[name] !== undefined;
  }

  shape(name) {
    return this.arrays[name].shape;
  }

  /** Return an entry as a leaf: "x[3,0]" and its number. */
  at(name, ...index) {
    const { shape, data } = this.arrays[name];
    const place = index.reduce((flat, one, axis) => flat * shape[axis] + one, 0);
    return leaf(`${name}[${index.join(",")}]`, data[place]);
  }
}

/**
 * @typedef {object} Written
 * @property {string} formula - That of the whole matrix.
 * @property {{name: string, entry: import("./expressions.js").Expression}[]} before - What is computed
 *   before, and stands in the arithmetic by its name.
 * @property {import("./expressions.js").Expression} entry
 */

/**
 * Write the arithmetic of one entry.
 *
 * @param {string} type - The layer's class: "Dense".
 * @param {object} layer - Its hyper-parameters.
 * @param {string} result - "y", "dx", or "dW" and the like.
 * @param {Operands} operands
 * @param {number[]} index
 * @returns {Written|null} Null where there is no formula.
 */
export function arithmeticOf(type, layer, result, operands, index) {
  const found = LAYER_FORMULAS[type]?.(layer, operands)[result];
  if (!found) return null;
  return { formula: found.formula, before: found.before?.(index) ?? [], entry: found.at(index) };
}

function affine(hasRoot) {
  return (layer, operands) => {
    const inputs = operands.shape("x")[1];
    const samples = operands.shape("x")[0];
    const scaled = (entry) =>
      hasRoot ? quotientOf(entry, callOf("sqrt", Math.sqrt, leaf("D", inputs))) : entry;
    const root = hasRoot ? " / sqrt(D)" : "";
    const products = (n, j) =>
      scaled(seriesOf(inputs, (i) => productOf(operands.at("x", n, i), operands.at("W", i, j))));
    return {
      y: operands.has("b")
        ? {
            formula: `y = x W${root} + b`,
            at: ([n, j]) => sumOf(products(n, j), operands.at("b", j)),
          }
        : { formula: `y = x W${root}`, at: ([n, j]) => products(n, j) },
      dW: {
        formula: `dW = x.T dy${root}`,
        at: ([i, j]) =>
          scaled(seriesOf(samples, (n) => productOf(operands.at("x", n, i), operands.at("dy", n, j)))),
      },
      db: {
        formula: "db = sum_n dy[n]",
        at: ([j]) => seriesOf(samples, (n) => operands.at("dy", n, j)),
      },
      dx: {
        formula: `dx = dy W.T${root}`,
        at: ([n, i]) =>
          scaled(
            seriesOf(operands.shape("dy")[1], (j) =>
              productOf(operands.at("dy", n, j), operands.at("W", i, j)),
            ),
          ),
      },
    };
  };
}

/** Formulas of y = g(x), and of dx by what dy is multiplied with. */
function activated(formula, value, slopeFormula, slope) {
  return (layer, operands) => ({
    y: { formula: `y = ${formula}`, at: (index) => value(operands.at("x", ...index), layer) },
    dx: {
      formula: `dx = ${slopeFormula}`,
      at: (index) => slope(operands.at("dy", ...index), operands.at("x", ...index), operands, index, layer),
    },
  });
}

/** dx = dy * g'(x), where the slope is a number by the sign of x, or another formula below zero. */
function bySign(above, below) {
  return (dy, x, operands, index, layer) => {
    const slope = x.value > 0 ? above(layer, x) : below(layer, x, operands, index);
    return productOf(dy, slope);
  };
}

function slopeLeaf(x, value) {
  return leaf(`g'(${x.symbols})`, value);
}

function logistic(x) {
  const negative = callOf("exp", Math.exp, negativeOf(x));
  return quotientOf(constant(1), sumOf(constant(1), negative));
}

/** a (exp(x) - 1) below zero, where a is a number or a setting. */
function exponentialBelow(factor, x) {
  return productOf(factor, sumOf(callOf("exp", Math.exp, x), negativeOf(constant(1))));
}

const unchanged = (layer, operands) => ({
  y: { formula: "y = x", at: (index) => operands.at("x", ...index) },
  dx: { formula: "dx = dy", at: (index) => operands.at("dy", ...index) },
});

/** By the class of a layer: its formulas, given its hyper-parameters and operands. */
const LAYER_FORMULAS = {
  Dense: affine(false),
  NTKDense: affine(true),
  Conv2D: convolution,
  MaxPool2D: largestOfWindows,
  AveragePool2D: meanOfWindows,
  GlobalAveragePool2D: meanOfPlaces,
  BatchNorm: keptStatistics,
  LayerNorm: ownStatistics,
  Dropout: unchanged,
  SpatialDropout2D: unchanged,
  Scale: (layer, operands) => ({
    y: { formula: "y = s * x", at: ([n, i]) => productOf(operands.at("s", i), operands.at("x", n, i)) },
    ds: {
      formula: "ds = sum_n (dy * x)[n]",
      at: ([i]) =>
        seriesOf(operands.shape("x")[0], (n) => productOf(operands.at("dy", n, i), operands.at("x", n, i))),
    },
    dx: { formula: "dx = s * dy", at: ([n, i]) => productOf(operands.at("s", i), operands.at("dy", n, i)) },
  }),
  ReLU: activated(
    "max(x, 0)",
    (x) => callOf("max", Math.max, x, constant(0)),
    "dy * g'(x), with g'(x) = 1 where x > 0, else 0",
    bySign(
      (layer, x) => slopeLeaf(x, 1),
      (layer, x) => slopeLeaf(x, 0),
    ),
  ),
  LeakyReLU: activated(
    "max(x, slope * x)",
    (x, layer) => callOf("max", Math.max, x, productOf(leaf("slope", layer.slope), x)),
    "dy * g'(x), with g'(x) = 1 where x > 0, else slope",
    bySign(
      (layer, x) => slopeLeaf(x, 1),
      (layer, x) => slopeLeaf(x, layer.slope),
    ),
  ),
  ELU: activated(
    "x where x > 0, else alpha * (exp(x) - 1)",
    (x, layer) => (x.value > 0 ? x : exponentialBelow(leaf("alpha", layer.alpha), x)),
    "dy * g'(x), with g'(x) = 1 where x > 0, else y + alpha",
    bySign(
      (layer, x) => slopeLeaf(x, 1),
      (layer, x, operands, index) => sumOf(operands.at("y", ...index), leaf("alpha", layer.alpha)),
    ),
  ),
  SELU: activated(
    "1.051 * x where x > 0, else 1.758 * (exp(x) - 1)",
    (x) => (x.value > 0 ? productOf(constant(SELU_SCALE), x) : exponentialBelow(constant(SELU_LIMIT), x)),
    "dy * g'(x), with g'(x) = 1.051 where x > 0, else y + 1.758",
    bySign(
      (layer, x) => slopeLeaf(x, SELU_SCALE),
      (layer, x, operands, index) => sumOf(operands.at("y", ...index), constant(SELU_LIMIT)),
    ),
  ),
  Sigmoid: activated(
    "1 / (1 + exp(-x))",
    (x) => logistic(x),
    "dy * y * (1 - y)",
    (dy, x, operands, index) => {
      const y = operands.at("y", ...index);
      return productOf(productOf(dy, y), sumOf(constant(1), negativeOf(y)));
    },
  ),
  Tanh: activated(
    "tanh(x)",
    (x) => callOf("tanh", Math.tanh, x),
    "dy * (1 - y**2)",
    (dy, x, operands, index) =>
      productOf(dy, sumOf(constant(1), negativeOf(powerOf(operands.at("y", ...index), 2)))),
  ),
  Softplus: activated(
    "log(1 + exp(x))",
    (x) => {
      const small = callOf("exp", Math.exp, negativeOf(callOf("abs", Math.abs, x)));
      const logarithm = callOf("log", Math.log, sumOf(constant(1), small));
      return sumOf(callOf("max", Math.max, x, constant(0)), logarithm);
    },
    "dy / (1 + exp(-x))",
    (dy, x) => quotientOf(dy, sumOf(constant(1), callOf("exp", Math.exp, negativeOf(x)))),
  ),
};
