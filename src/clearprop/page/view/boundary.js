/** The decision boundary of a run whose samples have two features. */

import { answersTo } from "./answer_view.js";
import { make, number, percent } from "./dom.js";
import { planeOfModel } from "./model_plane.js";
import { PlaneView } from "./plane_view.js";
import { savingButtons } from "./saving.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

const BOUNDARY_SIDE = 96; // points of the grid along a side, at most
const BOUNDARY_SHARES = 4e6; // probabilities of all points together
const BOUNDARY_NAMES = 30; // classes in the legend

/**
 * The panel of what a model answers everywhere on the plane of its two features.
 *
 * @param {Object} context
 * @returns {HTMLElement|null} Null where samples have another number of features.
 */
export function boundaryPanel({ model, samples, store }) {
  const found = planeOfModel(model, samples);
  if (found === null) return null;
  const { scene, prepare } = found;
  const view = new PlaneView();
  const classes = model.classNames?.length ?? 1;
  const side = Math.min(BOUNDARY_SIDE, Math.ceil(Math.sqrt(BOUNDARY_SHARES / classes)));
  const inputs = prepare(scene.plane.grid(side));
  view.show({ ...scene, label: labelOfBoundary(model, scene) });
  const told = make("p", { role: "status" }, say("Point at a place, or move there by arrow keys."));
  view.moved = (place) => {
    const [answer] = answersTo(model, prepare(Float64Array.from(place)), 1);
    told.textContent = sayAnswerAt(place, scene.names, answer, model.classNames);
  };
  const element = make(
    "div",
    { class: "boundary" },
    view.element,
    make(
      "div",
      {},
      make(
        "div",
        { class: "row" },
        legendOfClasses(model.classNames),
        savingButtons(say("decision boundary"), () => view.layers),
      ),
      told,
    ),
  );
  drawnWhenSeen(element, store, ["epoch"], () => paintBoundary(view, model, scene, inputs, side));
  return element;
}

function paintBoundary(view, model, { areValues, shade }, inputs, side) {
  const places = side ** 2;
  const logits = model.network.forward(inputs, places);
  if (!areValues && model.givesProbabilities) {
    view.paintShares(model.probabilities(logits, places), side);
    return;
  }
  const answers = model.answers(logits, places);
  const width = answers.length / places;
  if (areValues) view.paintValues((place) => shade(answers[place * width]), side);
  else view.paintShares(certainShares(answers, model.classNames.length), side);
}

/** Return probabilities for answers without any: the class that is answered has all of it. */
function certainShares(answers, classes) {
  const shares = new Float64Array(answers.length * classes);
  answers.forEach((answer, place) => (shares[place * classes + answer] = 1));
  return shares;
}

function sayAnswerAt(place, names, { place: at, shares, values }, classNames) {
  const [x1, x2] = place.map((value) => number(value, 3));
  const [x, y] = names;
  const where = { x, x1, y, x2 };
  if (at === null) {
    return say("{x} {x1}, {y} {x2}: {value}", { ...where, value: number(values[0]) });
  }
  const share = shares.length > 0 ? percent(shares[at]) : "";
  return say("{x} {x1}, {y} {x2}: {name} {share}", { ...where, name: classNames[at], share });
}

function labelOfBoundary({ classNames, target }, { names, plane }) {
  return say(
    "What is answered for {x} from {left} to {right} and {y} from {bottom} to {top}: {what}",
    {
      x: names[0],
      left: number(plane.low[0], 3),
      right: number(plane.high[0], 3),
      y: names[1],
      bottom: number(plane.low[1], 3),
      top: number(plane.high[1], 3),
      what: classNames === null ? (target?.name ?? say("values")) : firstNames(classNames).join(", "),
    },
  );
}

function legendOfClasses(classNames) {
  return make(
    "ul",
    { class: "legend" },
    firstNames(classNames ?? []).map((name, at) =>
      make(
        "li",
        {},
        at < BOUNDARY_NAMES
          ? make("span", { class: "play-dot", style: { background: `var(--class-${at % 10})` } })
          : null,
        name,
      ),
    ),
  );
}

/** Return the names of classes; of very many the first ones, and how many there are besides. */
function firstNames(names) {
  const more = names.length - BOUNDARY_NAMES;
  return more > 0 ? [...names.slice(0, BOUNDARY_NAMES), say("and {more} more", { more })] : names;
}
