/** Right and wrong: which classes are taken for which, and the mistakes themselves. */

import { make, number, percent } from "./dom.js";
import { samplePicture } from "./pictures.js";
import { Scatter } from "./scatter.js";
import { partName } from "./scores.js";
import { drawnWhenSeen } from "./seeing.js";
import { answerText, originText } from "./truth.js";
import { say, sayCount } from "./words.js";

const MOST_MISTAKES = 60;
const FEW = 4; // of a mistake: fewer never have the full colour
const MOST_IN_TABLE = 30; // classes

/** The panel of answers: of classes, or of values. */
export function answersPanel(context) {
  return context.model.classNames === null ? valuesPanel(context) : classesPanel(context);
}

function classesPanel(context) {
  const { inspection, model, samples, store } = context;
  const said = make("p", {});
  const table = make("div", { class: "scroll" });
  const key = make(
    "p",
    { class: "note" },
    say("Rows: what is true; columns: what is answered. A number shows its samples."),
  );
  const heading = make("h4", {});
  const gallery = make("ul", { class: "mistakes", tabindex: 0, "aria-label": say("Samples") });
  const body = make(
    "div",
    {},
    said,
    make(
      "div",
      { class: "answers" },
      make("div", {}, table, key),
      make("div", { class: "answers-shown" }, heading, gallery),
    ),
  );
  let pair = null; // of classes: true, answered
  const draw = drawnWhenSeen(body, store, ["epoch"], () => {
    const { places, n, logits } = inspection.ofMany();
    const answers = model.answers(logits, n);
    const shares = model.givesProbabilities ? model.probabilities(logits, n) : null;
    const truth = places.map((place) => samples.truth[place]);
    const classes = model.classNames.length;
    const right = truth.filter((one, row) => one === answers[row]).length;
    said.textContent = say("{right} of {n} embedded samples ({part}) are right: {share}.", {
      right,
      n,
      part: partName(samples.part),
      share: percent(right / n),
    });
    table.replaceChildren(
      classes <= MOST_IN_TABLE
        ? confusionTable(confusionOf(truth, answers, classes), model, pair, choose)
        : mixedUp(truth, answers, model),
    );
    const mistakes = truth
      .map((one, row) => ({ row, one, answer: answers[row], share: shares?.[row * classes + answers[row]] }))
      .filter(({ one, answer }) => (pair === null ? one !== answer : one === pair[0] && answer === pair[1]))
      .sort((a, b) => (b.share ?? 0) - (a.share ?? 0));
    heading.textContent = mistakesHeading(mistakes.length, pair, model);
    gallery.replaceChildren(
      ...mistakes.slice(0, MOST_MISTAKES).map((mistake) => mistakeOf(context, places[mistake.row], mistake)),
    );
  });
  const choose = (truth, answer) => {
    pair = pair !== null && pair[0] === truth && pair[1] === answer ? null : [truth, answer];
    draw();
  };
  return body;
}

/** Count how often samples of each class get each answer. */
export function confusionOf(truth, answers, classes) {
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  truth.forEach((one, row) => (counts[one][answers[row]] += 1));
  return counts;
}

function confusionTable(counts, model, pair, choose) {
  const names = model.classNames;
  const most = Math.max(
    1,
    ...counts.map((row, k) => Math.max(...row.map((count, j) => (j === k ? 0 : count)))),
  );
  const cell = (count, truth, answer) => {
    const isRight = truth === answer;
    const strength = isRight || count === 0 ? 0 : 12 + (58 * count) / Math.max(most, FEW);
    const isChosen = pair !== null && pair[0] === truth && pair[1] === answer;
    return make(
      "td",
      {
        class: isRight ? "confusion-right" : null,
        style: strength ? { "--strength": `${strength}%` } : null,
      },
      count === 0
        ? make("span", { class: "faint" }, "·")
        : make(
            "button",
            {
              type: "button",
              class: "plain",
              "aria-pressed": String(isChosen),
              "aria-label": say("{count} of {truth} answered as {answer}", {
                count,
                truth: names[truth],
                answer: names[answer],
              }),
              onclick: () => choose(truth, answer),
            },
            number(count),
          ),
    );
  };
  return make(
    "table",
    { class: "confusion" },
    make("caption", { class: "unseen" }, say("True classes against answers")),
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        make("td", {}),
        names.map((name) => make("th", { scope: "col" }, name)),
      ),
    ),
    make(
      "tbody",
      {},
      counts.map((row, truth) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, names[truth]),
          row.map((count, answer) => cell(count, truth, answer)),
        ),
      ),
    ),
  );
}

