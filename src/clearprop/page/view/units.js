/** Which units answer to which share of the samples, and which to none. */

import { Activation } from "../engine/activations.js";
import { make, number, percent } from "./dom.js";
import { columnChart } from "./plot.js";
import { drawnWhenSeen } from "./seeing.js";
import { say, sayCount } from "./words.js";

const FLAT = new Set(["Sigmoid", "Tanh"]);
const FLAT_SLOPE = 0.05; // of the steepest: there next to nothing comes back
const MOST_NAMED = 60; // dead units

/** The panel of the units of every activation. */
export function unitsPanel({ inspection, store }) {
  const list = make("div", { class: "cards" });
  const layers = inspection.layers.filter(({ layer }) => layer instanceof Activation);
  const body = make("div", {}, list);
  if (layers.length === 0) {
    body.append(
      make("p", { class: "note" }, say("This network has no activations, so no unit can be dead.")),
    );
  }
  drawnWhenSeen(body, store, ["epoch"], () => {
    const pass = inspection.ofMany();
    list.replaceChildren(...layers.map((at) => unitsOf(at, pass)));
  });
  return body;
}

function unitsOf({ place, title, type }, pass) {
  const { y } = pass.at(place);
  const { shares, dead } = activeUnits(y);
  const units = shares.length;
  const sorted = [...shares].sort((a, b) => b - a);
  const flat = FLAT.has(type) ? flatShare(y.data, type) : null;
  const isBad = dead.length >= units / 2 || (flat ?? 0) >= 0.75;
  return make(
    "article",
    { class: "card" },
    make("h4", {}, `${place}  ${title}`),
    make(
      "p",
      { class: isBad ? "bad" : null },
      dead.length
        ? sayCount(
            dead.length,
            "{count} of {units} units is dead: the same for every sample.",
            "{count} of {units} units are dead: the same for every sample.",
            { units },
          )
        : say("None of {units} units is dead.", { units }),
      flat === null
        ? null
        : ` ${say("{share} of the outputs lie where the slope is below a twentieth of the steepest.", { share: percent(flat) })}`,
    ),
    columnChart({
      label: say(
        "share of {n} samples for which each of {units} units is above zero, from {most} down to {least}",
        {
          n: pass.n,
          units,
          most: percent(sorted[0]),
          least: percent(sorted.at(-1)),
        },
      ),
      heights: sorted,
      highest: 1,
      ends: [
        say("most active: {share}", { share: percent(sorted[0], 0) }),
        say("least: {share}", { share: percent(sorted.at(-1), 0) }),
      ],
    }),
    dead.length
      ? make(
          "details",
          {},
          make("summary", {}, say("Which are dead")),
          make(
            "p",
            { class: "small" },
            dead
              .slice(0, MOST_NAMED)
              .map((unit) => number(unit))
              .join(", "),
            dead.length > MOST_NAMED ? ", …" : "",
          ),
        )
      : null,
  );
}

/**
 * Measure each unit of a layer's outputs; of pictures a unit is a channel, at all its places.
 *
 * @param {{shape: number[], data: Float64Array}} y
 * @returns {{shares: Float64Array, dead: number[]}} The share of the outputs of each unit that are
 *   above zero, and the units whose outputs are all the same.
 */
export function activeUnits({ shape, data }) {
  const units = shape.at(-1);
  const shares = new Float64Array(units);
  const changes = new Uint8Array(units);
  for (let at = 0; at < data.length; at++) {
    const unit = at % units;
    if (data[at] > 0) shares[unit] += units / data.length;
    if (data[at] !== data[unit]) changes[unit] = 1;
  }
  return { shares, dead: [...changes.keys()].filter((unit) => !changes[unit]) };
}

function flatShare(data, type) {
  const slope = type === "Tanh" ? (y) => 1 - y * y : (y) => 4 * y * (1 - y);
  return data.reduce((count, y) => count + (slope(y) < FLAT_SLOPE ? 1 : 0), 0) / data.length;
}
