/** Answers questions about the engine's twin, in Node and in a browser. */

import { oddsAgainst } from "../../src/clearprop/page/engine/certainty.js";
import { DATA_SETS } from "../../src/clearprop/page/engine/data_sets.js";
import { classActivation, hasConvolution, saliency } from "../../src/clearprop/page/engine/explain.js";
import { INITIALIZERS } from "../../src/clearprop/page/engine/initializers.js";
import { LAYERS } from "../../src/clearprop/page/engine/layers.js";
import { LOSSES } from "../../src/clearprop/page/engine/losses.js";
import { openModel } from "../../src/clearprop/page/engine/model.js";
import { buildNetwork } from "../../src/clearprop/page/engine/network.js";
import { makeOptimizer, OPTIMIZERS } from "../../src/clearprop/page/engine/optimizers.js";
import {
  isMarker,
  isTime,
  readDates,
  readNumber,
  tellsDecimal,
} from "../../src/clearprop/page/engine/numerals.js";
import { fromConfig } from "../../src/clearprop/page/engine/configuration.js";
import { Random } from "../../src/clearprop/page/engine/random.js";
import { RECIPES } from "../../src/clearprop/page/engine/recipes.js";
import { SCHEDULES } from "../../src/clearprop/page/engine/schedules.js";
import { Trace } from "../../src/clearprop/page/engine/trace.js";

/** The numbers that dropout is to draw, in the place of the page's own. */
class Given {
  constructor(numbers) {
    this.numbers = numbers;
    this.next = 0;
  }

  uint16() {
    return this.numbers[this.next++];
  }
}

const modelOf = ({ model }) =>
  openModel(Uint8Array.from(atob(model), (byte) => byte.charCodeAt(0)));