/** Of very many classes: the pairs that are mixed up most. */
function mixedUp(truths, answers, model) {
  const counts = new Map();
  truths.forEach((truth, row) => {
    const answer = answers[row];
    const pair = counts.get(`${truth} ${answer}`) ?? { truth, answer, count: 0 };
    if (truth !== answer) counts.set(`${truth} ${answer}`, { ...pair, count: pair.count + 1 });
  });
  const pairs = [...counts.values()].sort((a, b) => b.count - a.count).slice(0, MOST_IN_TABLE);
  return make(
    "ol",
    {},
    pairs.map(({ count, truth, answer }) =>
      make(
        "li",
        {},
        say("{truth} answered as {answer}: {count}", {
          truth: model.classNames[truth],
          answer: model.classNames[answer],
          count,
        }),
      ),
    ),
  );
}

function mistakesHeading(count, pair, model) {
  if (pair === null) {
    if (count === 0) return say("No mistakes");
    return sayCount(count, "{count} mistake", "{count} mistakes, the surest first");
  }
  return say("{truth} answered as {answer}: {count}", {
    truth: model.classNames[pair[0]],
    answer: model.classNames[pair[1]],
    count,
  });
}

function mistakeOf(context, place, { one, answer, share }) {
  const { model, samples, store } = context;
  const said = say("true {truth}, answered {answer}", {
    truth: answerText(model, one),
    answer: answerText(model, answer),
  });
  return make(
    "li",
    {},
    make(
      "button",
      {
        type: "button",
        class: "mistake",
        title: say("Look at this sample in all panels"),
        onclick: () => store.set("sample", place),
      },
      samples.arePictures ? samplePicture(samples.one(place), samples.shape, said) : null,
      make("span", { class: "small" }, say("true {truth}", { truth: answerText(model, one) })),
      make(
        "span",
        { class: one === answer ? "small good" : "small bad" },
        `${say("said {answer}", { answer: answerText(model, answer) })}${share === undefined ? "" : ` ${percent(share, 0)}`}`,
      ),
      make("span", { class: "small faint" }, originText(samples, place)),
    ),
  );
}

/** Of values: the answer against the truth; on the diagonal both are the same. */
function valuesPanel(context) {
  const { inspection, model, samples, store } = context;
  const said = make("p", {});
  let targets = 1;
  const sampleOf = (point) => inspection.many[Math.floor(point / targets)];
  const scatter = new Scatter((point) => store.set("sample", sampleOf(point)));
  const body = make("div", {}, said, scatter.element);
  drawnWhenSeen(body, store, ["epoch", "sample"], () => {
    const { places, n, logits } = inspection.ofMany();
    const answers = model.answers(logits, n);
    const outputs = answers.length / n;
    const points = places.flatMap((place, row) =>
      [samples.truth[place]].flat().map((truth, output) => [truth, answers[row * outputs + output]]),
    );
    targets = points.length / places.length;
    const errors = points.map(([truth, answer]) => Math.abs(answer - truth));
    said.textContent = say(
      "Truth to the right, answer upwards; on the line they are equal. The mean absolute error of {n} samples is {error}.",
      {
        n,
        error: errors.reduce((sum, one) => sum + one, 0) / n,
      },
    );
    const chosen = places.indexOf(store.get("sample"));
    scatter.show({
      points,
      kinds: points.map((_, point) => point % targets),
      names: [],
      label: say("answers against the truth, {n} samples", { n }),
      nameOf: (point) => originText(samples, sampleOf(point)),
      chosen: chosen < 0 ? null : chosen * targets,
      isAgainst: true,
    });
  });
  return body;
}
