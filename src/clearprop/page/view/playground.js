/** A playground: a network that trains in the page, on toy data, own points or a run's data. */

import { make, number, percent } from "./dom.js";
import { PlaneAnswers } from "./plane_answers.js";
import { PlaneView } from "./plane_view.js";
import { playButton, PointEditor } from "./point_editor.js";
import { PlaygroundForm } from "./playground_form.js";
import { networkOf, problemOf } from "./playground_problem.js";
import {
  addressOf,
  fileOf,
  FIRST_SETTINGS,
  readAddress,
  readPlaygroundFile,
  RUN_SETTINGS,
} from "./playground_settings.js";
import { LineChart, wantsLog } from "./plot.js";
import { arraysOfPoints } from "./points.js";
import { decodedBytes, Samples } from "./samples.js";
import { saveFile, savingButtons } from "./saving.js";
import { whenSeen } from "./seeing.js";
import { PageTraining } from "./training.js";
import { UnitsView } from "./units_view.js";
import { say } from "./words.js";

/** Milliseconds of a picture that go to training: the rest of 16 is for drawing. */
const TRAINING_TIME = 8;

/** Milliseconds between two drawings of what is read rather than looked at. */
const READING_TIME = 200;

/** Changes that only the training is told of; any other makes a new network. */
const OF_TRAINING = ["optimizer", "rate", "batch", "l2"];

/** The most updates between two pictures, by the name of a pace. */
const PACES = {
  update: () => 1,
  epoch: (training) => training.stepsAnEpoch,
  full: () => Infinity,
};

/**
 * The panel of the playground.
 *
 * @param {Object} context
 * @returns {HTMLElement}
 */
export function playgroundPanel(context) {
  return new Playground(context).element;
}

class Playground {
  constructor(context) {
    this.run = runOf(context);
    this.settings = { ...FIRST_SETTINGS, ...(this.run && RUN_SETTINGS) };
    this.isRunning = false;
    this.training = this.resting = this.moving = null;
    this.chosen = null; // the unit that is shown large
    const found = readAddress(location.hash);
    Object.assign(this.settings, found?.settings);
    if (this.settings.data === "run" && this.run === null) this.settings.data = FIRST_SETTINGS.data;
    this.editor = new PointEditor(found?.points ?? [], () => this.changePoints());
    this.form = new PlaygroundForm({
      settings: this.settings,
      hasRun: this.run !== null,
      changed: (changes) => this.change(changes),
    });
    this.element = this.build();
    this.showPlaying();
    this.tell(found?.faults ?? []);
    this.reset();
    whenSeen(this.element, (isSeen) => !isSeen && this.pause());
  }

  build() {
    this.plane = new PlaneView((place, removes) => this.press(place, removes));
    this.units = new UnitsView((column, unit) => this.choose({ column, unit }));
    this.curve = new LineChart({ title: say("Loss"), xName: say("epoch"), height: 180 });
    this.playing = make("button", { type: "button", class: "primary", onclick: () => this.toggle() });
    this.status = make("output", { class: "play-status" });
    this.rate = make("output", { class: "play-rate faint small" });
    this.told = make("p", { class: "play-told", role: "alert" });
    this.pace = make(
      "select",
      { "aria-label": say("Updates between two pictures") },
      make("option", { value: "update" }, say("one update a picture")),
      make("option", { value: "epoch", selected: true }, say("one epoch a picture")),
      make("option", { value: "full" }, say("as many as fit")),
    );
    this.hollow = make("p", { class: "note small" }, say("Hollow points are not learned from: they are the test."));
    this.which = make("select", { onchange: () => this.choose(JSON.parse(this.which.value)) });
    this.planePart = make(
      "figure",
      { class: "play-plane" },
      make(
        "figcaption",
        { class: "row" },
        make("label", { class: "field small" }, say("Shown"), this.which),
        savingButtons(say("decision boundary"), () => this.plane.layers),
      ),
      this.plane.element,
      this.hollow,
      this.editor.element,
    );
    this.unitsPart = make(
      "figure",
      { class: "play-units" },
      make(
        "figcaption",
        { class: "row" },
        make("span", { class: "small faint" }, say("Each unit over the plane; click to enlarge")),
        savingButtons(say("network"), () => [this.units.canvas]),
      ),
      this.units.element,
    );
    return make(
      "div",
      {
        class: "play",
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => this.drop(event),
      },
      make(
        "div",
        { class: "row play-controls" },
        this.playing,
        playButton(say("One update"), () => this.stepOnce()),
        playButton(say("Reset"), () => this.reset()),
        this.pace,
        this.status,
      ),
      this.told,
      this.form.element,
      make("div", { class: "play-stage" }, this.unitsPart, this.planePart),
      make(
        "div",
        { class: "play-curve" },
        this.curve.element,
        savingButtons(say("loss curve"), () => [this.curve.drawing]),
      ),
      make("div", { class: "row play-keep" }, this.keepers(), this.rate),
    );
  }

