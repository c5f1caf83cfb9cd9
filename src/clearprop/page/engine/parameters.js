/** One flat vector of parameters with named views, so that whoever updates them sees one array. */

import { sizeOf } from "./trace.js";

/** The description of an array that a layer learns or keeps. */
export class Parameter {
  /**
   * @param {number[]} shape
   * @param {object} init - The initializer of its first values.
   * @param {object} [options]
   * @param {boolean} [options.decays] - Whether L2 and weight decay pull it to zero.
   * @param {number} [options.rate] - The factor of the learning rate.
   */
  constructor(shape, init, { decays = false, rate = 1 } = {}) {
    if (!(rate > 0 && rate < Infinity)) {
      throw new Error(
        `The rate of a parameter is a positive factor of its learning rate; found ${rate}.`,
      );
    }
    this.shape = shape;
    this.init = init;
    this.decays = decays;
    this.rate = rate;
  }
}

/** Named arrays that are views into one contiguous vector; they are written to, never rebound. */
export class ParameterVector {
  /** @param {Map<string, Parameter>} specs - The arrays by dotted name ("0.W", "3.P"), in order. */
  constructor(specs) {
    this.specs = specs;
    const every = [...specs.values()];
    /** @type {Float64Array} The whole vector (P,), zero at first. */
    this.data = new Float64Array(every.reduce((sum, spec) => sum + sizeOf(spec.shape), 0));
    /** @type {Map<string, {shape: number[], data: Float64Array}>} */
    this.views = new Map();
    /** The views nested by layer: tree["0"].W. */
    this.tree = Object.create(null);
    /** The parts of `data` that have one factor of the learning rate, or decay, in order. */
    this.stretches = [];
    let start = 0;
    for (const [name, { shape, decays, rate }] of specs) {
      const end = start + sizeOf(shape);
      const view = { shape, data: this.data.subarray(start, end) };
      this.views.set(name, view);
      putInTree(this.tree, name, view);
      this.stretches.push({ start, end, decays, rate });
      start = end;
    }
  }

  /** Draw every array anew by its own initializer, in order. */
  initialize(random) {
    for (const [name, { init, shape }] of this.specs) {
      init.draw(random, shape, this.views.get(name).data);
    }
  }

  /** Return a vector of the same names and shapes, filled with zeros. */
  like() {
    return new ParameterVector(this.specs);
  }

  /**
   * Write named arrays into the views.
   *
   * @param {Map<string, {shape: number[], data: Float64Array}>} arrays - Of the views' shapes.
   * @throws {Error} If one has numbers that are not finite.
   */
  assign(arrays) {
    for (const [name, { data }] of this.views) {
      const found = arrays.get(name).data;
      if (!found.every(Number.isFinite)) {
        throw new Error(`The array "${name}" holds numbers that are not finite.`);
      }
      data.set(found);
    }
  }
}

/**
 * Return one tree of the views of both, as passes read them.
 *
 * @param {object} parameters
 * @param {object} state
 */
export function mergedTrees(parameters, state) {
  const merged = Object.assign(Object.create(null), parameters);
  for (const [name, kept] of Object.entries(state)) {
    merged[name] = kept.data === undefined ? mergedTrees(merged[name], kept) : kept;
  }
  return merged;
}

/**
 * Return the same arrays under the names that they have one floor higher: "W" as "3.W".
 *
 * @param {string} prefix
 * @param {Map<string, Parameter>} specs
 */
export function prefixed(prefix, specs) {
  return [...specs].map(([name, spec]) => [`${prefix}.${name}`, spec]);
}

function putInTree(tree, name, view) {
  const path = name.split(".");
  const leaf = path.pop();
  let branch = tree;
  for (const part of path) {
    branch = branch[part] ??= Object.create(null);
  }
  branch[leaf] = view;
}
