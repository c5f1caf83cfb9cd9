/** The arithmetic of layers that normalise: batch norm by what it has kept, layer norm by a sample. */

import { callOf, leaf, negativeOf, powerOf, productOf, quotientOf, seriesOf, sumOf } from "./expressions.js";

/** BatchNorm in prediction: its features are the last axis, its statistics those that it has kept. */
export function keptStatistics({ epsilon }, operands) {
  const s = (j) => {
    const variance = operands.at("running_variance", j);
    return callOf("sqrt", Math.sqrt, sumOf(variance, leaf("epsilon", epsilon)));
  };
  const named = (j) => leaf(`s[${j}]`, s(j).value);
  const xhat = (index) => {
    const j = index.at(-1);
    return quotientOf(
      sumOf(operands.at("x", ...index), negativeOf(operands.at("running_mean", j))),
      named(j),
    );
  };
  const namedXhat = (index) => leaf(`xhat[${index.join(",")}]`, xhat(index).value);
  const { places, at } = placesOfFeature(operands.shape("x"));
  const sum =
    (term) =>
    ([j]) =>
      seriesOf(places, (k) => term(at(k, j)));
  const ofSamples = operands.shape("x").length > 2 ? "sum_nhw" : "sum_n";
  return {
    y: {
      formula: "y = gamma * xhat + beta",
      before: (index) => [
        { name: `s[${index.at(-1)}]`, entry: s(index.at(-1)) },
        { name: `xhat[${index.join(",")}]`, entry: xhat(index) },
      ],
      at: (index) =>
        sumOf(
          productOf(operands.at("gamma", index.at(-1)), namedXhat(index)),
          operands.at("beta", index.at(-1)),
        ),
    },
    dgamma: {
      formula: `dgamma = ${ofSamples} dy * xhat`,
      at: sum((index) => productOf(operands.at("dy", ...index), namedXhat(index))),
    },
    dbeta: { formula: `dbeta = ${ofSamples} dy`, at: sum((index) => operands.at("dy", ...index)) },
    dx: {
      formula: "dx = dy * (gamma / s)",
      at: (index) => {
        const j = index.at(-1);
        return productOf(operands.at("dy", ...index), quotientOf(operands.at("gamma", j), named(j)));
      },
    },
  };
}

/** LayerNorm: the features of each sample by their own mean and deviation. */
export function ownStatistics({ epsilon }, operands) {
  const [samples, features] = operands.shape("x");
  const D = leaf("D", features);
  const total = (n) => seriesOf(features, (d) => operands.at("x", n, d));
  const s = (n) => {
    const mean = leaf(`mean(x[${n}])`, total(n).value / features);
    const squares = seriesOf(features, (d) => powerOf(sumOf(operands.at("x", n, d), negativeOf(mean)), 2));
    return callOf("sqrt", Math.sqrt, sumOf(quotientOf(squares, D), leaf("epsilon", epsilon)));
  };
  const xhat = ([n, d]) => {
    const difference = sumOf(operands.at("x", n, d), negativeOf(quotientOf(total(n), D)));
    return quotientOf(difference, leaf(`s[${n},0]`, s(n).value));
  };
  const namedXhat = ([n, d]) => leaf(`xhat[${n},${d}]`, xhat([n, d]).value);
  return {
    y: {
      formula: "y = gamma * xhat + beta",
      before: ([n, d]) => [
        { name: `s[${n},0]`, entry: s(n) },
        { name: `xhat[${n},${d}]`, entry: xhat([n, d]) },
      ],
      at: ([n, d]) => sumOf(productOf(operands.at("gamma", d), namedXhat([n, d])), operands.at("beta", d)),
    },
    dgamma: {
      formula: "dgamma = sum_n dy[n] * xhat[n]",
      at: ([d]) => seriesOf(samples, (n) => productOf(operands.at("dy", n, d), namedXhat([n, d]))),
    },
    dbeta: { formula: "dbeta = sum_n dy[n]", at: ([d]) => seriesOf(samples, (n) => operands.at("dy", n, d)) },
  };
}

/** All places of one feature: samples, and of pictures their rows and columns. */
function placesOfFeature(shape) {
  const outer = shape.slice(0, -1);
  const places = outer.reduce((product, side) => product * side, 1);
  const at = (k, feature) => {
    const index = [feature];
    for (const side of [...outer].reverse()) {
      index.unshift(k % side);
      k = Math.floor(k / side);
    }
    return index;
  };
  return { places, at };
}
