/** The person's own points: set by hand, pasted, dropped or read from a file. */

import { make } from "./dom.js";
import { Plane } from "./plane.js";
import {
  arraysOfPoints,
  classNamesOf,
  MOST_POINT_CLASSES,
  MOST_POINT_TEXT,
  MOST_POINTS,
  readPoints,
} from "./points.js";
import { say } from "./words.js";

/** The distance, in shares of a side, within which a point is taken away. */
const REMOVAL_REACH = 0.06;

const REMOVE = Symbol("remove");

export class PointEditor {
  /**
   * @param {Array<import("./points.js").Point>} points - The first ones.
   * @param {function(): void} changed - Told of every change of `points`, `labels` and `names`.
   */
  constructor(points, changed) {
    this.changed = changed;
    this.told = make("p", { class: "play-told", role: "alert" });
    this.tools = make("div", {
      class: "choices",
      role: "group",
      "aria-label": say("What a click does"),
    });
    this.text = make("textarea", {
      rows: 5,
      "aria-label": say("Points as text: two numbers and a class on each line"),
      placeholder: "x1,x2,class\n0.5,-0.2,a\n-0.4,0.9,b",
      spellcheck: "false",
    });
    this.file = make("input", {
      type: "file",
      accept: ".csv,.tsv,.txt,text/csv,text/plain",
      "aria-label": say("A file of points"),
      onchange: () => this.readFile(this.file.files[0]),
    });
    this.element = make(
      "div",
      { class: "play-points" },
      make(
        "div",
        { class: "row" },
        this.tools,
        playButton(say("Clear"), () => this.set([])),
      ),
      make(
        "p",
        { class: "note" },
        say("Click on the plane; by keyboard, arrow keys, then Enter, or Delete to take away."),
      ),
      make(
        "details",
        {},
        make("summary", {}, say("Paste or drop a small CSV: two numbers and a class")),
        this.text,
        make(
          "div",
          { class: "row" },
          playButton(say("Take these points"), () => this.readText(this.text.value)),
          this.file,
        ),
      ),
      this.told,
    );
    this.hold(points);
  }

  /** Add a point at a place, or take the nearest away, as the tool says. */
  press([x1, x2], removes) {
    if (removes || this.tool === REMOVE) this.removeNear([x1, x2]);
    else if (this.points.length >= MOST_POINTS) this.tell(sayMostPoints());
    else this.set([...this.points, { x1, x2, label: this.tool }]);
  }

  removeNear(place) {
    const { plane } = this;
    const distances = this.points.map(({ x1, x2 }) =>
      Math.hypot(
        plane.share(0, x1) - plane.share(0, place[0]),
        plane.share(1, x2) - plane.share(1, place[1]),
      ),
    );
    const nearest = distances.indexOf(Math.min(...distances));
    if (!(distances[nearest] <= REMOVAL_REACH)) return;
    this.set(this.points.filter((_, at) => at !== nearest));
  }

  /** Take the points of a dropped or chosen file. */
  async readFile(file) {
    if (file === undefined) return;
    if (file.size > MOST_POINT_TEXT) {
      this.tell(
        say("{name} has {count} bytes, expected at most {most}. Take fewer points.", {
          name: file.name,
          count: file.size,
          most: MOST_POINT_TEXT,
        }),
      );
      return;
    }
    this.readText(await file.text());
  }

  /** Hold other points than before, and tell nobody. */
  hold(points, names = ["x1", "x2"]) {
    this.points = points;
    this.names = names;
    this.labels = labelsOf(points);
    // Points that are set one by one lie within it: the plane stays as it is.
    this.plane = Plane.around(arraysOfPoints(points, this.labels).x);
    this.choose(this.labels[0]);
  }

  readText(text) {
    try {
      const { points, names } = readPoints(text);
      this.hold(points, names);
      this.set(points);
    } catch (error) {
      this.tell(error.message);
    }
  }

  set(points) {
    this.tell("");
    this.points = points;
    this.changed();
  }

  tell(text) {
    this.told.textContent = text;
  }

  showTools() {
    const tool = (value, ...shown) =>
      make(
        "button",
        {
          type: "button",
          "aria-pressed": String(this.tool === value),
          onclick: () => this.choose(value),
        },
        shown,
      );
    this.tools.replaceChildren(
      ...this.labels.map((label, at) => tool(label, classDot(at), label)),
      ...(this.labels.length < MOST_POINT_CLASSES
        ? [make("button", { type: "button", onclick: () => this.addClass() }, say("+ class"))]
        : []),
      tool(REMOVE, say("Take away")),
    );
  }

  choose(tool) {
    this.tool = tool;
    this.showTools();
  }

  addClass() {
    const numbers = this.labels.map(Number).filter(Number.isInteger);
    this.labels = [...this.labels, String(Math.max(0, ...numbers) + 1)];
    this.choose(this.labels.at(-1));
  }
}

function sayMostPoints() {
  return say("There are {most} points, the most that a playground holds.", { most: MOST_POINTS });
}

function labelsOf(points) {
  const labels = classNamesOf(points);
  return labels.length > 1 ? labels : ["1", "2"];
}

function classDot(place) {
  return make("span", { class: "play-dot", style: { background: `var(--class-${place})` } });
}

/** Return a small button of the playground. */
export function playButton(text, onclick) {
  return make("button", { type: "button", onclick }, text);
}
