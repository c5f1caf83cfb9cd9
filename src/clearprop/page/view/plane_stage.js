/** The stage of a playground: the network with its units, and the plane that it answers on. */

import { make } from "./dom.js";
import { PlaneAnswers } from "./plane_answers.js";
import { PlaneView } from "./plane_view.js";
import { arraysOfPoints } from "./points.js";
import { savingButtons } from "./saving.js";
import { UnitsView } from "./units_view.js";
import { say } from "./words.js";

export class PlaneStage {
  /**
   * @param {import("./point_editor.js").PointEditor} editor - Of the person's own points.
   */
  constructor(editor) {
    this.editor = editor;
    this.isOwn = false;
    this.chosen = null; // the unit that is shown large
    this.resting = this.moving = null;
    this.plane = new PlaneView((place, removes) => this.isOwn && editor.press(place, removes));
    this.units = new UnitsView((column, unit) => this.choose({ column, unit }));
    this.which = make("select", { onchange: () => this.choose(JSON.parse(this.which.value)) });
    this.hollow = make(
      "p",
      { class: "note small" },
      say("Hollow points are not learned from: they are the test."),
    );
    this.planePart = stagePart(
      "play-plane",
      make("label", { class: "field small" }, say("Shown"), this.which),
      savingButtons(say("decision boundary"), () => this.plane.layers),
      [this.plane.element, this.hollow, editor.element],
    );
    this.unitsPart = stagePart(
      "play-units",
      make("span", { class: "small faint" }, say("Each unit over the plane; click to enlarge")),
      savingButtons(say("network"), () => [this.units.canvas]),
      this.units.element,
    );
    this.element = make("div", { class: "play-stage" }, this.unitsPart, this.planePart);
  }

  /**
   * Show another network and its samples.
   *
   * @param {Object} network
   * @param {import("./playground_problem.js").Problem} problem
   * @param {boolean} isOwn - Whether the points are the person's own.
   */
  use(network, problem, isOwn) {
    const { scene } = problem;
    this.setOwn(isOwn);
    this.resting = scene && new PlaneAnswers(network, problem, true);
    this.moving = scene && new PlaneAnswers(network, problem, false);
    this.planePart.hidden = scene === null;
    this.unitsPart.hidden = !this.resting?.isChain;
    this.hollow.hidden = !scene?.hasHollow;
    if (scene === null) return;
    this.plane.show({ ...scene, label: "" });
    this.choose(null);
  }

  /** Show the plane of own points of which there are too few to learn from. */
  useNone(isOwn) {
    this.setOwn(isOwn);
    this.resting = this.moving = null;
    this.unitsPart.hidden = this.hollow.hidden = true;
    this.planePart.hidden = false;
    this.plane.show(emptyScene(this.editor));
    this.plane.paintValues(() => 0, 1);
    this.which.replaceChildren();
  }

  setOwn(isOwn) {
    this.isOwn = isOwn;
    this.editor.element.hidden = !isOwn;
  }

  choose(chosen) {
    this.chosen = chosen;
    this.draw(false);
    this.listUnits();
  }

  /**
   * Draw what the network gives now.
   *
   * @param {boolean} isRunning - Whether the next picture follows at once: finely where it does not.
   */
  draw(isRunning) {
    const answers = isRunning ? this.moving : this.resting;
    if (answers === null) return;
    answers.compute();
    answers.paint(this.plane, this.chosen);
    if (answers.isChain) this.units.show(answers.columns(), answers.side, this.chosen);
  }

  /** Say what is seen, for those who can't. */
  describe(status) {
    this.plane.label(say("What the network answers on the plane: {status}", { status }));
  }

  listUnits() {
    if (this.resting === null) return;
    const option = (value, text) => make("option", { value: JSON.stringify(value) }, text);
    const hidden = this.resting.columns().slice(1, -1);
    const options = hidden.flatMap(({ units }, at) =>
      Array.from({ length: units }, (_, unit) =>
        option(
          { column: at + 1, unit },
          say("layer {layer}, unit {unit}", { layer: at + 1, unit: unit + 1 }),
        ),
      ),
    );
    this.which.replaceChildren(option(null, say("the answer")), ...options);
    this.which.value = JSON.stringify(this.chosen);
  }
}

function stagePart(name, head, saving, body) {
  return make("figure", { class: name }, make("figcaption", { class: "row" }, head, saving), body);
}

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
