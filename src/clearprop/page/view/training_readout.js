/** What is read of a training in the page: its loss and score, their curve, and its speed. */

import { chartSaving } from "./chart_saving.js";
import { make, number, percent } from "./dom.js";
import { LineChart, wantsLog } from "./plot.js";
import { say } from "./words.js";

export class TrainingReadout {
  constructor() {
    this.status = make("output", { class: "play-status" });
    this.speed = make("output", { class: "play-rate faint small", "aria-live": "off" });
    this.chart = new LineChart({ title: say("Loss"), xName: say("epoch"), height: 180 });
    this.curve = make("div", { class: "play-curve" }, this.chart.element, chartSaving(this.chart));
  }

  /**
   * Show what has been measured so far.
   *
   * @param {import("./training.js").PageTraining} training
   * @param {boolean} areClasses - Whether the score is the share of right classes, or R2.
   */
  show({ entries, test }, areClasses) {
    const lines = [{ name: say("training"), values: entries.map(({ loss }) => loss) }];
    if (test !== null) {
      lines.push({ name: say("test"), values: entries.map(({ testLoss }) => testLoss) });
    }
    const isLog = wantsLog(lines.flatMap(({ values }) => values));
    this.chart.show({ x: entries.map(({ epoch }) => epoch), lines, isLog, marks: [] });
    this.status.textContent = sayMeasure(entries.at(-1), areClasses);
  }

  clear() {
    this.chart.show({ x: [], lines: [], isLog: false, marks: [] });
    this.status.textContent = "";
  }

  /** Tell how many pictures and updates there were in some seconds. */
  tellSpeed(pictures, updates, seconds) {
    this.speed.textContent = say("{pictures} pictures and {updates} updates a second", {
      pictures: Math.round(pictures / seconds),
      updates: Math.round(updates / seconds),
    });
  }

  /** Have the numbers read aloud only while they stand still. */
  setRunning(isRunning) {
    this.status.setAttribute("aria-live", isRunning ? "off" : "polite");
  }
}

function sayMeasure({ epoch, loss, score, testLoss, testScore }, areClasses) {
  const written = (found) =>
    areClasses ? say("{share} right", { share: percent(found) }) : `R² ${number(found, 3)}`;
  const training = say("epoch {epoch}: loss {loss}, {score}", {
    epoch: Math.floor(epoch),
    loss: number(loss, 3),
    score: written(score),
  });
  if (testLoss === null) return training;
  return say("{training}; test {loss}, {score}", {
    training,
    loss: number(testLoss, 3),
    score: written(testScore),
  });
}
