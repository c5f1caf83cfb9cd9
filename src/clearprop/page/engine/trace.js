/** Arrays of samples, and the trace that one pass through the network leaves behind. */

/**
 * Return the product of sizes.
 *
 * @param {number[]} shape
 */
export function sizeOf(shape) {
  let size = 1;
  for (const one of shape) {
    size *= one;
  }
  return size;
}

/**
 * Some samples: row after row in one array, which may be longer than they are.
 *
 * So a smaller last batch of an epoch takes the beginning of the memory of a full one, and nothing
 * is allocated for it.
 */
export class Batch {
  /**
   * @param {Float64Array} data - At least n * size numbers, in C order.
   * @param {number} n - The number N of samples.
   * @param {number[]} shape - The shape of one sample.
   */
  constructor(data, n, shape) {
    this.data = data;
    this.n = n;
    this.shape = shape;
    this.size = sizeOf(shape);
  }

  /** The numbers of the samples alone, as a view (N * size,). */
  get values() {
    return this.data.subarray(0, this.n * this.size);
  }
}

/**
 * The cache that backward needs, and the buffers that the next pass fills again.
 *
 * A trace belongs to one network, and to one pass at a time. Each layer has a trace of its own,
 * `child` of the network's, by the layer's name. For those who look on, it keeps what went in and
 * out.
 */
export class Trace {
  /**
   * @param {object} [options]
   * @param {boolean} [options.training] - Whether dropout drops and batch norm uses the batch's own
   *   statistics.
   * @param {Random|null} [options.random] - The source of what layers draw while training.
   */
  constructor({ training = false, random = null } = {}) {
    this.clock = { training, random, step: 0 }; // one for all inner layers' traces
    this.wantsDx = true;
    /** @type {Batch|null} */
    this.input = null;
    /** @type {Batch|null} */
    this.output = null;
    /** @type {Batch|null} The gradient of the loss by the output, after backward. */
    this.dy = null;
    this.kept = {}; // what a layer's forward leaves for its backward
    this.buffers = new Map();
    this.children = new Map();
  }

  get training() {
    return this.clock.training;
  }

  get random() {
    return this.clock.random;
  }

  /** The number of updates done before the pass. */
  get step() {
    return this.clock.step;
  }

  /** Return the trace of an inner layer, made at the first call. */
  child(name) {
    let made = this.children.get(name);
    if (made === undefined) {
      made = new Trace();
      made.clock = this.clock;
      this.children.set(name, made);
    }
    return made;
  }

  /**
   * Return the trace of a layer at a place such as "3", or "4.1" inside a container.
   *
   * @param {string} place
   * @returns {Trace|undefined}
   */
  at(place) {
    return place.split(".").reduce((trace, name) => trace?.children.get(name), this);
  }

  /** Return the places of all layers that this pass went through, containers before their own. */
  places() {
    return [...this.children].flatMap(([name, inner]) => [
      name,
      ...inner.places().map((place) => `${name}.${place}`),
    ]);
  }

  /**
   * Return samples to write to: new at first, the same memory in later passes.
   *
   * @param {string} name - The buffer's name, unique within the layer.
   * @param {number} n
   * @param {number[]} shape - The same array in each pass: another one gets memory of its own.
   * @returns {Batch} Its contents are whatever was there.
   */
  buffer(name, n, shape) {
    const found = this.memory(name, n, shape, Float64Array);
    found.n = n;
    return found;
  }

  /**
   * Return an array of at least `size` numbers to write to, which is kept as a buffer is.
   *
   * @param {string} name
   * @param {number} size
   * @param {Function} [kind] - The class of the array.
   */
  scratch(name, size, kind = Float64Array) {
    return this.memory(name, size, SCALAR, kind).data;
  }

  /**
   * Return the numbers of a batch in another shape of samples, sharing memory.
   *
   * @param {string} name
   * @param {Batch} batch
   * @param {number[]} shape
   */
  reshaped(name, batch, shape) {
    return this.wrapped(name, batch.data, batch.n, shape);
  }

  /** Return numbers that somebody else owns as samples. */
  wrapped(name, data, n, shape) {
    let found = this.buffers.get(name);
    if (found === undefined || found.shape !== shape) {
      found = new Batch(data, n, shape);
      this.buffers.set(name, found);
    }
    found.data = data;
    found.n = n;
    return found;
  }

  memory(name, n, shape, kind) {
    let found = this.buffers.get(name);
    if (found === undefined || found.shape !== shape) {
      found = new Batch(new kind(n * sizeOf(shape)), n, shape);
      this.buffers.set(name, found);
    } else if (found.data.length < n * found.size) {
      found.data = new kind(n * found.size);
    }
    return found;
  }
}

const SCALAR = [];
