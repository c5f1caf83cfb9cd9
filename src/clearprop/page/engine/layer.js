/** The base of all layers: hyper-parameters, with forward and backward next to each other. */

/** A layer's arrays and output, known once the shape of its input is. */
export class Built {
  /**
   * @param {number[]} outShape - The shape of one output sample.
   * @param {Map<string, Parameter>} [parameters] - The arrays that the layer learns.
   * @param {Map<string, Parameter>} [state] - The arrays that it keeps but does not learn.
   */
  constructor(outShape, parameters = new Map(), state = new Map()) {
    this.outShape = outShape;
    this.parameters = parameters;
    this.state = state;
  }
}

/**
 * Base of every layer.
 *
 * A layer holds hyper-parameters only. Parameters and state come in as `params`, and what backward
 * needs of forward lies in the trace, as in Python. Its class has the name of Python's, and its
 * constructor takes the fields of the description in a model file.
 */
export class Layer {
  /** Say what comes out, and what is learned and kept; unless overridden the shape stays. */
  build(inShape) {
    return new Built(inShape);
  }

  /**
   * Compute the output of a batch, which must not be changed.
   *
   * @param {object} params - The arrays that `build` named: params.W is {shape, data}.
   * @param {Batch} x - Samples (N, ...inShape).
   * @param {Trace} trace - The place for all that backward needs.
   * @returns {Batch} The output (N, ...outShape), in the trace's memory.
   */
  forward(params, x, trace) {
    throw new Error(`${this.constructor.name} has no forward.`);
  }

  /**
   * Write the gradients of the parameters into `grads` and return that of the input.
   *
   * @param {object} params
   * @param {Batch} dy - The gradient of the loss by the output; it must not be changed.
   * @param {Trace} trace - The trace that forward filled.
   * @param {object} grads - The arrays that take the gradients: grads.W.data.
   * @returns {Batch|null} Nobody reads it where `trace.wantsDx` is false.
   */
  backward(params, dy, trace, grads) {
    throw new Error(`${this.constructor.name} has no backward.`);
  }

  /** Compute the output, and keep what went in and out for those who look on. */
  pass(params, x, trace) {
    trace.input = x;
    trace.output = this.forward(params, x, trace);
    return trace.output;
  }

  /** Compute the gradients, and keep that of the output for those who look on. */
  passBack(params, dy, trace, grads) {
    trace.dy = dy;
    return this.backward(params, dy, trace, grads);
  }

  /** Fit the first values that depend on the samples `x` as they reach the layer. */
  initializeFrom(params, x, random) {}

  /** Write what the training pass in `trace` says about the state into `params`. */
  updateState(params, trace) {}

  /** Return the layers inside a container by name; unless overridden there are none. */
  inner() {
    return [];
  }
}

const NO_ARRAYS = Object.freeze(Object.create(null));

/** Return an inner layer's own part of a tree of arrays. */
export function branchOf(tree, name) {
  return tree[name] ?? NO_ARRAYS;
}

/**
 * Return the number D of features of flat samples.
 *
 * @param {string} layer - The layer that takes them, for the message.
 * @param {number[]} inShape
 * @throws {Error} If the samples are not flat.
 */
export function flatSize(layer, inShape) {
  if (inShape.length !== 1) {
    throw new Error(
      `${layer} takes flat samples (D,), found samples of shape [${inShape}]. Put a Flatten before it.`,
    );
  }
  return inShape[0];
}

/** Refuse a count that is no whole number from 1. */
export function requireCount(layer, what, count) {
  if (!Number.isInteger(count) || count < 1) {
    throw new Error(`${layer} needs a whole number of ${what} from 1, found ${count}.`);
  }
}

/**
 * Write the sum over the samples into `out`.
 *
 * @param {Batch} batch - Samples (N, D).
 * @param {Float64Array} out - (D,).
 */
export function sumOfSamples({ data, n, size }, out) {
  out.fill(0);
  for (let row = 0, at = 0; row < n; row++) {
    for (let i = 0; i < size; i++, at++) {
      out[i] += data[at];
    }
  }
}

/** Write the sum over the samples of the products of two batches into `out` (D,). */
export function sumOfProducts(one, other, out) {
  const { data: a, n, size } = one;
  const b = other.data;
  out.fill(0);
  for (let row = 0, at = 0; row < n; row++) {
    for (let i = 0; i < size; i++, at++) {
      out[i] += a[at] * b[at];
    }
  }
}
