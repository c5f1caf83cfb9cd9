/** Embeddings: several learned numbers in the place of one number, or of one category. */

import { Normal, Uniform } from "./initializers.js";
import { Built, flatSize, Layer, requireCount, sumOfSamples } from "./layer.js";
import { Parameter } from "./parameters.js";

/** Make several numbers of each: W2 cos(2 pi w1 x + b1) + b2, with waves of its own. */
export class PeriodicEmbedding extends Layer {
  constructor({ frequencies = 16, width = 3, std = 0.1, rate = 1 } = {}) {
    super();
    requireCount("PeriodicEmbedding", "frequencies", frequencies);
    requireCount("PeriodicEmbedding", "width", width);
    Object.assign(this, { frequencies, width, std, rate });
  }

  /** Take flat samples (D,), give (D K,). */
  build(inShape) {
    const D = flatSize("PeriodicEmbedding", inShape);
    const [F, K, options] = [this.frequencies, this.width, { decays: true, rate: this.rate }];
    const ofOutputs = new Uniform({ bound: 1 / Math.sqrt(F) });
    const parameters = new Map([
      ["w1", new Parameter([D, F], new Normal({ std: this.std }), options)],
      ["b1", new Parameter([D, F], new Uniform({ bound: Math.PI }), options)],
      ["W2", new Parameter([D, F, K], ofOutputs, options)],
      ["b2", new Parameter([D, K], ofOutputs, options)],
    ]);
    return new Built([D * K], parameters);
  }

  /** Return y_dk = sum_f cos(phi_f) W2_dfk + b2_dk with phi_f = 2 pi w1_df x_d + b1_df. */
  forward(params, x, trace) {
    const [w1, b1, W2, b2] = ["w1", "b1", "W2", "b2"].map((name) => params[name].data);
    const [D, F, K] = params.W2.shape;
    trace.kept.outShape ??= [D * K];
    const phi = trace.scratch("phi", x.n * D * F);
    const c = trace.scratch("c", x.n * D * F);
    Object.assign(trace.kept, { x, phi, c });
    const y = trace.buffer("y", x.n, trace.kept.outShape);
    for (let row = 0; row < x.n; row++) {
      for (let d = 0; d < D; d++) {
        const number = x.data[row * D + d];
        const out = (row * D + d) * K;
        for (let k = 0; k < K; k++) {
          y.data[out + k] = b2[d * K + k];
        }
        for (let f = 0; f < F; f++) {
          const at = (row * D + d) * F + f;
          phi[at] = number * (2 * Math.PI * w1[d * F + f]) + b1[d * F + f];
          c[at] = Math.cos(phi[at]);
          for (let k = 0; k < K; k++) {
            y.data[out + k] += c[at] * W2[(d * F + f) * K + k];
          }
        }
      }
    }
    return y;
  }

  /**
   * With dphi = -sin(phi) (dy W2.T) write dW2 = sum_n cos(phi) dy, db2 = sum_n dy,
   * dw1 = 2 pi sum_n dphi x and db1 = sum_n dphi; return dx = 2 pi sum_f dphi w1.
   */
  backward(params, dy, trace, grads) {
    const { x, phi, c } = trace.kept;
    const [w1, W2] = [params.w1.data, params.W2.data];
    const [dw1, db1, dW2] = [grads.w1.data, grads.b1.data, grads.W2.data];
    const [D, F, K] = params.W2.shape;
    sumOfSamples(dy, grads.b2.data);
    [dw1, db1, dW2].forEach((gradient) => gradient.fill(0));
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let row = 0; row < x.n; row++) {
      for (let d = 0; d < D; d++) {
        const number = x.data[row * D + d];
        const out = (row * D + d) * K;
        let slope = 0;
        for (let f = 0; f < F; f++) {
          const wave = d * F + f;
          const at = (row * D + d) * F + f;
          let turned = 0;
          for (let k = 0; k < K; k++) {
            dW2[wave * K + k] += c[at] * dy.data[out + k];
            turned += dy.data[out + k] * W2[wave * K + k];
          }
          const dphi = -Math.sin(phi[at]) * turned;
          db1[wave] += dphi;
          dw1[wave] += 2 * Math.PI * dphi * number;
          slope += dphi * w1[wave];
        }
        dx.data[row * D + d] = 2 * Math.PI * slope;
      }
    }
    return trace.wantsDx ? dx : null;
  }
}

/**
 * Look up each category's own numbers: a table for each column, with a row for each code.
 *
 * The tables lie one below the other in E; row 0 of each stands for what is missing or unknown.
 */
export class Embedding extends Layer {
  constructor({ sizes, width = 8 }) {
    super();
    if (sizes.length === 0) {
      throw new Error("Embedding needs the size of a table for each column; found none.");
    }
    sizes.forEach((size) => requireCount("Embedding", "rows in each table", size));
    requireCount("Embedding", "width", width);
    this.sizes = sizes;
    this.width = width;
    /** The row where each column's table begins. */
    this.firsts = sizes.map((_, column) =>
      sizes.slice(0, column).reduce((sum, size) => sum + size, 0),
    );
    this.outShape = [sizes.length * width];
  }

  /** Take flat samples (C,) of a code for each table, give (C K,). */
  build(inShape) {
    const columns = flatSize("Embedding", inShape);
    if (columns !== this.sizes.length) {
      throw new Error(
        `Embedding has ${this.sizes.length} tables, one a column; found samples of ${columns} columns.`,
      );
    }
    const rows = this.sizes.reduce((sum, size) => sum + size, 0);
    const tables = new Parameter([rows, this.width], new Normal({ std: 1 }), { decays: true });
    return new Built(this.outShape, new Map([["E", tables]]));
  }

  /** Return y_nc = E[first_c + x_nc], shape (N, C K). */
  forward(params, x, trace) {
    const E = params.E.data;
    const K = this.width;
    trace.kept.inShape ??= x.shape;
    const rows = (trace.kept.rows = trace.scratch("rows", x.n * x.size, Uint32Array));
    const y = trace.buffer("y", x.n, this.outShape);
    for (let at = 0, count = x.n * x.size; at < count; at++) {
      rows[at] = this.rowOf(x.data[at], at % x.size);
      for (let k = 0; k < K; k++) {
        y.data[at * K + k] = E[rows[at] * K + k];
      }
    }
    return y;
  }

  /** Write dE[r], the sum of dy_nc over all n and c with that row; dx is zero. */
  backward(params, dy, trace, grads) {
    const dE = grads.E.data;
    const K = this.width;
    dE.fill(0);
    for (let at = 0, count = dy.n * this.sizes.length; at < count; at++) {
      const row = trace.kept.rows[at];
      for (let k = 0; k < K; k++) {
        dE[row * K + k] += dy.data[at * K + k];
      }
    }
    if (!trace.wantsDx) {
      return null;
    }
    const dx = trace.buffer("dx", dy.n, trace.kept.inShape);
    dx.data.fill(0);
    return dx;
  }

  rowOf(code, column) {
    if (!(Number.isInteger(code) && code >= 0 && code < this.sizes[column])) {
      throw new Error(
        `Embedding takes whole codes: column ${column} those from 0 to ${this.sizes[column] - 1}; ` +
          `found ${code}. The code of what is missing or unknown is 0.`,
      );
    }
    return this.firsts[column] + code;
  }
}
