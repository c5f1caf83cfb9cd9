/** What a network was after some epochs, put into the one that the panels read. */

import { decodedNumbers } from "./samples.js";

const MOST_KEPT = 120; // of a live run: then every second one is let go

/**
 * @typedef {object} Kept
 * @property {number} epoch
 * @property {string} type - Of the parameters' numbers.
 * @property {string} parameters
 * @property {string} [state] - The running statistics of batch norm, of type f32; pages of before
 *   have none.
 */

export class KeptParameters {
  /**
   * @param {object} network - Its parameters are replaced when another epoch is looked at.
   * @param {Kept[]} kept - In the order of epochs; a live run's grows.
   */
  constructor(network, kept) {
    this.network = network;
    this.kept = kept;
    this.own = network.parameters.data.slice();
    this.ownState = network.state.data.slice();
  }

  /** Make the network what it was after a kept epoch, or with null what it is in the end. */
  load(place) {
    this.network.load(this.vector(place));
    this.network.state.data.set(this.state(place));
  }

  /** Return the parameters of a kept epoch, or with null the model's own, as the network has them. */
  vector(place) {
    if (place === null) return this.own;
    const one = this.kept[place];
    one.vector ??= ordered(this.network.parameters, decodedNumbers(one.parameters, one.type ?? "f32"));
    return one.vector;
  }

  /** Return the running statistics of a kept epoch; the model's own where it has kept none. */
  state(place) {
    const one = place === null ? {} : this.kept[place];
    if (one.state === undefined) return this.ownState;
    one.statistics ??= ordered(this.network.state, decodedNumbers(one.state, "f32"));
    return one.statistics;
  }

  /** Take the latest parameters of a live run; those of the same epoch make way. */
  add(latest) {
    const { kept } = this;
    if (kept.length && kept.at(-1).epoch === latest.epoch) kept.pop();
    kept.push(latest);
    if (kept.length <= MOST_KEPT) return;
    const fewer = kept.filter((_, place) => place % 2 === 0 || place === kept.length - 1);
    kept.splice(0, kept.length, ...fewer);
  }
}

/** Bring numbers from the order of a file's names into that of the network. */
function ordered(parameters, numbers) {
  if (numbers.length !== parameters.data.length) {
    throw new Error(
      `A kept epoch has ${numbers.length} numbers where its network has ${parameters.data.length}: ` +
        "make the page again from the run's folder.",
    );
  }
  const found = new Float64Array(numbers.length);
  const starts = new Map();
  let start = 0;
  for (const [name, { data }] of parameters.views) {
    starts.set(name, start);
    start += data.length;
  }
  let taken = 0;
  for (const name of [...parameters.views.keys()].sort()) {
    const { length } = parameters.views.get(name).data;
    found.set(numbers.subarray(taken, taken + length), starts.get(name));
    taken += length;
  }
  return found;
}
