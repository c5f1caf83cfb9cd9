/** The plane of two features: the points of a grid, and what is answered there, as colours. */

import { coloursOf } from "./pictures.js";

/** The hues of classes that the page has. */
const PLANE_HUES = 10;

/** The share of a hue in the colour of what is certain; points have all of it. */
const CERTAIN_SHARE = 0.5;

/** The share of the points' extent that the plane goes on beyond them. */
const PLANE_MARGIN = 0.12;

/** The radius of points, in pixels of the page: of few, and of many. */
const LARGE_POINT = 5;
const SMALL_POINT = 3.2;
const FEW_POINTS = 60;

const FULL_TURN = 2 * Math.PI;

/** A rectangle of the plane, and the points of a grid in it, row by row from the top. */
export class Plane {
  /**
   * @param {Array<number>} low - The least of both features.
   * @param {Array<number>} high - The largest.
   */
  constructor(low, high) {
    this.low = low;
    this.high = high;
  }

  /**
   * Return the plane around some points; a square around nothing.
   *
   * @param {Float64Array} x - Shape (n, 2).
   */
  static around(x) {
    if (x.length === 0) return new Plane([-1, -1], [1, 1]);
    const low = [Infinity, Infinity];
    const high = [-Infinity, -Infinity];
    for (let i = 0; i < x.length; i++) {
      low[i % 2] = Math.min(low[i % 2], x[i]);
      high[i % 2] = Math.max(high[i % 2], x[i]);
    }
    const margins = low.map((least, axis) => PLANE_MARGIN * (high[axis] - least) || 1);
    return new Plane(
      low.map((least, axis) => least - margins[axis]),
      high.map((most, axis) => most + margins[axis]),
    );
  }

  /**
   * Return the middles of side x side cells.
   *
   * @param {number} side
   * @returns {Float64Array} Shape (side * side, 2).
   */
  grid(side) {
    const points = new Float64Array(2 * side * side);
    for (let row = 0, i = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        points[i++] = this.at(0, (column + 0.5) / side);
        points[i++] = this.at(1, 1 - (row + 0.5) / side);
      }
    }
    return points;
  }

  /** Return the number at a share of the way along an axis. */
  at(axis, share) {
    return this.low[axis] + share * (this.high[axis] - this.low[axis]);
  }

  /** Return the share of the way along an axis at which a number lies. */
  share(axis, value) {
    return (value - this.low[axis]) / (this.high[axis] - this.low[axis]);
  }
}

/**
 * Read the colours in which the page shows the plane.
 *
 * @returns {{paper: Array<number>, classes: Array<Array<number>>}} Red, green and blue of each, 0 to
 *   255.
 */
export function planeHues() {
  const names = Array.from({ length: PLANE_HUES }, (_, at) => `--class-${at}`);
  const [paper, ...classes] = coloursOf(document.documentElement, "--sheet", ...names);
  return { paper, classes };
}

/**
 * Paint the answers at a grid's points: a class's hue, paler where another is as likely.
 *
 * @param {HTMLCanvasElement} canvas - Whose pixels become the grid's points.
 * @param {Float64Array} shares - Shape (side * side, K), the probabilities of K classes, 2 or more.
 * @param {Object} hues - From `planeHues`.
 */
export function paintClasses(canvas, shares, hues) {
  const side = canvas.width;
  const count = shares.length / (side * side);
  paintCells(canvas, (place, pixels, i) => {
    let [first, second, most] = [-1, -1, 0];
    for (let k = 0; k < count; k++) {
      const share = shares[place * count + k];
      if (share > first) [first, second, most] = [share, first, k];
      else if (share > second) second = share;
    }
    blendHue(pixels, i, hues.paper, hues.classes[most % hues.classes.length], first - second);
  });
}

/**
 * Paint numbers at a grid's points: the first hue below zero, the second above, paper at zero.
 *
 * @param {HTMLCanvasElement} canvas - Whose pixels become the grid's points.
 * @param {function(number): number} valueAt - The number at a place, -1 to 1; beyond is as the end.
 * @param {Object} hues - From `planeHues`.
 */
