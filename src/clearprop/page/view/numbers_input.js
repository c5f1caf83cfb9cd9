/** A sample of one's own as a row of numbers, typed or pasted, and the answer to it. */

import { saliency } from "../engine/explain.js";
import { sizeOf } from "../engine/trace.js";
import { AnswerView, answersTo } from "./answer_view.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/** Inputs that are named as those that an answer hangs on. */
const MOST_HANGING = 5;

/**
 * Return the panel's elements for a model of arrays.
 *
 * @param {{model: Model}} context
 * @returns {HTMLElement}
 */
export function numbersInput({ model }) {
  const { inputShape } = model.network;
  const count = sizeOf(inputShape);
  const answer = new AnswerView(model);
  const told = make("p", { class: "play-told", role: "alert" });
  const field = make("textarea", {
    class: "numbers mono",
    rows: 8,
    spellcheck: "false",
    "aria-label": say("{count} numbers", { count }),
    placeholder: say("{count} numbers, with blanks, commas or line breaks between", { count }),
    oninput: () => ask(),
  });
  const ask = () => {
    told.textContent = "";
    try {
      const numbers = readNumbers(field.value);
      if (numbers.length === 0) return answer.clear(say("The answer comes once there are numbers."));
      if (numbers.length !== count) {
        return answer.clear(
          say("Found {found} numbers, expected {count}.", { found: numbers.length, count }),
        );
      }
      show(model.prepare([numbers]));
    } catch (error) {
      answer.clear("");
      told.textContent = error.message;
    }
  };
  const show = (x) => {
    const [found] = answersTo(model, x, 1);
    answer.show(found, x);
    const places = hangsOn(model.network, x, found.place ?? 0);
    answer.note([
      say("It hangs most on the numbers at these places: {places}.", { places: places.join(", ") }),
    ]);
  };
  ask();
  return make(
    "div",
    { class: "own" },
    make("div", { class: "own-in" }, field, told),
    make("div", { class: "own-out" }, answer.element),
  );
}

/**
 * Read numbers with blanks, commas, semicolons or brackets around them.
 *
 * @param {string} text
 * @returns {number[]}
 * @throws {Error} With a sentence that names what is none.
 */
export function readNumbers(text) {
  const words = text.split(/[\s,;[\]]+/).filter((word) => word !== "");
  return words.map((word, place) => {
    const value = Number(word);
    if (Number.isFinite(value)) return value;
    throw new Error(
      say('Number {place} is "{found}", expected a number such as {example}.', {
        place: place + 1,
        found: word.slice(0, 40),
        example: 0.5,
      }),
    );
  });
}

/** Return the places, from 1 on, of the inputs whose change changes the answer the most. */
function hangsOn(network, x, answer) {
  const channels = network.inputShape.length === 3 ? network.inputShape[2] : 1;
  const slopes = saliency(network, x, 1, answer, { noise: 0 });
  return [...slopes.keys()]
    .sort((a, b) => slopes[b] - slopes[a])
    .slice(0, MOST_HANGING)
    .map((place) => place * channels + 1);
}
