/** A trained network with the recipe that prepares its input, and the record of its training. */

import { quantilesOf } from "./certainty.js";
import { fromConfig } from "./configuration.js";
import { Sequential } from "./containers.js";
import { everyLayer, Network, partsOfNetwork } from "./network.js";
import { flatRows } from "./picture_recipe.js";
import { RECIPES } from "./recipes.js";
import { readTensors } from "./tensors.js";
import { sizeOf } from "./trace.js";

/**
 * Make a model of a model file.
 *
 * @param {Uint8Array} bytes - The whole file.
 * @returns {Model}
 * @throws {Error} If the file is cut short or contradicts itself, or has a layer, a loss or a
 *   recipe that a page can't compute; it is named.
 */
export function openModel(bytes) {
  const { description, arrays } = readTensors(bytes);
  if (description.preprocessing?.inputs?.type === "FeatureRecipe") {
    throw new Error(
      "The model takes the features that a pretrained network makes of pictures, and a page has no " +
        "such network within. Use the model in Python, or by clearprop predict.",
    );
  }
  const { layers, loss, inputShape } = partsOfNetwork(description.network);
  // What the description claims is held against what lies in the file before any of it is made.
  const { parameters, state } = new Sequential({ layers }).build(inputShape);
  requireArrays(arrays, new Map([...parameters, ...state]));
  const network = new Network(layers, loss, inputShape);
  network.parameters.assign(arrays);
  network.state.assign(arrays);
  const recipe = description.preprocessing;
  return new Model(description, network, recipe === null ? null : fromConfig(recipe, RECIPES));
}

/** A network, and what is needed to use it. */
export class Model {
  /**
   * @param {object} description - What the model file says of itself.
   * @param {Network} network
   * @param {Preprocessing|null} preprocessing
   */
  constructor(description, network, preprocessing) {
    this.description = description;
    this.network = network;
    /** The recipe of inputs; null for a model that takes prepared arrays. */
    this.inputs = preprocessing?.inputs ?? null;
    /** The recipe of the target: ClassTarget or ValueTarget, or null. */
    this.target = preprocessing?.target ?? null;
    /** The classes by index; null where the network predicts values. */
    this.classNames = this.target?.classNames ?? null;
    /** The settings and results of training. */
    this.training = description.training;
  }

  /** Whether it has probabilities of classes: for values, or with hinge, it has none. */
  get givesProbabilities() {
    return this.classNames !== null && this.network.loss.givesProbabilities;
  }

  /**
   * Prepare rows as a person gives them.
   *
   * @param {Array} rows - For tables objects of column to value or null; for pictures
   *   { width, height, data } with RGBA; for arrays, and without a recipe, sequences of numbers.
   * @returns {Float64Array} (N, ...inputShape), as `network.forward` takes it.
   * @throws {Error} If a row doesn't fit the recipe; the row and the column are named.
   */
  prepare(rows) {
    return this.inputs === null
      ? flatRows(rows, sizeOf(this.network.inputShape))
      : this.inputs.prepare(rows);
  }

  /**
   * Return the probability of each class.
   *
   * @param {Float64Array} logits - (N, outputs).
   * @param {number} n
   * @returns {Float64Array} (N, K), in the order of `classNames`.
   */
  probabilities(logits, n) {
    const { loss, outputShape } = this.network;
    return this.classNames === null
      ? loss.predictProba(logits, n, outputShape[0])
      : this.target.probabilities(loss, logits, n, outputShape[0]);
  }

  /**
   * Return what logits say.
   *
   * @param {Float64Array} logits - (N, outputs).
   * @param {number} n
   * @returns {Float64Array} Class indices (N,), or values on their own scale (N, values).
   */
  answers(logits, n) {
    const { loss, outputShape } = this.network;
    return (this.target ?? WITHOUT_RECIPE).answers(loss, logits, n, outputShape[0]);
  }

  /**
   * Return the classes of each set that holds the true one for the share that was promised.
   *
   * @param {Float64Array} logits - (N, outputs).
   * @param {number} n
   * @returns {?number[][]} The likeliest first; null without a coverage, and for values.
   */
  sets(logits, n) {
    const { loss, outputShape } = this.network;
    return this.target?.sets?.(loss, logits, n, outputShape[0]) ?? null;
  }

  /**
   * Return where the interval of each value begins and ends that holds it for the share.
   *
   * @param {Float64Array} logits - (N, outputs).
   * @param {number} n
   * @returns {?{lower: Float64Array, upper: Float64Array}} Both (N, values); null without a
   *   coverage, and for classes.
   */
  intervals(logits, n) {
    const { loss, outputShape } = this.network;
    return this.target?.intervals?.(loss, logits, n, outputShape[0]) ?? null;
  }

  /** Return the quantiles (N, levels) of each value, ascending; null where none were learned. */
  quantiles(logits, n) {
    const { loss, outputShape } = this.network;
    return quantilesOf(this.target, loss, logits, n, outputShape[0]);
  }

  /**
   * Return targets as the network learns them.
   *
   * @param {ArrayLike<number>} truth - Class indices (N,), or values (N, values) as they are.
   * @returns {Float64Array} As `network.lossAndGradient` takes them.
   */
  targets(truth) {
    return (this.target ?? WITHOUT_RECIPE).encode(truth);
  }

  /** Return the places of all layers, "3" or "3.0", containers before those inside them. */
  layerNames() {
    return everyLayer(this.network.body.inner()).map(([place]) => place);
  }
}

/** Before the names of a linear model's arrays, which lie beside the network's. */
const LINEAR_PREFIX = "linear/";

function requireArrays(arrays, specs) {
  for (const name of new Set([...specs.keys(), ...arrays.keys()])) {
    const [expected, found] = [specs.get(name)?.shape, arrays.get(name)?.shape];
    if (String(expected) !== String(found) && !name.startsWith(LINEAR_PREFIX)) {
      throw new Error(
        `The model file contradicts itself: its layers need ${shapeInWords(expected)} as "${name}", ` +
          `it holds ${shapeInWords(found)}.`,
      );
    }
  }
}

function shapeInWords(shape) {
  return shape === undefined ? "nothing" : `an array [${shape}]`;
}

const WITHOUT_RECIPE = {
  answers: (loss, logits, n, outputs) => loss.predict(logits, n, outputs),
  encode: (truth) => Float64Array.from(truth),
};
