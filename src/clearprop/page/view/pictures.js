/** Numbers as pictures: samples in grey or colour, weights by sign and size. */

import { make } from "./dom.js";

/** The red, green and blue of a custom property that holds "#rrggbb". */
export function coloursOf(element, ...names) {
  const styles = getComputedStyle(element);
  return names.map((name) => {
    const text = styles.getPropertyValue(name).trim();
    return [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16));
  });
}

/** Call a function whenever the page changes between light and dark, while an element is in it. */
export function onOtherColours(element, draw) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const changed = () => (element.isConnected ? draw() : dark.removeEventListener("change", changed));
  dark.addEventListener("change", changed);
}

/**
 * Draw a sample: numbers from 0 to 1 as they are, any other range stretched.
 *
 * @param {Float64Array} values
 * @param {number[]} shape - (H, W), (H, W, 1) or (H, W, 3).
 * @param {string} label - What it is, for those who can't see it.
 * @returns {HTMLCanvasElement}
 */
export function samplePicture(values, shape, label) {
  const [height, width, channels = 1] = shape;
  let low = 0;
  let high = 1;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const canvas = pictureCanvas(width, height, label);
  paint(canvas, (pixels) => {
    for (let n = 0; n < width * height; n++) {
      for (let colour = 0; colour < 3; colour++) {
        const value = values[n * channels + (channels === 3 ? colour : 0)];
        pixels[4 * n + colour] = (255 * (value - low)) / (high - low);
      }
      pixels[4 * n + 3] = 255;
    }
  });
  return canvas;
}

/**
 * Draw signed numbers: orange is positive, blue negative; the stronger, the larger.
 *
 * @param {function(number): number} valueAt - The value by its place, row after row.
 * @param {number} height
 * @param {number} width
 * @param {number} largest - The size that has the full colour.
 * @param {string} label
 * @returns {HTMLCanvasElement}
 */
export function signedPicture(valueAt, height, width, largest, label) {
  const canvas = pictureCanvas(width, height, label);
  const draw = () => paintSigned(canvas, valueAt, largest);
  draw();
  onOtherColours(canvas, draw);
  return canvas;
}

/** Paint signed numbers onto the points of a canvas; those that are not finite are red. */
export function paintSigned(canvas, valueAt, largest) {
  const [negative, positive, wrong] = coloursOf(document.documentElement, "--one", "--two", "--bad");
  paint(canvas, (pixels) => {
    for (let n = 0; 4 * n < pixels.length; n++) {
      const value = valueAt(n);
      const isFinite = Number.isFinite(value);
      const colour = isFinite ? (value < 0 ? negative : positive) : wrong;
      pixels.set(colour, 4 * n);
      pixels[4 * n + 3] = isFinite ? 255 * Math.min(1, largest > 0 ? Math.abs(value) / largest : 0) : 255;
    }
  });
}

/**
 * Draw weights of a colour picture: mid-grey is zero, and each colour's weight shifts that colour.
 */
export function colourWeightPicture(valueAt, height, width, largest, label) {
  const canvas = pictureCanvas(width, height, label);
  paint(canvas, (pixels) => {
    for (let n = 0; n < width * height; n++) {
      for (let colour = 0; colour < 3; colour++) {
        pixels[4 * n + colour] = 127.5 * (1 + valueAt(3 * n + colour) / (largest || 1));
      }
      pixels[4 * n + 3] = 255;
    }
  });
  return canvas;
}

/** Return the size that all but a few outliers keep below: those would leave all others pale. */
export function usualLargest(values, share = 0.995) {
  const sizes = Float64Array.from(values, Math.abs).filter(Number.isFinite).sort();
  return sizes.length ? sizes[Math.floor(share * (sizes.length - 1))] || sizes.at(-1) : 0;
}

function pictureCanvas(width, height, label) {
  return make("canvas", { class: "picture", width, height, role: "img", "aria-label": label });
}

function paint(canvas, fill) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  fill(image.data);
  context.putImageData(image, 0, 0);
}
