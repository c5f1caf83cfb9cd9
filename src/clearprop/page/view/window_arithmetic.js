/** The arithmetic of layers that go by the windows of pictures. */

import { callOf, constant, leaf, productOf, quotientOf, seriesOf, sumOf } from "./expressions.js";

const WINDOW_TERMS = 27; // that are all written: a window of 3 x 3 of a colour picture has as many

/** The place of an entry in a window: its terms go down the window, across it, and by channel. */
export function convolution(layer, operands) {
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

/** y is the largest number of each window. */
export function largestOfWindows(layer, operands) {
  const largest = (index) => callOf("max", Math.max, ...numbersOfWindow(layer, operands, index));
  return { y: { formula: "y[n,i,j] = max_pq x", at: largest } };
}

/** y is the mean of the numbers of each window. */
export function meanOfWindows(layer, operands) {
  const mean = (index) => {
    const numbers = numbersOfWindow(layer, operands, index);
    const total = seriesOf(numbers.length, (k) => numbers[k], WINDOW_TERMS);
    return quotientOf(total, constant(numbers.length));
  };
  return { y: { formula: "y[n,i,j] = mean_pq x", at: mean } };
}

/** y is the mean over all places of a picture. */
export function meanOfPlaces(layer, operands) {
  const [, height, width] = operands.shape("x");
  const mean = ([n, c]) => {
    const at = (k) => operands.at("x", n, Math.floor(k / width), k % width, c);
    return quotientOf(seriesOf(height * width, at), leaf("HW", height * width));
  };
  return { y: { formula: "y[n] = mean_hw x[n,h,w]", at: mean } };
}

function numbersOfWindow({ size, stride }, operands, [n, i, j, c]) {
  const isGrey = operands.shape("x").length === 3;
  const found = [];
  for (let p = 0; p < size[0]; p++) {
    for (let q = 0; q < size[1]; q++) {
      found.push(operands.at("x", n, i * stride[0] + p, j * stride[1] + q, ...(isGrey ? [] : [c])));
    }
  }
  return found;
}
