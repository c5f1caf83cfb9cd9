/** The convolution of pictures. */

import { HeNormal, Zeros } from "./initializers.js";
import { Built, Layer, requireCount } from "./layer.js";
import { Parameter } from "./parameters.js";
import { addTransposed, multiply, multiplyByTransposed } from "./products.js";
import { pairOf, pictureShape, windowsThatFit, windowsWithBorder } from "./windows.js";

/**
 * The same affine map of each small window of a picture: a filter that looks everywhere.
 *
 * The inputs of each window of one sample are laid out as a row, so that sums over the places
 * (p, q) and the channels are one product of matrices.
 */
export class Conv2D extends Layer {
  constructor({
    filters,
    kernel = 3,
    stride = 1,
    padding = "same",
    init = new HeNormal(),
    bias = true,
  }) {
    super();
    requireCount("Conv2D", "filters", filters);
    if (padding !== "same" && padding !== "valid") {
      throw new Error(
        `Conv2D's padding is "same", with a border of zeros, or "valid"; found "${padding}".`,
      );
    }
    this.filters = filters;
    this.kernel = pairOf("Conv2D", "kernel", kernel);
    this.stride = pairOf("Conv2D", "stride", stride);
    this.padding = padding;
    this.init = init;
    this.bias = bias;
  }

  /** Take pictures (H, W, C) or (H, W), give pictures of F channels. */
  build(inShape) {
    const { outShape, channels } = this.geometryOf(inShape);
    const shape = [...this.kernel, channels, this.filters];
    const parameters = new Map([["W", new Parameter(shape, this.init, { decays: true })]]);
    if (this.bias) {
      parameters.set("b", new Parameter([this.filters], new Zeros()));
    }
    return new Built(outShape, parameters);
  }

  /** Return y[n, i, j] = b + sum_pq x[n, i s + p, j t + q] W[p, q]. */
  forward(params, x, trace) {
    trace.kept.x = x;
    const geometry = (trace.kept.geometry ??= this.geometryOf(x.shape));
    const { outShape, windows, width } = geometry;
    const y = trace.buffer("y", x.n, outShape);
    const inputs = trace.scratch("inputs", windows * width);
    for (let row = 0; row < x.n; row++) {
      this.layOut(geometry, x.data, row * x.size, inputs);
      multiply(inputs, params.W.data, y.data, windows, width, this.filters, 0, row * y.size);
    }
    if (this.bias) {
      const b = params.b.data;
      for (let at = 0, count = y.n * y.size; at < count;) {
        for (let f = 0; f < this.filters; f++, at++) {
          y.data[at] += b[f];
        }
      }
    }
    return y;
  }

  /**
   * Write dW[p, q] = sum_nij outer(x[n, i s + p, j t + q], dy[n, i, j]) and db = sum_nij dy; where
   * it is wanted return dx, of which dx[n, i s + p, j t + q] += dy[n, i, j] W[p, q].T.
   */
  backward(params, dy, trace, grads) {
    const { x, geometry } = trace.kept;
    const { windows, width } = geometry;
    const inputs = trace.scratch("inputs", windows * width);
    grads.W.data.fill(0);
    for (let row = 0; row < x.n; row++) {
      this.layOut(geometry, x.data, row * x.size, inputs);
      addTransposed(inputs, dy.data, grads.W.data, windows, width, this.filters, 0, row * dy.size);
    }
    if (this.bias) {
      const db = grads.b.data;
      db.fill(0);
      for (let at = 0, count = dy.n * dy.size; at < count;) {
        for (let f = 0; f < this.filters; f++, at++) {
          db[f] += dy.data[at];
        }
      }
    }
    if (!trace.wantsDx) {
      return null;
    }
    const dx = trace.buffer("dx", x.n, x.shape);
    dx.data.fill(0);
    for (let row = 0; row < x.n; row++) {
      multiplyByTransposed(
        dy.data,
        params.W.data,
        inputs,
        windows,
        this.filters,
        width,
        row * dy.size,
      );
      this.addUp(geometry, inputs, dx.data, row * x.size);
    }
    return dx;
  }

  geometryOf(shape) {
    const [height, width, channels] = pictureShape(`Conv2D(${this.filters})`, shape);
    const of = this.padding === "same" ? windowsWithBorder : windowsThatFit;
    const { out, before } = of(
      `Conv2D(${this.filters})`,
      [height, width],
      this.kernel,
      this.stride,
    );
    return {
      picture: { height, width },
      channels,
      before,
      out,
      outShape: [...out, this.filters],
      windows: out[0] * out[1],
      width: this.kernel[0] * this.kernel[1] * channels, // of a window's inputs as a row
    };
  }

  /** Write the inputs of each window of one picture as a row: (windows, kh * kw * C). */
  layOut(geometry, x, start, inputs) {
    const { channels } = geometry;
    inputs.fill(0);
    this.eachLine(geometry, (at, place, count) => {
      for (let c = 0; c < count * channels; c++) {
        inputs[at + c] = x[start + place + c];
      }
    });
  }

  /** Add what each window says of its inputs to the picture that they lie in. */
  addUp(geometry, inputs, dx, start) {
    const { channels } = geometry;
    this.eachLine(geometry, (at, place, count) => {
      for (let c = 0; c < count * channels; c++) {
        dx[start + place + c] += inputs[at + c];
      }
    });
  }

  /**
   * Visit each line of each window that lies on the picture.
   *
   * @param {object} geometry
   * @param {function(number, number, number)} visit - Told where the line begins among the rows of
   *   inputs, where in the picture, and how many places of it lie on the picture.
   */
  eachLine({ picture, channels, before, out, width }, visit) {
    const [height, across] = this.kernel;
    for (let i = 0; i < out[0]; i++) {
      for (let j = 0; j < out[1]; j++) {
        const left = j * this.stride[1] - before[1];
        const first = Math.max(-left, 0);
        const count = Math.min(across, picture.width - left) - first;
        const window = (i * out[1] + j) * width;
        for (let p = 0; p < height; p++) {
          const line = i * this.stride[0] - before[0] + p;
          if (line >= 0 && line < picture.height && count > 0) {
            const at = window + (p * across + first) * channels;
            visit(at, (line * picture.width + left + first) * channels, count);
          }
        }
      }
    }
  }
}
