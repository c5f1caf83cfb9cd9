/** A network: layers one after the other, and the loss that they are trained for. */

import { fromConfig } from "./configuration.js";
import { Sequential } from "./containers.js";
import { INITIALIZERS } from "./initializers.js";
import { LAYERS } from "./layers.js";
import { totalOf } from "./loss.js";
import { LOSSES } from "./losses.js";
import { mergedTrees, ParameterVector } from "./parameters.js";
import { Random } from "./random.js";
import { SCHEDULES } from "./schedules.js";
import { Batch, sizeOf, Trace } from "./trace.js";

/** Every class that the description of a network may name. */
const NETWORK_PARTS = new Map([...LAYERS, ...LOSSES, ...INITIALIZERS, ...SCHEDULES]);

const NUMBERS_AT_ONCE = 2 ** 20; // in the widest layer, while predicting

/** Layers one after the other, and the loss that they are trained for; all in float64. */
export class Network {
  /**
   * @param {Layer[]} layers - From input to output; the last one gives flat logits.
   * @param {Loss} loss
   * @param {number[]} inputShape - The shape of one sample.
   * @throws {Error} If a layer or the loss can't take what the layers below give.
   */
  constructor(layers, loss, inputShape) {
    this.layers = layers;
    this.loss = loss;
    this.inputShape = inputShape;
    this.body = new Sequential({ layers });
    const built = this.body.build(inputShape);
    if (layers.length === 0 || built.outShape.length !== 1) {
      throw new Error(
        `The last layer must give flat logits (K,), found [${built.outShape}]. End with a Dense layer.`,
      );
    }
    /** The shape [K] of one sample's logits. */
    this.outputShape = built.outShape;
    loss.checkOutputs(this.outputShape[0]);
    /** The arrays that are learned: `data` (P,), and `views` by name. */
    this.parameters = new ParameterVector(built.parameters);
    /** The arrays that are kept but not learned: the running statistics of BatchNorm. */
    this.state = new ParameterVector(built.state);
    this.params = mergedTrees(this.parameters.tree, this.state.tree);
    this.gradient = this.parameters.like();
    this.predicting = new Trace();
    this.training = new Trace({ training: true });
    this.training.wantsDx = false;
    this.rowsAtOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / widestOf(layers, inputShape)));
  }

  /** Draw parameters and state anew. */
  initialize(seed) {
    const random = new Random(seed);
    this.parameters.initialize(random);
    this.state.initialize(random);
  }

  /**
   * Fit the first values that depend on samples to some: those of `FromData`.
   *
   * @param {Float64Array} x - Prepared samples (N, ...inputShape).
   * @param {number} n
   * @param {Random} random
   */
  initializeFrom(x, n, random) {
    this.body.initializeFrom(this.params, new Batch(x, n, this.inputShape), random);
  }

  /**
   * Compute the logits of samples.
   *
   * @param {Float64Array} x - Prepared samples (N, ...inputShape), in C order.
   * @param {number} n
   * @param {Trace|null} [trace] - The trace for what went in and out of every layer; all samples go
   *   through at once then.
   * @returns {Float64Array} (N, K), the caller's own.
   */
  forward(x, n, trace = null) {
    const [inputs, outputs] = [sizeOf(this.inputShape), this.outputShape[0]];
    if (x.length < n * inputs) {
      throw new Error(
        `${n} samples of shape [${this.inputShape}] have ${n * inputs} numbers, found ${x.length}.`,
      );
    }
    if (trace !== null || n <= this.rowsAtOnce) {
      return this.pass(x, n, trace ?? this.predicting).values.slice();
    }
    const logits = new Float64Array(n * outputs);
    for (let start = 0; start < n; start += this.rowsAtOnce) {
      const rows = Math.min(this.rowsAtOnce, n - start);
      const some = this.pass(x.subarray(start * inputs), rows, this.predicting);
      logits.set(some.values, start * outputs);
    }
    return logits;
  }

  /** Return the logits of a batch in the trace's memory, which the next pass overwrites. */
  pass(x, n, trace) {
    const batch = trace.wrapped("x", x, n, this.inputShape);
    return this.body.pass(this.params, batch, trace);
  }

  /**
   * Compute the mean loss of a batch and the gradient of every parameter, in training mode.
   *
   * Nothing of the network changes: `updateState` moves what batch norm keeps.
   *
   * @param {Float64Array} x - Prepared samples (N, ...inputShape).
   * @param {ArrayLike<number>} y - Class numbers (N,), or rows (N, K), as the loss takes them.
   * @param {number} n
   * @param {object} [options]
   * @param {Random|null} [options.random] - The source of what dropout draws.
   * @param {ArrayLike<number>|null} [options.weights] - A weight for each sample.
   * @param {number} [options.step] - The number of updates done before.
   * @returns {{loss: number, gradient: ParameterVector}} The next call overwrites the gradient.
   */
  lossAndGradient(x, y, n, { random = null, weights = null, step = 0 } = {}) {
    const trace = this.training;
    Object.assign(trace.clock, { random, step });
    const targets = this.loss.targets(y, n, this.outputShape[0]);
    const logits = this.pass(x, n, trace);
    const { loss, dlogits } = this.loss.meanAndGradient(logits, targets, weights, trace);
    this.body.passBack(this.params, dlogits, trace, this.gradient.tree);
    return { loss, gradient: this.gradient };
  }

  /** Return the mean loss of samples as they are predicted, without dropout. */
  lossOf(x, y, n, weights = null) {
    const logits = new Batch(this.forward(x, n), n, this.outputShape);
    const targets = this.loss.targets(y, n, this.outputShape[0]);
    return this.loss.meanAndGradient(logits, targets, weights, new Trace()).loss;
  }

  /** Let each layer update what it keeps, after the last `lossAndGradient`. */
  updateState() {
    this.body.updateState(this.params, this.training);
  }

  /**
   * Do one update: loss and gradient, L2, the optimizer's step, and what layers keep.
   *
   * @param {Optimizer} optimizer
   * @param {object} state - What `optimizer.start` made, as earlier updates left it.
   * @param {Float64Array} x
   * @param {ArrayLike<number>} y
   * @param {number} n
   * @param {object} [options] - As `lossAndGradient` takes them.
   * @returns {number} The loss before the update, with what L2 adds; where it is not finite,
   *   nothing is changed.
   */
  update(optimizer, state, x, y, n, options = {}) {
    const { loss, gradient } = this.lossAndGradient(x, y, n, options);
    const { weights = null, step = 0 } = options;
    const counted = weights === null ? n : totalOf(weights, n) || n;
    const regularized = loss + optimizer.regularize(this.parameters, gradient, counted);
    if (Number.isFinite(regularized)) {
      optimizer.step(this.parameters, gradient, state, step);
      this.updateState();
    }
    return regularized;
  }

  /**
   * Write all parameters.
   *
   * @param {ArrayLike<number>} vector - (P,), in the order of `parameters.data`.
   */
  load(vector) {
    if (vector.length !== this.parameters.data.length) {
      throw new Error(
        `The network has ${this.parameters.data.length} parameters, found ${vector.length}.`,
      );
    }
    this.parameters.data.set(vector);
  }
}

