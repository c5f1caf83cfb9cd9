/** Saliency: which inputs an answer hangs on, by the gradient of its logit. */

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

/**
 * Return the derivative of the logit of an answer by each input, (N, ...inputShape).
 *
 * @param {Network} network
 * @param {Float64Array} x - Prepared samples (N, ...inputShape).
 * @param {number} n
 * @param {number} answer
 */
function slopesAt(network, x, n, answer) {
  const [trace, outputs] = [new Trace(), network.outputShape[0]];
  network.pass(x, n, trace);
  const seeds = new Batch(new Float64Array(n * outputs), n, network.outputShape);
  for (let row = 0; row < n; row++) {
    seeds.data[row * outputs + Math.min(answer, outputs - 1)] = 1;
  }
  const gradient = network.parameters.like();
  return network.body.passBack(network.params, seeds, trace, gradient.tree).values;
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
