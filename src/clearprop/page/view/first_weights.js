/** The weights of the first layer as pictures: what each unit looks for. */

import { make, number } from "./dom.js";
import { colourWeightPicture, signedPicture, usualLargest } from "./pictures.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

const FIRST_SHOWN = 64; // units
const LINEAR = new Set(["Dense", "NTKDense"]);
const BEFORE_LINEAR = new Set(["Flatten", "Dropout", "Scale"]);

/** Say whether the first layer of weights sees pictures, and sees them as they are. */
export function hasFirstPictures({ model, inspection }) {
  return firstOf(model, inspection) !== null;
}

/** The panel of those pictures. */
export function firstWeightsPanel({ model, inspection, store }) {
  const pictures = make("div", { class: "unit-pictures" });
  const said = make("p", { class: "note" });
  const more = make("button", { type: "button", onclick: () => showAll() });
  const body = make("div", {}, said, pictures, more);
  let most = FIRST_SHOWN;
  const draw = drawnWhenSeen(body, store, ["epoch"], () => {
    const { shape, units, values, valueAt } = firstOf(model, inspection);
    const [height, width, channels = 1] = shape;
    const shown = Math.min(units, most);
    const largest = usualLargest(values);
    const picture = channels === 3 ? colourWeightPicture : signedPicture;
    said.textContent =
      channels === 3
        ? say("Mid-grey is zero, and each colour's weight shifts that colour.")
        : say("Orange is positive, blue negative; the stronger, the larger. The strongest is {largest}.", {
            largest,
          });
    pictures.replaceChildren(
      ...Array.from({ length: shown }, (_, unit) =>
        make(
          "figure",
          {},
          picture((n) => valueAt(unit, n), height, width, largest, say("weights of unit {unit}", { unit })),
          make("figcaption", {}, number(unit)),
        ),
      ),
    );
    more.hidden = shown === units;
    more.textContent = say("Show all {units} units", { units });
  });
  const showAll = () => {
    most = Infinity;
    draw();
  };
  return body;
}

/**
 * Find the first weights.
 *
 * @returns {{shape: number[], units: number, values: Float64Array,
 *   valueAt: function(number, number): number}|null} The shape of a picture, and the weight of a
 *   unit at a place of it, row after row; null where there are no pictures.
 */
function firstOf(model, inspection) {
  const first = inspection.layers.find(({ type }) => !BEFORE_LINEAR.has(type));
  if (first === undefined || !first.symbols.includes("W")) return null;
  const W = model.network.parameters.views.get(`${first.place}.W`);
  const units = W.shape.at(-1);
  const valueAt = (unit, n) => W.data[n * units + unit];
  const found = { units, values: W.data, valueAt };
  if (LINEAR.has(first.type)) {
    return isPicture(model.network.inputShape) ? { ...found, shape: model.network.inputShape } : null;
  }
  const kernel = W.shape.slice(0, 3);
  return first.type === "Conv2D" && isPicture(kernel) ? { ...found, shape: kernel } : null;
}

function isPicture(shape) {
  const [height, width, channels = 1] = shape;
  return (
    (shape.length === 2 || shape.length === 3) &&
    height > 1 &&
    width > 1 &&
    (channels === 1 || channels === 3)
  );
}
