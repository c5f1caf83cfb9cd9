/** Lines, bars and columns, drawn as wide as there is room, each with a text that says what it shows. */

import { generalNumber, make, number, svg } from "./dom.js";
import { say } from "./words.js";

const MARGIN = { left: 54, right: 14, top: 10, bottom: 30 };
const POINTS_A_PIXEL = 2; // more of a line would not be seen
const DASHES = ["none", "6 3", "2 3", "8 3 2 3"];
const HUES_OF_LINES = 10;

/** Return the colour of a line or class by its number, as a custom property. */
export function hueOf(place) {
  return `var(--class-${place % HUES_OF_LINES})`;
}

/**
 * Lines over a common x, read off by the pointer or the arrow keys.
 *
 * @typedef {{name: string, values: Array<number|null>}} Line - What is not finite leaves a gap.
 * @typedef {{x: number[], lines: Line[], isLog: boolean, marks: ?{x: number, text: string}[]}} Lines
 */
export class LineChart {
  /**
   * @param {object} options
   * @param {string} options.title
   * @param {string} options.xName - What x counts: "epoch".
   * @param {number} [options.height] - In pixels.
   */
  constructor({ title, xName, height = 210 }) {
    this.title = title;
    this.xName = xName;
    this.height = height;
    /** @type {Lines|null} */
    this.shown = null;
    this.place = null; // that is read off; null for the last
    this.legend = make("ul", { class: "legend" });
    this.where = make("li", { class: "plot-where faint" });
    this.drawing = svg("svg", {
      class: "plot-lines",
      role: "img",
      tabindex: 0,
      onpointermove: (event) => this.follow(event),
      onpointerleave: () => this.read(null),
      onkeydown: (event) => this.step(event),
      onblur: () => this.read(null),
    });
    this.element = make(
      "figure",
      { class: "plot" },
      make("figcaption", { class: "plot-head" }, make("h4", {}, title), this.legend),
      this.drawing,
    );
    this.width = 0;
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width === this.width) return;
      this.width = width;
      this.draw();
    }).observe(this.element);
  }

  /** @param {Lines} shown */
  show(shown) {
    this.shown = shown;
    this.place = null;
    this.draw();
  }

  draw() {
    if (this.shown === null || this.width === 0) return;
    const { x, lines, isLog, marks = [] } = this.shown;
    const { width, height } = this;
    const across = scaleOf(rangeOf(x), MARGIN.left, width - MARGIN.right, false);
    const seen = lines.flatMap((line) => line.values.filter((value) => isDrawn(value, isLog)));
    const up = scaleOf(rangeOf(seen), height - MARGIN.bottom, MARGIN.top, isLog);
    this.across = across;
    this.up = up;
    this.cursor = svg("g", { class: "plot-cursor" });
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drawing.setAttribute("height", height);
    this.drawing.setAttribute("aria-label", summaryOf(this.title, this.xName, this.shown));
    this.drawing.replaceChildren(
      ...this.grid(across, up, isLog),
      ...marks.flatMap((mark) => markOf(mark, across, height)),
      ...lines.flatMap((line, place) => lineOf(x, line, place, across, up, isLog, width)),
      this.cursor,
    );
    this.read(this.place);
  }

  grid(across, up, isLog) {
    const { width, height } = this;
    const levels = isLog ? logTicks(up.low, up.high) : roundTicks(up.low, up.high, 5);
    const steps = roundTicks(across.low, across.high, Math.max(3, Math.floor(width / 80))).filter(
      Number.isInteger,
    );
    return [
      ...levels.flatMap((level) => [
        svg("line", {
          class: "plot-grid",
          x1: MARGIN.left,
          x2: width - MARGIN.right,
          y1: up.at(level),
          y2: up.at(level),
        }),
        svg(
          "text",
          { class: "plot-tick", x: MARGIN.left - 8, y: up.at(level), dy: "0.32em", "text-anchor": "end" },
          generalNumber(level, 3),
        ),
      ]),
      ...steps.map((step) =>
        svg(
          "text",
          { class: "plot-tick", x: across.at(step), y: height - MARGIN.bottom + 18, "text-anchor": "middle" },
          number(step),
        ),
      ),
    ];
  }

  follow(event) {
    if (this.shown === null || this.shown.x.length === 0) return;
    const left = this.drawing.getBoundingClientRect().left;
    this.read(nearestPlace(this.shown.x, this.across.from(event.clientX - left)));
  }

  step(event) {
    const last = this.shown === null ? -1 : this.shown.x.length - 1;
    const here = this.place ?? last;
    const next = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.read(Math.min(last, Math.max(0, next)));
  }

  /** Write the values at one place beside the names; of the last, where none is asked for. */
  read(place) {
    if (this.shown === null || this.up === undefined) return;
    const { x, lines, isLog } = this.shown;
    const at = place ?? x.length - 1;
    this.place = place;
    this.legend.replaceChildren(
      ...lines.map((line, n) =>
        make(
          "li",
          {},
          swatchOf(n),
          make("span", {}, line.name),
          make("output", {}, number(line.values[at] ?? NaN)),
        ),
      ),
      this.where,
    );
    this.where.textContent = x.length ? `${this.xName} ${number(x[at])}` : "";
    this.cursor.replaceChildren();
    if (place === null) return;
    const where = this.across.at(x[at]);
    this.cursor.append(
      svg("line", { x1: where, x2: where, y1: MARGIN.top, y2: this.height - MARGIN.bottom }),
      ...lines.flatMap((line, n) =>
        isDrawn(line.values[at], isLog)
          ? [svg("circle", { cx: where, cy: this.up.at(line.values[at]), r: 3.5, fill: hueOf(n) })]
          : [],
      ),
    );
  }
}

