// Answers questions about what the page's panels compute: an object of JSON a line, one back.

import { createInterface } from "node:readline";

import { confusionOf } from "../../src/clearprop/page/view/answers.js";
import { arithmeticOf, Operands } from "../../src/clearprop/page/view/arithmetic.js";
import { differingSettings, overlaid } from "../../src/clearprop/page/view/comparison.js";
import { curveNames } from "../../src/clearprop/page/view/curves.js";
import { generalNumber, number } from "../../src/clearprop/page/view/dom.js";
import { relativeChange, rootMeanSquare } from "../../src/clearprop/page/view/flow.js";
import { histogramOf, momentsOf } from "../../src/clearprop/page/view/histograms.js";
import { KeptParameters } from "../../src/clearprop/page/view/kept.js";
import { lossArithmetic } from "../../src/clearprop/page/view/loss_arithmetic.js";
import { principalComponents } from "../../src/clearprop/page/view/pca.js";
import { decodedNumbers, Samples } from "../../src/clearprop/page/view/samples.js";
import { Store } from "../../src/clearprop/page/view/store.js";
import { activeUnits } from "../../src/clearprop/page/view/units.js";
import { updateArithmetic } from "../../src/clearprop/page/view/update_arithmetic.js";
import { say, sayCount, useWords } from "../../src/clearprop/page/view/words.js";

const written = ({ symbols, numbers, value }) => ({ symbols, numbers, value });

const writtenWhole = ({ formula, before, entry }) => ({
  formula,
  before: before.map((step) => ({ name: step.name, ...written(step.entry) })),
  ...written(entry),
});

function operandsOf(arrays) {
  return new Operands(
    Object.fromEntries(
      Object.entries(arrays).map(([name, { shape, data }]) => [
        name,
        { shape, data: Float64Array.from(data) },
      ]),
    ),
  );
}

const answers = {
  arithmetic({ type, layer, result, arrays, indices }) {
    const operands = operandsOf(arrays);
    return indices.map((index) => {
      const found = arithmeticOf(type, layer, result, operands, index);
      return found && writtenWhole(found);
    });
  },
  loss({ type, loss, arrays, indices }) {
    const operands = operandsOf(arrays);
    return indices.map((index) => writtenWhole(lossArithmetic(type, loss, operands, index)));
  },
  update({ name, settings, symbol, arrays, indices }) {
    const operands = operandsOf(arrays);
    return indices.map((index) =>
      updateArithmetic(name, settings, symbol, operands, index).map((step) => ({
        name: step.name,
        ...written(step.entry),
      })),
    );
  },
  numbers: ({ values, digits }) => values.map((value) => number(Number(value), digits)),
  general: ({ values, digits }) => values.map((value) => generalNumber(Number(value), digits)),
  decoded: ({ text, type }) => [...decodedNumbers(text, type)].map(String),
  samples({ told }) {
    const samples = new Samples(told);
    return {
      count: samples.count,
      size: samples.size,
      arePictures: samples.arePictures,
      last: [...samples.one(samples.count - 1)],
      taken: [...samples.take([1, 0])],
      spread: samples.spread(2),
    };
  },
  components: ({ data, n }) => principalComponents(Float64Array.from(data), n),
  units({ shape, data }) {
    const { shares, dead } = activeUnits({ shape, data: Float64Array.from(data) });
    return { shares: [...shares], dead };
  },
  histogram: ({ data, bins }) => ({ ...histogramOf(data, bins), ...momentsOf(data) }),
  sizes: ({ before, after }) => [
    rootMeanSquare(Float64Array.from(before)),
    relativeChange(Float64Array.from(before), Float64Array.from(after)),
  ],
  confusion: ({ truth, said, classes }) => confusionOf(truth, said, classes),
  kept({ shapes, kept, latest, statistics }) {
    const views = new Map();
    let total = 0;
    for (const [name, size] of shapes) total += size;
    const data = Float64Array.from({ length: total }, (_, place) => -place);
    let start = 0;
    for (const [name, size] of shapes) {
      views.set(name, { shape: [size], data: data.subarray(start, (start += size)) });
    }
    const state = { data: Float64Array.of(-1, -2, -3), views: new Map() };
    for (const [name, place, size] of statistics ?? []) {
      state.views.set(name, { shape: [size], data: state.data.subarray(place, place + size) });
    }
    const network = { parameters: { data, views }, state, load: (vector) => data.set(vector) };
    const parameters = new KeptParameters(network, kept);
    const states = [];
    const vectors = kept.map((_, place) => {
      parameters.load(place);
      states.push([...state.data]);
      return [...data];
    });
    parameters.load(null);
    for (const one of latest ?? []) parameters.add(one);
    return { vectors, states, own: [...data], ownState: [...state.data], epochs: kept.map(({ epoch }) => epoch) };
  },
  stored({ sets }) {
    const store = new Store({ sample: 0 });
    const heard = [];
    const end = store.watch("sample", (value) => heard.push(value));
    for (const value of sets) store.set("sample", value);
    store.tell("sample");
    end();
    store.set("sample", "unheard");
    return heard;
  },
  said({ words, text, values }) {
    useWords(words);
    return say(text, values);
  },
  counted: ({ count }) => {
    useWords({});
    return sayCount(count, "{count} sample", "{count} samples");
  },
  curves: ({ history }) => curveNames(history),
  overlaid: ({ runs, column }) => overlaid(runs, column),
  differing: ({ settings }) => differingSettings(settings),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  let answer;
  try {
    answer = { value: answers[ask](question) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
