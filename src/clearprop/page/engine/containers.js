/** Layers made of layers: one after the other, and with a link around them. */

import { Scaled } from "./initializers.js";
import { branchOf, Built, Layer } from "./layer.js";
import { Parameter, prefixed } from "./parameters.js";
import { multiply, multiplyByTransposed, multiplyTransposed } from "./products.js";
import { Trace } from "./trace.js";

/** The chain rule as a layer: each layer's output is the next one's input. */
export class Sequential extends Layer {
  /** @param {{layers: Layer[]}} fields - Their names are their places: "0", "1", ... */
  constructor({ layers }) {
    super();
    this.layers = layers;
    this.names = layers.map((_, place) => String(place));
  }

  /** Build each layer on the shape that the one below gives. */
  build(inShape) {
    let shape = inShape;
    const parameters = [];
    const state = [];
    this.layers.forEach((layer, place) => {
      const built = builtAt(place, layer, shape);
      shape = built.outShape;
      parameters.push(...prefixed(this.names[place], built.parameters));
      state.push(...prefixed(this.names[place], built.state));
    });
    return new Built(shape, new Map(parameters), new Map(state));
  }

  /** Return the last layer's output. */
  forward(params, x, trace) {
    this.layers.forEach((layer, place) => {
      const name = this.names[place];
      x = layer.pass(branchOf(params, name), x, trace.child(name));
    });
    return x;
  }

  /** Walk the layers from the last to the first, no further down than anyone needs. */
  backward(params, dy, trace, grads) {
    const lowest = trace.wantsDx ? 0 : this.lowestLearning(grads);
    for (let place = this.layers.length - 1; place >= lowest; place--) {
      const name = this.names[place];
      const child = trace.child(name);
      child.wantsDx = trace.wantsDx || place > lowest;
      dy = this.layers[place].passBack(branchOf(params, name), dy, child, branchOf(grads, name));
    }
    return trace.wantsDx ? dy : null;
  }

  lowestLearning(grads) {
    const lowest = this.names.findIndex((name) => name in grads);
    return lowest < 0 ? this.layers.length : lowest;
  }

  /** Fit the layers one after the other, each when those below it are fitted. */
  initializeFrom(params, x, random) {
    this.layers.forEach((layer, place) => {
      const own = branchOf(params, this.names[place]);
      layer.initializeFrom(own, x, random);
      x = layer.forward(own, x, new Trace({ training: true, random }));
    });
  }

  /** Let each layer that keeps anything update its own. */
  updateState(params, trace) {
    this.layers.forEach((layer, place) => {
      const name = this.names[place];
      layer.updateState(branchOf(params, name), trace.child(name));
    });
  }

  inner() {
    return this.layers.map((layer, place) => [this.names[place], layer]);
  }
}

/**
 * A chain of layers whose input is added to its output: y = block(x) + x, or block(x) + x P.
 *
 * Where the block changes the number of features, of pictures that of the channels, the input
 * passes a projection P (D, M) without bias, which is learned.
 */
export class Residual extends Sequential {
  constructor({ layers, init = new Scaled() }) {
    super({ layers });
    this.init = init;
  }

  /** Build the block, and a projection where its shape differs from the input's. */
  build(inShape) {
    const built = super.build(inShape);
    if (String(built.outShape) === String(inShape)) {
      return built;
    }
    if (String(inShape.slice(0, -1)) !== String(built.outShape.slice(0, -1))) {
      throw new Error(
        `Residual can project the last axis only; its block makes [${built.outShape}] of [${inShape}]. ` +
          "Put what changes the others, a pool, a stride or a Flatten, before it.",
      );
    }
    const shape = [inShape.at(-1), built.outShape.at(-1)];
    built.parameters.set("P", new Parameter(shape, this.init, { decays: true }));
    return built;
  }

  /** Return y = block(x) + x, or block(x) + x P. */
  forward(params, x, trace) {
    trace.kept.x = x;
    const inside = super.forward(params, x, trace);
    const y = trace.buffer("y", inside.n, inside.shape);
    if (params.P === undefined) {
      return sumInto(y, inside, x);
    }
    const [D, M] = params.P.shape;
    multiply(x.data, params.P.data, y.data, (x.n * x.size) / D, D, M);
    return sumInto(y, inside, y);
  }

  /** Write the gradients of the block and dP = x.T dy; return dx = block'(dy) + dy, or + dy P.T. */
  backward(params, dy, trace, grads) {
    const { x } = trace.kept;
    const inside = super.backward(params, dy, trace, grads);
    const [D, M] = params.P?.shape ?? [x.size, x.size];
    const rows = (x.n * x.size) / D; // features of each sample, or of each place of pictures
    if (params.P !== undefined) {
      multiplyTransposed(x.data, dy.data, grads.P.data, rows, D, M);
    }
    if (inside === null) {
      return null;
    }
    const dx = trace.buffer("dx", x.n, x.shape);
    if (params.P === undefined) {
      return sumInto(dx, inside, dy);
    }
    multiplyByTransposed(dy.data, params.P.data, dx.data, rows, M, D);
    return sumInto(dx, inside, dx);
  }
}

/** Build a layer, and name its place where it can't be. */
function builtAt(place, layer, shape) {
  try {
    return layer.build(shape);
  } catch (error) {
    throw new Error(`Layer ${place}: ${error.message}`, { cause: error });
  }
}

function sumInto(out, one, other) {
  for (let i = 0, count = out.n * out.size; i < count; i++) {
    out.data[i] = one.data[i] + other.data[i];
  }
  return out;
}
