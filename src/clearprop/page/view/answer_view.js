/** What a network answers to one sample: the answer, how sure it is, and probabilities as bars. */

import { certaintyView } from "./certainty_view.js";
import { make, number, percent } from "./dom.js";
import { say } from "./words.js";

/** Classes whose probabilities are shown. */
const MOST_BARS = 10;

/**
 * An answer to one sample.
 *
 * @typedef {Object} Answer
 * @property {?number} place - The class that is answered; null where values are.
 * @property {Array<number>} shares - The probability of each class; none where a loss has none.
 * @property {Array<number>} values - The values that are answered; none where a class is.
 */

/**
 * Ask a model about prepared samples.
 *
 * @param {Object} model
 * @param {Float64Array} x - n prepared samples, one after the other.
 * @param {number} n
 * @returns {Array<Answer>}
 */
export function answersTo(model, x, n) {
  const logits = model.network.forward(x, n);
  const answers = model.answers(logits, n);
  const width = answers.length / n;
  if (model.classNames === null) {
    return Array.from({ length: n }, (_, row) => ({
      place: null,
      shares: [],
      values: Array.from(answers.slice(row * width, (row + 1) * width)),
    }));
  }
  const shares = model.givesProbabilities ? model.probabilities(logits, n) : new Float64Array(0);
  const classes = shares.length / n;
  return Array.from({ length: n }, (_, row) => ({
    place: answers[row],
    shares: Array.from(shares.slice(row * classes, (row + 1) * classes)),
    values: [],
  }));
}

export class AnswerView {
  /** @param {Object} model */
  constructor(model) {
    this.model = model;
    this.said = make("p", { class: "answer-said", role: "status" });
    this.bars = make("div", { class: "answer-bars" });
    this.certainty = make("div", {});
    this.notes = make("ul", { class: "answer-notes" });
    this.element = make("div", { class: "answer" }, this.said, this.bars, this.certainty, this.notes);
    this.clear("");
  }

  /** Show no answer, but a text in its place. */
  clear(text) {
    this.said.classList.add("faint");
    this.said.textContent = text;
    this.bars.replaceChildren();
    this.certainty.replaceChildren();
    this.note([]);
  }

  /**
   * @param {Answer} answer
   * @param {Float64Array} x - The prepared sample that it is to.
   * @param {boolean} [isTrained] - Whether it is that of the trained network, and of no earlier epoch.
   */
  show({ place, shares, values }, x, isTrained = true) {
    const certainty = certaintyView(this.model, this.model.network.forward(x, 1), { isTrained });
    this.certainty.replaceChildren(...[certainty].filter(Boolean));
    this.said.classList.remove("faint");
    const { classNames, target } = this.model;
    if (place === null) {
      const written = values.map((value) => number(value, 5)).join(", ");
      this.said.replaceChildren(
        make("span", { class: "faint" }, target?.name ?? say("The answer")),
        " ",
        make("strong", {}, written),
      );
      this.bars.replaceChildren();
      return;
    }
    this.said.replaceChildren(
      make("strong", {}, classNames[place]),
      " ",
      shares.length > 0 ? make("span", { class: "faint" }, percent(shares[place])) : "",
    );
    const order = shares.map((_, at) => at);
    // Digits stay in their order: bars that change places can't be followed with the eyes.
    const shown =
      order.length <= MOST_BARS
        ? order
        : order.sort((a, b) => shares[b] - shares[a]).slice(0, MOST_BARS);
    this.bars.replaceChildren(
      make(
        "ul",
        { class: "bars" },
        shown.map((at) => shareBar(classNames[at], shares[at])),
      ),
    );
  }

  /** Write sentences below the answer. */
  note(sentences) {
    this.notes.replaceChildren(...sentences.map((one) => make("li", {}, one)));
    this.notes.hidden = sentences.length === 0;
  }
}

/** A bar that is full where the answer is certain, however sure the surest is. */
function shareBar(name, share) {
  const bar = make("span", { class: "bar", style: { width: percent(share) } });
  return make(
    "li",
    {},
    make("span", { class: "bar-name" }, name),
    make("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    make("span", { class: "bar-value" }, percent(share)),
  );
}
