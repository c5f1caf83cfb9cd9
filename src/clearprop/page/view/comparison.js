/** Several runs beside each other: their scores, what differs in their settings, their curves. */

import { chartSaving } from "./chart_saving.js";
import { make, number } from "./dom.js";
import { curveNames } from "./curves.js";
import { durationText, settingText } from "./overview.js";
import { LineChart, swatchOf, wantsLog } from "./plot.js";
import { countedScores, scoreName, scoreText } from "./scores.js";
import { say } from "./words.js";

const VALIDATED = "validation_";

/**
 * The panel that compares runs.
 *
 * @param {object[]} runs
 * @param {function(number): void} open - Shows a run by its place.
 */
export function comparisonPanel(runs, open) {
  return make("div", { class: "comparison" }, comparisonTable(runs, open), curvesOverEachOther(runs));
}

function comparisonTable(runs, open) {
  const scores = runs.map((run) => countedScores(run.report));
  const differing = differingSettings(runs.map((run) => run.settings ?? {}));
  const header = [say("Run"), say("Score"), say("Parameters"), say("Epochs"), say("Time"), ...differing];
  const cells = (run, place) => {
    const found = scores[place];
    const score = found
      ? `${scoreText(found.told.score, found.told[found.told.score])} ${scoreName(found.told.score)}`
      : "–";
    return [
      score,
      number(run.report?.parameters),
      number(run.history?.epoch?.at(-1)),
      typeof run.report?.seconds === "number" ? durationText(run.report.seconds) : "–",
      ...differing.map((name) => settingText(run.settings?.[name])),
    ];
  };
  return make(
    "div",
    { class: "scroll" },
    make(
      "table",
      {},
      make("caption", { class: "unseen" }, say("The runs of this page")),
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          header.map((name, n) =>
            make("th", { scope: "col", class: n > 0 && n < 5 ? "numeric" : null }, name.replaceAll("_", " ")),
          ),
        ),
      ),
      make(
        "tbody",
        {},
        runs.map((run, place) =>
          make(
            "tr",
            {},
            make(
              "th",
              { scope: "row" },
              make(
                "button",
                { type: "button", class: "plain run-name", onclick: () => open(place) },
                swatchOf(place),
                run.name,
              ),
            ),
            cells(run, place).map((text, n) => make("td", { class: n < 4 ? "numeric" : null }, text)),
          ),
        ),
      ),
    ),
  );
}

/** Return the names of the settings that are not the same in all runs. */
export function differingSettings(every) {
  const names = [...new Set(every.flatMap(Object.keys))];
  return names.filter((name) => new Set(every.map((one) => JSON.stringify(one[name] ?? null))).size > 1);
}

function curvesOverEachOther(runs) {
  const names = [...new Set(runs.flatMap((run) => curveNames(run.history)))];
  if (names.length === 0) return null;
  const chart = new LineChart({ title: say("Curves over each other"), xName: say("epoch"), height: 260 });
  const select = make(
    "select",
    { onchange: () => show() },
    names.flatMap((name) =>
      [VALIDATED + name, name]
        .filter((column) => runs.some((run) => run.history?.[column]))
        .map((column) => make("option", { value: column }, curveTitle(column, name))),
    ),
  );
  const show = () => chart.show(overlaid(runs, select.value));
  show();
  chart.element.append(chartSaving(chart));
  return make("div", {}, make("label", { class: "field" }, say("Curve"), select), chart.element);
}

function curveTitle(column, name) {
  return column.startsWith(VALIDATED)
    ? say("{curve} of validation", { curve: scoreName(name) })
    : scoreName(name);
}

/** Return the lines of one column of all runs over the epochs that any of them has. */
export function overlaid(runs, column) {
  const x = [...new Set(runs.flatMap((run) => run.history?.epoch ?? []))].sort((a, b) => a - b);
  const lines = runs.map((run) => {
    const byEpoch = new Map(run.history?.epoch?.map((epoch, n) => [epoch, run.history[column]?.[n]]));
    return { name: run.name, values: x.map((epoch) => byEpoch.get(epoch) ?? null) };
  });
  const isLog = column.endsWith("loss") && wantsLog(lines.flatMap((line) => line.values));
  return { x, lines, isLog, marks: [] };
}
