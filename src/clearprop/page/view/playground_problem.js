/**
 * What a playground learns: the samples of its settings, and the network for them.
 *
 * @typedef {Object} Problem
 * @property {import("./training.js").Learned} train
 * @property {?import("./training.js").Learned} test - Null where all samples are learned from.
 * @property {Array<number>} inputShape
 * @property {number} outputs
 * @property {?Array<string>} classNames - Null where values are learned.
 * @property {?PlaneScene} scene - The plane, where there are two features; see plane_view.js.
 * @property {?function(Float64Array): Float64Array} prepare - From points of the plane to inputs.
 * @property {function(Float64Array): Float64Array} restore - Brings values as they are learned to
 *   the scale on which the scene shades them.
 */

import { DATA_SETS } from "../engine/data_sets.js";
import { openModel } from "../engine/model.js";
import { buildNetwork } from "../engine/network.js";
import { Random } from "../engine/random.js";
import { planeOfModel } from "./model_plane.js";
import { Plane } from "./plane.js";
import { arraysOfPoints } from "./points.js";
import { say } from "./words.js";

/** The share of generated samples that is drawn besides those to learn from, and tested with. */
const TESTED = 0.25;

const SMOOTH = { tanh: "GlorotNormal", sigmoid: "GlorotNormal" };

const ACTIVATION_TYPES = {
  tanh: "Tanh",
  relu: "ReLU",
  sigmoid: "Sigmoid",
  "leaky-relu": "LeakyReLU",
  elu: "ELU",
  selu: "SELU",
  softplus: "Softplus",
  gelu: "GELU",
  mish: "Mish",
};

/**
 * Make the samples that settings describe.
 *
 * @param {import("./playground_settings.js").PlaygroundSettings} settings
 * @param {import("./point_editor.js").PointEditor} own - The person's points.
 * @param {?Object} run - The run whose data are embedded: `model`, `train` and `test` samples.
 * @returns {Problem}
 * @throws {Error} With a sentence, where there is nothing to learn.
 */
export function problemOf(settings, own, run) {
  const random = new Random(settings.seed);
  if (settings.data === "run") return problemOfRun(run, settings.noise, random);
  if (settings.data === "own") return problemOfPoints(own, settings.noise, random);
  const made = DATA_SETS[settings.data](Math.round(settings.samples * (1 + TESTED)), settings.seed);
  const { x, y } = shuffled(made.x, made.y, random);
  const { classNames } = made;
  const data = { x, y, classNames, names: ["x1", "x2"], plane: null };
  return problemOfPlane(data, settings.samples, settings.noise, random);
}

/**
 * Make the network of a problem.
 *
 * @param {import("./playground_settings.js").PlaygroundSettings} settings
 * @param {Problem} problem
 * @param {?Object} run
 * @returns {Object} A network of its own, whatever else shows the run's.
 */
export function networkOf(settings, problem, run) {
  if (settings.data === "run" && settings.start === "run") {
    return openModel(run.bytes).network;
  }
  const { inputShape, outputs, classNames } = problem;
  const init = { type: SMOOTH[settings.activation] ?? "HeNormal" };
  const hidden = settings.layers.flatMap((units) => [
    { type: "Dense", units, init, bias: true },
    { type: ACTIVATION_TYPES[settings.activation] },
  ]);
  const layers = [
    ...(inputShape.length > 1 ? [{ type: "Flatten" }] : []),
    ...hidden,
    { type: "Dense", units: outputs, init: { type: "GlorotNormal" }, bias: true },
  ];
  const loss =
    classNames === null
      ? "MeanSquaredError"
      : outputs === 1
        ? "BinaryCrossEntropy"
        : "SoftmaxCrossEntropy";
  return buildNetwork({ layers, loss: { type: loss }, input_shape: inputShape }, settings.seed);
}

function problemOfPoints({ points, labels, names, plane }, noise, random) {
  const { x, y } = arraysOfPoints(points, labels);
  if (new Set(y).size < 2) {
    throw new Error(say("Set points of two classes or more: there is nothing to tell apart yet."));
  }
  const data = { x, y, classNames: labels, names, plane };
  return problemOfPlane(data, points.length, noise, random);
}

/** The problem of points in the plane, of which the first `count` are learned from. */
function problemOfPlane({ x, y, classNames, names, plane }, count, noise, random) {
  const moments = momentsOfInputs(x.subarray(0, 2 * count), 2);
  const moved = x.slice();
  addNoise(moved, moments, noise, random);
  const prepare = (points) => standardised(points, moments);
  const values = classNames === null ? scaleOfValues(y) : null;
  const targets = values === null ? y : y.map((one) => (one - values.mean) / values.std);
  const inputs = prepare(moved);
  const part = (start, end) => ({
    x: inputs.subarray(2 * start, 2 * end),
    y: targets.subarray(start, end),
    n: end - start,
  });
  return {
    train: part(0, count),
    test: count < y.length ? part(count, y.length) : null,
    inputShape: [2],
    outputs: classNames === null || classNames.length === 2 ? 1 : classNames.length,
    classNames,
    prepare,
    scene: {
      plane: plane ?? Plane.around(moved),
      names,
      x: moved,
      areValues: classNames === null,
      shade: values && ((value) => value / values.furthest),
      kindOf: (n) => (values === null ? y[n] : targets[n] / values.furthest),
      isHollow: (n) => n >= count,
      hasHollow: count < y.length,
    },
    restore: (values) => values,
  };
}

function problemOfRun({ model, train, test }, noise, random) {
  const moments = momentsOfInputs(train.inputs, train.size);
  const part = (samples) => ({
    x: samples.inputs.slice(),
    y: Float64Array.from(model.targets(samples.truth.flat())),
    n: samples.count,
  });
  const learned = part(train);
  addNoise(learned.x, moments, noise, random);
  const classNames = model.classNames;
  const plane = planeOfModel(model, train);
  return {
    train: learned,
    test: test === null ? null : part(test),
    inputShape: train.shape,
    outputs: classNames === null ? learned.y.length / learned.n : model.network.outputShape[0],
    classNames,
    prepare: plane?.prepare ?? null,
    scene: plane?.scene ?? null,
    restore: (values) => model.target?.restore(values) ?? values,
  };
}

/** Return samples and their targets in a random order. */
function shuffled(x, y, random) {
  const order = random.permutation(y.length);
  return {
    x: Float64Array.from({ length: x.length }, (_, i) => x[2 * order[i >> 1] + (i % 2)]),
    y: Float64Array.from(order, (row) => y[row]),
  };
}

/** Mean and deviation of each input; a deviation of 1 where all are alike. */
function momentsOfInputs(x, size) {
  const n = x.length / size;
  const mean = new Float64Array(size);
  const std = new Float64Array(size);
  for (let i = 0; i < x.length; i++) mean[i % size] += x[i] / n;
  for (let i = 0; i < x.length; i++) std[i % size] += (x[i] - mean[i % size]) ** 2 / n;
  return { mean, std: std.map((square) => Math.sqrt(square) || 1) };
}

function standardised(x, { mean, std }) {
  const size = mean.length;
  return x.map((one, i) => (one - mean[i % size]) / std[i % size]);
}

function addNoise(x, { std }, noise, random) {
  if (noise === 0) return;
  for (let i = 0; i < x.length; i++) x[i] += noise * std[i % std.length] * random.normal();
}

function scaleOfValues(y) {
  const { mean, std } = momentsOfInputs(y, 1);
  const furthest = y.reduce((most, one) => Math.max(most, Math.abs(one - mean[0]) / std[0]), 0);
  return { mean: mean[0], std: std[0], furthest: furthest || 1 };
}
