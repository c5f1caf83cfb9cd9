/** The page of one model alone: what it expects, a way to ask it, and what it answers. */

import { decodedBytes } from "../engine/base64.js";
import { openModel } from "../engine/model.js";
import { make } from "./dom.js";
import { Store } from "./store.js";
import { say, useWords } from "./words.js";

/** Classes that are named where the page says what is answered. */
const MOST_CLASSES_SAID = 12;

/**
 * Show the model that a page has embedded.
 *
 * @param {function(Object): HTMLElement} panelOf - Makes the panel that asks a model, of what the
 *   page's own panels are given: { model, samples, store }.
 * @param {function(Model): string} expected - Says what the model takes.
 */
export function showAlone(panelOf, expected) {
  const page = JSON.parse(document.getElementById("data").textContent);
  useWords(page.words);
  const root = document.getElementById("page");
  try {
    const model = openModel(decodedBytes(page.model));
    const context = { model, samples: null, store: new Store() };
    root.append(
      headOf(page.name, [expected(model), answersOf(model)]),
      make("section", { class: "panel", "aria-label": say("Your own input") }, panelOf(context)),
    );
  } catch (error) {
    console.error(error);
    const reason = say("The model can't be opened in this page: {reason}", { reason: error.message });
    root.append(headOf(page.name, []), make("p", { class: "error" }, reason));
  }
}

function headOf(name, sentences) {
  return make(
    "header",
    { class: "page-head" },
    make("p", { class: "eyebrow" }, "clearprop"),
    make("h1", {}, name),
    sentences.map((one) => make("p", {}, one)),
    make("p", { class: "note" }, say("All is computed in this page; nothing is sent.")),
  );
}

function answersOf({ classNames, target, network }) {
  if (classNames !== null) {
    const names = classNames.slice(0, MOST_CLASSES_SAID).join(", ");
    const more = classNames.length - MOST_CLASSES_SAID;
    return more > 0
      ? say("It answers one of {count} classes: {names} and {more} more.", {
          count: classNames.length,
          names,
          more,
        })
      : say("It answers one of {count} classes: {names}.", { count: classNames.length, names });
  }
  if (target?.name) return say("It answers {name}.", { name: target.name });
  return say("It answers {count} numbers.", { count: network.outputShape[0] });
}
