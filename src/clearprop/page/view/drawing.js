/**
 * A drawing as strokes of a pen, and as the pixels that a network takes.
 *
 * Lengths are shares of the picture's height. Strokes, not pixels, are what is kept: so the last
 * one can be taken back, and the drawing brought to the size and the place that training pictures
 * have.
 */

/** The width of a pen where no training pictures tell one. */
export const USUAL_PEN = 0.1;

/** The widths of pens that can be drawn with. */
const THINNEST_PEN = 0.05;
const THICKEST_PEN = 0.25;

/** What blur adds to the width of strokes, in pixels. */
const BLUR = 0.25;

/** The least height in pixels at which strokes are drawn, before a recipe makes the picture small. */
const LEAST_HEIGHT = 224;

/** How far from the level of its border a pixel must be, of the range, to belong to a figure. */
const APART = 0.3;

/** The size of figures that keep off the sides, and the length of their strokes, in their sizes. */
const USUAL_EXTENT = 5 / 7;
const STROKES_LENGTH = 2.2;

/** The share of the whole picture's ink that the sides have where figures reach them. */
const REACHING = 0.1;
const LIGHTEST = 255;

/** Training pictures that are looked at. */
const MOST_LOOKED_AT = 200;

/** Strokes of a pen on a sheet. */
export class Drawing {
  /**
   * @param {number} aspect - The width of the sheet, in heights.
   * @param {number} pen - The width of the strokes.
   */
  constructor(aspect, pen) {
    this.aspect = aspect;
    this.pen = pen;
    /** @type {Array<Array<{x: number, y: number}>>} */
    this.strokes = [];
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /** Put the pen down; a stroke of one place is a dot. */
  begin(x, y) {
    this.strokes.push([this.within(x, y)]);
  }

  /** Draw on to a place, if the pen has been put down. */
  drawTo(x, y) {
    this.strokes.at(-1)?.push(this.within(x, y));
  }

  undo() {
    this.strokes.pop();
  }

  clear() {
    this.strokes = [];
  }

  within(x, y) {
    return { x: Math.min(this.aspect, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
  }

  /** Return the box around the middle line of all strokes. */
  box() {
    const every = this.strokes.flat();
    const bounds = (axis) => {
      const values = every.map((place) => place[axis]);
      return values.reduce(
        ([a, b], one) => [Math.min(a, one), Math.max(b, one)],
        [values[0], values[0]],
      );
    };
    const [[left, right], [top, bottom]] = [bounds("x"), bounds("y")];
    return { left, right, top, bottom };
  }

  /**
   * Paint the strokes.
   *
   * @param {HTMLCanvasElement} canvas - Of the sheet's proportions.
   * @param {{ink: string, paper: string}} colours
   * @param {?{x: number, y: number, extent: number}} figure - The middle and the larger side that
   *   the whole drawing is brought to, pen included; null leaves it as it is.
   */
  paint(canvas, { ink, paper }, figure = null) {
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = paper;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (this.isEmpty) return;
    const moved = figure === null ? (place) => place : this.movedTo(figure);
    pen.lineWidth = this.pen * canvas.height;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.strokeStyle = ink;
    for (const stroke of this.strokes) {
      pen.beginPath();
      for (const place of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) {
        const { x, y } = moved(place);
        pen.lineTo(x * canvas.height, y * canvas.height);
      }
      pen.stroke();
    }
  }

  movedTo(figure) {
    const { left, right, top, bottom } = this.box();
    const extent = Math.max(right - left, bottom - top);
    const isDot = extent < this.pen / 2; // which stays one
    const factor = isDot ? 1 : Math.max(0, figure.extent - this.pen) / extent;
    return ({ x, y }) => ({
      x: figure.x + factor * (x - (left + right) / 2),
      y: figure.y + factor * (y - (top + bottom) / 2),
    });
  }
}

/**
 * Return a canvas on which a drawing becomes a picture of some proportions.
 *
 * @param {Array<number>} size - Height and width of the network's pictures.
 */
export function sheetFor([height, width]) {
  const canvas = document.createElement("canvas");
  const factor = Math.max(1, Math.ceil(LEAST_HEIGHT / height));
  canvas.height = factor * height;
  canvas.width = factor * width;
  return canvas;
}

/**
 * Return ink and paper as training pictures have them.
 *
 * @param {?{brightness: Array<number>, border: Array<number>}} likeness - The recipe's look of them.
 */
export function coloursOfPictures(likeness) {
  const isDarkOnLight = likeness !== null && likeness.brightness[0] < likeness.border[0];
  return isDarkOnLight ? { ink: "black", paper: "white" } : { ink: "white", paper: "black" };
}

/**
 * Return where the figures of grey training pictures lie, how large they are, and how thick their
 * strokes, on average.
 *
 * @param {Float64Array} pictures - Shape (n, height, width), 0 to 1.
 * @param {Array<number>} size - Height and width.
 * @returns {?{x: number, y: number, extent: number, pen: number}} Null where no picture has one.
 */
export function figureOfPictures(pictures, [height, width]) {
  const pixels = height * width;
  const count = pictures.length / pixels;
  const step = Math.max(1, Math.floor(count / MOST_LOOKED_AT));
  let [x, y, extent, pen, found] = [0, 0, 0, 0, 0];
  for (let n = 0; n < count; n += step) {
    const picture = pictures.subarray(n * pixels, (n + 1) * pixels);
    const paper = paperOf(picture, height, width);
    const box = boxOfFigure(picture, paper, height, width);
    if (box === null) continue;
    found += 1;
    x += (box.left + box.right) / 2;
    y += (box.top + box.bottom) / 2;
    extent += Math.max(box.right - box.left, box.bottom - box.top);
    pen += strokeWidth(picture, paper, height, width) / height;
  }
  if (found === 0) return null;
  return {
    x: x / found,
    y: y / found,
    extent: extent / found,
    pen: Math.min(THICKEST_PEN, Math.max(THINNEST_PEN, pen / found)),
  };
}

/**
 * Return where the figures of training pictures may lie, of which nothing but their look is known.
 *
 * Figures whose ink reaches the sides fill the picture; others have the margin of MNIST's. Then the
 * pen is as wide as it takes to leave as much ink as the training pictures have.
 *
 * @param {?{brightness: Array<number>, border: Array<number>}} likeness
 * @param {Array<number>} size - Height and width.
 * @returns {?{x: number, y: number, extent: number, pen: number}} Null where nobody has looked.
 */
export function guessedFigure(likeness, [height, width]) {
  if (likeness === null) return null;
  const paper = coloursOfPictures(likeness).paper === "white" ? LIGHTEST : 0;
  const inkOf = ([level]) => Math.abs(level - paper) / LIGHTEST;
  const ink = inkOf(likeness.brightness);
  const extent = inkOf(likeness.border) > REACHING * ink ? 1 : USUAL_EXTENT;
  const pen = (ink * width) / height / (STROKES_LENGTH * extent);
  return {
    x: width / height / 2,
    y: 0.5,
    extent,
    pen: Math.min(THICKEST_PEN, Math.max(THINNEST_PEN, pen)),
  };
}

/** The level of what is drawn on: the median along the sides. */
function paperOf(picture, height, width) {
  const border = [];
  const isBorder = (row, column) =>
    row === 0 || column === 0 || row === height - 1 || column === width - 1;
  for (let i = 0; i < picture.length; i++) {
    if (isBorder(Math.floor(i / width), i % width)) border.push(picture[i]);
  }
  return border.sort((a, b) => a - b)[border.length >> 1];
}

/** The width of strokes in pixels: a long one has twice its area over its edge, which both sides are. */
function strokeWidth(picture, paper, height, width) {
  const ink = (row, column) =>
    row < 0 || column < 0 || row >= height || column >= width
      ? 0
      : Math.abs(picture[row * width + column] - paper);
  let [area, edge] = [0, 0];
  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const here = ink(row, column);
      area += here;
      edge += Math.hypot(ink(row, column + 1) - here, ink(row + 1, column) - here);
    }
  }
  return edge > 0 ? (2 * area) / edge - BLUR : 0;
}

function boxOfFigure(picture, paper, height, width) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (let i = 0; i < picture.length; i++) {
    if (Math.abs(picture[i] - paper) < APART) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    box.left = Math.min(box.left, column / height);
    box.right = Math.max(box.right, (column + 1) / height);
    box.top = Math.min(box.top, row / height);
    box.bottom = Math.max(box.bottom, (row + 1) / height);
  }
  return box.left < Infinity ? box : null;
}
