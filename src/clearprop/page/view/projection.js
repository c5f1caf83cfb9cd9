/** Any layer's outputs in two dimensions: which samples a network holds for alike. */

import { make, percent } from "./dom.js";
import { principalComponents } from "./pca.js";
import { savingButtons } from "./saving.js";
import { Scatter } from "./scatter.js";
import { drawnWhenSeen } from "./seeing.js";
import { originText, truthText } from "./truth.js";
import { say } from "./words.js";

/** The panel of principal components. */
export function projectionPanel(context) {
  const { inspection, model, samples, store } = context;
  const layers = inspection.layers;
  const select = make(
    "select",
    { onchange: () => draw() },
    make("option", { value: "" }, say("the input")),
    layers.map(({ place, title }) => make("option", { value: place }, `${place}  ${title}`)),
  );
  select.value = beforeLast(layers);
  const said = make("p", { class: "note" });
  const scatter = new Scatter((place) => store.set("sample", inspection.many[place]));
  const body = make(
    "div",
    {},
    make("div", { class: "row" }, make("label", { class: "field" }, say("Outputs of layer"), select)),
    scatter.element,
    said,
    savingButtons(say("Layers in two dimensions"), () => [scatter.canvas]),
  );
  const draw = drawnWhenSeen(body, store, ["epoch", "sample"], () => {
    const pass = inspection.ofMany();
    const { points, shares } = foundFor(select.value, pass);
    const chosen = pass.places.indexOf(store.get("sample"));
    const isClass = model.classNames !== null;
    scatter.show({
      points,
      kinds: pass.places.map((place) => (isClass ? samples.truth[place] : 0)),
      names: isClass ? model.classNames : [],
      values: isClass ? null : pass.places.map((place) => [samples.truth[place]].flat()[0]),
      label: say("{count} samples by the two principal components of layer {layer}", {
        count: pass.n,
        layer: select.selectedOptions[0].textContent,
      }),
      nameOf: (n) => `${originText(samples, pass.places[n])}, ${truthText(context, pass.places[n])}`,
      chosen: chosen < 0 ? null : chosen,
    });
    said.textContent = say(
      "The two directions in which these outputs differ most tell {first} and {second} of all their variance.",
      { first: percent(shares[0]), second: percent(shares[1]) },
    );
  });
  let last = { place: null, pass: null, found: null };
  const foundFor = (place, pass) => {
    if (last.place !== place || last.pass !== pass) {
      const { data } = place === "" ? pass.at(layers[0].place).x : pass.at(place).y;
      last = { place, pass, found: principalComponents(data, pass.n) };
    }
    return last.found;
  };
  return body;
}

/** The layer whose outputs the last one reads: there a network has done its work. */
function beforeLast(layers) {
  const outer = layers.filter(({ place }) => !place.includes("."));
  return outer.at(-2)?.place ?? outer.at(-1).place;
}
