/** A matrix as a heat map, of which every entry can be picked by pointer, keys or its number. */

import { make, number, setStyle } from "./dom.js";
import { onOtherColours, paintSigned } from "./pictures.js";
import { rangeOf } from "./plot.js";
import { say } from "./words.js";

const LARGEST_CELL = 20; // pixels
const TALLEST = 380;
const SHORTEST = 22;
const MOST_POINTS_A_SIDE = 2048; // of a canvas

/**
 * @typedef {object} Matrix
 * @property {number} rows
 * @property {number} columns
 * @property {ArrayLike<number>} values - Row after row.
 * @property {string} symbol - What formulas call it: "W".
 * @property {function(number, number): string} nameOf - The name of an entry: "W[3,5]".
 */
export class HeatMap {
  /** @param {function(number, number): void} picked - Told the row and column that was picked. */
  constructor(picked) {
    this.picked = picked;
    /** @type {Matrix|null} */
    this.shown = null;
    this.at = [0, 0];
    this.canvas = make("canvas", { class: "heat" });
    this.mark = make("div", { class: "heat-mark", hidden: true });
    this.readout = make("output", { class: "heat-readout mono" });
    this.field = make(
      "div",
      {
        class: "heat-field",
        tabindex: 0,
        role: "application",
        onpointermove: (event) => this.move(...this.placeOf(event)),
        onclick: (event) => this.pick(...this.placeOf(event)),
        onkeydown: (event) => this.key(event),
      },
      this.canvas,
      this.mark,
    );
    this.element = make("div", { class: "heat-map" }, this.field, this.readout);
    onOtherColours(this.canvas, () => this.paint());
  }

  /** @param {Matrix} matrix */
  show(matrix) {
    this.shown = matrix;
    const { rows, columns, symbol } = matrix;
    this.at = [Math.min(this.at[0], rows - 1), Math.min(this.at[1], columns - 1)];
    const cell = Math.max(1, Math.min(LARGEST_CELL, TALLEST / rows));
    const wanted = Math.max(
      columns * Math.min(LARGEST_CELL, Math.max(cell, 4)),
      Math.min(160, columns * LARGEST_CELL),
    );
    const height = Math.max(SHORTEST, Math.min(TALLEST, rows * cell));
    setStyle(this.field, { width: `min(100%, ${Math.round(wanted)}px)`, height: `${Math.round(height)}px` });
    this.canvas.classList.toggle("fine", rows > height || columns > 700);
    this.field.setAttribute(
      "aria-label",
      say("{symbol}, {rows} rows and {columns} columns: arrow keys move, Enter opens an entry", {
        symbol,
        rows,
        columns,
      }),
    );
    this.paint();
    this.read();
  }

  paint() {
    if (this.shown === null) return;
    const { rows, columns, values } = this.shown;
    const [across, down] = [columns, rows].map((size) => Math.ceil(size / MOST_POINTS_A_SIDE));
    const [width, height] = [Math.ceil(columns / across), Math.ceil(rows / down)];
    this.canvas.width = width;
    this.canvas.height = height;
    const { low, high } = rangeOf(values);
    const valueAt = (n) => {
      const row = Math.floor(n / width) * down;
      const column = (n % width) * across;
      return across * down === 1
        ? values[n]
        : blockMean(this.shown, row, Math.min(rows, row + down), column, Math.min(columns, column + across));
    };
    paintSigned(this.canvas, valueAt, Math.max(Math.abs(low), Math.abs(high)));
  }

  placeOf(event) {
    const { rows, columns } = this.shown;
    const box = this.canvas.getBoundingClientRect();
    const place = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    return [
      place((event.clientY - box.top) / box.height, rows),
      place((event.clientX - box.left) / box.width, columns),
    ];
  }

  key(event) {
    const [row, column] = this.at;
    const { rows, columns } = this.shown;
    const moves = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, columns - 1],
      PageUp: [0, column],
      PageDown: [rows - 1, column],
    };
    if (event.key === "Enter" || event.key === " ") this.pick(row, column);
    else if (moves[event.key]) this.move(...moves[event.key]);
    else return;
    event.preventDefault();
  }

  move(row, column) {
    const { rows, columns } = this.shown;
    this.at = [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(columns - 1, column))];
    this.read();
  }

  pick(row, column) {
    this.move(row, column);
    this.picked(row, column);
  }

  read() {
    const { rows, columns, values, nameOf } = this.shown;
    const [row, column] = this.at;
    this.mark.hidden = false;
    setStyle(this.mark, {
      left: `${(100 * column) / columns}%`,
      top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`,
      height: `${100 / rows}%`,
    });
    this.readout.textContent = `${nameOf(row, column)} = ${number(values[row * columns + column])}`;
  }
}

function blockMean({ columns, values }, top, bottom, left, right) {
  let total = 0;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) total += values[row * columns + column];
  }
  return total / ((bottom - top) * (right - left));
}