/**
 * Make the parts that a description names.
 *
 * @param {{layers: object[], loss: object, input_shape: number[]}} config
 * @returns {{layers: Layer[], loss: Loss, inputShape: number[]}}
 * @throws {Error} If a page can't compute one of them; it is named.
 */
export function partsOfNetwork(config) {
  return {
    layers: fromConfig(config.layers, NETWORK_PARTS),
    loss: fromConfig(config.loss, NETWORK_PARTS),
    inputShape: config.input_shape,
  };
}

/**
 * Make a new network with drawn first weights.
 *
 * @param {{layers: object[], loss: object, input_shape: number[]}} config - Layers and loss as a
 *   model file describes them: { type: "Dense", units: 8 }.
 * @param {number} seed
 * @returns {Network}
 */
export function buildNetwork(config, seed) {
  const { layers, loss, inputShape } = partsOfNetwork(config);
  const network = new Network(layers, loss, inputShape);
  network.initialize(seed);
  return network;
}

/**
 * Return every layer with its place, a container before those inside it: ["3.0", layer].
 *
 * @param {Array<[string, Layer]>} inner
 * @param {string} [prefix]
 * @returns {Array<[string, Layer]>}
 */
export function everyLayer(inner, prefix = "") {
  return inner.flatMap(([name, layer]) => [
    [prefix + name, layer],
    ...everyLayer(layer.inner(), `${prefix}${name}.`),
  ]);
}

function widestOf(layers, inputShape) {
  let shape = inputShape;
  let widest = sizeOf(shape);
  for (const layer of layers) {
    shape = layer.build(shape).outShape;
    widest = Math.max(widest, sizeOf(shape));
  }
  return widest;
}
