/** Layers side by side, each for its own columns. */

import { branchOf, Built, flatSize, Layer } from "./layer.js";
import { prefixed } from "./parameters.js";
import { Trace } from "./trace.js";

/** Give each layer its own columns, and set what they make of them side by side. */
export class Columns extends Layer {
  /** @param {{ranges: number[][], layers: Layer[]}} fields - A range [start, stop) for each. */
  constructor({ ranges, layers }) {
    super();
    if (ranges.length !== layers.length || layers.length === 0) {
      throw new Error(
        "Columns needs a range of columns for each layer, and a layer; found " +
          `${ranges.length} ranges and ${layers.length} layers.`,
      );
    }
    this.ranges = ranges;
    this.layers = layers;
    this.names = layers.map((_, place) => String(place));
    this.shapes = ranges.map(([start, stop]) => [stop - start]);
  }

  /** Take flat samples (D,), and give the outputs of all layers as flat ones. */
  build(inShape) {
    this.checkColumns(flatSize("Columns", inShape));
    let width = 0;
    const parameters = [];
    const state = [];
    this.layers.forEach((layer, place) => {
      const built = layer.build(this.shapes[place]);
      width += flatSize("Columns", built.outShape);
      parameters.push(...prefixed(this.names[place], built.parameters));
      state.push(...prefixed(this.names[place], built.state));
    });
    return new Built([width], new Map(parameters), new Map(state));
  }

  /** Return what the layers make of their columns, side by side. */
  forward(params, x, trace) {
    const parts = this.layers.map((layer, place) => {
      const name = this.names[place];
      const child = trace.child(name);
      const own = child.buffer("columns", x.n, this.shapes[place]);
      copyColumns(x, this.ranges[place][0], own, 0, own.size);
      return layer.pass(branchOf(params, name), own, child);
    });
    trace.kept.shapes ??= parts.map(({ shape }) => shape);
    trace.kept.outShape ??= [parts.reduce((width, { size }) => width + size, 0)];
    trace.kept.inShape ??= x.shape;
    const y = trace.buffer("y", x.n, trace.kept.outShape);
    let column = 0;
    for (const part of parts) {
      copyColumns(part, 0, y, column, part.size);
      column += part.size;
    }
    return y;
  }

  /** Give each layer its part of dy; return the sum of what comes back where it is wanted. */
  backward(params, dy, trace, grads) {
    const dx = trace.wantsDx ? trace.buffer("dx", dy.n, trace.kept.inShape) : null;
    dx?.data.fill(0);
    let column = 0;
    this.layers.forEach((layer, place) => {
      const name = this.names[place];
      const child = trace.child(name);
      child.wantsDx = trace.wantsDx;
      const part = child.buffer("part of dy", dy.n, trace.kept.shapes[place]);
      copyColumns(dy, column, part, 0, part.size);
      column += part.size;
      const back = layer.passBack(branchOf(params, name), part, child, branchOf(grads, name));
      if (dx !== null && back !== null) {
        addColumns(back, dx, this.ranges[place][0]);
      }
    });
    return dx;
  }

  /** Fit each layer to its own columns. */
  initializeFrom(params, x, random) {
    this.layers.forEach((layer, place) => {
      const own = new Trace().buffer("columns", x.n, this.shapes[place]);
      copyColumns(x, this.ranges[place][0], own, 0, own.size);
      layer.initializeFrom(branchOf(params, this.names[place]), own, random);
    });
  }

  /** Let each layer update what it keeps. */
  updateState(params, trace) {
    this.layers.forEach((layer, place) => {
      const name = this.names[place];
      layer.updateState(branchOf(params, name), trace.child(name));
    });
  }

  inner() {
    return this.layers.map((layer, place) => [this.names[place], layer]);
  }

  checkColumns(columns) {
    const seen = new Set();
    for (const [start, stop] of this.ranges) {
      if (stop > columns) {
        throw new Error(`Columns takes samples of ${stop} columns, found samples of ${columns}.`);
      }
      for (let column = start; column < stop; column++) {
        seen.add(column);
      }
    }
    if (seen.size < columns) {
      throw new Error(`Columns gives ${columns - seen.size} columns of ${columns} to no layer.`);
    }
  }
}

function copyColumns(from, fromColumn, to, toColumn, count) {
  for (let row = 0; row < from.n; row++) {
    const source = row * from.size + fromColumn;
    const target = row * to.size + toColumn;
    for (let i = 0; i < count; i++) {
      to.data[target + i] = from.data[source + i];
    }
  }
}

function addColumns(from, to, toColumn) {
  for (let row = 0; row < from.n; row++) {
    const source = row * from.size;
    const target = row * to.size + toColumn;
    for (let i = 0; i < from.size; i++) {
      to.data[target + i] += from.data[source + i];
    }
  }
}
