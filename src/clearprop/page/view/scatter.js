/** Points in the plane, coloured and shaped by class, or coloured by value; one can be picked. */

import { make, number, setStyle, svg } from "./dom.js";
import { coloursOf, onOtherColours } from "./pictures.js";
import { hueOf, rangeOf } from "./plot.js";
import { say } from "./words.js";

const AROUND = 14; // pixels around the points
const RADIUS = 4;
const REACH = 14; // pixels within which a point is picked
const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
const HUES = 10;
const MOST_IN_LEGEND = 30; // classes: of more, those are named that points are of
const OUTLYING = 0.02; // the share of values at either end that share its colour

/**
 * @typedef {object} Points
 * @property {[number, number][]} points
 * @property {number[]} kinds - The class of each; 0 where there are none.
 * @property {string[]} names - Of the classes; empty where there are none.
 * @property {?number[]} [values] - Of points without classes: by these they are coloured.
 * @property {string} label - What is seen, for those who can't.
 * @property {function(number): string} nameOf - What a point is.
 * @property {number|null} chosen - The point that is marked.
 * @property {boolean} [isAgainst] - Whether both axes have one scale, and a line where they are equal.
 */
export class Scatter {
  /** @param {function(number): void} picked - Told the place of the point that was picked. */
  constructor(picked) {
    this.picked = picked;
    /** @type {Points|null} */
    this.shown = null;
    this.alone = null; // the class that stands out
    this.canvas = make("canvas", {
      class: "scatter",
      role: "img",
      onpointermove: (event) => this.read(this.nearestTo(event)),
      onpointerleave: () => this.read(null),
      onclick: (event) => this.pick(this.nearestTo(event)),
    });
    this.legend = make("ul", { class: "legend scatter-legend" });
    this.readout = make("output", { class: "scatter-readout small faint" });
    this.element = make("figure", { class: "plot" }, this.legend, this.canvas, this.readout);
    this.size = [0, 0];
    new ResizeObserver(([entry]) => {
      const { width } = entry.contentRect;
      this.size = [width, Math.min(420, Math.max(240, width * 0.62))];
      setStyle(this.canvas, { height: `${this.size[1]}px` });
      this.draw();
    }).observe(this.element);
    onOtherColours(this.canvas, () => this.draw());
  }

  /** @param {Points} shown */
  show(shown) {
    this.shown = shown;
    this.canvas.setAttribute("aria-label", shown.label);
    this.ends = shown.values ? usualEnds(shown.values) : null;
    this.legend.replaceChildren(...this.legendItems());
    this.draw();
    this.read(null);
  }

  legendItems() {
    const { kinds, names } = this.shown;
    if (this.ends !== null) return [scaleOfColours(this.ends)];
    const every = [...names.keys()];
    const named = names.length > MOST_IN_LEGEND ? every.filter((kind) => kinds.includes(kind)) : every;
    const items = named.slice(0, MOST_IN_LEGEND).map((kind) =>
      make(
        "li",
        {},
        make(
          "button",
          {
            type: "button",
            class: "plain",
            "aria-pressed": String(this.alone === kind),
            onclick: (event) => this.choose(kind, event.currentTarget),
          },
          markOfKind(kind),
          names[kind],
        ),
      ),
    );
    const more = named.length - items.length;
    return more > 0 ? [...items, make("li", {}, say("and {more} more", { more }))] : items;
  }

  choose(kind, button) {
    this.alone = this.alone === kind ? null : kind;
    for (const other of this.legend.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(this.alone === kind));
    this.draw();
  }

