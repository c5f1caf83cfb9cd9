/** Every matrix of a layer as a heat map, and any entry of it with its arithmetic. */

import { choiceOf } from "./choices.js";
import { make, number } from "./dom.js";
import { entryView } from "./entry_view.js";
import { HeatMap } from "./heat.js";
import { settingsOfStep, stepOf } from "./optimizer_step.js";
import { drawnWhenSeen } from "./seeing.js";
import { say, sayCount } from "./words.js";

const MOST_SHOWN = 2 ** 16; // numbers of an output: those of so many samples

/** The panel in which every number of a network can be looked at. */
export function matricesPanel(context) {
  const { inspection, samples, store } = context;
  const layers = inspection.layers;
  const select = make(
    "select",
    { "aria-label": say("Layer"), onchange: () => store.set("layer", select.value) },
    layers.map(({ place, title }) => make("option", { value: place }, `${place}  ${title}`)),
  );
  const scope = choiceOf(
    say("Gradients of"),
    [
      ["one", say("This sample")],
      [
        "many",
        sayCount(inspection.samples ? inspection.many.length : 0, "{count} sample", "{count} samples"),
      ],
    ],
    () => draw(),
  );
  const note = make("p", { class: "note" });
  const list = make("div", { class: "matrices" });
  if (store.get("layer") === undefined) {
    store.set("layer", layers.find(({ symbols }) => symbols.length)?.place ?? layers[0].place);
  }
  const body = make(
    "div",
    {},
    make(
      "div",
      { class: "row" },
      make("label", { class: "field" }, say("Layer"), select),
      samples ? scope.element : null,
    ),
    note,
    list,
  );
  const views = new Map();
  let shownLayer = null;
  const draw = drawnWhenSeen(body, store, ["epoch", "sample", "layer"], () => {
    const at = layers.find(({ place }) => place === store.get("layer"));
    select.value = at.place;
    const pass = passOfScope(context, scope.value);
    const found = matricesOf(context, at, pass);
    note.textContent = pass === null ? "" : passNote(pass, scope.value, store.get("sample"));
    if (shownLayer !== at.place) {
      shownLayer = at.place;
      views.clear();
      for (const { symbol } of found) views.set(symbol, new MatrixView());
      list.replaceChildren(...[...views.values()].map((view) => view.element));
    }
    for (const matrix of found) views.get(matrix.symbol).show(matrix);
  });
  return body;
}

function passOfScope({ inspection, samples, store }, scope) {
  if (samples === null) return null;
  return scope === "one" ? inspection.gradientOfOne(store.get("sample")) : inspection.gradientOfMany();
}

function passNote({ n, loss }, scope, sample) {
  return scope === "one"
    ? say("Sample {sample} has the loss {loss}; nothing is dropped, and batch norm uses what it has kept.", {
        sample,
        loss,
      })
    : say(
        "{n} samples have the mean loss {loss}; nothing is dropped, and batch norm uses what it has kept.",
        {
          n,
          loss,
        },
      );
}

/**
 * Return the matrices of a layer: its parameters, and what it gives.
 *
 * @returns {{symbol: string, ways: Object<string, Numbers>, open: function(number[]): HTMLElement}[]}
 */
function matricesOf(context, at, pass) {
  const { model, inspection, run } = context;
  const parameters = ownArrays(at, model.network);
  const step = stepOf(run.settings);
  const arrays = pass === null ? parameters : { ...parameters, ...arraysOf(pass, at) };
  const open = (symbol) => (index) =>
    entryView({
      at,
      symbol,
      index,
      arrays,
      above: pass === null ? null : layerAbove(inspection.layers, at, pass, model),
      loss: pass !== null && isLast(at, inspection.layers) ? lossOf(model.network.loss, pass) : null,
      step: step && {
        name: step.name,
        settings: settingsOfStep(step, model.network, `${at.place}.${symbol}`, pass?.n),
      },
    });
  const found = at.symbols.map((symbol) => ({ symbol, ways: waysOf(symbol, arrays), open: open(symbol) }));
  if (pass !== null) {
    found.push({ symbol: "y", ways: waysOf("y", arrays), open: open("y") });
  }
  return found;
}

function arraysOf(pass, at) {
  const gradients = at.symbols.map((symbol) => [`d${symbol}`, pass.gradient.get(`${at.place}.${symbol}`)]);
  return { ...pass.at(at.place), ...Object.fromEntries(gradients) };
}

function waysOf(symbol, arrays) {
  const gradient = arrays[`d${symbol}`];
  return gradient ? { value: arrays[symbol], gradient } : { value: arrays[symbol] };
}

/** Return a layer's parameters and what it keeps, such as running statistics, by symbol. */
function ownArrays({ place }, { parameters, state }) {
  const own = [...parameters.views, ...state.views].filter(
    ([name]) => name.slice(0, name.lastIndexOf(".")) === place,
  );
  return Object.fromEntries(own.map(([name, array]) => [name.slice(place.length + 1), array]));
}

