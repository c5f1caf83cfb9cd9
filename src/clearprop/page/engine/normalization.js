/** Normalisation of activations: over the batch, or over each sample's features. */

import { Constant, Zeros } from "./initializers.js";
import { Built, flatSize, Layer, sumOfProducts, sumOfSamples } from "./layer.js";
import { Parameter } from "./parameters.js";
import { pictureShape } from "./windows.js";

/**
 * Normalise each feature over the batch, then scale and shift: y = gamma xhat + beta.
 *
 * xhat = (x - mean) / s with s = sqrt(variance + epsilon), with mean and variance of the batch
 * while training, and with their running averages otherwise. Of pictures (H, W, C) the features
 * are the channels, and every place of every sample counts.
 */
export class BatchNorm extends Layer {
  constructor({ momentum = 0.1, epsilon = 1e-5 } = {}) {
    super();
    if (!(momentum > 0 && momentum <= 1)) {
      throw new Error(`BatchNorm's momentum is above 0, at most 1; found ${momentum}.`);
    }
    requireEpsilon("BatchNorm", epsilon);
    this.momentum = momentum;
    this.epsilon = epsilon;
  }

  /** Take and give flat samples (D,), or pictures (H, W, C) or (H, W). */
  build(inShape) {
    const features = inShape.length === 1 ? inShape : pictureShape("BatchNorm", inShape).slice(2);
    const state = new Map([
      ["running_mean", new Parameter(features, new Zeros())],
      ["running_variance", new Parameter(features, new Constant({ value: 1 }))],
    ]);
    return new Built(inShape, scaleAndShift(features), state);
  }

  /** Return y = gamma xhat + beta, of the shape of x. */
  forward(params, x, trace) {
    const features = params.gamma.data.length;
    const [gamma, beta] = [params.gamma.data, params.beta.data];
    let [mean, variance] = [params.running_mean.data, params.running_variance.data];
    if (trace.training) {
      mean = trace.kept.mean = trace.scratch("mean", features);
      variance = trace.kept.variance = trace.scratch("variance", features);
      momentsOfFeatures(x, features, mean, variance);
    }
    const s = (trace.kept.s = trace.scratch("s", features));
    for (let i = 0; i < features; i++) {
      s[i] = Math.sqrt(variance[i] + this.epsilon);
    }
    const xhat = (trace.kept.xhat = trace.buffer("xhat", x.n, x.shape));
    const y = trace.buffer("y", x.n, x.shape);
    for (let at = 0, count = x.n * x.size; at < count;) {
      for (let i = 0; i < features; i++, at++) {
        xhat.data[at] = (x.data[at] - mean[i]) / s[i];
        y.data[at] = gamma[i] * xhat.data[at] + beta[i];
      }
    }
    return y;
  }

  /**
   * Write dgamma = sum_n dy xhat and dbeta = sum_n dy; return
   * dx = gamma / s (dy - dbeta / N - xhat dgamma / N) while training, else gamma / s dy.
   */
  backward(params, dy, trace, grads) {
    const { xhat, s } = trace.kept;
    const gamma = params.gamma.data;
    const [dgamma, dbeta] = [grads.gamma.data, grads.beta.data];
    const features = gamma.length;
    const count = dy.n * dy.size;
    dgamma.fill(0);
    dbeta.fill(0);
    for (let at = 0; at < count;) {
      for (let i = 0; i < features; i++, at++) {
        dgamma[i] += dy.data[at] * xhat.data[at];
        dbeta[i] += dy.data[at];
      }
    }
    const dx = trace.buffer("dx", dy.n, dy.shape);
    const share = trace.training ? features / count : 0; // 1 / N
    for (let at = 0; at < count;) {
      for (let i = 0; i < features; i++, at++) {
        const pulled = dy.data[at] - share * (dbeta[i] + xhat.data[at] * dgamma[i]);
        dx.data[at] = (gamma[i] / s[i]) * pulled;
      }
    }
    return dx;
  }

