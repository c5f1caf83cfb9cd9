/** Trains [784, 64, 32, 10] by batches of 32 in Node; prints the seconds a step, as JSON. */

import { buildNetwork } from "../src/clearprop/page/engine/network.js";
import { makeOptimizer } from "../src/clearprop/page/engine/optimizers.js";
import { Random } from "../src/clearprop/page/engine/random.js";

const { widths, samples, batch, epochs } = JSON.parse(process.argv[2]);
const [inputs, ...units] = widths;
const dense = units.flatMap((count) => [{ type: "Dense", units: count }, { type: "ReLU" }]);
const config = {
  layers: dense.slice(0, -1),
  loss: { type: "SoftmaxCrossEntropy" },
  input_shape: [inputs],
};

const random = new Random(0);
const X = Float64Array.from({ length: samples * inputs }, () => random.normal());
const labels = Float64Array.from({ length: samples }, () => random.integer(units.at(-1)));
const network = buildNetwork(config, 0);
const optimizer = makeOptimizer("adam");
const state = optimizer.start(network.parameters);
const order = new Uint32Array(samples);
const x = new Float64Array(batch * inputs);
const y = new Float64Array(batch);
let step = 0;

function epoch() {
  random.permutation(samples, order);
  for (let start = 0; start < samples; start += batch) {
    for (let row = 0; row < batch; row++) {
      const from = order[start + row];
      x.set(X.subarray(from * inputs, (from + 1) * inputs), row * inputs);
      y[row] = labels[from];
    }
    network.update(optimizer, state, x, y, batch, { step });
    step += 1;
  }
}

epoch(); // the compiler has seen everything once
const began = performance.now();
for (let i = 0; i < epochs; i++) {
  epoch();
}
const steps = (epochs * samples) / batch;
process.stdout.write(JSON.stringify((performance.now() - began) / 1000 / steps));
