/** A picture in grey, and over it in colour what an answer hangs on. */

import { make } from "./dom.js";
import { usualLargest } from "./pictures.js";

/** The share of the picture's own light that stays below the colour. */
const DIMMED = 0.6;

/** Red, green and blue of the heat: seen on black as on white, and by colour-blind eyes. */
const HEAT_COLOUR = [255, 140, 26];

/**
 * Draw a picture with heat over it.
 *
 * @param {Float64Array} values - A prepared sample, from 0 to 1.
 * @param {Array<number>} shape - (H, W), or (H, W, channels).
 * @param {Float64Array} heat - How much the answer hangs on each place, (H, W), from 0 on.
 * @param {string} label - What is seen, for those who can't.
 * @returns {HTMLCanvasElement}
 */
export function heatedPicture(values, [height, width, channels = 1], heat, label) {
  const canvas = make("canvas", {
    class: "picture heated",
    width,
    height,
    role: "img",
    "aria-label": label,
  });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  const largest = usualLargest(heat) || 1;
  heat.forEach((strength, n) => {
    const share = Math.min(1, strength / largest);
    const own = values.subarray(n * channels, (n + 1) * channels);
    const light = (DIMMED * 255 * own.reduce((sum, one) => sum + one, 0)) / channels;
    HEAT_COLOUR.forEach((full, colour) => {
      image.data[4 * n + colour] = light + share * (full - light);
    });
    image.data[4 * n + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
  return canvas;
}
