/** The person's own points: set by hand, pasted, dropped or read from a file. */

import { make } from "./dom.js";
import { Plane } from "./plane.js";
import {
  arraysOfPoints,
  classNamesOf,
  MOST_POINT_CLASSES,
  MOST_POINT_TEXT,
  MOST_POINTS,
  readPointTable,
} from "./points.js";
import { say, sayCount } from "./words.js";

/** The distance, in shares of a side, within which a point is taken away. */
const REMOVAL_REACH = 0.06;

const REMOVE = Symbol("remove");

export class PointEditor {
  /**
   * @param {Array<import("./points.js").Point>} points - The first ones.
   * @param {?import("./points.js").PointTable} ofRun - The samples of a run, to choose columns of.
   * @param {function(): void} changed - Told of every change of `points`, `labels` and `names`.
   */
  constructor(points, ofRun, changed) {
    this.changed = changed;
    this.told = make("p", { class: "play-told", role: "alert" });
    this.tools = make("div", {
      class: "choices",
      role: "group",
      "aria-label": say("What a click does"),
    });
    this.columns = make("div", { class: "row play-columns" });
    this.text = make("textarea", {
      rows: 5,
      "aria-label": say("Points as text: numbers and a class on each line"),
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
        ofRun && playButton(say("This run's samples"), () => this.attempt(() => this.take(ofRun))),
      ),
      this.columns,
      make(
        "p",
        { class: "note" },
        say("Click on the plane; by keyboard, arrow keys, then Enter, or Delete to take away."),
      ),
      make(
        "details",
        {},
        make("summary", {}, say("Paste or drop a small CSV: columns of numbers, and a class")),
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
    this.columns.hidden = true; // unless these are of a table's
    this.choose(this.labels[0]);
  }

  readText(text) {
    this.attempt(() => this.take(readPointTable(text)));
  }

  attempt(does) {
    try {
      does();
    } catch (error) {
      this.tell(error.message);
    }
  }

  /** Take the points of a table, at first those of its usual columns. */
  take(table) {
    const columns = table.usualColumns();
    this.takeColumns(table, columns);
    const others = (chosen) => this.attempt(() => this.takeColumns(table, chosen));
    this.columns.replaceChildren(...columnChoices(table, columns, others));
  }

  takeColumns(table, columns) {
    const { points, left } = table.points(columns);
    const names = columns.slice(0, 2).map((place) => table.names[place]);
    this.hold(points, names);
    this.columns.hidden = !table.isWide;
    this.set(points);
    if (left === 0) return;
    this.tell(
      sayCount(
        left,
        "{count} line is left out: a cell is empty or no number.",
        "{count} lines are left out: a cell is empty or no number.",
      ),
    );
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

/** Return a choice for each of across, up and the class, of which `changed` is told all three. */
function columnChoices(table, columns, changed) {
  const numbers = table.numericColumns();
  const choosers = [numbers, numbers, table.classColumns()].map((places, at) =>
    make(
      "select",
      { onchange: () => changed(choosers.map(({ value }) => Number(value))) },
      places.map((place) =>
        make("option", { value: place, selected: place === columns[at] }, table.names[place]),
      ),
    ),
  );
  const texts = [say("To the right"), say("Upwards"), say("Class")];
  return choosers.map((chooser, at) => make("label", { class: "field small" }, texts[at], chooser));
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
