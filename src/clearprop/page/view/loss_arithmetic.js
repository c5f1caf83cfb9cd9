/** The arithmetic of a loss: from logits to their gradient. */

import { callOf, constant, leaf, negativeOf, productOf, quotientOf, seriesOf, sumOf } from "./expressions.js";

/**
 * Write the gradient of one logit.
 *
 * @param {string} type - The loss's class: "SoftmaxCrossEntropy".
 * @param {object} loss - Its hyper-parameters.
 * @param {import("./arithmetic.js").Operands} operands - Which hold the logits, and the targets as y.
 * @param {[number, number]} index - The sample, and the output.
 * @returns {import("./arithmetic.js").Written|null} Null where there is no formula.
 */
export function lossArithmetic(type, loss, operands, index) {
  const found = LOSS_FORMULAS[type]?.(loss, operands, index);
  if (!found) return null;
  const count = leaf("N", operands.shape("logits")[0]);
  return {
    formula: `dlogits = ${found.formula} / N`,
    before: found.before,
    entry: quotientOf(found.own, count),
  };
}

/** The probability of a class, the largest logit subtracted first. */
function softmaxStep(operands, [n, k]) {
  const [, outputs] = operands.shape("logits");
  const every = Array.from({ length: outputs }, (_, other) => operands.at("logits", n, other));
  const largest = leaf(`max(logits[${n}])`, Math.max(...every.map(({ value }) => value)));
  const shifted = (other) => callOf("exp", Math.exp, sumOf(every[other], negativeOf(largest)));
  return { name: `p[${n},${k}]`, entry: quotientOf(shifted(k), seriesOf(outputs, shifted)) };
}

function classLeaf(operands, [n, k]) {
  const target = operands.at("y", n);
  return leaf(`[${target.symbols} = ${k}]`, target.value === k ? 1 : 0);
}

function namedStep({ name, entry }) {
  return leaf(name, entry.value);
}

const LOSS_FORMULAS = {
  SoftmaxCrossEntropy: (loss, operands, index) => {
    if (operands.shape("y").length > 1) return null; // shares of classes, which a page never has
    const p = softmaxStep(operands, index);
    const own = sumOf(namedStep(p), negativeOf(classLeaf(operands, index)));
    return { formula: "(p - [y = k])", before: [p], own };
  },
  SmoothedCrossEntropy: ({ smoothing }, operands, index) => {
    if (operands.shape("y").length > 1) return null;
    const p = softmaxStep(operands, index);
    const even = leaf("smoothing", smoothing);
    const right = productOf(sumOf(constant(1), negativeOf(even)), classLeaf(operands, index));
    const share = quotientOf(even, leaf("K", operands.shape("logits")[1]));
    const own = sumOf(sumOf(namedStep(p), negativeOf(right)), negativeOf(share));
    return { formula: "(p - (1 - smoothing) * [y = k] - smoothing / K)", before: [p], own };
  },
  BinaryCrossEntropy: (loss, operands, [n, k]) => {
    const logit = operands.at("logits", n, k);
    const negative = callOf("exp", Math.exp, negativeOf(logit));
    const p = { name: `p[${n},${k}]`, entry: quotientOf(constant(1), sumOf(constant(1), negative)) };
    return { formula: "(p - y)", before: [p], own: sumOf(namedStep(p), negativeOf(operands.at("y", n, k))) };
  },
  MeanSquaredError: (loss, operands, [n, k]) => {
    const error = sumOf(operands.at("logits", n, k), negativeOf(operands.at("y", n, k)));
    const outputs = leaf("K", operands.shape("logits")[1]);
    return {
      formula: "2 * (logits - y) / K",
      before: [],
      own: quotientOf(productOf(constant(2), error), outputs),
    };
  },
};