/**
 * Horizontal bars with their values, as a list.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {{name: string, value: number, text: string|undefined}[]} options.items
 * @param {boolean} [options.isLog] - Whether the length tells the decade.
 * @returns {HTMLElement}
 */
export function barList({ title, items, isLog = false }) {
  const shareOf = sharesOf(
    items.map((item) => Math.abs(item.value)),
    isLog,
  );
  return make(
    "figure",
    { class: "plot" },
    title ? make("figcaption", { class: "plot-head" }, make("h4", {}, title)) : null,
    make(
      "ul",
      { class: "bars" },
      items.map((item) =>
        make(
          "li",
          {},
          make("span", { class: "bar-name" }, item.name),
          make(
            "span",
            { class: "bar-track", "aria-hidden": "true" },
            make("span", {
              class: item.value < 0 ? "bar negative" : "bar",
              style: { width: `${100 * shareOf(Math.abs(item.value))}%` },
            }),
          ),
          make("span", { class: "bar-value" }, item.text ?? number(item.value)),
        ),
      ),
    ),
  );
}

/**
 * Columns side by side: a histogram, or one column a unit.
 *
 * @param {object} options
 * @param {string} options.label - What is seen, for those who can't.
 * @param {number[]} options.heights
 * @param {number} options.highest - The height that fills the drawing.
 * @param {string[]} options.ends - What stands below the first and the last column.
 * @returns {HTMLElement}
 */
export function columnChart({ label, heights, highest, ends }) {
  const [width, height] = [Math.max(heights.length, 1), 40];
  const path = heights.map((one, n) => {
    const top = height - (highest > 0 ? (height * one) / highest : 0);
    return `M${n} ${height}V${top.toFixed(2)}H${n + 1}V${height}`;
  });
  return make(
    "div",
    { class: "columns-plot" },
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
      svg("path", { d: path.join(""), class: "plot-columns" }),
    ),
    make(
      "div",
      { class: "plot-ends", "aria-hidden": "true" },
      ends.map((end) => make("span", {}, end)),
    ),
  );
}

/** Say whether values that are all positive differ so much that a logarithmic axis helps. */
export function wantsLog(values, decades = 1.5) {
  const finite = values.filter((value) => Number.isFinite(value));
  const { low, high } = rangeOf(finite);
  return finite.length > 1 && low > 0 && high > low * 10 ** decades;
}

/** Return the smallest and the largest of some values; from 0 to 1 where there are none. */
export function rangeOf(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : { low: 0, high: 1 };
}

/** Return a small sign in the colour, and with the dashes, of a line. */
export function swatchOf(place) {
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 18 8", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 18, y1: 4, y2: 4, stroke: hueOf(place), "stroke-dasharray": dashesOf(place) }),
  );
}

