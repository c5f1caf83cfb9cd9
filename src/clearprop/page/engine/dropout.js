/** Dropout. */

import { Built, Layer } from "./layer.js";
import { rateAt } from "./schedules.js";
import { pictureShape } from "./windows.js";

const STEPS_OF_RATE = 2 ** 16;

/**
 * Inverted dropout: while training, sets a random share of its input to zero.
 *
 * y = m x with m = 0 with probability `rate`, else 1 / (1 - rate); outside training y is x.
 */
export class Dropout extends Layer {
  /** @param {{rate: number|object}} fields - The share that is dropped, or a schedule of it. */
  constructor({ rate }) {
    super();
    this.rate = rate;
    this.droppedAt(0);
  }

  /** Return the number of the 65536 steps between 0 and 1 that mean that a number is dropped. */
  droppedAt(step) {
    const rate = rateAt(this.rate, step);
    if (!(rate >= 0 && rate < 1)) {
      throw new Error(
        `${this.constructor.name}'s rate is the share that is dropped, at least 0 and below 1; found ${rate}.`,
      );
    }
    return Math.min(roundToEven(rate * STEPS_OF_RATE), STEPS_OF_RATE - 1);
  }

  /** Return how many numbers a sample's mask has: here one for each of the sample's own. */
  drawnPerSample(x) {
    return x.size;
  }

  /** Return y = m x while training, else x itself. */
  forward(params, x, trace) {
    if (!trace.training) {
      return x;
    }
    if (trace.random === null) {
      throw new Error(
        `${this.constructor.name} needs random numbers while training: give { random }.`,
      );
    }
    const dropped = this.droppedAt(trace.step);
    const scale = STEPS_OF_RATE / (STEPS_OF_RATE - dropped);
    const width = this.drawnPerSample(x);
    const m = (trace.kept.m = trace.scratch("m", x.n * width));
    for (let i = 0; i < x.n * width; i++) {
      m[i] = trace.random.uint16() >= dropped ? scale : 0;
    }
    return this.masked(x, m, width, trace.buffer("y", x.n, x.shape));
  }

  /** Return dx = m dy while training, else dy itself. */
  backward(params, dy, trace, grads) {
    if (!trace.training) {
      return dy;
    }
    return this.masked(
      dy,
      trace.kept.m,
      this.drawnPerSample(dy),
      trace.buffer("dx", dy.n, dy.shape),
    );
  }

  /** Write the product with the mask, whose numbers repeat where there are fewer of them. */
  masked(x, m, width, out) {
    for (let row = 0, at = 0; row < x.n; row++) {
      for (let i = 0; i < x.size; i++, at++) {
        out.data[at] = x.data[at] * m[row * width + (i % width)];
      }
    }
    return out;
  }
}

/** Dropout of whole channels of pictures: y[n, h, w, c] = m[n, c] x[n, h, w, c]. */
export class SpatialDropout2D extends Dropout {
  /** Take pictures (H, W, C) or (H, W). */
  build(inShape) {
    pictureShape("SpatialDropout2D", inShape);
    return new Built(inShape);
  }

  /** Return how many numbers a sample's mask has: one for each channel. */
  drawnPerSample(x) {
    return x.shape[2] ?? 1;
  }
}

function roundToEven(number) {
  const rounded = Math.round(number);
  return Math.abs(number % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
