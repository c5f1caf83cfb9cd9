/** The network of a playground: each unit as a picture of the plane, weights as lines between. */

import { make } from "./dom.js";
import { cssColour, fitToScreen, paintNumbers, planeHues } from "./plane.js";
import { onOtherColours } from "./pictures.js";
import { say } from "./words.js";

/** Units of a layer that are drawn; those below are counted. */
const MOST_DRAWN = 8;

const LARGEST_TILE = 40; // pixels of the page
const TILE_GAP = 8;
const COLUMN_SHARE = 0.62; // of a column's width that a picture may take
const THICKEST = 4;
const NAMES_OF_LAYERS = 18; // the height of the layers' names

/**
 * A column of the drawing.
 *
 * @typedef {Object} UnitColumn
 * @property {string} name
 * @property {number} units
 * @property {?{data: Float64Array, shape: Array<number>}} weights - From the column before.
 * @property {function(number, number): number} valueAt - What a unit gives at a place of the grid.
 */
export class UnitsView {
  /**
   * @param {function(number, number): void} picked - Told the column and the unit that is clicked.
   */
  constructor(picked) {
    this.picked = picked;
    this.hues = planeHues();
    this.canvas = make("canvas", {
      class: "units",
      role: "img",
      onclick: (event) => this.click(event),
    });
    this.tile = make("canvas");
    this.element = this.canvas;
    /** @type {Array<UnitColumn>} */
    this.columns = [];
    this.chosen = null;
    onOtherColours(this.canvas, () => {
      this.hues = planeHues();
      this.draw();
    });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /**
   * @param {Array<UnitColumn>} columns - From the inputs to the answer.
   * @param {number} side - Of the grid of the plane.
   * @param {?{column: number, unit: number}} chosen - The unit that is shown large.
   */
  show(columns, side, chosen) {
    const tallest = Math.max(...columns.map(({ units }) => Math.min(units, MOST_DRAWN)));
    const sizes = columns.map(({ units }) => units);
    this.columns = columns;
    this.chosen = chosen;
    if (this.tile.width !== side) this.tile.width = this.tile.height = side;
    const height = `${NAMES_OF_LAYERS + tallest * (LARGEST_TILE + TILE_GAP) + NAMES_OF_LAYERS}px`;
    if (this.canvas.style.height !== height) this.canvas.style.height = height;
    if (String(sizes) !== this.sizes) {
      this.sizes = String(sizes);
      this.canvas.setAttribute(
        "aria-label",
        say(
          "The network: layers of {sizes} units, each as a picture of what it gives on the plane",
          {
            sizes: sizes.join(", "),
          },
        ),
      );
    }
    this.draw();
  }

  draw() {
    if (this.columns.length === 0 || this.canvas.clientWidth === 0) return;
    const scale = fitToScreen(this.canvas);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    const style = getComputedStyle(this.canvas);
    pen.font = `12px ${style.fontFamily}`;
    pen.textAlign = "center";
    this.columns.forEach((column, at) => at > 0 && this.drawWeights(pen, column, at));
    this.columns.forEach((column, at) => this.drawColumn(pen, column, at, style.color));
  }

  drawWeights(pen, { units, weights }, at) {
    if (weights === null) return;
    const before = Math.min(this.columns[at - 1].units, MOST_DRAWN);
    const largest = weights.data.reduce((most, one) => Math.max(most, Math.abs(one)), 0) || 1;
    const tile = this.tileSize();
    for (let unit = 0; unit < Math.min(units, MOST_DRAWN); unit++) {
      const to = this.middleOf(at, unit);
      for (let input = 0; input < before; input++) {
        const weight = weights.data[input * weights.shape[1] + unit] / largest;
        const from = this.middleOf(at - 1, input);
        const [start, end] = [from.x + tile / 2, to.x - tile / 2];
        const bend = (start + end) / 2;
        pen.beginPath();
        pen.moveTo(start, from.y);
        pen.bezierCurveTo(bend, from.y, bend, to.y, end, to.y);
        pen.lineWidth = 0.4 + THICKEST * Math.abs(weight);
        pen.globalAlpha = 0.15 + 0.7 * Math.abs(weight);
        pen.strokeStyle = cssColour(this.hues.classes[weight < 0 ? 0 : 1]);
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
  }

  drawColumn(pen, { name, units, valueAt }, at, ink) {
    const tile = this.tileSize();
    const drawn = Math.min(units, MOST_DRAWN);
    pen.fillStyle = ink;
    pen.fillText(name, this.middleOf(at, 0).x, NAMES_OF_LAYERS - 6);
    for (let unit = 0; unit < drawn; unit++) {
      const { x, y } = this.middleOf(at, unit);
      paintNumbers(this.tile, (place) => valueAt(unit, place), this.hues);
      pen.drawImage(this.tile, x - tile / 2, y - tile / 2, tile, tile);
      const isChosen = this.chosen?.column === at && this.chosen.unit === unit;
      pen.lineWidth = isChosen ? 2.5 : 1;
      pen.globalAlpha = isChosen ? 1 : 0.35;
      pen.strokeStyle = ink;
      pen.strokeRect(x - tile / 2, y - tile / 2, tile, tile);
      pen.globalAlpha = 1;
    }
    if (units === drawn) return;
    const { x, y } = this.middleOf(at, drawn - 1);
    pen.fillText(
      say("+ {count}", { count: units - drawn }),
      x,
      y + LARGEST_TILE / 2 + TILE_GAP + 6,
    );
  }

  tileSize() {
    const column = this.canvas.clientWidth / this.columns.length;
    return Math.min(LARGEST_TILE, Math.floor(COLUMN_SHARE * column));
  }

  middleOf(column, unit) {
    const width = this.canvas.clientWidth / this.columns.length;
    return {
      x: (column + 0.5) * width,
      y: NAMES_OF_LAYERS + (unit + 0.5) * (LARGEST_TILE + TILE_GAP),
    };
  }

  click(event) {
    const box = this.canvas.getBoundingClientRect();
    const tile = this.tileSize() / 2;
    this.columns.forEach(({ units }, column) => {
      for (let unit = 0; unit < Math.min(units, MOST_DRAWN); unit++) {
        const { x, y } = this.middleOf(column, unit);
        const isIn = (far) => Math.abs(far) <= tile;
        if (isIn(event.clientX - box.left - x) && isIn(event.clientY - box.top - y)) {
          this.picked(column, unit);
        }
      }
    });
  }
}
