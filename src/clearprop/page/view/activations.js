/** What every layer makes of one sample, from the input to the answer. */

import { certaintyView } from "./certainty_view.js";
import { make, number, percent } from "./dom.js";
import { HeatMap } from "./heat.js";
import { LooksView } from "./looks_view.js";
import { signedPicture } from "./pictures.js";
import { barList, rangeOf } from "./plot.js";
import { drawnWhenSeen } from "./seeing.js";
import { answerText, originText, truthText } from "./truth.js";
import { say } from "./words.js";

const MOST_CHANNELS = 32; // of a picture inside the network
const MOST_CLASSES = 10; // of an answer
const SHOWN_COLUMNS = 64; // units in a line
const UNCHANGED = new Set(["Flatten", "Dropout", "SpatialDropout2D"]); // they give what they are given

/** The panel of one sample. */
export function activationsPanel(context) {
  const { inspection, model, samples, store } = context;
  const input = make("div", { class: "sample-input" });
  const looks = samples.arePictures ? new LooksView(model.network) : null;
  const layers = make("ol", { class: "layer-outputs" });
  const body = make("div", {}, input, layers);
  const shown = inspection.layers.filter(({ type }) => !UNCHANGED.has(type));
  const heats = new Map();
  drawnWhenSeen(body, store, ["sample", "epoch"], () => {
    const place = store.get("sample");
    const pass = inspection.ofOne(place);
    input.replaceChildren(...inputParts(context, place, pass, looks));
    layers.replaceChildren(
      ...shown.map((at) => {
        if (!heats.has(at.place)) heats.set(at.place, new HeatMap(() => store.set("layer", at.place)));
        return layerOutput(at, pass.at(at.place).y, heats.get(at.place));
      }),
    );
  });
  return body;
}

function inputParts(context, place, pass, looks) {
  const { model, samples, store } = context;
  const said = say("sample {place}, {origin}: {truth}", {
    place,
    origin: originText(samples, place),
    truth: truthText(context, place),
  });
  const answers = [...model.answers(pass.logits, 1)]; // several values, or one class
  const isRight = answers[0] === samples.truth[place];
  looks?.show(samples.one(place), model.classNames ? answers[0] : 0);
  return [
    make(
      "div",
      { class: "sample-given" },
      make("p", {}, said),
      looks?.element,
      samples.raw ? rawCells(samples.raw, place) : null,
    ),
    make(
      "div",
      { class: "sample-answer" },
      make(
        "p",
        {},
        say("The network says"),
        " ",
        make(
          "strong",
          { class: model.classNames ? (isRight ? "good" : "bad") : null },
          answers.map((answer) => answerText(model, answer)).join(", "),
        ),
        model.classNames ? (isRight ? say(", which is right.") : say(", which is wrong.")) : null,
      ),
      certaintyView(model, pass.logits, {
        isTrained: store.get("epoch") === null,
        truth: samples.truth[place],
      }),
      model.classNames ? likeliest(model, pass.logits) : null,
    ),
  ];
}

function likeliest(model, logits) {
  const shares = classShares(model, logits);
  if (shares === null) return null;
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, MOST_CLASSES);
  const items = order.map((k) => ({ name: model.classNames[k], value: shares[k], text: percent(shares[k]) }));
  return barList({ title: say("Probabilities"), items });
}

/** Return the probability of every class for one sample; null where the loss gives none. */
function classShares(model, logits) {
  return model.givesProbabilities ? [...model.probabilities(logits, 1)] : null;
}

function rawCells(raw, place) {
  return make(
    "div",
    { class: "scroll" },
    make(
      "table",
      { class: "cells" },
      make(
        "tbody",
        {},
        Object.entries(raw).map(([name, cells]) =>
          make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, cellText(cells[place]))),
        ),
      ),
    ),
  );
}

/** Write the cell of a table. */
function cellText(cell) {
  if (cell === null || cell === undefined) return say("missing");
  return typeof cell === "number" ? number(cell, 6) : String(cell);
}

function layerOutput({ place, title }, { shape, data }, heat) {
  const inside = place.split(".").length - 1;
  const { low, high } = rangeOf(data);
  const zeros = data.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
  const [, ...sides] = shape;
  return make(
    "li",
    { class: inside ? "inside" : null },
    make(
      "div",
      { class: "layer-head" },
      make("h4", {}, `${place}  ${title}`),
      make(
        "span",
        { class: "faint small" },
        say("{shape} numbers from {low} to {high}, {zeros} of them zero", {
          shape: sides.map((side) => number(side)).join(" × "),
          low,
          high,
          zeros,
        }),
      ),
    ),
    sides.length === 3
      ? channelPictures(place, sides, data, Math.max(-low, high))
      : linesOf(sides, data, heat),
  );
}

function linesOf(sides, data, heat) {
  const columns = Math.min(SHOWN_COLUMNS, data.length);
  const rows = Math.ceil(data.length / columns);
  const values = new Float64Array(rows * columns);
  values.set(data);
  heat.show({
    rows,
    columns,
    values,
    symbol: "y",
    nameOf: (row, column) => {
      const flat = row * columns + column;
      return sides.length === 2 ? `y[${Math.floor(flat / sides[1])},${flat % sides[1]}]` : `y[${flat}]`;
    },
  });
  return heat.element;
}

function channelPictures(place, [height, width, channels], data, largest) {
  const shown = Math.min(MOST_CHANNELS, channels);
  return make(
    "div",
    { class: "unit-pictures" },
    Array.from({ length: shown }, (_, channel) =>
      make(
        "figure",
        {},
        signedPicture(
          (n) => data[n * channels + channel],
          height,
          width,
          largest,
          say("channel {channel} of layer {place}", { channel, place }),
        ),
        make("figcaption", {}, number(channel)),
      ),
    ),
    shown < channels
      ? make("p", { class: "note" }, say("and {more} more", { more: channels - shown }))
      : null,
  );
}
