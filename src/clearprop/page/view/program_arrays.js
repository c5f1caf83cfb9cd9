/** The arrays of a watched program as cards: heat map, range, histogram, gradient, update. */

import { make, number, percent } from "./dom.js";
import { HeatMap } from "./heat.js";
import { columnChart } from "./plot.js";
import { decodedNumbers } from "./samples.js";
import { say } from "./words.js";

/** A grid of cards, one an array, which stay in their places while their numbers change. */
export class ArrayCards {
  constructor() {
    this.element = make("div", { class: "cards program-cards" });
    /** @type {Map<string, ArrayCard>} */
    this.cards = new Map();
  }

  /**
   * @param {import("./program_data.js").SeenArray[]} arrays
   * @param {function(import("./program_data.js").SeenArray): string[]} sentencesOf - What else is
   *   said of each.
   */
  show(arrays, sentencesOf) {
    const names = new Set(arrays.map(({ name }) => name));
    for (const [name, card] of this.cards) {
      if (names.has(name)) continue;
      card.element.remove();
      this.cards.delete(name);
    }
    for (const array of arrays) {
      let card = this.cards.get(array.name);
      if (card === undefined) {
        card = new ArrayCard(array.name);
        this.cards.set(array.name, card);
        this.element.append(card.element);
      }
      card.show(array, sentencesOf(array));
    }
  }
}

class ArrayCard {
  constructor(name) {
    this.heat = new HeatMap(() => {});
    this.about = make("p", { class: "small faint" });
    this.more = make("p", { class: "small" });
    this.histogram = make("div", {});
    this.element = make(
      "article",
      { class: "card program-card" },
      make("h4", { class: "mono" }, name),
      this.about,
      this.heat.element,
      this.histogram,
      this.more,
    );
  }

  show(array, sentences) {
    const { name, shape, low, high, counts, bad } = array;
    const written = shape.length ? shape.join("×") : say("one number");
    this.about.textContent = [written, ...badNumbers(bad)].join(", ");
    this.element.classList.toggle("is-bad", bad > 0);
    this.heat.show(matrixOf(array));
    this.histogram.replaceChildren();
    if (low !== null && low < high) {
      const ends = [number(low), number(high)];
      const label = say("{name}: numbers from {low} to {high}", { name, low, high });
      this.histogram.append(columnChart({ label, heights: counts, highest: Math.max(...counts), ends }));
    }
    this.more.textContent = sentences.join(" ");
  }
}

function badNumbers(count) {
  return count ? [say("{count} not finite", { count })] : [];
}

/** Return what is drawn of an array as a matrix whose entries go by their places in the array. */
function matrixOf({ name, shape, rows, columns, data }) {
  const size = shape.reduce((product, one) => product * one, 1);
  const down = shape.length < 2 ? 1 : shape[0];
  const apart = [down, size / down].map((whole, axis) => strideOf(whole, [rows, columns][axis]));
  const indices = (row, column) => {
    if (shape.length === 0) return "";
    if (shape.length === 1) return `[${column * apart[1]}]`;
    return `[${row * apart[0]}, ${column * apart[1]}]`;
  };
  return {
    rows,
    columns,
    values: decodedNumbers(data, "f32"),
    symbol: name,
    nameOf: (row, column) => `${name}${indices(row, column)}`,
  };
}

/** Return how far apart entries lie that were drawn: every second one was left out, some times. */
function strideOf(whole, drawn) {
  let stride = 1;
  while (Math.ceil(whole / stride) > drawn) stride *= 2;
  return stride;
}

/**
 * Say what is known of a parameter beside its numbers.
 *
 * @param {import("./program_data.js").ProgramData} data
 * @param {import("./program_data.js").SeenArray} array
 * @returns {string[]}
 */
export function parameterSentences(data, array) {
  const gradient = data.arrays.find(({ role, of }) => role === "gradient" && of === array.name);
  const ratio = data.rows.findLast(({ ratios }) => array.name in ratios)?.ratios[array.name];
  const verdict = data.verdict?.rows.find(({ parameter }) => parameter === array.name)?.verdict;
  return [
    gradient ? say("Gradient {name}: length {norm}.", { name: gradient.name, norm: number(gradient.norm) }) : null,
    ratio === undefined ? null : say("An update changes {share} of it.", { share: percent(ratio, 3) }),
    verdict ? verdictSentence(verdict) : null,
  ].filter((sentence) => sentence !== null);
}

function verdictSentence(verdict) {
  if (verdict === "right") return say("The check: its gradient is right.");
  if (verdict === "unclear") return say("The check: its gradient could not be judged.");
  return say("The check: its gradient is wrong.");
}

/** Say how much of an activation is zero. */
export function activationSentences({ zeros }) {
  return zeros > 0 ? [say("{share} of it is zero.", { share: percent(zeros) })] : [];
}
