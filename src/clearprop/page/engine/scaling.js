/** Learned factors: one for each input, and one for each unit between an activation and none. */

import { Constant } from "./initializers.js";
import { branchOf, Built, flatSize, Layer, sumOfProducts } from "./layer.js";
import { Parameter, prefixed } from "./parameters.js";

/** Multiply each input by a learned number: y = s x. */
export class Scale extends Layer {
  constructor({ rate = 1 } = {}) {
    super();
    this.rate = rate;
  }

  /** Take and give flat samples (D,). */
  build(inShape) {
    flatSize("Scale", inShape);
    return new Built(inShape, new Map([["s", learnedFactor(inShape, this.rate)]]));
  }

  /** Return y = s x, shape (N, D). */
  forward(params, x, trace) {
    trace.kept.x = x;
    return timesRow(x, params.s.data, trace.buffer("y", x.n, x.shape));
  }

  /** Write ds = sum_n dy x; return dx = s dy where it is wanted. */
  backward(params, dy, trace, grads) {
    sumOfProducts(dy, trace.kept.x, grads.s.data);
    return trace.wantsDx ? timesRow(dy, params.s.data, trace.buffer("dx", dy.n, dy.shape)) : null;
  }
}

/** Blend an activation f with the identity: y = x + alpha (f(x) - x), of learned alpha (D,). */
export class Blend extends Layer {
  constructor({ activation, rate = 1 }) {
    super();
    this.activation = activation;
    this.rate = rate;
  }

  /** Take and give flat samples (D,). */
  build(inShape) {
    flatSize("Blend", inShape);
    const inside = this.activation.build(inShape);
    if (String(inside.outShape) !== String(inShape)) {
      throw new Error(
        `Blend needs an activation that keeps the shape of its input; ${this.activation.constructor.name} ` +
          `makes [${inside.outShape}] of [${inShape}].`,
      );
    }
    const parameters = new Map(prefixed("activation", inside.parameters));
    parameters.set("alpha", learnedFactor(inShape, this.rate));
    return new Built(inShape, parameters, new Map(prefixed("activation", inside.state)));
  }

  /** Return y = x + alpha (f(x) - x), shape (N, D). */
  forward(params, x, trace) {
    const child = trace.child("activation");
    const block = this.activation.pass(branchOf(params, "activation"), x, child);
    const change = (trace.kept.change = trace.buffer("change", x.n, x.shape));
    const y = trace.buffer("y", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      change.data[i] = block.data[i] - x.data[i];
      y.data[i] = x.data[i] + params.alpha.data[i % x.size] * change.data[i];
    }
    return y;
  }

  /** Write dalpha = sum_n dy (f(x) - x); return dx = dy - alpha dy + f'(alpha dy). */
  backward(params, dy, trace, grads) {
    sumOfProducts(dy, trace.kept.change, grads.alpha.data);
    const child = trace.child("activation");
    child.wantsDx = trace.wantsDx;
    const bent = timesRow(dy, params.alpha.data, trace.buffer("bent", dy.n, dy.shape));
    const dblock = this.activation.passBack(
      ...[branchOf(params, "activation"), bent, child, branchOf(grads, "activation")],
    );
    if (!trace.wantsDx) {
      return null;
    }
    const dx = trace.buffer("dx", dy.n, dy.shape);
    for (let i = 0, count = dy.n * dy.size; i < count; i++) {
      dx.data[i] = dy.data[i] - bent.data[i] + dblock.data[i];
    }
    return dx;
  }

  /** Let the activation update what it keeps. */
  updateState(params, trace) {
    this.activation.updateState(branchOf(params, "activation"), trace.child("activation"));
  }

  inner() {
    return [["activation", this.activation]];
  }
}

function learnedFactor(shape, rate) {
  return new Parameter(shape, new Constant({ value: 1 }), { decays: true, rate });
}

/** Write the products of each sample (D,) with one row. */
function timesRow({ data, n, size }, row, out) {
  for (let sample = 0, at = 0; sample < n; sample++) {
    for (let i = 0; i < size; i++, at++) {
      out.data[at] = data[at] * row[i];
    }
  }
  return out;
}