export function paintNumbers(canvas, valueAt, hues) {
  paintCells(canvas, (place, pixels, i) => {
    const value = valueAt(place);
    const hue = value < 0 ? hues.classes[0] : hues.classes[1];
    blendHue(pixels, i, hues.paper, hue, Math.min(1, Math.abs(value)));
  });
}

/**
 * Draw points over a picture of the plane, each class in a hue and a form of its own.
 *
 * @param {HTMLCanvasElement} canvas - It is cleared, and gets as many pixels as the screen has.
 * @param {Plane} plane
 * @param {Float64Array} x - Shape (n, 2).
 * @param {function(number): number} kindOf - The class of a point; or -1 to 1, where `areValues`.
 * @param {Object} hues - From `planeHues`.
 * @param {{areValues: boolean, isHollow: function(number): boolean}} options - Hollow points are those
 *   that are not learned from.
 */
export function drawPlanePoints(
  canvas,
  plane,
  x,
  kindOf,
  hues,
  { areValues = false, isHollow } = {},
) {
  const scale = fitToScreen(canvas);
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.lineWidth = scale;
  const count = x.length / 2;
  const radius = scale * (count > FEW_POINTS ? SMALL_POINT : LARGE_POINT);
  for (let n = 0; n < count; n++) {
    const kind = kindOf(n);
    const across = plane.share(0, x[2 * n]) * canvas.width;
    const down = (1 - plane.share(1, x[2 * n + 1])) * canvas.height;
    pen.beginPath();
    tracePoint(pen, areValues ? 0 : kind, across, down, radius);
    const hue = areValues ? hueOfValue(hues, kind) : hues.classes[kind % hues.classes.length];
    pen.fillStyle = isHollow?.(n) ? cssColour(hues.paper) : cssColour(hue);
    pen.strokeStyle = isHollow?.(n) ? cssColour(hue) : cssColour(hues.paper);
    pen.fill();
    pen.stroke();
  }
}

/** Give a canvas the pixels of the screen that it covers; return how many there are to one. */
export function fitToScreen(canvas) {
  const scale = Math.min(3, window.devicePixelRatio || 1);
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return scale;
}

/** Trace the form of a class's points around a place: a disc, a square, a triangle, a diamond. */
function tracePoint(pen, kind, x, y, radius) {
  const corners = [0, 4, 3, 4, 6][kind % 5];
  if (corners === 0) {
    pen.arc(x, y, radius, 0, FULL_TURN);
    return;
  }
  const first = kind % 5 === 1 ? FULL_TURN / 8 : -FULL_TURN / 4; // a square stands on a side
  for (let corner = 0; corner < corners; corner++) {
    const angle = first + (corner / corners) * FULL_TURN;
    pen.lineTo(x + 1.15 * radius * Math.cos(angle), y + 1.15 * radius * Math.sin(angle));
  }
  pen.closePath();
}

/** Write red, green and blue as a style does. */
export function cssColour([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

function paintCells(canvas, put) {
  const pen = canvas.getContext("2d");
  const image = imageOfCells(canvas, pen);
  for (let place = 0; place < canvas.width * canvas.height; place++) {
    put(place, image.data, 4 * place);
    image.data[4 * place + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
}

/** The pixels of a canvas: sixty new ones a second would keep the garbage collector busy. */
function imageOfCells(canvas, pen) {
  const { width, height } = canvas;
  const kept = cellImages.get(canvas);
  if (kept?.width === width && kept.height === height) return kept;
  const image = pen.createImageData(width, height);
  cellImages.set(canvas, image);
  return image;
}

/** @type {WeakMap<HTMLCanvasElement, ImageData>} */
const cellImages = new WeakMap();

function blendHue(pixels, i, paper, hue, strength) {
  const share = CERTAIN_SHARE * strength;
  for (let channel = 0; channel < 3; channel++) {
    pixels[i + channel] = paper[channel] + share * (hue[channel] - paper[channel]);
  }
}

function hueOfValue({ paper, classes }, value) {
  const hue = value < 0 ? classes[0] : classes[1];
  const share = Math.min(1, Math.abs(value));
  return paper.map((from, channel) => Math.round(from + share * (hue[channel] - from)));
}
