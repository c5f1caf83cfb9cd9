/** How an answer changes by column: a small curve for each, its place now, and its ends in words. */

import { make, svg } from "./dom.js";
import { rangeOf } from "./plot.js";
import { say } from "./words.js";

const WIDTH_OF_EFFECT = 160;
const HEIGHT_OF_EFFECT = 40;
const INSET = 5;

export class EffectsView {
  constructor() {
    this.element = make("div", { class: "effects" });
  }

  clear() {
    this.element.replaceChildren();
  }

  /**
   * @param {Array<import("./row_effects.js").Effect>} effects
   * @param {Object<string, *>} row - Its cells now.
   * @param {object} options
   * @param {string} options.title
   * @param {number} options.here - The answer to the row.
   * @param {function(number): string} options.write - Writes an answer.
   */
  show(effects, row, { title, here, write }) {
    if (effects.length === 0) return this.clear();
    const { low, high } = rangeOf([here, ...effects.flatMap(({ answers }) => answers)]);
    const upOf = (answer) =>
      HEIGHT_OF_EFFECT -
      INSET -
      ((answer - low) / (high - low || 1)) * (HEIGHT_OF_EFFECT - 2 * INSET);
    this.element.replaceChildren(
      make("h4", {}, title),
      make(
        "ul",
        { class: "effect-list" },
        effects.map((effect) =>
          effectItem(effect, row[effect.field.name], upOf(here), upOf, write),
        ),
      ),
    );
  }
}

function effectItem({ field, values, answers }, value, hereUp, upOf, write) {
  const places = placesOfValues(field, values);
  const at = placeOfValue(field, values, places, value);
  const [least, most] = [Math.min(...answers), Math.max(...answers)];
  const [lowest, highest] = [least, most].map((one) => String(values[answers.indexOf(one)]));
  const said = say("{least} at {lowest} to {most} at {highest}", {
    least: write(least),
    lowest: shortCell(lowest),
    most: write(most),
    highest: shortCell(highest),
  });
  const ups = answers.map(upOf);
  return make(
    "li",
    {},
    make("span", { class: "effect-name" }, field.name),
    svg(
      "svg",
      {
        class: "effect",
        viewBox: `0 0 ${WIDTH_OF_EFFECT} ${HEIGHT_OF_EFFECT}`,
        role: "img",
        "aria-label": `${field.name}: ${said}`,
      },
      svg("line", { class: "effect-here", x1: 0, x2: WIDTH_OF_EFFECT, y1: hereUp, y2: hereUp }),
      field.kind === "category"
        ? ups.map((up, n) =>
            svg("line", {
              class: "effect-step",
              x1: places[n] - 4,
              x2: places[n] + 4,
              y1: up,
              y2: up,
            }),
          )
        : svg("polyline", {
            class: "effect-line",
            points: ups.map((up, n) => `${places[n]},${up.toFixed(1)}`).join(" "),
          }),
      at === null ? null : svg("circle", { class: "effect-dot", cx: at, cy: hereUp, r: 4 }),
    ),
    make("span", { class: "effect-said small faint" }, said),
  );
}

/** Where each value stands: categories and dates evenly, numbers as far as they are apart. */
function placesOfValues({ kind }, values) {
  const width = WIDTH_OF_EFFECT - 2 * INSET;
  return values.map((value, n) => {
    const share =
      kind === "number"
        ? (value - values[0]) / (values.at(-1) - values[0])
        : n / (values.length - 1);
    return Number((INSET + share * width).toFixed(1));
  });
}

function placeOfValue({ kind }, values, places, value) {
  if (value === null) return null;
  if (kind !== "number") {
    const found =
      kind === "category" ? values.indexOf(value) : values.findLastIndex((one) => one <= value);
    return found < 0 ? null : places[found];
  }
  const share = (value - values[0]) / (values.at(-1) - values[0]);
  return places[0] + Math.min(1, Math.max(0, share)) * (places.at(-1) - places[0]);
}

function shortCell(text) {
  const asNumber = Number(text);
  if (text !== "" && Number.isFinite(asNumber)) return String(Number(asNumber.toPrecision(3)));
  return text.length > 16 ? `${text.slice(0, 15)}…` : text;
}
