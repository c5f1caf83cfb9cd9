/** One entry of a matrix, opened: its value, its gradient and its update, written out. */

import { arithmeticOf, Operands } from "./arithmetic.js";
import { make } from "./dom.js";
import { walkNumber } from "./expressions.js";
import { lossArithmetic } from "./loss_arithmetic.js";
import { updateArithmetic } from "./update_arithmetic.js";
import { say } from "./words.js";

/**
 * @typedef {object} Opened
 * @property {import("./inspection.js").Place} at - The layer.
 * @property {string} symbol - "W", or "y".
 * @property {number[]} index
 * @property {Object<string, {shape: number[], data: Float64Array}>} arrays - Those of the layer:
 *   its parameters, x, y, dy and gradients, by symbol.
 * @property {{place: string, type: string, layer: object, arrays: object}|null} above - The layer
 *   that reads y, whose dx is this one's dy.
 * @property {{type: string, loss: object, arrays: object}|null} loss - Of the last layer, whose y
 *   are the logits: the loss, with the logits and the targets y.
 * @property {{name: string, settings: object}|null} step - The optimizer's.
 */

/** @param {Opened} opened */
export function entryView(opened) {
  const { symbol, index } = opened;
  const name = `${symbol}[${index.join(",")}]`;
  return make(
    "section",
    { class: "entry", "aria-label": say("The arithmetic of {name}", { name }) },
    make("h4", {}, make("code", {}, `${opened.at.place}.${name}`)),
    symbol === "y" ? outputParts(opened, name) : parameterParts(opened, name),
  );
}

function outputParts({ at, index, arrays, above, loss }, name) {
  const value = arithmeticOf(at.type, at.layer, "y", new Operands(arrays), index);
  const parts = [part(say("Value"), name, numberAt(arrays.y, index), value)];
  if (arrays.dy === undefined) return parts;
  const gradient = numberAt(arrays.dy, index);
  if (loss !== null) {
    const written = lossArithmetic(loss.type, loss.loss, new Operands(loss.arrays), index);
    return [...parts, part(say("Gradient: dlogits of the loss"), `dlogits[${index}]`, gradient, written)];
  }
  const fits = above !== null && String(above.arrays.x.shape) === String(arrays.y.shape);
  const written = fits
    ? arithmeticOf(above.type, above.layer, "dx", new Operands(above.arrays), index)
    : null;
  const heading = written ? say("Gradient: dx of layer {place}", { place: above.place }) : say("Gradient");
  return [...parts, part(heading, written ? `dx[${index}]` : `d${name}`, gradient, written)];
}

function parameterParts({ at, symbol, index, arrays, step }, name) {
  const operands = new Operands(arrays);
  const parts = [
    make(
      "div",
      { class: "entry-part" },
      make("h5", {}, say("Value")),
      line(`${name} = ${walkNumber(numberAt(arrays[symbol], index))}`),
      make("p", { class: "note" }, say("Learned: it is what all updates so far made of it.")),
    ),
  ];
  const gradient = arrays[`d${symbol}`];
  if (gradient === undefined) return parts;
  const written = arithmeticOf(at.type, at.layer, `d${symbol}`, operands, index);
  parts.push(part(say("Gradient"), `d${name}`, numberAt(gradient, index), written));
  const steps = step ? updateArithmetic(step.name, step.settings, symbol, operands, index) : [];
  if (steps.length) parts.push(updatePart(step, steps));
  return parts;
}

function updatePart({ name: optimizer }, steps) {
  return make(
    "div",
    { class: "entry-part" },
    make("h5", {}, say("Update")),
    make("p", { class: "note" }, say("The first step of {optimizer}, from moments of zero.", { optimizer })),
    steps.map(({ name, entry }) => arithmeticLines(name, entry, entry.value)),
  );
}

function part(heading, name, value, written) {
  return make(
    "div",
    { class: "entry-part" },
    make("h5", {}, heading),
    written
      ? [
          written.before.map((step) => arithmeticLines(step.name, step.entry, step.entry.value)),
          make("p", { class: "mono formula" }, written.formula),
          arithmeticLines(name, written.entry, value),
          make(
            "p",
            { class: "note digits" },
            say("engine {value}, operands {total}", {
              value: String(value),
              total: String(written.entry.value),
            }),
          ),
        ]
      : [
          line(`${name} = ${walkNumber(value)}`),
          make("p", { class: "note" }, say("The arithmetic of this layer is written out by clearprop walk.")),
        ],
  );
}

function arithmeticLines(name, entry, value) {
  const isPlain = entry.symbols === entry.numbers;
  return make(
    "div",
    { class: "arithmetic mono" },
    make("p", {}, `${name} = ${entry.symbols}`),
    isPlain ? null : make("p", { class: "equals" }, `= ${entry.numbers}`),
    make("p", { class: "equals" }, `= ${walkNumber(value)}`),
  );
}

function line(text) {
  return make("div", { class: "arithmetic mono" }, make("p", {}, text));
}

/** Return an entry of an array in C order. */
function numberAt({ shape, data }, index) {
  return data[index.reduce((place, one, axis) => place * shape[axis] + one, 0)];
}