  /** Move the running averages towards the batch's mean and unbiased variance. */
  updateState(params, trace) {
    const { xhat, mean, variance } = trace.kept;
    const [runningMean, runningVariance] = [params.running_mean.data, params.running_variance.data];
    const count = (xhat.n * xhat.size) / runningMean.length;
    const unbiased = count / Math.max(count - 1, 1);
    for (let i = 0; i < runningMean.length; i++) {
      runningMean[i] += this.momentum * (mean[i] - runningMean[i]);
      runningVariance[i] += this.momentum * (variance[i] * unbiased - runningVariance[i]);
    }
  }
}

/**
 * Normalise each sample over its D features, then scale and shift: y = gamma xhat + beta.
 *
 * xhat = (x - mean) / s with s = sqrt(variance + epsilon), while training and otherwise.
 */
export class LayerNorm extends Layer {
  constructor({ epsilon = 1e-5 } = {}) {
    super();
    requireEpsilon("LayerNorm", epsilon);
    this.epsilon = epsilon;
  }

  /** Take and give flat samples (D,). */
  build(inShape) {
    flatSize("LayerNorm", inShape);
    return new Built(inShape, scaleAndShift(inShape));
  }

  /** Return y = gamma xhat + beta, shape (N, D). */
  forward(params, x, trace) {
    const D = x.size;
    const [gamma, beta] = [params.gamma.data, params.beta.data];
    const xhat = (trace.kept.xhat = trace.buffer("xhat", x.n, x.shape));
    const s = (trace.kept.s = trace.scratch("s", x.n));
    const y = trace.buffer("y", x.n, x.shape);
    for (let row = 0; row < x.n; row++) {
      const start = row * D;
      let mean = 0;
      for (let i = 0; i < D; i++) {
        mean += x.data[start + i];
      }
      mean /= D;
      let variance = 0;
      for (let i = 0; i < D; i++) {
        variance += (x.data[start + i] - mean) ** 2;
      }
      s[row] = Math.sqrt(variance / D + this.epsilon);
      for (let i = 0; i < D; i++) {
        xhat.data[start + i] = (x.data[start + i] - mean) / s[row];
        y.data[start + i] = gamma[i] * xhat.data[start + i] + beta[i];
      }
    }
    return y;
  }

  /**
   * Write dgamma = sum_n dy xhat and dbeta = sum_n dy; with dxhat = dy gamma return
   * dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / s.
   */
  backward(params, dy, trace, grads) {
    const { xhat, s } = trace.kept;
    const gamma = params.gamma.data;
    const D = dy.size;
    sumOfProducts(dy, xhat, grads.gamma.data);
    sumOfSamples(dy, grads.beta.data);
    const dx = trace.buffer("dx", dy.n, dy.shape);
    for (let row = 0; row < dy.n; row++) {
      const start = row * D;
      let mean = 0;
      let along = 0;
      for (let i = 0; i < D; i++) {
        const dxhat = dy.data[start + i] * gamma[i];
        mean += dxhat;
        along += dxhat * xhat.data[start + i];
      }
      mean /= D;
      along /= D;
      for (let i = 0; i < D; i++) {
        const dxhat = dy.data[start + i] * gamma[i];
        dx.data[start + i] = (dxhat - mean - xhat.data[start + i] * along) / s[row];
      }
    }
    return dx;
  }
}

/** Write mean and variance of each feature over all samples and places. */
function momentsOfFeatures(x, features, mean, variance) {
  const count = x.n * x.size;
  const share = features / count;
  mean.fill(0);
  for (let at = 0; at < count;) {
    for (let i = 0; i < features; i++, at++) {
      mean[i] += x.data[at];
    }
  }
  for (let i = 0; i < features; i++) {
    mean[i] *= share;
  }
  variance.fill(0);
  for (let at = 0; at < count;) {
    for (let i = 0; i < features; i++, at++) {
      variance[i] += (x.data[at] - mean[i]) ** 2;
    }
  }
  for (let i = 0; i < features; i++) {
    variance[i] *= share;
  }
}

function scaleAndShift(features) {
  return new Map([
    ["gamma", new Parameter(features, new Constant({ value: 1 }))],
    ["beta", new Parameter(features, new Zeros())],
  ]);
}

function requireEpsilon(name, epsilon) {
  if (!(epsilon > 0)) {
    throw new Error(`${name} needs a positive epsilon, found ${epsilon}.`);
  }
}
