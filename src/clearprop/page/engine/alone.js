/** A model without a page around it: rows in, plain arrays of answers out. */

import { decodedBytes } from "./base64.js";
import { openModel } from "./model.js";

/**
 * A model that answers rows as a person gives them, as `Model.prepare` takes them.
 *
 * Whatever it is asked, it throws an Error that names the row and the column where a row does not
 * fit.
 */
export class LoneModel {
  /** @param {string} text - The model file in base64. */
  constructor(text) {
    this.model = openModel(decodedBytes(text));
  }

  /** The names of the classes by index; null where values are answered. */
  get classNames() {
    return this.model.classNames;
  }

  /** Return the outputs of the last layer for each row, (N, K). */
  logits(rows) {
    const logits = this.flatLogits(rows);
    return numbersByRow(logits, rows.length);
  }

  /** Return the class of each row, or its value, or its values where there are several. */
  predict(rows) {
    const answers = this.model.answers(this.flatLogits(rows), rows.length);
    if (this.classNames !== null) return Array.from(answers, (place) => this.classNames[place]);
    return answers.length === rows.length ? Array.from(answers) : numbersByRow(answers, rows.length);
  }

  /** Return the probability of each class for each row, (N, K), in the order of `classNames`. */
  probabilities(rows) {
    const { model } = this;
    if (!model.network.loss.givesProbabilities) {
      throw new Error("The model gives no probabilities: it answers values, or its loss has none.");
    }
    return numbersByRow(model.probabilities(this.flatLogits(rows), rows.length), rows.length);
  }

  /** Return for each row the classes of the set that holds the true one, the likeliest first. */
  sets(rows) {
    const sets = this.model.sets(this.flatLogits(rows), rows.length);
    return sets.map((places) => places.map((place) => this.classNames[place]));
  }

  /** Return for each row where the interval of each of its values begins and ends. */
  intervals(rows) {
    const { lower, upper } = this.model.intervals(this.flatLogits(rows), rows.length);
    const [from, to] = [lower, upper].map((ends) => numbersByRow(ends, rows.length));
    return from.map((ends, row) => ends.map((low, value) => [low, to[row][value]]));
  }

  flatLogits(rows) {
    if (!Array.isArray(rows)) {
      throw new Error(`Rows come as an array of them, [row]; found ${typeof rows}.`);
    }
    return this.model.network.forward(this.model.prepare(rows), rows.length);
  }
}

function numbersByRow(numbers, n) {
  const width = numbers.length / n;
  return Array.from({ length: n }, (_, row) =>
    Array.from(numbers.subarray(row * width, (row + 1) * width)),
  );
}
