/** Training in the page: updates between two pictures, and what they have done so far. */

import { makeOptimizer } from "../engine/optimizers.js";
import { Random } from "../engine/random.js";

/** Samples by which loss and score are measured: of more, evenly spaced ones. */
const MOST_MEASURED = 1000;

/** Entries of the curves: above it every second one goes. */
const MOST_ENTRIES = 400;

/**
 * Samples as a network takes them.
 *
 * @typedef {Object} Learned
 * @property {Float64Array} x - Prepared inputs, one sample after the other.
 * @property {Float64Array} y - A class or values for each.
 * @property {number} n
 *
 * @typedef {{epoch: number, loss: number, testLoss: ?number, score: number, testScore: ?number}} Measure
 */

export class PageTraining {
  /**
   * @param {object} options
   * @param {Object} options.network - It is trained in place.
   * @param {Learned} options.train
   * @param {?Learned} options.test - Samples that are measured, and not learned from.
   * @param {{optimizer: string, rate: number, l2: number, batch: number, seed: number}} options.settings
   */
  constructor({ network, train, test, settings }) {
    this.network = network;
    this.train = train;
    this.test = test;
    this.watched = [train, test].map((part) => part && evenlySpaced(part));
    this.random = new Random(settings.seed);
    this.step = 0;
    this.seen = 0; // samples, of all batches so far
    this.left = 0; // places of the order that are still to come in this epoch
    this.order = new Uint32Array(train.n);
    this.inputs = train.x.length / train.n;
    this.targets = train.y.length / train.n;
    /** Whether a loss was not finite: nothing is learned from then on. */
    this.hasDiverged = false;
    this.use(settings);
    /** @type {Array<Measure>} */
    this.entries = [];
    this.every = 1; // of the measures, that is kept
    this.measures = 0;
    this.measure();
  }

  /** Take other settings of the training; a rate or an L2 keeps what the optimizer remembers. */
  use({ optimizer, rate, l2, batch }) {
    if (optimizer !== this.name) this.state = null;
    this.name = optimizer;
    this.optimizer = makeOptimizer(optimizer, { rate, alpha: l2 });
    this.state ??= this.optimizer.start(this.network.parameters);
    this.batch = Math.min(batch, this.train.n);
    this.x = new Float64Array(this.batch * this.inputs);
    this.y = new Float64Array(this.batch * this.targets);
  }

  get epoch() {
    return this.seen / this.train.n;
  }

  get stepsAnEpoch() {
    return Math.ceil(this.train.n / this.batch);
  }

  /** Do one update; return its loss, NaN once the training has diverged. */
  update() {
    if (this.hasDiverged) return NaN;
    const n = this.gather();
    const loss = this.network.update(
      this.optimizer,
      this.state,
      this.x,
      this.y.subarray(0, n * this.targets),
      n,
      { random: this.random, step: this.step },
    );
    this.hasDiverged = !Number.isFinite(loss);
    this.step += 1;
    this.seen += n;
    return loss;
  }

  /**
   * Do updates until so many are done or the time is over, one at least.
   *
   * @param {number} most
   * @param {number} milliseconds
   * @returns {number} The number of updates.
   */
  advance(most, milliseconds) {
    const end = performance.now() + milliseconds;
    let done = 0;
    do {
      this.update();
      done += 1;
    } while (done < most && !this.hasDiverged && performance.now() < end);
    return done;
  }

  /** Measure loss and score on both parts, and keep them for the curves. */
  measure() {
    const [train, test] = this.watched;
    const [loss, score] = this.measured(train);
    const [testLoss, testScore] = test === null ? [null, null] : this.measured(test);
    const measure = { epoch: this.epoch, loss, testLoss, score, testScore };
    const { entries } = this;
    if (entries.at(-1)?.epoch === this.epoch) entries.pop(); // measured twice
    if (this.measures % this.every === 0) entries.push(measure);
    else entries[entries.length - 1] = measure; // the last one is always there
    this.measures += 1;
    if (entries.length > MOST_ENTRIES) {
      this.entries = entries.filter((_, at) => at % 2 === 0);
      this.every *= 2;
    }
    return measure;
  }

  /** The loss; and the share of right classes, or R2 of values. */
  measured({ x, y, n }) {
    const { loss, outputShape } = this.network;
    const found = loss.predict(this.network.forward(x, n), n, outputShape[0]);
    const score = loss.constructor.classifies ? rightShare(found, y) : fitOf(found, y);
    return [this.network.lossOf(x, y, n), score];
  }

  /** Put the samples of the next batch together; return how many there are. */
  gather() {
    if (this.left === 0) {
      this.random.permutation(this.train.n, this.order);
      this.left = this.train.n;
    }
    const n = Math.min(this.batch, this.left);
    const first = this.train.n - this.left;
    for (let row = 0; row < n; row++) {
      copyRow(this.train.x, this.order[first + row], this.x, row, this.inputs);
      copyRow(this.train.y, this.order[first + row], this.y, row, this.targets);
    }
    this.left -= n;
    return n;
  }
}

function evenlySpaced(part) {
  if (part.n <= MOST_MEASURED) return part;
  const widths = { x: part.x.length / part.n, y: part.y.length / part.n };
  const some = {
    x: new Float64Array(MOST_MEASURED * widths.x),
    y: new Float64Array(MOST_MEASURED * widths.y),
  };
  for (let row = 0; row < MOST_MEASURED; row++) {
    const from = Math.floor((row * part.n) / MOST_MEASURED);
    for (const name of ["x", "y"]) copyRow(part[name], from, some[name], row, widths[name]);
  }
  return { ...some, n: MOST_MEASURED };
}

function copyRow(from, row, to, place, width) {
  for (let i = 0; i < width; i++) to[place * width + i] = from[row * width + i];
}

function rightShare(found, truth) {
  let right = 0;
  for (let n = 0; n < truth.length; n++) right += found[n] === truth[n] ? 1 : 0;
  return right / truth.length;
}

/** R2: the share of the values' variance that is explained. */
function fitOf(found, truth) {
  const mean = truth.reduce((sum, one) => sum + one, 0) / truth.length;
  let [left, all] = [0, 0];
  for (let n = 0; n < truth.length; n++) {
    left += (truth[n] - found[n]) ** 2;
    all += (truth[n] - mean) ** 2;
  }
  return all > 0 ? 1 - left / all : 0;
}
