/** What a page has embedded, out of base64: samples, and the parameters after some epochs. */

import { decodedBytes } from "../engine/base64.js";

/**
 * Samples as the network takes them, and as a person knows them.
 *
 * `part` is the name of the part of the data they are from, `of` the size of that part, `count`
 * how many are embedded; `shape` is that of one prepared sample, of `size` numbers. `truth` has a
 * class index or values for each, `rows` its number in the data, `sources` its file or null, `raw`
 * the cells by column or null.
 */
export class Samples {
  /** @param {Object} told - `samples` or `train` of a run. */
  constructor(told) {
    const [count, ...shape] = told.shape;
    this.part = told.part;
    this.of = told.of ?? count;
    this.count = count;
    this.shape = shape;
    this.size = shape.reduce((product, side) => product * side, 1);
    this.truth = told.truth;
    this.rows = told.rows;
    this.sources = told.sources;
    this.raw = told.raw;
    this.told = told;
  }

  /** All prepared inputs, one sample after the other: Float64Array of count * size. */
  get inputs() {
    this.decoded ??= decodedNumbers(this.told.data, this.told.type);
    return this.decoded;
  }

  /** The prepared inputs of some samples, one after the other. */
  take(places) {
    const found = new Float64Array(places.length * this.size);
    places.forEach((place, n) => found.set(this.one(place), n * this.size));
    return found;
  }

  /** The prepared input of one sample: a view. */
  one(place) {
    return this.inputs.subarray(place * this.size, (place + 1) * this.size);
  }

  /** The places of at most so many samples, evenly spaced. */
  spread(most) {
    const count = Math.min(most, this.count);
    return Array.from({ length: count }, (_, n) => Math.floor((n * this.count) / count));
  }

  /** Whether each sample is a picture: of (H, W), (H, W, 1) or (H, W, 3). */
  get arePictures() {
    const [height, width, channels = 1] = this.shape;
    const isFlat = this.shape.length < 2 || this.shape.length > 3;
    return !isFlat && height > 1 && width > 1 && (channels === 1 || channels === 3);
  }
}

/**
 * Decode numbers.
 *
 * @param {string} text - Base64 of little-endian numbers.
 * @param {"u8"|"f16"|"f32"|"f64"} type - Bytes are 255ths.
 * @returns {Float64Array}
 */
export function decodedNumbers(text, type) {
  const bytes = decodedBytes(text);
  const read = NUMBER_READERS[type];
  if (read === undefined) {
    throw new Error(`Embedded numbers are of type "${type}"; this page reads u8, f16, f32 and f64.`);
  }
  const { size, at } = read;
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / size }, (_, i) => at(view, i * size));
}

const NUMBER_READERS = {
  u8: { size: 1, at: (view, place) => view.getUint8(place) / 255 },
  f16: { size: 2, at: (view, place) => fromHalf(view.getUint16(place, true)) },
  f32: { size: 4, at: (view, place) => view.getFloat32(place, true) },
  f64: { size: 8, at: (view, place) => view.getFloat64(place, true) },
};

/** Half precision by hand, for browsers that have no Float16Array: IEEE 754, binary16. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
