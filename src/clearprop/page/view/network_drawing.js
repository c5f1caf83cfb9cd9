/** The network drawn: layers as columns of units or as blocks, weights as lines between them. */

import { make, number, svg } from "./dom.js";
import { coloursOf, onOtherColours } from "./pictures.js";
import { rangeOf } from "./plot.js";
import { savingButtons } from "./saving.js";
import { drawnWhenSeen } from "./seeing.js";
import { say, sayCount } from "./words.js";

const MOST_NODES = 16; // units of a layer that are drawn one by one
const STEP = { least: 120, most: 250 }; // pixels from column to column
const DRAWING_EDGE = 66;
const TOP = 46;
const BODY = { least: 90, most: 320 }; // the height of the tallest column
const NODES = { few: { count: 8, radius: 14, step: 48 }, many: { radius: 9, step: 34 } };
const BLOCK = { least: 70, width: 40, decade: 62 };
const WIDEST_LINK = 5;
const THINNEST = 0.4;
const HEAD_LINE = 17;
const MOST_GROUPS = 12; // of a block, that lines go to
const STRIP_COLUMNS = 4; // of a block's units, as a strip of colour

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {number} units
 * @property {string|null} place - The layer whose matrices it opens.
 * @property {string[]} after - What comes behind it before the next weights: activations and others.
 * @property {{shape: number[], data: Float64Array}|null} weights - From the column before.
 * @property {Float64Array|null} values - What the chosen sample makes of its units.
 */

/** The panel of the drawing. */
export function networkPanel(context) {
  const { inspection, samples, store } = context;
  const scroll = make("div", { class: "scroll network", tabindex: 0, role: "group" });
  const key = make(
    "p",
    { class: "note" },
    say(
      "Lines are weights: orange is positive, blue negative; the wider, the larger. A layer opens its matrices.",
    ),
    " ",
    say("Of large layers a line is the mean between groups of units."),
  );
  const saving = savingButtons(say("Network"), () => [scroll.querySelector("svg")]);
  const body = make("div", {}, scroll, key, saving);
  const draw = drawnWhenSeen(body, store, ["epoch", "sample"], () => {
    const pass = samples === null ? null : inspection.ofOne(store.get("sample"));
    const columns = columnsOf(context, pass);
    scroll.setAttribute("aria-label", networkText(columns));
    scroll.replaceChildren(drawingOf(columns, scroll.clientWidth, (place) => openLayer(store, place)));
  });
  onOtherColours(scroll, draw);
  return body;
}

/** Choose a layer, and bring the panel of its matrices into view. */
function openLayer(store, place) {
  store.set("layer", place);
  const panel = document.getElementById("matrices");
  panel?.scrollIntoView({ block: "start" });
  panel?.querySelector("select")?.focus({ preventScroll: true });
}

/** Gather layers to columns: one for the input, and one for each layer with parameters. */
function columnsOf({ inspection, model, samples, store }, pass) {
  const { network } = model;
  const sizes = network.inputShape;
  const columns = [
    {
      name: say("input"),
      units: sizes.reduce((product, side) => product * side, 1),
      sides: sizes,
      place: null,
      after: [],
      weights: null,
      values: samples === null ? null : samples.one(store.get("sample")),
    },
  ];
  let shape = sizes;
  for (const at of inspection.layers.filter(({ place }) => !place.includes("."))) {
    shape = at.layer.build(shape).outShape;
    const output = pass?.at(at.place).y.data ?? null;
    const units = shape.reduce((product, side) => product * side, 1);
    if (hasWeights(at, network)) {
      const weights = network.parameters.views.get(`${at.place}.W`) ?? null;
      columns.push({
        name: at.title,
        units,
        sides: shape,
        place: at.place,
        after: [],
        weights,
        values: output,
      });
    } else {
      Object.assign(columns.at(-1), { units, sides: shape, values: output ?? columns.at(-1).values });
      columns.at(-1).after.push(at);
    }
  }
  return columns;
}

/** Whether a layer, or one inside it, mixes its inputs: those that scale each alone do not. */
function hasWeights({ place }, { parameters }) {
  return [...parameters.views].some(([name, { shape }]) => name.startsWith(`${place}.`) && shape.length > 1);
}

