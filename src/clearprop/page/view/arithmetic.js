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

const SELU_SCALE = 1.0507009873554805;
const SELU_LIMIT = SELU_SCALE * 1.6732632423543772;
const WINDOW_TERMS = 27; // that are all written: a window of 3 x 3 of a colour picture has as many

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
    const place = index.reduce((sum, one, axis) => sum * shape[axis] + one, 0);
    return leaf(`${name}[${index.join(",")}]`, data[place]);
  }
}

/**
 * Write the arithmetic of one entry.
 *
 * @param {string} type - The layer's class: "Dense".
 * @param {object} layer - Its hyper-parameters.
 * @param {string} result - "y", "dx", or "dW" and the like.
 * @param {Operands} operands
 * @param {number[]} index
 * @returns {{formula: string, entry: import("./expressions.js").Expression}|null} Null where there
 *   is no formula.
 */
export function arithmeticOf(type, layer, result, operands, index) {
  const found = LAYER_FORMULAS[type]?.(layer, operands)[result];
  return found ? { formula: found.formula, entry: found.at(index) } : null;
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

/** The place of an entry in a window: its terms go down the window, across it, and by channel. */
function convolution(layer, operands) {
  const [, height, width, channels = 1] = operands.shape("x");
  const isGrey = operands.shape("x").length === 3; // without an axis for its channel
  const [samples, rows, columns] = operands.shape("y");
  const [kernelRows, kernelColumns] = operands.shape("W");
  const { stride } = layer;
  const before = borderBefore(layer, [height, width], [kernelRows, kernelColumns], [rows, columns]);
  const pixel = (n, row, column, c) => operands.at("x", n, row, column, ...(isGrey ? [] : [c]));
  const inside = (i, j) => i >= 0 && i < height && j >= 0 && j < width;
  const convolved = ([n, i, j, f]) => {
    const places = [];
    for (let p = 0; p < kernelRows; p++) {
      for (let q = 0; q < kernelColumns; q++) {
        const at = [i * stride[0] - before[0] + p, j * stride[1] - before[1] + q];
        if (!inside(...at)) continue;
        for (let c = 0; c < channels; c++) places.push([at, p, q, c]);
      }
    }
    if (places.length === 0) return constant(0);
    const term = (k) => {
      const [[row, column], p, q, c] = places[k];
      return productOf(pixel(n, row, column, c), operands.at("W", p, q, c, f));
    };
    return seriesOf(places.length, term, WINDOW_TERMS);
  };
  const ofWeights = ([p, q, c, f]) => {
    const places = [];
    for (let n = 0; n < samples; n++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const at = [i * stride[0] - before[0] + p, j * stride[1] - before[1] + q];
          if (inside(...at)) places.push([n, i, j, at]);
        }
      }
    }
    if (places.length === 0) return constant(0);
    return seriesOf(places.length, (k) => {
      const [n, i, j, [row, column]] = places[k];
      return productOf(pixel(n, row, column, c), operands.at("dy", n, i, j, f));
    });
  };
  const ofBiases = ([f]) =>
    seriesOf(samples * rows * columns, (k) =>
      operands.at("dy", Math.floor(k / (rows * columns)), Math.floor(k / columns) % rows, k % columns, f),
    );
  const sum = "sum_pq x W[p,q]";
  return {
    y: operands.has("b")
      ? { formula: `y = b + ${sum}`, at: (index) => sumOf(operands.at("b", index[3]), convolved(index)) }
      : { formula: `y = ${sum}`, at: convolved },
    dW: { formula: "dW[p,q] = sum_nij x.T dy[n,i,j]", at: ofWeights },
    db: { formula: "db = sum_nij dy[n,i,j]", at: ofBiases },
  };
}

/** The lines of border before a picture that make windows fit: the smaller half of the border. */
function borderBefore({ padding, stride }, sides, kernel, out) {
  return sides.map((side, axis) => {
    if (padding !== "same") return 0;
    return Math.floor(Math.max(0, (out[axis] - 1) * stride[axis] + kernel[axis] - side) / 2);
  });
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
  Dropout: unchanged,
  SpatialDropout2D: unchanged,
  Scale: (layer, operands) => ({
    y: { formula: "y = s * x", at: ([n, i]) => productOf(operands.at("s", i), operands.at("x", n, i)) },
    ds: {
      formula: "ds = sum_n (dy * x)[n]",
      at: ([i]) =>
        seriesOf(operands.shape("x")[0], (n) =>
          productOf(operands.at("dy", n, i), operands.at("x", n, i)),
        ),
    },
    dx: { formula: "dx = s * dy", at: ([n, i]) => productOf(operands.at("s", i), operands.at("dy", n, i)) },
  }),
  ReLU: activated(
    "max(x, 0)",
    (x) => callOf("max", Math.max, x, constant(0)),
    "dy * g'(x), with g'(x) = 1 where x > 0, else 0",
    bySign((layer, x) => slopeLeaf(x, 1), (layer, x) => slopeLeaf(x, 0)),
  ),
  LeakyReLU: activated(
    "max(x, slope * x)",
    (x, layer) => callOf("max", Math.max, x, productOf(leaf("slope", layer.slope), x)),
    "dy * g'(x), with g'(x) = 1 where x > 0, else slope",
    bySign((layer, x) => slopeLeaf(x, 1), (layer, x) => slopeLeaf(x, layer.slope)),
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
