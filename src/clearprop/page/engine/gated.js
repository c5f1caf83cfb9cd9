/** Activations that multiply their input by a gate between 0 and 1: y = x gate(x). */

import { Activation } from "./activations.js";
import { normalDensity, normalDistribution, sigmoidOf } from "./special.js";

const LARGEST_FOR_MISH = 20; // from here on Mish's gate is 1 to the last bit

/** Gaussian error linear unit: y = x Phi(x); g'(x) = Phi(x) + x phi(x). */
export class GELU extends Activation {
  /** Return y = x Phi(x). */
  forward(params, x, trace) {
    const Phi = trace.buffer("Phi", x.n, x.shape);
    Object.assign(trace.kept, { x, Phi });
    const y = trace.buffer("y", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      Phi.data[i] = normalDistribution(x.data[i]);
      y.data[i] = x.data[i] * Phi.data[i];
    }
    return y;
  }

  /** Return dx = dy (Phi(x) + x phi(x)). */
  backward(params, dy, trace, grads) {
    const { x, Phi } = trace.kept;
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      dx.data[i] = dy.data[i] * (Phi.data[i] + x.data[i] * normalDensity(x.data[i]));
    }
    return dx;
  }
}

/**
 * Mish: y = x t with t = tanh(log(1 + exp(x))); g'(x) = t + x (1 - t^2) / (1 + exp(-x)).
 *
 * With u = exp(x), t = (u^2 + 2 u) / (u^2 + 2 u + 2): one exponential in the place of three.
 */
export class Mish extends Activation {
  /** Return y = x t. */
  forward(params, x, trace) {
    const t = trace.buffer("t", x.n, x.shape);
    Object.assign(trace.kept, { x, t });
    const y = trace.buffer("y", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      const u = Math.exp(Math.min(x.data[i], LARGEST_FOR_MISH));
      const squares = u * (u + 2);
      t.data[i] = squares / (squares + 2);
      y.data[i] = x.data[i] * t.data[i];
    }
    return y;
  }

  /** Return dx = dy (t + x (1 - t^2) / (1 + exp(-x))). */
  backward(params, dy, trace, grads) {
    const { x, t } = trace.kept;
    const dx = trace.buffer("dx", x.n, x.shape);
    for (let i = 0, count = x.n * x.size; i < count; i++) {
      const gate = t.data[i];
      const bent = x.data[i] * (1 - gate * gate) * sigmoidOf(x.data[i]);
      dx.data[i] = dy.data[i] * (gate + bent);
    }
    return dx;
  }
}