const ANSWERS = {
  /** The names of all classes that a model file may hold, and those on the command line. */
  names: () => ({
    layers: [...LAYERS.keys()],
    losses: [...LOSSES.keys()],
    initializers: [...INITIALIZERS.keys()],
    schedules: [...SCHEDULES.keys()],
    optimizers: [...OPTIMIZERS.keys()],
    recipes: [...RECIPES.keys()],
  }),

  /** Logits, loss and gradient before, parameters and state after some updates of one batch. */
  trained: (question) => {
    const { network } = modelOf(question);
    const { y, n, weights, updates, optimizer, drawn } = question;
    const x = Float64Array.from(question.x);
    const trace = new Trace();
    const logits = network.forward(x, n, trace);
    const random = drawn === undefined ? null : new Given(drawn);
    const first = network.lossAndGradient(x, y, n, { weights, random });
    const before = { loss: first.loss, gradient: [...first.gradient.data] };
    const { name, ...fields } = optimizer;
    const made = makeOptimizer(name, fromConfig(fields, SCHEDULES));
    const state = made.start(network.parameters);
    if (random !== null) random.next = 0;
    let loss = null;
    for (let step = 0; step < updates; step++) {
      loss = network.update(made, state, x, y, n, { weights, random, step });
    }
    return {
      ...before,
      logits: [...logits],
      places: trace.places(),
      names: [...network.parameters.views.keys()],
      lastLoss: loss,
      parameters: [...network.parameters.data],
      state: [...network.state.data],
    };
  },

  /** What a model says of rows as a person gives them. */
  predicted: (question) => {
    const model = modelOf(question);
    const rows = question.rows.map((row) =>
      row.rgba === undefined ? row : { ...row, data: Uint8ClampedArray.from(row.rgba) },
    );
    const prepared = model.prepare(rows);
    const logits = model.network.forward(prepared, rows.length);
    return {
      prepared: [...prepared],
      names: model.inputs?.inputNames ?? [],
      probabilities: model.givesProbabilities
        ? [...model.probabilities(logits, rows.length)]
        : null,
      answers: [...model.answers(logits, rows.length)],
      restored: model.inputs?.restore === undefined ? null : [...model.inputs.restore(prepared)],
    };
  },

  /** How sure a model is of logits: the odds against classes, sets, intervals and quantiles. */
  certainty: (question) => {
    const model = modelOf(question);
    const { n } = question;
    const logits = Float64Array.from(question.logits);
    const { loss, outputShape } = model.network;
    const intervals = model.intervals(logits, n);
    const quantiles = model.quantiles(logits, n);
    return {
      odds: model.givesProbabilities
        ? [...oddsAgainst(loss, logits, n, outputShape[0], model.target.temperature)]
        : null,
      sets: model.sets(logits, n),
      intervals: intervals && { lower: [...intervals.lower], upper: [...intervals.upper] },
      quantiles: quantiles && [...quantiles],
    };
  },

  /** The probabilities of logits, where a model gives any. */
  probabilities: (question) => [
    ...modelOf(question).probabilities(Float64Array.from(question.logits), question.n),
  ],

  /** How cells are read: as numbers with either decimal sign, as markers, and as dates. */
  read: ({ cells, dayFirst }) =>
    cells.map((cell) => ({
      numbers: [".", ","].map((decimal) => readNumber(cell, decimal)),
      marks: isMarker(cell),
      isTime: isTime(cell),
      decimal: tellsDecimal(cell),
      seconds: readDates([cell], dayFirst)[0],
    })),

  /** What a model's recipe makes of true answers. */
  encoded: (question) => [...modelOf(question).targets(question.truth)],

  saliency: (question) => {
    const { network } = modelOf(question);
    const { x, n, answers, noise } = question;
    return [...saliency(network, Float64Array.from(x), n, answers, { noise })];
  },

  /** Where convolutions speak for answers; null where there are none. */
  classActivation: (question) => {
    const { network } = modelOf(question);
    const { x, n, answers } = question;
    if (!hasConvolution(network)) return null;
    return [...classActivation(network, Float64Array.from(x), n, answers)];
  },

  layerNames: (question) => modelOf(question).layerNames(),

  /** The first weights of a new network, by name. */
  built: ({ config, seed }) => {
    const views = [...buildNetwork(config, seed).parameters.views];
    return Object.fromEntries(views.map(([name, { data }]) => [name, [...data]]));
  },

  /** The logits of a new network before and after its first values are fitted to samples. */
  fitted: ({ config, seed, x, n }) => {
    const network = buildNetwork(config, seed);
    network.initializeFrom(Float64Array.from(x), n, new Random(seed));
    const trace = new Trace();
    network.forward(Float64Array.from(x), n, trace);
    return [...trace.at("0").output.values];
  },

  /** The logits of samples at once, in parts, and in traces that have seen more or less. */
  repeated: (question) => {
    const { network } = modelOf(question);
    const x = Float64Array.from(question.x);
    const whole = [...network.forward(x, question.n)];
    network.rowsAtOnce = 2;
    const parts = [...network.forward(x, question.n)];
    const trace = new Trace();
    const one = [...network.forward(x, 1, trace)];
    const grown = [...network.forward(x, question.n, trace)];
    const oneAgain = [...network.forward(x, 1, trace)];
    return { whole, parts, one, grown, oneAgain };
  },

  /** What a network's loss says of samples, and of other parameters. */
  judged: (question) => {
    const { network } = modelOf(question);
    const { y, n, weights, parameters } = question;
    const x = Float64Array.from(question.x);
    const logits = network.forward(x, n);
    const [outputs] = network.outputShape;
    const judged = {
      predictions: [...network.loss.predict(logits, n, outputs)],
      probabilities: network.loss.givesProbabilities
        ? [...network.loss.predictProba(logits, n, outputs)]
        : null,
      loss: network.lossOf(x, y, n, weights),
    };
    network.load(parameters);
    return { ...judged, otherLogits: [...network.forward(x, n)] };
  },

  /** The bytes of arrays that updates have allocated after the first one of each size of batch. */
  allocated: (question) => {
    const { network } = modelOf(question);
    const { y, sizes } = question;
    const x = Float64Array.from(question.x);
    const optimizer = makeOptimizer("adam");
    const state = optimizer.start(network.parameters);
    const random = new Random(0);
    let before = 0;
    for (let step = 0; step < 30; step++) {
      for (const n of sizes) {
        network.update(optimizer, state, x, y.slice(0, n), n, { random, step });
      }
      before ||= process.memoryUsage().arrayBuffers;
    }
    return process.memoryUsage().arrayBuffers - before;
  },

  schedule: ({ config, steps }) => {
    const schedule = fromConfig(config, SCHEDULES);
    return steps.map((step) => schedule.at(step));
  },

  drawn: ({ kind, seed, count }) => {
    const random = new Random(seed);
    if (kind === "permutation") {
      return [...random.permutation(count)];
    }
    return Array.from({ length: count }, () => random[kind](count));
  },

  dataSet: ({ name, samples, seed }) => {
    const { x, y, classNames } = DATA_SETS[name](samples, seed);
    return { x: [...x], y: [...y], classNames };
  },
};

/**
 * Answer a question.
 *
 * @param {{ask: string}} question - The name of what is asked, and what it takes.
 * @returns {{value: *}|{error: string}} The answer, or the message of an Error that was thrown.
 */
export function answerTo({ ask, ...question }) {
  try {
    return { value: ANSWERS[ask](question) };
  } catch (error) {
    return { error: error.message };
  }
}
