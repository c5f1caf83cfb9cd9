/**
 * Arithmetic that is computed and written down, with symbols and with numbers, as a walk writes it.
 *
 * What is written can't differ from what is computed: both come from one tree, whose leaves are
 * entries of matrices. It is the twin of clearprop.core.expressions.
 */

import { generalNumber } from "./dom.js";

const LONGEST_WHOLE = 1e9; // from here on whole numbers are rounded, too
const TERMS_WRITTEN = 8; // of a sum that is written whole
const [FIRST_TERMS, LAST_TERMS] = [4, 1]; // of a longer one
const NO_BREAK = "\u00a0";

/** How tightly the parts of an expression hold together. */
const HOLDS = { sum: 1, product: 2, prefix: 3, power: 4, atom: 5 };

/**
 * @typedef {object} Expression
 * @property {number} value
 * @property {string} symbols - Written with symbols: "x[3,0]*W[0,2] + b[2]".
 * @property {string} numbers - Written with numbers: "0.31*(-0.07) + 0.5".
 * @property {number} holds - How tightly it holds together.
 * @property {"leaf"|"quotient"|"negative"|""} kind
 * @property {Expression} [negated] - Of a negative.
 */

/** An entry of a matrix, or a named number. */
export function leaf(symbol, value) {
  return { value, symbols: symbol, numbers: walkNumber(value), holds: HOLDS.atom, kind: "leaf" };
}

/** A number that is its own symbol. */
export function constant(value) {
  return leaf(walkNumber(value), value);
}

/** Terms added up. */
export function sumOf(...terms) {
  const [first, ...others] = terms;
  const written = (way) =>
    others.reduce(
      (text, term) =>
        term.kind === "negative"
          ? `${text} - ${held(term.negated, way, HOLDS.product)}`
          : `${text} + ${held(term, way, HOLDS.sum)}`,
      held(first, way, HOLDS.sum),
    );
  const value = others.reduce((total, term) => total + term.value, first.value);
  return expression(value, written, HOLDS.sum);
}

/** Two factors multiplied. */
export function productOf(left, right) {
  const isOpen = left.holds === HOLDS.prefix || left.kind === "quotient";
  const first = isOpen ? HOLDS.atom : HOLDS.product;
  const last = right.kind === "quotient" ? HOLDS.atom : HOLDS.product;
  const written = (way) => `${held(left, way, first)}*${held(right, way, last)}`;
  return expression(left.value * right.value, written, HOLDS.product);
}

/** A division; by zero it gives infinity or NaN. */
export function quotientOf(dividend, divisor) {
  const written = (way) => `${held(dividend, way, HOLDS.product)} / ${held(divisor, way, HOLDS.prefix)}`;
  return expression(dividend.value / divisor.value, written, HOLDS.product, "quotient");
}

/** The negative of an expression. */
export function negativeOf(negated) {
  const written = (way) => `-${held(negated, way, HOLDS.product)}`;
  return { ...expression(-negated.value, written, HOLDS.sum, "negative"), negated };
}

/** A whole power. */
export function powerOf(base, exponent) {
  const written = (way) => `${held(base, way, HOLDS.atom)}**${exponent}`;
  return expression(base.value ** exponent, written, HOLDS.power);
}

/** A function of some arguments. */
export function callOf(name, compute, ...args) {
  const written = (way) => `${name}(${args.map((one) => one[way]).join(", ")})`;
  return expression(compute(...args.map((one) => one.value)), written, HOLDS.atom);
}

/**
 * A sum of terms by their places, of which a long one is cut short; its value is that of all.
 *
 * @param {number} count
 * @param {function(number): Expression} term
 * @param {number} [whole] - Up to so many terms all are written.
 */
export function seriesOf(count, term, whole = TERMS_WRITTEN) {
  const every = (from, to) => Array.from({ length: to - from }, (_, n) => term(from + n));
  if (count <= whole) return count === 1 ? term(0) : sumOf(...every(0, count));
  let total = 0;
  for (let n = FIRST_TERMS; n < count - LAST_TERMS; n++) total += term(n).value;
  const omitted = omittedTerms(total, count - FIRST_TERMS - LAST_TERMS);
  return sumOf(...every(0, FIRST_TERMS), omitted, ...every(count - LAST_TERMS, count));
}

/** Write a number in four digits, a whole one in all of its own: "-1.2e-05", "60000". */
export function walkNumber(value) {
  const text = generalNumber(value, 4);
  const isWhole = text.includes("e+") && Math.abs(value) < LONGEST_WHOLE && Number.isInteger(value);
  return isWhole ? value.toFixed(0) : text;
}

function omittedTerms(total, count) {
  const numbers = `[${count.toLocaleString("en")}${NO_BREAK}more:${NO_BREAK}${walkNumber(total)}]`;
  return { value: total, symbols: "...", numbers, holds: HOLDS.atom, kind: "" };
}

function expression(value, written, holds, kind = "") {
  return { value, symbols: written("symbols"), numbers: written("numbers"), holds, kind };
}

/** Write a part, in brackets where it would fall apart beside its neighbours. */
function held(part, way, least) {
  const isNegative = part.kind === "leaf" && part[way].startsWith("-");
  return isNegative || part.holds < least ? `(${part[way]})` : part[way];
}