function dashesOf(place) {
  return DASHES[place % DASHES.length];
}

function isDrawn(value, isLog) {
  return value !== null && Number.isFinite(value) && (!isLog || value > 0);
}

/** Return a linear or logarithmic map from values to pixels, and back. */
function scaleOf({ low, high }, start, end, isLog) {
  const inner = isLog ? Math.log10 : (value) => value;
  const outer = isLog ? (value) => 10 ** value : (value) => value;
  const pad = high > low ? 0 : Math.abs(high) * 0.05 || 0.5;
  const [first, last] = isLog && pad ? [low / 2, high * 2] : [low - pad, high + pad];
  const [from, to] = [inner(first), inner(last)];
  return {
    low: first,
    high: last,
    at: (value) => start + ((end - start) * (inner(value) - from)) / (to - from),
    from: (pixel) => outer(from + ((to - from) * (pixel - start)) / (end - start)),
  };
}

/** Return round numbers between two, about so many. */
function roundTicks(low, high, count) {
  const rough = (high - low) / count;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([1, 2, 5].find((one) => one * decade >= rough) ?? 10);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const factors = decades < 1.2 ? [1, 2, 5] : [1];
  const apart = Math.max(1, Math.ceil(decades / 6));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    if (power % apart !== 0) continue;
    found.push(...factors.map((factor) => factor * 10 ** power));
  }
  return found.filter((one) => one >= low && one <= high);
}

function nearestPlace(x, wanted) {
  let best = 0;
  x.forEach((value, place) => {
    if (Math.abs(value - wanted) < Math.abs(x[best] - wanted)) best = place;
  });
  return best;
}

function lineOf(x, line, place, across, up, isLog, width) {
  const stride = Math.max(1, Math.floor(x.length / (width * POINTS_A_PIXEL)));
  const runs = [[]];
  for (let n = 0; n < x.length; n += n + stride < x.length ? stride : Math.max(1, x.length - 1 - n)) {
    if (isDrawn(line.values[n], isLog)) runs.at(-1).push([across.at(x[n]), up.at(line.values[n])]);
    else if (runs.at(-1).length) runs.push([]);
  }
  return runs
    .filter((run) => run.length)
    .map((run) =>
      run.length === 1
        ? svg("circle", { cx: run[0][0], cy: run[0][1], r: 3, fill: hueOf(place) })
        : svg("polyline", {
            class: "plot-line",
            points: run.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join(" "),
            stroke: hueOf(place),
            "stroke-dasharray": dashesOf(place),
          }),
    );
}

function markOf(mark, across, height) {
  const where = across.at(mark.x);
  const isLeft = where > (across.at(across.low) + across.at(across.high)) / 2;
  return [
    svg("line", { class: "plot-mark", x1: where, x2: where, y1: MARGIN.top, y2: height - MARGIN.bottom }),
    svg(
      "text",
      {
        class: "plot-tick plot-marked",
        x: where + (isLeft ? -6 : 6),
        y: MARGIN.top + 8,
        "text-anchor": isLeft ? "end" : "start",
      },
      mark.text,
    ),
  ];
}

function summaryOf(title, xName, { x, lines, marks = [] }) {
  if (x.length === 0) return say("{title}: nothing to draw yet", { title });
  const parts = lines.map((line) =>
    say("{name} from {first} to {last}", {
      name: line.name || title,
      first: number(line.values[0] ?? NaN),
      last: number(line.values.at(-1) ?? NaN),
    }),
  );
  const range = say("{x} {first} to {last}", { x: xName, first: number(x[0]), last: number(x.at(-1)) });
  return [title, range, ...parts, ...marks.map((mark) => `${mark.text}: ${number(mark.x)}`)].join("; ");
}

function sharesOf(sizes, isLog) {
  const positive = sizes.filter((size) => size > 0 && Number.isFinite(size));
  const { low, high } = rangeOf(positive);
  if (!isLog || positive.length < 2) return (size) => (positive.length ? Math.min(1, size / high) : 0);
  const floor = Math.log10(low) - 0.5;
  return (size) => (size > 0 ? (Math.log10(size) - floor) / (Math.log10(high) - floor) : 0);
}
