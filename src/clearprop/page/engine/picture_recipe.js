/** The recipes of pictures and of arrays of numbers. */

import { resizedPicture } from "./resizing.js";
import { sizeOf } from "./trace.js";

const WHITE_LEVEL = 255;

/** The values between which pictures of more than 8 bits were spread; browsers decode to 8. */
export class Depth {
  constructor({ black, white }) {
    this.black = black;
    this.white = white;
  }
}

/** The look of training pictures, in levels of 0 to 255: mean and deviation over pictures. */
export class Likeness {
  constructor({ brightness, border, contrast, saturation, grey }) {
    Object.assign(this, { brightness, border, contrast, saturation, grey });
  }
}

/** Pictures of one size, from 0..255 to 0..1. */
export class PictureRecipe {
  constructor({ size, channels, depth = null, likeness = null }) {
    if (size.length !== 2 || !(channels === 1 || channels === 3)) {
      throw new Error(
        `Pictures of size [${size}] with ${channels} channels can't be; expected 1 or 3 channels.`,
      );
    }
    Object.assign(this, { size, channels, depth, likeness });
  }

  /** The shape (H, W, 3), or (H, W) for grey. */
  get inputShape() {
    return this.channels === 1 ? this.size : [...this.size, this.channels];
  }

  /** None: pixels have no names. */
  get inputNames() {
    return [];
  }

  /**
   * Bring pictures to the size, and divide by 255.
   *
   * @param {Array<{width: number, height: number, data: Uint8ClampedArray}>} rows - RGBA, upright.
   * @returns {Float64Array} (N, ...inputShape).
   */
  prepare(rows) {
    const size = sizeOf(this.inputShape);
    const out = new Float64Array(rows.length * size);
    rows.forEach((picture, row) => {
      requirePicture(picture);
      const pixels = resizedPicture(picture, this.size, this.channels);
      pixels.forEach((level, at) => {
        out[row * size + at] = level / WHITE_LEVEL;
      });
    });
    return out;
  }
}

/** Numbers standardised by the training data: z = (x - mean) / std. */
export class ArrayRecipe {
  constructor({ shape, mean, std }) {
    const size = sizeOf(shape);
    if (mean.length !== std.length || (mean.length !== 1 && mean.length !== size)) {
      throw new Error(
        `Found ${mean.length} means and ${std.length} standard deviations for samples of shape [${shape}]; ` +
          "expected one of each a feature, or one for all.",
      );
    }
    Object.assign(this, { shape, mean, std });
  }

  /** The shape of a sample. */
  get inputShape() {
    return this.shape;
  }

  /** None: the features of an array have no names. */
  get inputNames() {
    return [];
  }

  /**
   * Return (x - mean) / std.
   *
   * @param {Array<ArrayLike<number>>} rows - The numbers of each sample, in C order.
   * @returns {Float64Array} (N, ...inputShape).
   */
  prepare(rows) {
    const every = this.mean.length === 1 ? 0 : 1;
    return flatRows(
      rows,
      sizeOf(this.shape),
      (x, i) => (x - this.mean[i * every]) / this.std[i * every],
    );
  }

  /** Return samples on their own scale: what `prepare` was given. */
  restore(prepared) {
    const size = sizeOf(this.shape);
    const every = this.mean.length === 1 ? 0 : 1;
    return prepared.map(
      (z, at) => z * this.std[(at % size) * every] + this.mean[(at % size) * every],
    );
  }
}

/**
 * Return rows of numbers one after the other.
 *
 * @param {Array<ArrayLike<number>>} rows
 * @param {number} size - How many numbers each has.
 * @param {function(number, number): number} [change] - Of a number and its place in the row.
 * @throws {Error} If a row has another number of them, or one is not finite.
 */
export function flatRows(rows, size, change = (x) => x) {
  const out = new Float64Array(rows.length * size);
  rows.forEach((numbers, row) => {
    if (numbers.length !== size) {
      throw new Error(`Row ${row + 1} has ${numbers.length} numbers, expected ${size}.`);
    }
    for (let i = 0; i < size; i++) {
      const changed = change(numbers[i], i);
      if (typeof numbers[i] !== "number" || !Number.isFinite(changed)) {
        throw new Error(
          `Number ${i + 1} of row ${row + 1} is ${numbers[i]}, expected a finite number.`,
        );
      }
      out[row * size + i] = changed;
    }
  });
  return out;
}

function requirePicture({ width, height, data }) {
  if (!(width >= 1 && height >= 1) || data.length !== width * height * 4) {
    throw new Error(
      `A picture of ${width} x ${height} pixels has ${width * height * 4} numbers (RGBA), found ${data.length}.`,
    );
  }
}
