/** What a network gives on the plane: its answer, and every unit of its dense layers. */

import { Trace } from "../engine/trace.js";
import { say } from "./words.js";

/** Products of a pass over the grid while it trains, sixty times a second, and at rest. */
const PRODUCTS_WHILE_TRAINING = 2e6;
const PRODUCTS_AT_REST = 4e7;

const LEAST_SIDE = 24;
const SIDE_WHILE_TRAINING = 48;
const SIDE_AT_REST = 128;

export class PlaneAnswers {
  /**
   * @param {Object} network
   * @param {import("./playground_problem.js").Problem} problem - With a plane.
   * @param {boolean} isAtRest - Whether the picture may take its time.
   */
  constructor(network, problem, isAtRest) {
    this.network = network;
    this.problem = problem;
    /** The points of the grid along a side: as many as the network is small enough for. */
    this.side = sideOfGrid(network, isAtRest);
    this.inputs = problem.prepare(problem.scene.plane.grid(this.side));
    this.trace = new Trace();
    this.dense = denseLayers(network);
    this.logits = null;
  }

  /** Let the grid through the network. */
  compute() {
    const { loss, outputShape } = this.network;
    const places = this.side ** 2;
    this.logits = this.network.forward(this.inputs, places, this.trace);
    this.shares = this.problem.scene.areValues
      ? null
      : loss.predictProba(this.logits, places, outputShape[0]);
    this.values = this.problem.scene.areValues
      ? this.problem.restore(loss.predict(this.logits, places, outputShape[0]))
      : null;
  }

  /**
   * Paint the answer, or what one unit gives, as the large picture.
   *
   * @param {import("./plane_view.js").PlaneView} view
   * @param {?{column: number, unit: number}} chosen - Null for the answer.
   */
  paint(view, chosen) {
    const column = chosen && this.columns()[chosen.column];
    if (column && chosen.unit < column.units) {
      view.paintValues((place) => column.valueAt(chosen.unit, place), this.side);
    } else if (this.shares) {
      view.paintShares(this.shares, this.side);
    } else {
      const { shade } = this.problem.scene;
      view.paintValues((place) => shade(this.values[place]), this.side);
    }
  }

  /** Whether the network is a chain of dense layers that takes the two features themselves. */
  get isChain() {
    return this.dense.length > 0 && this.dense[0].weights.shape[0] === 2;
  }

  /**
   * Return the columns of the network's drawing; after `compute`.
   *
   * @returns {Array<import("./units_view.js").UnitColumn>}
   */
  columns() {
    if (!this.isChain) return [];
    const hidden = this.dense
      .slice(1)
      .map(({ place }, at) =>
        columnOf(
          say("layer {number}", { number: at + 1 }),
          this.trace.at(String(place - 1)).output.data,
          this.side ** 2,
          this.dense[at],
        ),
      );
    const inputs = columnOf(say("input"), this.inputs, this.side ** 2, { units: 2, weights: null });
    return [inputs, ...hidden, this.outputColumn()];
  }

  outputColumn() {
    const { units, weights } = this.dense.at(-1);
    const { shade } = this.problem.scene;
    const first = this.shares && this.shares.length / this.side ** 2 > units ? 1 : 0; // of yes and no
    const width = units + first;
    return {
      name: say("answer"),
      units,
      weights,
      valueAt: (unit, place) =>
        this.shares ? 2 * this.shares[place * width + unit + first] - 1 : shade(this.values[place]),
    };
  }
}

function sideOfGrid({ parameters }, isAtRest) {
  const products = isAtRest ? PRODUCTS_AT_REST : PRODUCTS_WHILE_TRAINING;
  const most = isAtRest ? SIDE_AT_REST : SIDE_WHILE_TRAINING;
  const side = Math.floor(Math.sqrt(products / parameters.data.length));
  return Math.max(LEAST_SIDE, Math.min(most, side));
}

function denseLayers({ layers, parameters }) {
  return layers.flatMap((_, place) => {
    const weights = parameters.views.get(`${place}.W`);
    return weights?.shape.length === 2 ? [{ place, weights, units: weights.shape[1] }] : [];
  });
}

/** A column whose strongest output has the full colour. */
function columnOf(name, data, places, { units, weights }) {
  let largest = 0;
  for (let i = 0; i < units * places; i++) largest = Math.max(largest, Math.abs(data[i]));
  const factor = largest > 0 ? 1 / largest : 0;
  return { name, units, weights, valueAt: (unit, place) => data[place * units + unit] * factor };
}
