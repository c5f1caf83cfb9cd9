/** How the numbers of every layer are spread: weights, gradients and outputs. */

import { choiceOf } from "./choices.js";
import { make, number } from "./dom.js";
import { columnChart, rangeOf } from "./plot.js";
import { drawnWhenSeen } from "./seeing.js";
import { say, sayCount } from "./words.js";

const BINS = 41; // an odd number, so that zero has a column of its own in what lies around it

/** The panel of histograms. */
export function histogramsPanel({ inspection, model, samples, store }) {
  const kinds = [["weights", say("Weights")]];
  if (samples) kinds.push(["gradients", say("Gradients")], ["outputs", say("Outputs")]);
  const kind = choiceOf(say("Numbers of"), kinds, () => draw());
  const list = make("div", { class: "cards" });
  const body = make("div", {}, make("div", { class: "row" }, kind.element), list);
  const draw = drawnWhenSeen(body, store, ["epoch"], () => {
    list.replaceChildren(...numbersOfKind(kind.value, inspection, model).map(histogramCard));
  });
  return body;
}

function numbersOfKind(kind, inspection, model) {
  if (kind === "outputs") {
    const pass = inspection.ofMany();
    return inspection.layers.map(({ place, title }) => ({
      name: `${place}  ${title}`,
      data: pass.at(place).y.data,
    }));
  }
  const views = kind === "weights" ? model.network.parameters.views : inspection.gradientOfMany().gradient;
  return [...views].map(([name, { data }]) => ({
    name: kind === "weights" ? name : gradientName(name),
    data,
  }));
}

function gradientName(name) {
  const dot = name.lastIndexOf(".") + 1;
  return `${name.slice(0, dot)}d${name.slice(dot)}`;
}

function histogramCard({ name, data }) {
  const { counts, low, high } = histogramOf(data);
  const { mean, deviation } = momentsOf(data);
  return make(
    "article",
    { class: "card" },
    make("h4", {}, name),
    make("p", { class: "small faint" }, say("mean {mean}, deviation {deviation}", { mean, deviation })),
    columnChart({
      label: sayCount(
        data.length,
        "{count} number from {low} to {high}",
        "{count} numbers from {low} to {high}",
        { low, high },
      ),
      heights: counts,
      highest: Math.max(...counts),
      ends: [number(low), number(high)],
    }),
  );
}

/**
 * Count numbers in columns of the same width; what is not finite is left out.
 *
 * @param {ArrayLike<number>} data
 * @returns {{counts: number[], low: number, high: number}}
 */
export function histogramOf(data, bins = BINS) {
  const { low, high } = rangeOf(data);
  const counts = new Array(bins).fill(0);
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    counts[Math.min(bins - 1, Math.floor((bins * (value - low)) / (high - low || 1)))] += 1;
  }
  return { counts, low, high };
}

/** Return the mean and the standard deviation. */
export function momentsOf(data) {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const squares = data.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / data.length) };
}