function drawingOf(columns, room, open) {
  const lines = Math.max(...columns.map(({ after }) => after.length));
  const gaps = Math.max(1, columns.length - 1);
  const step = Math.min(STEP.most, Math.max(STEP.least, (room - 2 * DRAWING_EDGE) / gaps));
  const width = 2 * DRAWING_EDGE + step * (columns.length - 1);
  const body = Math.max(BODY.least, ...columns.map(heightOf));
  const height = TOP + body + HEAD_LINE * (lines + 2);
  const laid = columns.map((column, n) => laidOut(column, DRAWING_EDGE + n * step, TOP + body / 2));
  const links = laid.slice(1).map((column, n) => linksBetween(laid[n], column));
  return svg(
    "svg",
    { class: "network-drawing", width, height, viewBox: `0 0 ${width} ${height}` },
    links,
    laid.map((column) => columnDrawn(column, TOP + body + 24, open)),
  );
}

/** The room that the units of a column take; a large layer is one block, the taller the larger. */
function heightOf({ units }) {
  if (units > MOST_NODES)
    return Math.min(BODY.most, BLOCK.least + BLOCK.decade * Math.log10(units / MOST_NODES));
  const { radius, step } = nodesOf(units);
  return Math.min(BODY.most, 2 * radius + step * (units - 1));
}

function nodesOf(units) {
  return units <= NODES.few.count ? NODES.few : NODES.many;
}

/** Place the units of a column around the middle. */
function laidOut(column, x, middle) {
  const { units } = column;
  const height = heightOf(column);
  const [top, bottom] = [middle - height / 2, middle + height / 2];
  if (units > MOST_NODES) return { ...column, x, centres: null, top, bottom, half: BLOCK.width / 2 };
  const { radius } = nodesOf(units);
  const step = units > 1 ? (height - 2 * radius) / (units - 1) : 0;
  const centres = Array.from({ length: units }, (_, unit) => top + radius + unit * step);
  return { ...column, x, centres, top, bottom, half: radius };
}

/**
 * Lines from unit to unit; of a block, from groups of its units, by the mean of their weights. Where
 * inputs are not mixed by one matrix there is a plain band.
 */
function linksBetween(left, right) {
  const mixed = mixedWeights(left, right);
  if (mixed === null) return band(left, right);
  const { inputs, outputs, weightAt } = mixed;
  const [starts, ends] = [endsOf(left, inputs), endsOf(right, outputs)];
  const means = groupMeans(inputs, outputs, starts.length, ends.length, weightAt);
  const { low, high } = rangeOf(means);
  const largest = Math.max(-low, high) || 1;
  const [x1, x2] = [left.x + left.half, right.x - right.half];
  const order = [...means.keys()].sort((a, b) => Math.abs(means[a]) - Math.abs(means[b]));
  return svg(
    "g",
    {},
    order.map((group) => {
      const [y1, y2] = [starts[Math.floor(group / ends.length)], ends[group % ends.length]];
      return link(x1, y1, x2, y2, means[group] / largest);
    }),
  );
}

/** The weights between two columns as a matrix; of a convolution, the mean over its window. */
function mixedWeights(left, { weights }) {
  if (weights === null) return null;
  const [inputs, outputs] = weights.shape.slice(-2);
  const places = weights.data.length / (inputs * outputs);
  const isDense = places === 1 && left.units === inputs;
  const channels = left.sides.length === 3 ? left.sides.at(-1) : 1;
  if (!isDense && (places === 1 || channels !== inputs)) return null;
  const weightAt = (i, j) => {
    let sum = 0;
    for (let place = 0; place < places; place++) sum += weights.data[(place * inputs + i) * outputs + j];
    return sum / places;
  };
  return { inputs, outputs, weightAt };
}

/** Where lines begin or end: at units, or at groups of a block's units, evenly spaced. */
function endsOf({ centres, top, bottom, units }, count) {
  if (centres !== null && units === count) return centres;
  const groups = Math.min(MOST_GROUPS, count);
  return Array.from({ length: groups }, (_, n) => top + ((n + 0.5) * (bottom - top)) / groups);
}

function groupMeans(inputs, outputs, rows, columns, weightAt) {
  const [sums, counts] = [new Float64Array(rows * columns), new Float64Array(rows * columns)];
  for (let i = 0; i < inputs; i++) {
    const row = Math.floor((i * rows) / inputs);
    for (let j = 0; j < outputs; j++) {
      const group = row * columns + Math.floor((j * columns) / outputs);
      sums[group] += weightAt(i, j);
      counts[group] += 1;
    }
  }
  return sums.map((sum, group) => sum / counts[group]);
}

