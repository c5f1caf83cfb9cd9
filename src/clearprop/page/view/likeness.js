/**
 * Whether a picture looks like those that a network was trained on.
 *
 * A network answers with as much confidence where a digit is black on white, though it has only seen
 * white on black. The measures and their limits are those of the recipe's `Likeness`.
 */

import { number } from "./dom.js";
import { say } from "./words.js";

const WHITEST = 255;
const FAR_DEVIATIONS = 3;
const FAR_LEVELS = 20;
const FLAT_TIMES = 4;
const ONE_SIDED = 10; // levels between middle and border that say which of both is the lighter one
const GREY_LEVELS = 2; // between the channels, below which a picture has no colour

/**
 * Say in what a picture is unlike those of the training.
 *
 * @param {Float64Array} values - Prepared, 0 to 1, of (H, W) or (H, W, 3).
 * @param {Array<number>} shape
 * @param {?Object} likeness - The look of training pictures; null where nobody has looked.
 * @returns {?string} Null where it is like them.
 */
export function unlikeness(values, shape, likeness) {
  if (likeness === null) return null;
  const found = measuresOf(values, shape);
  const [kind, measure] =
    kindsOfUnlikeness(found, likeness)
      .find(([isSo]) => isSo)
      ?.slice(1) ?? [];
  if (kind === undefined) return null;
  return say("{kind} ({level} of 255, there {usual}): don't trust the answer.", {
    kind,
    level: number(found[measure], 3),
    usual: number(likeness[measure][0], 3),
  });
}

function kindsOfUnlikeness(found, likeness) {
  const far = (measure) => FAR_DEVIATIONS * likeness[measure][1] + FAR_LEVELS;
  const isAbove = (measure) => found[measure] > likeness[measure][0] + far(measure);
  const isBelow = (measure) => found[measure] < likeness[measure][0] - far(measure);
  const middle = likeness.brightness[0] - likeness.border[0];
  const isTurned =
    (found.brightness - found.border) * middle < 0 &&
    Math.abs(middle) > ONE_SIDED &&
    (isAbove("border") || isBelow("border"));
  const least = (likeness.contrast[0] - likeness.contrast[1]) / FLAT_TIMES;
  const isGrey = found.saturation < GREY_LEVELS;
  const areColoured = likeness.grey === 0 && likeness.saturation[0] > ONE_SIDED;
  return [
    [isTurned, say("Light and dark are the other way round than in training"), "border"],
    [isAbove("border"), say("The background is lighter than in training"), "border"],
    [isBelow("border"), say("The background is darker than in training"), "border"],
    [isAbove("brightness"), say("It is far brighter than the training pictures"), "brightness"],
    [isBelow("brightness"), say("It is far darker than the training pictures"), "brightness"],
    [found.contrast < least, say("It is much flatter than the training pictures"), "contrast"],
    [
      isGrey && areColoured,
      say("It is grey, and the training pictures are in colour"),
      "saturation",
    ],
    [isAbove("saturation"), say("It is more colourful than the training pictures"), "saturation"],
    [
      !isGrey && isBelow("saturation"),
      say("It is less colourful than the training pictures"),
      "saturation",
    ],
  ];
}

/** Mean, mean along the sides, deviation, and distance of the channels, in levels of 0 to 255. */
function measuresOf(values, [height, width, channels = 1]) {
  const pixels = height * width;
  let [sum, squares, sides, border, apart] = [0, 0, 0, 0, 0];
  for (let n = 0; n < pixels; n++) {
    const own = values.subarray(n * channels, (n + 1) * channels);
    const level = (WHITEST * own.reduce((total, one) => total + one, 0)) / channels;
    const [row, column] = [Math.floor(n / width), n % width];
    // A corner is on two sides, and counts for both.
    const on = [row === 0, row === height - 1, column === 0, column === width - 1];
    const count = on.filter(Boolean).length;
    sum += level;
    squares += level * level;
    sides += count;
    border += count * level;
    apart += WHITEST * (Math.max(...own) - Math.min(...own));
  }
  const mean = sum / pixels;
  return {
    brightness: mean,
    border: border / sides,
    contrast: Math.sqrt(Math.max(0, squares / pixels - mean * mean)),
    saturation: apart / pixels,
  };
}

/** Return a picture with light and dark changed. */
export function inverted({ width, height, data }) {
  const turned = data.map((level, i) => (i % 4 === 3 ? level : WHITEST - level));
  return { width, height, data: turned };
}
