/**
 * Element-wise activations: y = g(x), dx = dy * g'(x).
 *
 * Each keeps only what its derivative needs, which for sigmoid, tanh, ReLU and SELU is the output.
 */

import { Layer } from "./layer.js";
import { sigmoidOf, softplusOf } from "./special.js";

const SCALE_OF_SELU = 1.0507009873554805;
const LIMIT_OF_SELU = SCALE_OF_SELU * 1.6732632423543772; // s a

/** Base of the activations, by which those who draw networks know them. */
export class Activation extends Layer {}

/** Logistic sigmoid: y = 1 / (1 + exp(-x)), between 0 and 1; g'(x) = y (1 - y). */
export class Sigmoid extends Activation {
  /** Return y = 1 / (1 + exp(-x)). */
  forward(params, x, trace) {
    const y = (trace.kept.y = trace.buffer("y", x.n, x.shape));
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      y.data[i] = sigmoidOf(x.data[i]);
    }
    return y;
  }

  /** Return dx = dy y (1 - y). */
  backward(params, dy, trace, grads) {
    const { y } = trace.kept;
    const dx = trace.buffer("dx", y.n, y.shape);
    for (let i = 0, count = y.n * y.size; i < count; i++) {
      dx.data[i] = (1 - y.data[i]) * y.data[i] * dy.data[i];
    }
    return dx;
  }
}

/** Hyperbolic tangent: y = tanh(x), between -1 and 1; g'(x) = 1 - y^2. */
export class Tanh extends Activation {
  /** Return y = tanh(x). */
  forward(params, x, trace) {
    const y = (trace.kept.y = trace.buffer("y", x.n, x.shape));
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      y.data[i] = Math.tanh(x.data[i]);
    }
    return y;
  }

  /** Return dx = dy (1 - y^2). */
  backward(params, dy, trace, grads) {
    const { y } = trace.kept;
    const dx = trace.buffer("dx", y.n, y.shape);
    for (let i = 0, count = y.n * y.size; i < count; i++) {
      dx.data[i] = (1 - y.data[i] * y.data[i]) * dy.data[i];
    }
    return dx;
  }
}

/** Rectified linear unit: y = max(x, 0); g'(x) = 1 where x > 0, else 0 (at the kink, too). */
export class ReLU extends Activation {
  /** Return y = max(x, 0). */
  forward(params, x, trace) {
    const y = (trace.kept.y = trace.buffer("y", x.n, x.shape));
    const from = x.data;
    const to = y.data;
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      to[i] = from[i] <= 0 ? 0 : from[i]; // NaN stays NaN
    }
    return y;
  }

  /** Return dx = dy where y > 0, else 0. */
  backward(params, dy, trace, grads) {
    const { y } = trace.kept;
    const dx = trace.buffer("dx", y.n, y.shape);
    const [to, above, below] = [dx.data, y.data, dy.data];
    for (let i = 0, count = y.n * y.size; i < count; i++) {
      to[i] = above[i] > 0 ? below[i] : 0;
    }
    return dx;
  }
}

/** ReLU that lets a little through below zero: y = x where x > 0, else slope x. */
export class LeakyReLU extends Activation {
  constructor({ slope = 0.01 } = {}) {
    super();
    if (!(slope >= 0 && slope <= 1)) {
      throw new Error(`LeakyReLU needs a slope between 0 and 1, found ${slope}.`);
    }
    this.slope = slope;
  }

  /** Return y = x where x > 0, else slope x. */
  forward(params, x, trace) {
    trace.kept.x = x;
    const y = trace.buffer("y", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      y.data[i] = x.data[i] > 0 ? x.data[i] : this.slope * x.data[i];
    }
    return y;
  }

  /** Return dx = dy where x > 0, else slope dy. */
  backward(params, dy, trace, grads) {
    const { x } = trace.kept;
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      dx.data[i] = x.data[i] > 0 ? dy.data[i] : this.slope * dy.data[i];
    }
    return dx;
  }
}

/** Exponential linear unit: y = x where x > 0, else alpha (exp(x) - 1). */
export class ELU extends Activation {
  constructor({ alpha = 1 } = {}) {
    super();
    if (!(alpha > 0)) {
      throw new Error(`ELU needs a positive alpha, found ${alpha}.`);
    }
    this.alpha = alpha;
  }

  /** Return y = x where x > 0, else alpha (exp(x) - 1). */
  forward(params, x, trace) {
    const y = trace.buffer("y", x.n, x.shape);
    Object.assign(trace.kept, { x, y });
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      y.data[i] = x.data[i] > 0 ? x.data[i] : (Math.exp(x.data[i]) - 1) * this.alpha;
    }
    return y;
  }

  /** Return dx = dy where x > 0, else dy (y + alpha). */
  backward(params, dy, trace, grads) {
    const { x, y } = trace.kept;
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      dx.data[i] = x.data[i] > 0 ? dy.data[i] : (y.data[i] + this.alpha) * dy.data[i];
    }
    return dx;
  }
}

/** Scaled exponential linear unit: y = s x where x > 0, else s a (exp(x) - 1). */
export class SELU extends Activation {
  /** Return y = s x where x > 0, else s a (exp(x) - 1). */
  forward(params, x, trace) {
    const y = (trace.kept.y = trace.buffer("y", x.n, x.shape));
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      const z = x.data[i];
      y.data[i] = z > 0 ? SCALE_OF_SELU * z : LIMIT_OF_SELU * (Math.exp(z) - 1);
    }
    return y;
  }

  /** Return dx = s dy where y > 0, else dy (y + s a). */
  backward(params, dy, trace, grads) {
    const { y } = trace.kept;
    const dx = trace.buffer("dx", y.n, y.shape);
    for (let i = 0, count = y.n * y.size; i < count; i++) {
      dx.data[i] = dy.data[i] * (y.data[i] > 0 ? SCALE_OF_SELU : y.data[i] + LIMIT_OF_SELU);
    }
    return dx;
  }
}

/** Smooth ReLU: y = log(1 + exp(x)); g'(x) = 1 / (1 + exp(-x)). */
export class Softplus extends Activation {
  /** Return y = log(1 + exp(x)). */
  forward(params, x, trace) {
    trace.kept.x = x;
    const y = trace.buffer("y", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      y.data[i] = softplusOf(x.data[i]);
    }
    return y;
  }

  /** Return dx = dy / (1 + exp(-x)). */
  backward(params, dy, trace, grads) {
    const { x } = trace.kept;
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      dx.data[i] = dy.data[i] * sigmoidOf(x.data[i]);
    }
    return dx;
  }
}