/** Find the layer that reads what another gives: the next one beside it. */
function layerAbove(layers, at, pass, model) {
  const head = at.place.slice(0, at.place.lastIndexOf(".") + 1);
  const next = layers.find(({ place }) => place === `${head}${Number(at.place.slice(head.length)) + 1}`);
  if (next === undefined) return null;
  return { ...next, arrays: { ...pass.at(next.place), ...ownArrays(next, model.network) } };
}

function isLast({ place }, layers) {
  return place === layers.findLast((one) => !one.place.includes(".")).place;
}

function lossOf(loss, { logits, targets, n }) {
  const outputs = logits.length / n;
  const isOfClasses = loss.constructor.oneOfMany && targets.length === n;
  return {
    type: loss.constructor.name,
    loss,
    arrays: {
      logits: { shape: [n, outputs], data: logits },
      y: { shape: isOfClasses ? [n] : [n, targets.length / n], data: targets },
    },
  };
}

/** One matrix: its heat map, the choice of what is drawn, and the entry that is open. */
class MatrixView {
  constructor() {
    this.title = make("h4", {});
    this.way = choiceOf(
      say("What is drawn"),
      [
        ["value", say("Value")],
        ["gradient", say("Gradient")],
      ],
      () => this.draw(),
    );
    this.heat = new HeatMap((row, column) => this.open(this.indexOf(row, column)));
    this.place = make("input", { type: "text", class: "entry-place mono", inputmode: "numeric" });
    this.opened = make("div", { class: "opened", "aria-live": "polite" });
    this.index = null;
    const form = make(
      "form",
      { class: "field", onsubmit: (event) => this.openWritten(event) },
      make("label", { class: "field" }, say("Entry"), this.place),
      make("button", {}, say("Open")),
    );
    this.element = make(
      "article",
      { class: "matrix" },
      make("div", { class: "row matrix-head" }, this.title, this.way.element, form),
      this.heat.element,
      this.opened,
    );
  }

  show(matrix) {
    const isOther = this.matrix === undefined || String(this.shape) !== String(matrix.ways.value.shape);
    this.matrix = matrix;
    this.shape = matrix.ways.value.shape;
    this.title.replaceChildren(
      make("code", {}, matrix.symbol),
      ` ${this.shape.map((side) => number(side)).join(" × ")}`,
    );
    this.way.element.hidden = matrix.ways.gradient === undefined;
    if (isOther) {
      this.index = null;
      this.place.value = this.shape.map(() => 0).join(",");
      this.opened.replaceChildren();
    }
    this.draw();
    if (this.index !== null) this.opened.replaceChildren(matrix.open(this.index));
  }

  draw() {
    const { ways, symbol } = this.matrix;
    const isGradient = this.way.value === "gradient" && ways.gradient !== undefined;
    const { data } = isGradient ? ways.gradient : ways.value;
    const columns = this.shape.at(-1);
    const [first, ...others] = this.shape;
    const each = others.reduce((product, side) => product * side, 1);
    const isLarge = symbol === "y" && first * each > MOST_SHOWN;
    const shown = isLarge ? Math.max(1, Math.floor(MOST_SHOWN / each)) * each : data.length;
    this.heat.show({
      rows: this.shape.length === 1 ? 1 : shown / columns,
      columns,
      values: data.subarray(0, shown),
      symbol: isGradient ? `d${symbol}` : symbol,
      nameOf: (row, column) => `${isGradient ? "d" : ""}${symbol}[${this.indexOf(row, column).join(",")}]`,
    });
  }

  indexOf(row, column) {
    let flat = row * this.shape.at(-1) + column;
    const index = [];
    for (const side of [...this.shape].reverse()) {
      index.unshift(flat % side);
      flat = Math.floor(flat / side);
    }
    return index;
  }

  open(index) {
    this.index = index;
    this.place.value = index.join(",");
    this.place.setCustomValidity("");
    this.opened.replaceChildren(this.matrix.open(index));
    const flat = index.reduce((place, one, axis) => place * this.shape[axis] + one, 0);
    this.heat.move(Math.floor(flat / this.shape.at(-1)), flat % this.shape.at(-1));
  }

  openWritten(event) {
    event.preventDefault();
    const index = this.place.value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    const fits =
      index.length === this.shape.length &&
      index.every((one, axis) => Number.isInteger(one) && one >= 0 && one < this.shape[axis]);
    if (fits) return this.open(index);
    this.place.setCustomValidity(
      say("Expected {count} whole numbers from 0, below {shape}.", {
        count: this.shape.length,
        shape: this.shape.join(", "),
      }),
    );
    this.place.reportValidity();
  }
}
