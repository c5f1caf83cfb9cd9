/** What an answer hangs on: saliency of the inputs, and where the maps of convolutions speak for it. */

import { Conv2D } from "./convolution.js";
import { everyLayer } from "./network.js";
import { Random } from "./random.js";
import { Batch, sizeOf, Trace } from "./trace.js";

const NOISY_COPIES = 16;
const NOISE_SHARE = 0.1; // of the range of a sample's numbers

/**
 * Compute how much the logit of an answer hangs on each pixel of a picture, or on each input.
 *
 * It is the gradient of that logit, averaged over copies with a little noise, as that of a single
 * one changes from pixel to pixel. Of several channels the largest counts. With S the logit and e the
 * noise, saliency_p = max_c | mean_e dS/dx_pc (x + e) |.
 *
 * Sources: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3;
 * Smilkov, Thorat, Kim, Viégas, Wattenberg, "SmoothGrad" (2017).
 *
 * @param {Network} network
 * @param {Float64Array} x - Prepared samples (N, ...inputShape).
 * @param {number} n
 * @param {number|ArrayLike<number>} answers - The class number, or that of the output, that all
 *   samples or each is asked about; where there is one output, it is the one.
 * @param {object} [options]
 * @param {number} [options.noise] - The deviation of the noise, as a share of the range of a
 *   sample's numbers; 0 for the gradient itself, as codes of categories need it.
 * @returns {Float64Array} (N, H, W), or (N, D) for flat samples: the absolute derivatives.
 */
export function saliency(network, x, n, answers, { noise = NOISE_SHARE } = {}) {
  const { inputShape } = network;
  const size = sizeOf(inputShape);
  const channels = inputShape.length === 3 ? inputShape[2] : 1;
  const found = new Float64Array((n * size) / channels);
  const copies = noise > 0 ? NOISY_COPIES : 1;
  for (let row = 0; row < n; row++) {
    const sample = x.subarray(row * size, (row + 1) * size);
    const answer = typeof answers === "number" ? answers : answers[row];
    const slopes = slopesAt(network, noisyCopies(sample, copies, noise), copies, answer);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let copy = 0; copy < copies; copy++) {
        sum += slopes[copy * size + i];
      }
      const place = Math.floor((row * size + i) / channels);
      found[place] = Math.max(found[place], Math.abs(sum) / copies);
    }
  }
  return found;
}

/** Whether a layer of a network, or one inside another, is a convolution. */
export function hasConvolution(network) {
  return everyLayer(network.body.inner()).some(([, layer]) => layer instanceof Conv2D);
}

/**
 * Compute where in a picture the feature maps of the last convolution speak for an answer.
 *
 * The maps are those of the last convolution together with what follows without a change of shape:
 * batch norm, activation, the link around a block. With A_k the map of filter k and S the logit of
 * the answer, activation_ij = max(0, sum_k dS/dA_ijk A_ijk), drawn out to the size of the picture.
 *
 * Sources: Draelos, Carin, "Use HiResCAM instead of Grad-CAM" (2020), equation 5; where a global
 * average and one Dense layer follow, it is the class activation of Zhou et al., "Learning Deep
 * Features for Discriminative Localization" (2016), equation 2.
 *
 * @param {Network} network - With a convolution.
 * @param {Float64Array} x - Prepared samples (N, ...inputShape).
 * @param {number} n
 * @param {number|ArrayLike<number>} answers - As `saliency` takes them.
 * @returns {Float64Array} (N, H, W): from 0 on; all is 0 where nothing speaks for the answer.
 */
