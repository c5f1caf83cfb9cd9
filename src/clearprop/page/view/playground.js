/** A playground: a network that trains in the page, on toy data, own points or a run's data. */

import { decodedBytes } from "../engine/base64.js";
import { make } from "./dom.js";
import { PlaneStage } from "./plane_stage.js";
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
import { tableOfRun } from "./run_points.js";
import { Samples } from "./samples.js";
import { saveFile } from "./saving.js";
import { whenSeen } from "./seeing.js";
import { PageTraining } from "./training.js";
import { TrainingReadout } from "./training_readout.js";
import { say } from "./words.js";

/** Milliseconds of a picture that go to training: the rest of 16 is for drawing. */
const TRAINING_TIME = 6;

/** Milliseconds between two drawings of what is read rather than looked at. */
const READING_TIME = 100;

/** The share of the time that measuring may take, where samples or network are large. */
const READING_SHARE = 0.1;

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
    this.training = null;
    const found = readAddress(location.hash);
    this.take(found?.settings);
    const ofRun = this.run && tableOfRun(this.run.model, this.run.train);
    this.editor = new PointEditor(found?.points ?? [], ofRun, () => this.changePoints());
    this.form = new PlaygroundForm({
      settings: this.settings,
      hasRun: this.run !== null,
      changed: (changes) => this.change(changes),
    });
    this.stage = new PlaneStage(this.editor);
    this.readout = new TrainingReadout();
    this.element = this.build();
    this.setRunning(false);
    this.tell(found?.faults ?? []);
    this.reset();
    whenSeen(this.element, (isSeen) => !isSeen && this.pause());
  }

  build() {
    this.playing = make("button", {
      type: "button",
      class: "primary",
      onclick: () => this.toggle(),
    });
    this.told = make("p", { class: "play-told", role: "alert" });
    this.pace = make(
      "select",
      { "aria-label": say("Updates between two pictures") },
      make("option", { value: "update" }, say("one update a picture")),
      make("option", { value: "epoch", selected: true }, say("one epoch a picture")),
      make("option", { value: "full" }, say("as many as fit")),
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
        this.readout.status,
      ),
      this.told,
      this.form.element,
      this.stage.element,
      this.readout.curve,
      make("div", { class: "row play-keep" }, this.keepers(), this.readout.speed),
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
    const { settings } = this;
    const isOwn = settings.data === "own";
    this.training = null;
    try {
      this.problem = problemOf(settings, this.editor, this.run);
    } catch (error) {
      this.tell([error.message]);
      this.stage.useNone(isOwn);
      this.readout.clear();
      return;
    }
    const { train, test } = this.problem;
    const network = networkOf(settings, this.problem, this.run);
    this.training = new PageTraining({ network, train, test, settings });
    this.stage.use(network, this.problem, isOwn);
    this.read();
  }

  /** Take settings that an address or a file has kept. */
  take(settings) {
    Object.assign(this.settings, settings);
    if (this.settings.data === "run" && this.run === null) this.settings.data = FIRST_SETTINGS.data;
  }

  change(changes) {
    this.take(changes);
    if (changes.data && changes.data !== "run" && this.settings.rate === RUN_SETTINGS.rate) {
      this.settings.rate = FIRST_SETTINGS.rate; // a new network need not be as careful
      this.form.show(this.settings);
    }
    this.tell([]);
    const isOfTraining = Object.keys(changes).every((name) => OF_TRAINING.includes(name));
    if (isOfTraining && this.training !== null) this.training.use(this.settings);
    else this.reset();
  }

  changePoints() {
    this.tell([]);
    this.reset();
  }

  toggle() {
    if (this.isRunning) this.pause();
    else if (this.training !== null) this.start();
  }

  start() {
    this.setRunning(true);
    this.pictures = this.updates = 0;
    this.since = performance.now();
    this.readingTime = READING_TIME;
    requestAnimationFrame(() => this.picture());
  }

  pause() {
    if (!this.isRunning) return;
    this.setRunning(false);
    this.stage.draw(false);
    this.read();
  }

  stepOnce() {
    this.pause();
    if (this.training === null) return;
    this.training.update();
    this.stage.draw(false);
    this.read();
  }

  /** Train until the next picture is due, and draw it. */
  picture() {
    if (!this.isRunning) return;
    const { training } = this;
    this.updates += training.advance(PACES[this.pace.value](training), TRAINING_TIME);
    this.pictures += 1;
    if (training.hasDiverged) {
      this.pause();
      return;
    }
    this.stage.draw(true);
    if (performance.now() - this.since > this.readingTime) this.readSpeed();
    requestAnimationFrame(() => this.picture());
  }

  readSpeed() {
    const before = performance.now();
    this.readout.tellSpeed(this.pictures, this.updates, (before - this.since) / 1000);
    this.read();
    this.pictures = this.updates = 0;
    this.since = performance.now();
    this.readingTime = Math.max(READING_TIME, (this.since - before) / READING_SHARE);
  }

  /** Measure, and show the numbers and the curve. */
  read() {
    const { training } = this;
    if (training.hasDiverged) {
      this.tell([
        say("The loss is no finite number any more: lower the learning rate, and reset."),
      ]);
    } else {
      training.measure();
    }
    this.readout.show(training, this.problem.classNames !== null);
    this.stage.describe(this.readout.status.textContent);
  }

  setRunning(isRunning) {
    this.isRunning = isRunning;
    this.readout.setRunning(isRunning);
    this.playing.textContent = isRunning ? say("Pause") : say("Train");
  }

  tell(sentences) {
    this.told.textContent = sentences.join(" ");
  }

  keepAddress() {
    history.replaceState(null, "", addressOf(this.settings, this.editor.points));
    this.readout.speed.textContent = say("The page's address keeps this playground now.");
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

  openPoints(file) {
    this.change({ data: "own" });
    this.form.show(this.settings);
    return this.editor.readFile(file);
  }

  async openFile(file) {
    if (file === undefined) return;
    try {
      const { settings, points, faults } = readPlaygroundFile(await file.text());
      this.take(settings);
      if (points !== null) this.editor.hold(points);
      this.form.show(this.settings);
      this.reset();
      this.tell(faults);
    } catch (error) {
      this.tell([error.message]);
    }
  }
}

/** What a run brings to a playground; null where its training data are not in the page. */
function runOf({ run, model, samples }) {
  if (!run?.train) return null;
  const test = samples && samples.part !== "train" ? samples : null;
  return { bytes: decodedBytes(run.model), model, train: new Samples(run.train), test };
}