  draw() {
    const [width, height] = this.size;
    if (this.shown === null || width === 0) return;
    const scale = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    const { points, kinds, chosen } = this.shown;
    const ranges = [0, 1].map((axis) => rangeOf(points.map((point) => point[axis])));
    const [x, y] = this.shown.isAgainst ? ranges.map(() => rangeOf(points.flat())) : ranges;
    const place = (value, { low, high }, size) =>
      AROUND + ((size - 2 * AROUND) * (value - low)) / (high - low || 1);
    this.drawn = points.map(([a, b]) => [place(a, x, width), height - place(b, y, height)]);
    const styles = getComputedStyle(this.canvas);
    if (this.shown.isAgainst) {
      context.strokeStyle = styles.getPropertyValue("--faint");
      context.beginPath();
      context.moveTo(AROUND, height - AROUND);
      context.lineTo(width - AROUND, AROUND);
      context.stroke();
    }
    const hues = Array.from({ length: HUES }, (_, n) => styles.getPropertyValue(`--class-${n}`));
    const mixed = this.ends === null ? null : mixedHue(this.canvas, this.ends);
    const order = [...points.keys()].sort((a, b) => (this.isFaded(a) < this.isFaded(b) ? 1 : -1));
    for (const n of order) {
      context.globalAlpha = this.isFaded(n) ? 0.12 : 0.8;
      context.fillStyle = mixed ? mixed(this.shown.values[n]) : hues[kinds[n] % HUES];
      tracePath(context, SHAPES[Math.floor(kinds[n] / HUES) % SHAPES.length], ...this.drawn[n], RADIUS);
      context.fill();
    }
    if (chosen === null || this.drawn[chosen] === undefined) return;
    context.globalAlpha = 1;
    context.strokeStyle = styles.getPropertyValue("--ink");
    context.lineWidth = 2;
    tracePath(context, "circle", ...this.drawn[chosen], RADIUS + 4);
    context.stroke();
  }

  isFaded(n) {
    return this.alone !== null && this.shown.kinds[n] !== this.alone;
  }

  nearestTo(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    let least = REACH;
    (this.drawn ?? []).forEach(([a, b], n) => {
      const far = Math.hypot(a - x, b - y);
      if (far < least) [best, least] = [n, far];
    });
    return best;
  }

  pick(place) {
    if (place !== null) this.picked(place);
  }

  read(place) {
    if (this.shown === null) return;
    const { nameOf, points, chosen } = this.shown;
    const said = place ?? chosen;
    this.readout.textContent =
      said === null || points[said] === undefined
        ? say("{count} points", { count: points.length })
        : `${nameOf(said)}: ${points[said].map((one) => number(one)).join(", ")}`;
  }
}

/** Return the two numbers between which all values lie but a few. */
function usualEnds(values) {
  const ordered = Float64Array.from(values).sort();
  const at = Math.floor(OUTLYING * ordered.length);
  return { low: ordered[at], high: ordered[ordered.length - 1 - at] };
}

/** Return what gives a value its colour: from the one hue at the low end to the other at the high. */
function mixedHue(element, { low, high }) {
  const [from, to] = coloursOf(element, "--one", "--two");
  return (value) => {
    const share = Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
    return `rgb(${from.map((channel, at) => Math.round(channel + share * (to[at] - channel))).join(" ")})`;
  };
}

function scaleOfColours({ low, high }) {
  return make(
    "li",
    { class: "colour-scale" },
    `≤ ${number(low)}`,
    make("span", { class: "colour-scale-bar", "aria-hidden": "true" }),
    `≥ ${number(high)}`,
  );
}

function markOfKind(kind) {
  const shape = SHAPES[Math.floor(kind / HUES) % SHAPES.length];
  const path = { circle: "M5 1A4 4 0 1 1 4.99 1Z", square: "M1 1H9V9H1Z", triangle: "M5 1L9 9H1Z" }[shape];
  return svg(
    "svg",
    { class: "swatch-point", viewBox: "0 0 10 10", "aria-hidden": "true" },
    svg("path", {
      d: path ?? (shape === "diamond" ? "M5 0L10 5L5 10L0 5Z" : "M3 0H7V3H10V7H7V10H3V7H0V3H3Z"),
      fill: hueOf(kind),
    }),
  );
}

function tracePath(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === "cross") {
    context.rect(x - r, y - r / 3, 2 * r, (2 * r) / 3);
    context.rect(x - r / 3, y - r, (2 * r) / 3, 2 * r);
  } else {
    const corners = shape === "triangle" ? [-90, 30, 150] : [-90, 0, 90, 180];
    corners.forEach((degrees, n) => {
      const turn = (degrees * Math.PI) / 180;
      const corner = [x + r * Math.cos(turn), y + r * Math.sin(turn)];
      if (n === 0) context.moveTo(...corner);
      else context.lineTo(...corner);
    });
    context.closePath();
  }
}