export function classActivation(network, x, n, answers) {
  const [height, width] = network.inputShape;
  const size = sizeOf(network.inputShape);
  const found = new Float64Array(n * height * width);
  const gradient = network.parameters.like();
  const trace = new Trace();
  for (let row = 0; row < n; row++) {
    const answer = typeof answers === "number" ? answers : answers[row];
    network.pass(x.subarray(row * size, (row + 1) * size), 1, trace);
    network.body.passBack(network.params, seedsOf(network, 1, answer), trace, gradient.tree);
    const { output, dy } = trace.at(placeOfLastMaps(network, trace));
    const [down, across, filters] = output.shape;
    const speaks = Float64Array.from({ length: down * across }, (_, place) => {
      let sum = 0;
      for (let at = place * filters; at < (place + 1) * filters; at++) {
        sum += output.data[at] * dy.data[at];
      }
      return Math.max(sum, 0);
    });
    found.set(drawnOut(speaks, [down, across], [height, width]), row * height * width);
  }
  return found;
}

/** Return the place of the last convolution, or of what follows it without a change of shape. */
function placeOfLastMaps(network, trace) {
  let [found, shape] = [null, null];
  for (const [place, layer] of asTheyEnd(network.body.inner())) {
    const own = String(trace.at(place).output.shape);
    if (layer instanceof Conv2D) [found, shape] = [place, own];
    else if (own === shape) found = place;
    else shape = null; // what comes behind it is of another size
  }
  if (found === null) {
    throw new Error("The network has no convolution, so it has no feature maps.");
  }
  return found;
}

/** Return every layer with its place in the order in which passes end: containers behind their own. */
function asTheyEnd(inner, prefix = "") {
  return inner.flatMap(([name, layer]) => [
    ...asTheyEnd(layer.inner(), `${prefix}${name}.`),
    [prefix + name, layer],
  ]);
}

/** Draw a map (h, w) out to a picture (H, W), linearly between the middles of its places. */
function drawnOut(map, [down, across], [height, width]) {
  const rows = placesBetween(down, height);
  const columns = placesBetween(across, width);
  const found = new Float64Array(height * width);
  rows.forEach(([above, below, lower], i) => {
    columns.forEach(([left, right, righter], j) => {
      const along = (row) =>
        (1 - righter) * map[row * across + left] + righter * map[row * across + right];
      found[i * width + j] = (1 - lower) * along(above) + lower * along(below);
    });
  });
  return found;
}

/** Return for each pixel the places on both sides of its middle, and the share of the second. */
function placesBetween(places, pixels) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const middle = ((pixel + 0.5) * places) / pixels - 0.5;
    const at = Math.min(Math.max(middle, 0), places - 1);
    const first = Math.min(Math.floor(at), Math.max(places - 2, 0));
    return [first, Math.min(first + 1, places - 1), at - first];
  });
}

/**
 * Return the derivative of the logit of an answer by each input, (N, ...inputShape).
 *
 * @param {Network} network
 * @param {Float64Array} x - Prepared samples (N, ...inputShape).
 * @param {number} n
 * @param {number} answer
 */
function slopesAt(network, x, n, answer) {
  const trace = new Trace();
  network.pass(x, n, trace);
  const gradient = network.parameters.like();
  const seeds = seedsOf(network, n, answer);
  return network.body.passBack(network.params, seeds, trace, gradient.tree).values;
}

/**
 * Return the derivative of an answer's logit by all logits, (N, K).
 *
 * One logit of two classes speaks for class 1, and its negative for class 0.
 */
function seedsOf({ loss, outputShape }, n, answer) {
  const [outputs] = outputShape;
  const seeds = new Batch(new Float64Array(n * outputs), n, outputShape);
  const isAgainst = outputs === 1 && loss.constructor.classifies && answer === 0;
  for (let row = 0; row < n; row++) {
    seeds.data[row * outputs + Math.min(answer, outputs - 1)] = isAgainst ? -1 : 1;
  }
  return seeds;
}

/** The same noise is drawn at each call, so that a picture has the same saliency each time. */
function noisyCopies(sample, copies, noise) {
  const random = new Random(0);
  let [low, high] = [Infinity, -Infinity];
  for (const number of sample) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  const deviation = noise * (high - low);
  return Float64Array.from({ length: copies * sample.length }, (_, at) => {
    const shift = deviation > 0 ? deviation * random.normal() : 0;
    return sample[at % sample.length] + shift;
  });
}