  keepers() {
    const file = make("input", {
      type: "file",
      accept: ".json,application/json",
      class: "unseen",
      onchange: () => this.openFile(file.files[0]),
    });
    return [
      playButton(say("Keep in the address"), () => this.keepAddress()),
      playButton(say("Save settings"), () => this.save()),
      make("label", { class: "button" }, say("Open settings"), file),
    ];
  }

  /** Make samples, network and training anew, from the seed. */
  reset() {
    this.pause();
    this.editor.element.hidden = this.settings.data !== "own";
    try {
      this.problem = problemOf(this.settings, this.editor, this.run);
    } catch (error) {
      this.tell([error.message]);
      this.problem = this.training = this.resting = this.moving = null;
      this.showEmpty();
      return;
    }
    const { problem } = this;
    const network = networkOf(this.settings, problem, this.run);
    this.training = new PageTraining({
      network,
      train: problem.train,
      test: problem.test,
      settings: this.settings,
    });
    const { scene } = problem;
    this.resting = scene && new PlaneAnswers(network, problem, true);
    this.moving = scene && new PlaneAnswers(network, problem, false);
    this.planePart.hidden = scene === null;
    this.unitsPart.hidden = !this.answers?.isChain;
    this.hollow.hidden = problem.test === null || this.settings.data === "run";
    if (scene !== null) this.plane.show({ ...scene, label: "" });
    this.choose(null);
    this.read();
  }

  /** Show the plane of own points of which there are too few to learn from. */
  showEmpty() {
    this.unitsPart.hidden = true;
    this.planePart.hidden = false;
    this.plane.show(emptyScene(this.editor));
    this.plane.paintValues(() => 0, 1);
    this.which.replaceChildren();
    this.curve.show({ x: [], lines: [], isLog: false, marks: [] });
    this.status.textContent = "";
  }

  change(changes) {
    Object.assign(this.settings, changes);
    if (changes.data && changes.data !== "run" && this.settings.rate === RUN_SETTINGS.rate) {
      this.settings.rate = FIRST_SETTINGS.rate; // a new network need not be as careful
      this.form.show(this.settings);
    }
    this.tell([]);
    if (this.training !== null && Object.keys(changes).every((name) => OF_TRAINING.includes(name))) {
      this.training.use(this.settings);
    } else {
      this.reset();
    }
  }

  changePoints() {
    this.tell([]);
    this.reset();
  }

  press(place, removes) {
    if (this.settings.data !== "own") return;
    this.editor.press(place, removes);
  }

  /** What the network gives on the plane: finely while it rests. */
  get answers() {
    return this.isRunning ? this.moving : this.resting;
  }

  choose(chosen) {
    this.chosen = chosen;
    this.draw();
    this.listUnits();
  }

  listUnits() {
    if (this.answers === null) return;
    const option = (value, text) => make("option", { value: JSON.stringify(value) }, text);
    const hidden = this.answers.columns().slice(1, -1);
    this.which.replaceChildren(
      option(null, say("the answer")),
      ...hidden.flatMap(({ units }, at) =>
        Array.from({ length: units }, (_, unit) =>
          option(
            { column: at + 1, unit },
            say("layer {layer}, unit {unit}", { layer: at + 1, unit: unit + 1 }),
          ),
        ),
      ),
    );
    this.which.value = JSON.stringify(this.chosen);
  }

  toggle() {
    if (this.isRunning) this.pause();
    else this.start();
  }

  start() {
    if (this.training === null) return;
    this.isRunning = true;
    this.pictures = 0;
    this.updates = 0;
    this.since = performance.now();
    this.showPlaying();
    requestAnimationFrame(() => this.picture());
  }

  pause() {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.showPlaying();
    this.draw();
    this.read();
  }

  stepOnce() {
    this.pause();
    if (this.training === null) return;
    this.training.update();
    this.draw();
    this.read();
  }