/** A line; one whose weight is not finite is as wide as any, in the colour of what is wrong. */
function link(x1, y1, x2, y2, share) {
  const size = Number.isFinite(share) ? Math.abs(share) : 1;
  return svg("line", {
    class: signClass("weight", share),
    x1,
    y1,
    x2,
    y2,
    "stroke-width": (THINNEST + (WIDEST_LINK - THINNEST) * size).toFixed(2),
    "stroke-opacity": (0.12 + 0.78 * size).toFixed(2),
  });
}

function signClass(name, share) {
  if (!Number.isFinite(share)) return `${name} wrong`;
  return share < 0 ? `${name} negative` : name;
}

function band(left, right) {
  const [x1, x2] = [left.x + left.half, right.x - right.half];
  const bend = (x1 + x2) / 2;
  const path =
    `M${x1} ${left.top}C${bend} ${left.top} ${bend} ${right.top} ${x2} ${right.top}` +
    `V${right.bottom}C${bend} ${right.bottom} ${bend} ${left.bottom} ${x1} ${left.bottom}Z`;
  return svg("path", { class: "band", d: path });
}

function columnDrawn(column, foot, open) {
  const { x, centres, top, bottom, place, half } = column;
  const units = centres
    ? centres.map((y, unit) => node(x, y, half, valueShare(column.values, unit)))
    : [
        ...strip(column),
        svg("rect", {
          class: "block",
          x: x - BLOCK.width / 2,
          y: top,
          width: BLOCK.width,
          height: bottom - top,
          rx: 5,
        }),
      ];
  const parts = [
    ...units,
    svg("text", { class: "column-name", x, y: 18, "text-anchor": "middle" }, column.name),
    svg(
      "text",
      { class: "column-count", x, y: 35, "text-anchor": "middle" },
      column.sides.map((side) => number(side)).join(" × "),
    ),
  ];
  const after = column.after.map((at, n) =>
    opened(
      svg("text", { class: "column-after", x, y: foot + n * HEAD_LINE, "text-anchor": "middle" }, at.title),
      at.place,
      at.title,
      open,
    ),
  );
  return svg(
    "g",
    {},
    place === null ? svg("g", {}, parts) : opened(svg("g", {}, parts), place, column.name, open),
    after,
  );
}

/** Make a part of the drawing a button that opens a layer. */
function opened(part, place, name, open) {
  part.classList.add("opens");
  part.setAttribute("role", "button");
  part.setAttribute("tabindex", "0");
  part.setAttribute("aria-label", say("Open layer {place}, {name}", { place, name }));
  part.addEventListener("click", () => open(place));
  part.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open(place);
  });
  return part;
}

/** The value of a unit, of the largest in its layer, by sign. */
function valueShare(values, unit) {
  if (values === null) return 0;
  const { low, high } = rangeOf(values);
  return values[unit] / (Math.max(-low, high) || 1);
}

function node(x, y, radius, share) {
  return svg("circle", {
    class: signClass("node", share),
    cx: x,
    cy: y,
    r: radius,
    "fill-opacity": Number.isFinite(share) ? Math.abs(share).toFixed(2) : 1,
  });
}

/** The values of a block's units as a picture of four columns. */
function strip({ values, x, top, bottom }) {
  if (values === null) return [];
  const [negative, positive] = coloursOf(document.documentElement, "--one", "--two");
  const rows = Math.ceil(values.length / STRIP_COLUMNS);
  const { low, high } = rangeOf(values);
  const largest = Math.max(-low, high) || 1;
  const canvas = make("canvas", { width: STRIP_COLUMNS, height: Math.min(rows, 512) });
  const drawing = canvas.getContext("2d");
  const image = drawing.createImageData(canvas.width, canvas.height);
  for (let n = 0; n < canvas.width * canvas.height; n++) {
    const value = values[Math.floor((n * values.length) / (canvas.width * canvas.height))] ?? 0;
    image.data.set(value < 0 ? negative : positive, 4 * n);
    image.data[4 * n + 3] = 255 * Math.min(1, Math.abs(value) / largest);
  }
  drawing.putImageData(image, 0, 0);
  return [
    svg("image", {
      class: "strip",
      href: canvas.toDataURL(),
      x: x - BLOCK.width / 2,
      y: top,
      width: BLOCK.width,
      height: bottom - top,
      preserveAspectRatio: "none",
    }),
  ];
}

function networkText(columns) {
  const parts = columns.map(({ name, units, after }) =>
    [
      sayCount(units, "{name}, {count} unit", "{name}, {count} units", { name }),
      ...after.map(({ title }) => title),
    ].join(", "),
  );
  return say("The network: {layers}", { layers: parts.join("; ") });
}
