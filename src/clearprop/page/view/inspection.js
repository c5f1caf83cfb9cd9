/**
 * What a network does with samples: every layer's input, output and gradients, computed when asked.
 *
 * Passes are those of prediction: nothing is dropped, and batch norm uses its running statistics.
 */

import { everyLayer } from "../engine/network.js";
import { Trace } from "../engine/trace.js";

const MOST_NUMBERS = 2 ** 22; // of all layers' outputs together, that are kept at a time

/**
 * @typedef {object} Place
 * @property {string} place - "4", or "4.1" inside a container.
 * @property {object} layer
 * @property {string} type - The layer's class: "Dense".
 * @property {string} title - With its settings: "Dense(64)".
 * @property {string[]} symbols - Of its own parameters: "W", "b".
 */

/** @typedef {{shape: number[], data: Float64Array}} Numbers - The first axis counts the samples. */

/**
 * @typedef {object} Pass
 * @property {number[]} places - The samples that went through, by their places.
 * @property {number} n
 * @property {Float64Array} logits
 * @property {function(string): {x: Numbers, y: Numbers, dy: Numbers|undefined}} at - A layer's, by
 *   its place.
 * @property {number} [loss] - Their mean loss, where gradients were computed.
 * @property {Map<string, Numbers>} [gradient] - By the parameter's name: "1.W".
 * @property {Float64Array} [targets] - As the loss takes them.
 */

export class Inspection {
  /** @param {object} context - Its model, samples and store. */
  constructor({ model, samples, store }) {
    this.model = model;
    this.samples = samples;
    this.network = model.network;
    this.found = new Map();
    store.watch("epoch", () => this.found.clear());
    /** @type {Place[]} */
    this.layers = placesOf(model.network);
    this.numbersEach = sizesOf(this.layers, model.network);
  }

  /** The samples that all panels about many samples look at: as many as fit, evenly spaced. */
  get many() {
    return this.samples.spread(Math.max(1, Math.floor(MOST_NUMBERS / this.numbersEach)));
  }

  /** @returns {Pass} One sample forward. */
  ofOne(place) {
    return this.kept(`one ${place}`, () => this.forward([place]));
  }

  /** @returns {Pass} Many samples forward. */
  ofMany() {
    return this.kept("many", () => this.forward(this.many));
  }

  /** @returns {Pass} One sample forward and backward. */
  gradientOfOne(place) {
    return this.kept(`back ${place}`, () => this.forwardAndBack([place]));
  }

  /** @returns {Pass} Many samples forward and backward. */
  gradientOfMany() {
    return this.kept("back many", () => this.forwardAndBack(this.many));
  }

  /** Keep what was computed last of each kind until another epoch is looked at. */
  kept(name, compute) {
    const kind = name.replace(/\d+$/, "");
    if (this.found.get(kind)?.name !== name) this.found.set(kind, { name, pass: compute() });
    return this.found.get(kind).pass;
  }

  forward(places) {
    const trace = new Trace();
    const logits = this.network.forward(this.samples.take(places), places.length, trace);
    return passOf(places, logits, trace);
  }

  forwardAndBack(places) {
    const { network, samples } = this;
    const trace = new Trace();
    trace.wantsDx = false; // nobody asks for the gradient of the input
    const gradient = network.parameters.like();
    const logits = network.pass(samples.take(places), places.length, trace);
    const y = this.model.targets(places.flatMap((place) => samples.truth[place]));
    const targets = network.loss.targets(y, places.length, network.outputShape[0]);
    const { loss, dlogits } = network.loss.meanAndGradient(logits, targets, null, trace);
    network.body.passBack(network.params, dlogits, trace, gradient.tree);
    const found = passOf(places, logits.values.slice(), trace);
    return { ...found, loss, gradient: gradient.views, targets: Float64Array.from(targets) };
  }
}

function passOf(places, logits, trace) {
  const at = (place) => {
    const { input, output, dy } = trace.at(place);
    return { x: numbersOf(input), y: numbersOf(output), dy: dy ? numbersOf(dy) : undefined };
  };
  return { places, n: places.length, logits, at };
}

function numbersOf(batch) {
  return { shape: [batch.n, ...batch.shape], data: batch.values };
}

function placesOf(network) {
  return everyLayer(network.body.inner()).map(([place, layer]) => ({
    place,
    layer,
    type: layer.constructor.name,
    title: titleOf(layer),
    symbols: [...network.parameters.views.keys()]
      .filter((name) => name.slice(0, name.lastIndexOf(".")) === place)
      .map((name) => name.slice(place.length + 1)),
  }));
}

/** Write a layer with the one number that tells most of it: "Dense(64)", "Dropout(0.2)". */
function titleOf(layer) {
  const type = layer.constructor.name;
  const { units, filters, rate } = layer;
  const told = units ?? filters ?? (type.includes("Dropout") && typeof rate === "number" ? rate : undefined);
  return told === undefined ? type : `${type}(${told})`;
}

/** Count the numbers that one sample has in all layers' outputs. */
function sizesOf(layers, network) {
  const trace = new Trace();
  const inputs = network.inputShape.reduce((product, side) => product * side, 1);
  network.forward(new Float64Array(inputs), 1, trace);
  return layers.reduce((total, { place }) => total + trace.at(place).output.size, inputs);
}