  /** Train until the next picture is due, and draw it. */
  picture() {
    if (!this.isRunning) return;
    this.updates += this.training.advance(PACES[this.pace.value](this.training), TRAINING_TIME);
    this.pictures += 1;
    this.draw();
    if (this.training.hasDiverged) {
      this.pause();
      return;
    }
    if (performance.now() - this.since > READING_TIME) this.readRates();
    requestAnimationFrame(() => this.picture());
  }

  draw() {
    if (this.answers === null) return;
    this.answers.compute();
    this.answers.paint(this.plane, this.chosen);
    if (this.answers.isChain) this.units.show(this.answers.columns(), this.answers.side, this.chosen);
  }

  readRates() {
    const seconds = (performance.now() - this.since) / 1000;
    this.rate.textContent = say("{pictures} pictures and {updates} updates a second", {
      pictures: Math.round(this.pictures / seconds),
      updates: Math.round(this.updates / seconds),
    });
    this.pictures = this.updates = 0;
    this.since = performance.now();
    this.read();
  }

  /** Measure, and show what is read: the numbers and the curve. */
  read() {
    const { training } = this;
    if (training.hasDiverged) {
      this.tell([say("The loss is no finite number any more: lower the learning rate, and reset.")]);
    } else {
      training.measure();
    }
    const { entries, test } = training;
    const last = entries.at(-1);
    const lines = [{ name: say("training"), values: entries.map(({ loss }) => loss) }];
    if (test !== null) lines.push({ name: say("test"), values: entries.map(({ testLoss }) => testLoss) });
    const isLog = wantsLog(lines.flatMap(({ values }) => values));
    this.curve.show({ x: entries.map(({ epoch }) => epoch), lines, isLog, marks: [] });
    const score = last.testScore ?? last.score;
    const isOfClasses = this.problem.classNames !== null;
    this.status.textContent = say(
      isOfClasses ? "epoch {epoch}, loss {loss}, {score} right" : "epoch {epoch}, loss {loss}, R² {score}",
      {
        epoch: number(Math.floor(last.epoch)),
        loss: number(last.loss, 3),
        score: isOfClasses ? percent(score) : number(score, 3),
      },
    );
    if (this.answers === null) return;
    this.plane.label(say("What the network answers on the plane: {status}", { status: this.status.textContent }));
  }

  showPlaying() {
    this.playing.textContent = this.isRunning ? say("Pause") : say("Train");
  }

  tell(sentences) {
    this.told.textContent = sentences.join(" ");
  }

  keepAddress() {
    history.replaceState(null, "", addressOf(this.settings, this.editor.points));
    this.tell([]);
    this.rate.textContent = say("The page's address keeps this playground now.");
  }

  save() {
    const text = fileOf(this.settings, this.editor.points);
    saveFile(new Blob([text], { type: "application/json" }), "playground.json");
  }

  drop(event) {
    const file = event.dataTransfer.files[0];
    if (file === undefined) return;
    event.preventDefault();
    if (file.name.endsWith(".json")) this.openFile(file);
    else this.openPoints(file);
  }

  async openPoints(file) {
    this.settings.data = "own";
    this.form.show(this.settings);
    this.reset();
    await this.editor.readFile(file);
  }

  async openFile(file) {
    if (file === undefined) return;
    try {
      const { settings, points, faults } = readPlaygroundFile(await file.text());
      Object.assign(this.settings, settings);
      if (this.settings.data === "run" && this.run === null) this.settings.data = FIRST_SETTINGS.data;
      if (points !== null) this.editor.hold(points);
      this.form.show(this.settings);
      this.reset();
      this.tell(faults);
    } catch (error) {
      this.tell([error.message]);
    }
  }
}

/** The plane of points that are too few to learn from. */
function emptyScene({ points, labels, names, plane }) {
  const { x, y } = arraysOfPoints(points, labels);
  return {
    plane,
    names,
    x,
    areValues: false,
    kindOf: (n) => y[n],
    isHollow: () => false,
    label: say("An empty plane for points of your own"),
  };
}

/** What a run brings to a playground; null where its training data are not in the page. */
function runOf({ run, model, samples }) {
  if (!run?.train) return null;
  const test = samples && samples.part !== "train" ? samples : null;
  return { bytes: decodedBytes(run.model), model, train: new Samples(run.train), test };
}
