/** The plane as a picture: what is answered everywhere, the points on it, and points by hand. */

import { make, number, setStyle } from "./dom.js";
import { drawPlanePoints, paintClasses, paintNumbers, planeHues } from "./plane.js";
import { onOtherColours } from "./pictures.js";

/** The part of a side that an arrow key moves the cross. */
const CROSS_STEP = 0.04;

const CROSS_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * What a plane shows.
 *
 * @typedef {Object} PlaneScene
 * @property {import("./plane.js").Plane} plane
 * @property {Array<string>} names - Of both features.
 * @property {Float64Array} x - The points, shape (n, 2).
 * @property {function(number): number} kindOf - The class of a point; its value, -1 to 1, else.
 * @property {boolean} areValues
 * @property {?function(number): number} shade - Brings an answered value to -1 to 1.
 * @property {function(number): boolean} isHollow - Whether a point is not learned from.
 * @property {boolean} [hasHollow] - Whether one is.
 * @property {string} label - What is seen, for those who can't.
 */
export class PlaneView {
  /**
   * @param {?function(Array<number>, boolean): void} pressed - Told the place that was clicked, or
   *   where the cross of the arrow keys is, and whether a point there is to go; null where points
   *   can't be changed.
   */
  constructor(pressed = null) {
    this.pressed = pressed;
    /** Told every place that the pointer or the cross is at. */
    this.moved = null;
    this.cross = [0.5, 0.5];
    /** @type {?PlaneScene} */
    this.scene = null;
    this.hues = planeHues();
    this.answers = make("canvas", { class: "plane-answers", "aria-hidden": "true" });
    this.points = make("canvas", { class: "plane-points", "aria-hidden": "true" });
    this.mark = make("div", { class: "plane-cross", hidden: true });
    this.field = make(
      "div",
      { class: "plane", role: "application", tabindex: 0 },
      this.answers,
      this.points,
      this.mark,
    );
    this.ends = ["left", "right", "bottom", "top"].map((side) =>
      make("span", { class: `plane-${side}` }),
    );
    this.axes = ["across", "up"].map((axis) => make("span", { class: `plane-${axis}` }));
    this.element = make("div", { class: "plane-box" }, this.field, this.ends, this.axes);
    for (const [name, told] of [
      ["click", (event) => this.press(event)],
      ["pointermove", (event) => this.moved?.(this.placeOf(event))],
      ["keydown", (event) => this.key(event)],
      ["blur", () => (this.mark.hidden = true)],
    ]) {
      this.field.addEventListener(name, told);
    }
    onOtherColours(this.field, () => this.recolour());
    new ResizeObserver(() => this.drawPoints()).observe(this.field);
  }

  /** Show other points, or another part of the plane. */
  show(scene) {
    this.scene = scene;
    const { low, high } = scene.plane;
    [low[0], high[0], low[1], high[1]].forEach(
      (end, at) => (this.ends[at].textContent = number(end, 3)),
    );
    scene.names.forEach((name, axis) => (this.axes[axis].textContent = name));
    this.label(scene.label);
    this.drawPoints();
  }

  label(text) {
    this.field.setAttribute("aria-label", text);
  }

  /** Paint the probabilities of classes at the points of a grid, shape (side * side, K). */
  paintShares(shares, side) {
    this.repaint = () => paintClasses(this.sized(side), shares, this.hues);
    this.repaint();
  }

  /** Paint numbers from -1 to 1 at the points of a grid. */
  paintValues(valueAt, side) {
    this.repaint = () => paintNumbers(this.sized(side), valueAt, this.hues);
    this.repaint();
  }

  /** The layers of the picture, as a file of it has them. */
  get layers() {
    return [this.answers, this.points];
  }

  sized(side) {
    if (this.answers.width !== side) this.answers.width = this.answers.height = side;
    return this.answers;
  }

  recolour() {
    this.hues = planeHues();
    this.repaint?.();
    this.drawPoints();
  }

  drawPoints() {
    if (this.scene === null || this.field.clientWidth === 0) return;
    const { plane, x, kindOf, areValues, isHollow } = this.scene;
    drawPlanePoints(this.points, plane, x, kindOf, this.hues, { areValues, isHollow });
  }

  press(event) {
    const place = this.placeOf(event);
    this.cross = place.map((value, axis) => this.scene.plane.share(axis, value));
    this.pressed?.(place, event.shiftKey);
  }

  placeOf(event) {
    const box = this.field.getBoundingClientRect();
    const shares = [
      (event.clientX - box.left) / box.width,
      1 - (event.clientY - box.top) / box.height,
    ];
    return shares.map((share, axis) => this.scene.plane.at(axis, share));
  }

  key(event) {
    const move = CROSS_MOVES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move) this.moveCross(move);
    else if (this.pressed === null) return;
    else if (event.key === "Enter" || event.key === " ") this.pressed(this.place(), false);
    else if (event.key === "Delete" || event.key === "Backspace") this.pressed(this.place(), true);
    else return;
    event.preventDefault();
    this.mark.hidden = false;
    setStyle(this.mark, { left: `${100 * this.cross[0]}%`, bottom: `${100 * this.cross[1]}%` });
  }

  moveCross(move) {
    this.cross = this.cross.map((share, axis) => shareWithin(share + move[axis] * CROSS_STEP));
    this.moved?.(this.place());
  }

  place() {
    return this.cross.map((share, axis) => this.scene.plane.at(axis, share));
  }
}

function shareWithin(share) {
  return Math.min(1, Math.max(0, share));
}
