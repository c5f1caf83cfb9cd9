/** The arithmetic of an update: the first step of each optimizer, from moments of zero. */

import { callOf, constant, leaf, negativeOf, powerOf, productOf, quotientOf, sumOf } from "./expressions.js";

/**
 * Write the arithmetic of a parameter's update: of the optimizer's first step, from moments of zero.
 *
 * @param {string} name - The optimizer's class: "Adam".
 * @param {Object<string, number>} settings - Its hyper-parameters; `learning_rate` is that of this
 *   parameter; `weight_decay` and `alpha` are 0 where it does not decay, and `samples` is the number
 *   of samples that the gradient is of.
 * @param {string} symbol - The parameter: "W".
 * @param {Operands} operands - Which hold it, and its gradient.
 * @param {number[]} index
 * @returns {{name: string, entry: import("./expressions.js").Expression}[]} The gradient with L2 where
 *   there is some, the moments, and last the parameter after the step; empty where there is no
 *   formula.
 */
export function updateArithmetic(name, settings, symbol, operands, index) {
  const steps = STEP_FORMULAS[name];
  if (steps === undefined) return [];
  const [w, own] = [operands.at(symbol, ...index), operands.at(`d${symbol}`, ...index)];
  const setting = (key) => leaf(key, settings[key]);
  const place = `[${index.join(",")}]`;
  const moment = (letter, entry) => ({ name: `${letter}_${symbol}${place}`, entry });
  const pulled = settings.alpha ? [moment("g", regularized(own, w, setting("alpha"), settings.samples))] : [];
  const g = pulled.length ? leaf(pulled[0].name, pulled[0].entry.value) : own;
  const rate = setting("learning_rate");
  const decayed = settings.weight_decay
    ? productOf(w, sumOf(constant(1), negativeOf(productOf(rate, setting("weight_decay")))))
    : w;
  const { moments, after } = steps({ w, g, rate, decayed, setting, moment });
  return [...pulled, ...moments, { name: `${symbol}_new${place}`, entry: after }];
}

/** The gradient that an optimizer follows, with L2: dw + alpha / N * w. */
function regularized(gradient, w, alpha, samples) {
  return sumOf(gradient, productOf(quotientOf(alpha, leaf("N", samples)), w));
}

/** A moment's first value: share * 0 + (1 - share) * what comes in. */
function firstMean(share, incoming) {
  return sumOf(productOf(share, constant(0)), productOf(sumOf(constant(1), negativeOf(share)), incoming));
}

/** w - rate * g / (sqrt(s) + epsilon). */
function scaledDescent({ w, g, rate, setting }, s) {
  const root = sumOf(callOf("sqrt", Math.sqrt, s), setting("epsilon"));
  return sumOf(w, negativeOf(quotientOf(productOf(rate, g), root)));
}

function adapted({ g, rate, setting, moment }, from) {
  const [beta1, beta2] = [setting("beta_1"), setting("beta_2")];
  const first = moment("m", firstMean(beta1, g));
  const second = moment("v", firstMean(beta2, powerOf(g, 2)));
  const corrected = ({ name, entry }, beta) =>
    quotientOf(leaf(name, entry.value), sumOf(constant(1), negativeOf(beta)));
  const root = sumOf(callOf("sqrt", Math.sqrt, corrected(second, beta2)), setting("epsilon"));
  const step = quotientOf(productOf(rate, corrected(first, beta1)), root);
  return { moments: [first, second], after: sumOf(from, negativeOf(step)) };
}

function pushed({ g, rate, setting, moment }) {
  const v = sumOf(productOf(setting("momentum"), constant(0)), negativeOf(productOf(rate, g)));
  return moment("v", v);
}

/** By the class of an optimizer: its first step. */
const STEP_FORMULAS = {
  SGD: ({ g, rate, decayed }) => ({ moments: [], after: sumOf(decayed, negativeOf(productOf(rate, g))) }),
  Momentum: (given) => {
    const v = pushed(given);
    return { moments: [v], after: sumOf(given.decayed, leaf(v.name, v.entry.value)) };
  },
  Nesterov: (given) => {
    const v = pushed(given);
    const ahead = productOf(given.setting("momentum"), leaf(v.name, v.entry.value));
    return {
      moments: [v],
      after: sumOf(sumOf(given.decayed, ahead), negativeOf(productOf(given.rate, given.g))),
    };
  },
  AdaGrad: (given) => {
    const s = given.moment("s", sumOf(constant(0), powerOf(given.g, 2)));
    return { moments: [s], after: scaledDescent(given, leaf(s.name, s.entry.value)) };
  },
  RMSprop: (given) => {
    const s = given.moment("s", firstMean(given.setting("decay"), powerOf(given.g, 2)));
    return { moments: [s], after: scaledDescent(given, leaf(s.name, s.entry.value)) };
  },
  Adam: (given) => adapted(given, given.w),
  AdamW: (given) => adapted(given, given.decayed),
};
