/** Fully connected layers, in two parametrisations, and what makes samples flat for them. */

import { FromData, HeNormal, Normal, Zeros } from "./initializers.js";
import { Built, flatSize, Layer, requireCount, sumOfSamples } from "./layer.js";
import { Parameter } from "./parameters.js";
import { multiply, multiplyByTransposed, multiplyTransposed } from "./products.js";
import { sizeOf, Trace } from "./trace.js";

/** Affine map of each sample: y = x W + b. */
export class Dense extends Layer {
  constructor({ units, init = new HeNormal(), bias = true }) {
    super();
    requireCount("Dense", "units", units);
    this.units = units;
    this.init = init;
    this.bias = bias;
    this.outShape = [units];
  }

  /** Take flat samples (D,), give (M,). */
  build(inShape) {
    const inputs = flatSize(`Dense(${this.units})`, inShape);
    const parameters = new Map([
      ["W", new Parameter([inputs, this.units], this.init, { decays: true })],
    ]);
    if (this.bias) {
      parameters.set("b", new Parameter([this.units], new Zeros()));
    }
    return new Built(this.outShape, parameters);
  }

  /** Return y = x W + b, shape (N, M). */
  forward(params, x, trace) {
    trace.kept.x = x;
    const y = trace.buffer("y", x.n, this.outShape);
    multiply(x.data, params.W.data, y.data, x.n, x.size, this.units);
    if (this.bias) {
      addToRows(y, params.b.data);
    }
    return y;
  }

  /** Write dW = x.T dy and db = sum_n dy; return dx = dy W.T where it is wanted. */
  backward(params, dy, trace, grads) {
    const { x } = trace.kept;
    multiplyTransposed(x.data, dy.data, grads.W.data, x.n, x.size, this.units);
    if (this.bias) {
      sumOfSamples(dy, grads.b.data);
    }
    if (!trace.wantsDx) {
      return null;
    }
    const dx = trace.buffer("dx", x.n, x.shape);
    multiplyByTransposed(dy.data, params.W.data, dx.data, x.n, this.units, x.size);
    return dx;
  }

  /** Fit W and b to samples (N, D), where `init` is `FromData`. */
  initializeFrom(params, x, random) {
    fitToSamples(this, params, x, random);
  }
}

/** Affine map in the neural tangent parametrisation: y = x W / sqrt(D) + b. */
export class NTKDense extends Layer {
  constructor({ units, init = new Normal({ std: 1 }), bias = true, bias_rate = 1 }) {
    super();
    requireCount("NTKDense", "units", units);
    this.units = units;
    this.init = init;
    this.bias = bias;
    this.biasRate = bias_rate;
    this.outShape = [units];
  }

  /** Take flat samples (D,), give (M,). */
  build(inShape) {
    const inputs = flatSize(`NTKDense(${this.units})`, inShape);
    const parameters = new Map([
      ["W", new Parameter([inputs, this.units], this.init, { decays: true })],
    ]);
    if (this.bias) {
      parameters.set("b", new Parameter([this.units], new Zeros(), { rate: this.biasRate }));
    }
    return new Built(this.outShape, parameters);
  }

  /** Return y = x W / sqrt(D) + b, shape (N, M). */
  forward(params, x, trace) {
    trace.kept.x = x;
    const y = trace.buffer("y", x.n, this.outShape);
    multiply(x.data, params.W.data, y.data, x.n, x.size, this.units);
    scaleBy(1 / Math.sqrt(x.size), y.data, y.n * y.size);
    if (this.bias) {
      addToRows(y, params.b.data);
    }
    return y;
  }

  /** Write dW = x.T dy / sqrt(D) and db = sum_n dy; return dx = dy W.T / sqrt(D). */
  backward(params, dy, trace, grads) {
    const { x } = trace.kept;
    const factor = 1 / Math.sqrt(x.size);
    multiplyTransposed(x.data, dy.data, grads.W.data, x.n, x.size, this.units);
    scaleBy(factor, grads.W.data, grads.W.data.length);
    if (this.bias) {
      sumOfSamples(dy, grads.b.data);
    }
    if (!trace.wantsDx) {
      return null;
    }
    const dx = trace.buffer("dx", x.n, x.shape);
    multiplyByTransposed(dy.data, params.W.data, dx.data, x.n, this.units, x.size);
    scaleBy(factor, dx.data, x.n * x.size);
    return dx;
  }

  /** Fit W and b to samples (N, D), where `init` is `FromData`. */
  initializeFrom(params, x, random) {
    fitToSamples(this, params, x, random);
  }
}

/** Give each sample's numbers as one row, in C order: the last axis runs fastest. */
export class Flatten extends Layer {
  /** Take samples of any shape, give (D,). */
  build(inShape) {
    return new Built([sizeOf(inShape)]);
  }

  /** Return x as (N, D). */
  forward(params, x, trace) {
    trace.kept.shape = x.shape;
    trace.kept.flat ??= [x.size];
    return trace.reshaped("y", x, trace.kept.flat);
  }

  /** Return dy in the shape of x. */
  backward(params, dy, trace, grads) {
    return trace.reshaped("dx", dy, trace.kept.shape);
  }
}

function addToRows({ data, n, size }, b) {
  for (let row = 0, at = 0; row < n; row++) {
    for (let i = 0; i < size; i++, at++) {
      data[at] += b[i];
    }
  }
}

function scaleBy(factor, data, count) {
  for (let i = 0; i < count; i++) {
    data[i] *= factor;
  }
}

function fitToSamples(layer, params, x, random) {
  if (!(layer.init instanceof FromData)) {
    return;
  }
  params.b?.data.fill(0);
  const { factors, biases } = layer.init.fit(random, layer.forward(params, x, new Trace()));
  const W = params.W.data;
  for (let i = 0; i < W.length; i++) {
    W[i] *= factors[i % layer.units];
  }
  params.b?.data.set(biases);
}
