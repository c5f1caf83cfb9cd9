/** Pools: one number for each window, or all, of a channel. */

import { Built, Layer } from "./layer.js";
import { pairOf, pictureShape, windowsThatFit } from "./windows.js";

/** Base of the pools of windows, which lie wholly on the picture. */
class Pool extends Layer {
  constructor({ size = 2, stride = null } = {}) {
    super();
    this.size = pairOf(this.constructor.name, "size", size);
    this.stride = stride === null ? this.size : pairOf(this.constructor.name, "stride", stride);
  }

  /** Take pictures (H, W, C) or (H, W), give smaller ones. */
  build(inShape) {
    const [height, width, channels] = pictureShape(this.constructor.name, inShape);
    const { out } = windowsThatFit(this.constructor.name, [height, width], this.size, this.stride);
    return new Built([...out, channels]);
  }

  /** Return where everything lies, found once for a trace: strides count numbers. */
  geometry(x, trace) {
    trace.kept.geometry ??= this.geometryOf(x.shape);
    return trace.kept.geometry;
  }

  geometryOf(shape) {
    const [height, width, channels] = pictureShape(this.constructor.name, shape);
    const { out } = windowsThatFit(this.constructor.name, [height, width], this.size, this.stride);
    return {
      inShape: shape,
      outShape: [...out, channels],
      channels,
      down: this.stride[0] * width * channels,
      right: this.stride[1] * channels,
      places: placesOfWindow(this.size, width, channels),
    };
  }
}

/** The largest number of each window, channel by channel; dy goes to the first that it was. */
export class MaxPool2D extends Pool {
  /** Return y = max_pq x[n, i s + p, j t + q]; note which place of each window has won. */
  forward(params, x, trace) {
    const { outShape, channels, down, right, places } = this.geometry(x, trace);
    const y = trace.buffer("y", x.n, outShape);
    const won = (trace.kept.won = trace.scratch("won", x.n * y.size, Uint32Array));
    let at = 0;
    for (let row = 0; row < x.n; row++) {
      for (let i = 0; i < outShape[0]; i++) {
        for (let j = 0; j < outShape[1]; j++) {
          for (let c = 0; c < channels; c++, at++) {
            const corner = row * x.size + i * down + j * right + c;
            let best = corner;
            for (const place of places) {
              best = x.data[corner + place] > x.data[best] ? corner + place : best;
            }
            won[at] = best;
            y.data[at] = x.data[best];
          }
        }
      }
    }
    return y;
  }

  /** Return dx: the dy of each window where the place has won. */
  backward(params, dy, trace, grads) {
    const dx = trace.buffer("dx", dy.n, trace.kept.geometry.inShape);
    dx.data.fill(0);
    for (let at = 0, count = dy.n * dy.size; at < count; at++) {
      dx.data[trace.kept.won[at]] += dy.data[at];
    }
    return dx;
  }
}

/** The mean of each window, channel by channel. */
export class AveragePool2D extends Pool {
  /** Return y = sum_pq x[n, i s + p, j t + q] / P. */
  forward(params, x, trace) {
    const { outShape, channels, down, right, places } = this.geometry(x, trace);
    const y = trace.buffer("y", x.n, outShape);
    let at = 0;
    for (let row = 0; row < x.n; row++) {
      for (let i = 0; i < outShape[0]; i++) {
        for (let j = 0; j < outShape[1]; j++) {
          for (let c = 0; c < channels; c++, at++) {
            const corner = row * x.size + i * down + j * right + c;
            let sum = 0;
            for (const place of places) {
              sum += x.data[corner + place];
            }
            y.data[at] = sum / places.length;
          }
        }
      }
    }
    return y;
  }

  /** Return dx: dy / P of each window that an input lies in. */
  backward(params, dy, trace, grads) {
    const { inShape, outShape, channels, down, right, places } = trace.kept.geometry;
    const dx = trace.buffer("dx", dy.n, inShape);
    dx.data.fill(0);
    let at = 0;
    for (let row = 0; row < dy.n; row++) {
      for (let i = 0; i < outShape[0]; i++) {
        for (let j = 0; j < outShape[1]; j++) {
          for (let c = 0; c < channels; c++, at++) {
            const corner = row * dx.size + i * down + j * right + c;
            const share = dy.data[at] / places.length;
            for (const place of places) {
              dx.data[corner + place] += share;
            }
          }
        }
      }
    }
    return dx;
  }
}

/** The mean of each channel over the whole picture, which makes flat samples (C,). */
export class GlobalAveragePool2D extends Layer {
  /** Take pictures (H, W, C) or (H, W), give (C,). */
  build(inShape) {
    return new Built(pictureShape("GlobalAveragePool2D", inShape).slice(2));
  }

  /** Return y = sum_hw x[n, h, w] / (H W). */
  forward(params, x, trace) {
    trace.kept.inShape ??= x.shape;
    trace.kept.outShape ??= pictureShape("GlobalAveragePool2D", x.shape).slice(2);
    const y = trace.buffer("y", x.n, trace.kept.outShape);
    const channels = y.size;
    const places = x.size / channels;
    for (let row = 0; row < x.n; row++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let place = 0; place < places; place++) {
          sum += x.data[row * x.size + place * channels + c];
        }
        y.data[row * channels + c] = sum / places;
      }
    }
    return y;
  }

  /** Return dx = dy / (H W) for every place. */
  backward(params, dy, trace, grads) {
    const dx = trace.buffer("dx", dy.n, trace.kept.inShape);
    const channels = dy.size;
    const places = dx.size / channels;
    for (let at = 0, count = dx.n * dx.size; at < count; at++) {
      const row = Math.floor(at / dx.size);
      dx.data[at] = dy.data[row * channels + (at % channels)] / places;
    }
    return dx;
  }
}

/** Return how far each place of a window lies from its corner, line by line. */
function placesOfWindow([height, width], pictureWidth, channels) {
  const places = [];
  for (let p = 0; p < height; p++) {
    for (let q = 0; q < width; q++) {
      places.push((p * pictureWidth + q) * channels);
    }
  }
  return places;
}
