/** Curves of a training: loss, scores and learning rate over the epochs, the best one marked. */

import { chartSaving } from "./chart_saving.js";
import { make } from "./dom.js";
import { LineChart, wantsLog } from "./plot.js";
import { scoreName } from "./scores.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

const NOT_CURVES = new Set(["epoch", "step", "seconds"]);
const VALIDATION = "validation_";

/** The panel of all curves of a run, which grow while it is live. */
export function curvesPanel({ run, store }) {
  const charts = new Map();
  const body = make("div", { class: "charts" });
  drawnWhenSeen(body, store, ["rows", "epoch"], () => {
    const history = store.get("rows") ?? run.history;
    for (const name of curveNames(history)) {
      if (!charts.has(name)) {
        const chart = new LineChart({ title: scoreName(name), xName: say("epoch") });
        charts.set(name, chart);
        chart.element.append(chartSaving(chart));
        body.append(chart.element);
      }
      charts.get(name).show(curvesOf(name, history, marksOf(run, store, history)));
    }
    if (charts.size === 0) body.replaceChildren(make("p", { class: "note" }, noCurves(store.get("live"))));
    else body.querySelector(":scope > .note")?.remove();
  });
  return body;
}

function noCurves(live) {
  const goesOn = live !== null && live !== undefined && live.state !== "ended";
  return goesOn ? say("No epoch has ended yet.") : say("There is no history of its training.");
}

/** Return the names of what is drawn: each once, though it may be of training and of validation. */
export function curveNames(history) {
  const names = Object.keys(history ?? {}).filter((name) => !NOT_CURVES.has(name));
  return [...new Set(names.map((name) => name.replace(VALIDATION, "")))].filter((name) =>
    [name, VALIDATION + name].some((column) => history[column]?.some(Number.isFinite)),
  );
}

/**
 * Return what a chart of one name shows.
 *
 * @param {string} name - A column of the history, which validation may have, too.
 * @param {Object<string, Array<number|null>>} history
 * @param {{x: number, text: string}[]} marks
 */
function curvesOf(name, history, marks) {
  const columns = [
    [name, say("training")],
    [VALIDATION + name, say("validation")],
  ].filter(([column]) => history[column]);
  const isOfSamples = name !== "learning_rate";
  const lines = columns.map(([column, kind]) => ({ name: isOfSamples ? kind : "", values: history[column] }));
  const isLog = name.endsWith("loss") && wantsLog(lines.flatMap((line) => line.values));
  return { x: history.epoch, lines, isLog, marks };
}

/** The best epoch, and the one that the page looks at. */
function marksOf(run, store, history) {
  const marks = run.best_epoch === null ? [] : [{ x: run.best_epoch, text: say("best") }];
  const looked = run.kept[store.get("epoch")]?.epoch;
  const isApart = looked > 0 && looked !== run.best_epoch && looked !== history.epoch.at(-1);
  if (isApart) marks.push({ x: looked, text: say("shown") });
  return marks;
}
