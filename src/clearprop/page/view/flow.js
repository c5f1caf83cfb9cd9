/** How gradients flow from layer to layer, and how far an update moves the weights. */

import { make, number } from "./dom.js";
import { stepOf } from "./optimizer_step.js";
import { barList, LineChart, wantsLog } from "./plot.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

/** The panel of gradients and updates by layer. */
export function flowPanel(context) {
  const { inspection, model, run, store } = context;
  const bars = make("div", { class: "charts" });
  const said = make("p", { class: "note" });
  const changes = new LineChart({
    title: say("From one kept epoch to the next, |change| / |weights|"),
    xName: say("epoch"),
    height: 240,
  });
  const body = make("div", {}, said, bars, changes.element);
  drawnWhenSeen(body, store, ["epoch", "live"], () => {
    const pass = inspection.gradientOfMany();
    said.textContent = say(
      "Gradients of the mean loss of {n} samples; root mean squares, on a logarithmic scale.",
      { n: pass.n },
    );
    const weights = inspection.layers.flatMap((at) =>
      at.symbols.map((symbol) => ({ at, symbol, name: `${at.place}.${symbol}` })),
    );
    bars.replaceChildren(
      barList({
        title: say("Gradient at each layer's outputs"),
        items: inspection.layers
          .map(({ place, title }) => ({ name: `${place}  ${title}`, dy: pass.at(place).dy }))
          .filter(({ dy }) => dy !== undefined)
          .map(({ name, dy }) => ({ name, value: rootMeanSquare(dy.data) })),
        isLog: true,
      }),
      barList({
        title: say("Gradient of each array of weights"),
        items: weights.map(({ name }) => ({ name, value: rootMeanSquare(pass.gradient.get(name).data) })),
        isLog: true,
      }),
      ...stepBars(context, pass, weights),
    );
    changes.element.hidden = run.kept.length < 3;
    if (!changes.element.hidden) changes.show(changesOf(context, weights));
  });
  return body;
}

/** One step of the run's optimizer against the weights. */
function stepBars({ model, run }, pass, weights) {
  const step = stepOf(run.settings);
  if (step === null) return [];
  const moved = movedBy(step.optimizer, model.network.parameters, pass);
  return [
    barList({
      title: say("A first step of {optimizer} against the weights, |update| / |weights|", {
        optimizer: step.name,
      }),
      items: weights.map(({ name }) => {
        const before = model.network.parameters.views.get(name).data;
        const value = relativeChange(before, moved.views.get(name).data);
        return { name, value, text: number(value, 3) };
      }),
      isLog: true,
    }),
  ];
}

/** Return the parameters after a first step, with L2 where the optimizer has it. */
function movedBy(optimizer, parameters, { gradient, n }) {
  const [after, followed] = [parameters.like(), parameters.like()];
  after.data.set(parameters.data);
  for (const [name, { data }] of gradient) followed.views.get(name).data.set(data);
  optimizer.regularize(after, followed, n);
  optimizer.step(after, followed, optimizer.start(after), 0);
  return after;
}

function changesOf({ kept, run, model }, weights) {
  const spans = new Map();
  let start = 0;
  for (const [name, { data }] of model.network.parameters.views) {
    spans.set(name, [start, start + data.length]);
    start += data.length;
  }
  const large = weights.filter(({ name }) => model.network.parameters.views.get(name).shape.length > 1);
  const lines = large.map(({ name }) => ({
    name,
    values: run.kept.slice(1).map((_, place) => {
      const [before, after] = [kept.vector(place), kept.vector(place + 1)].map((all) =>
        all.subarray(...spans.get(name)),
      );
      return relativeChange(before, after);
    }),
  }));
  const isLog = wantsLog(lines.flatMap(({ values }) => values));
  return { x: run.kept.slice(1).map(({ epoch }) => epoch), lines, isLog, marks: [] };
}

/** Return the length of a change, of the length of what was changed. */
export function relativeChange(before, after) {
  const change = rootMeanSquare(after.map((value, i) => value - before[i]));
  return change === 0 ? 0 : change / rootMeanSquare(before);
}

/** Return the root of the mean of squares. */
export function rootMeanSquare(data) {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
}
