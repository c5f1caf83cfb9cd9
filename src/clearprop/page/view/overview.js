/** What a run is: its score beside what it had to beat, its data, its settings, its command. */

import { shareAsTyped } from "./certainty_view.js";
import { make, number, percent } from "./dom.js";
import { baselineName, countedScores, partName, scoreName, scoreNames, scoreText } from "./scores.js";
import { say, sayCount } from "./words.js";

const LONG_FACT = 60; // characters: it gets a line of its own

/** The panel below the title of a run. */
export function overviewPanel({ run, model, inspection }) {
  const counted = countedScores(run.report);
  return make(
    "div",
    { class: "overview" },
    counted ? headline(counted) : null,
    run.report?.diverged ? make("p", { class: "bad" }, say("Diverged: these are the scores of what was left.")) : null,
    facts(run, model, inspection),
    repeating(run.command),
    counted ? scoresTable(counted) : null,
    settingsTable(run.settings),
    notesOf(run.report?.notes),
  );
}

function headline({ part, told }) {
  const rivals = Object.entries(told.baselines ?? {}).map(([name, scores]) =>
    say("{name} {score}", { name: baselineName(name), score: scoreText(told.score, scores[told.score]) }),
  );
  return make(
    "div",
    { class: "headline" },
    make("p", { class: "headline-number" }, scoreText(told.score, told[told.score])),
    make(
      "p",
      {},
      say("{score} on {samples} samples, {part}", {
        score: scoreName(told.score),
        samples: told.samples,
        part: partName(part),
      }),
      rivals.length ? make("span", { class: "faint headline-rivals" }, rivals.join(" · ")) : null,
    ),
  );
}

function facts(run, model, inspection) {
  const { settings, report } = run;
  const found = [
    [say("Data"), run.report?.data ?? settings?.data],
    [say("Samples"), samplesFact(report?.samples)],
    [say("Network"), inspection && networkFact(inspection)],
    [say("Loss function"), model?.network.loss.constructor.name],
    [say("Parameters"), model && number(model.network.parameters.data.length)],
    [say("Optimizer"), settings && optimizerFact(settings)],
    [say("Temperature"), temperatureFact(report?.temperature)],
    [say("Coverage"), coverageFact(report)],
    [say("Epochs"), hasEnded(run) ? epochsFact(run) : null],
    [say("Training time"), typeof report?.seconds === "number" ? durationText(report.seconds) : null],
  ];
  return make(
    "dl",
    { class: "facts" },
    found
      .filter(([, value]) => value)
      .map(([name, value]) =>
        make(
          "div",
          { class: value.length > LONG_FACT ? "wide" : null },
          make("dt", {}, name),
          make("dd", {}, value),
        ),
      ),
  );
}

function networkFact({ layers }) {
  return layers
    .filter(({ place }) => !place.includes("."))
    .map(({ title }) => title)
    .join(" → ");
}

function samplesFact(samples) {
  if (!samples) return null;
  const parts = Object.entries(samples).map(([part, count]) => `${number(count)} ${partWord(part)}`);
  return parts.join(", ");
}

function partWord(part) {
  const words = {
    train: say("for training"),
    validation: say("for validation"),
    test: say("for the test"),
    folds: say("in folds"),
  };
  return words[part] ?? part;
}

function optimizerFact(settings) {
  return say("{optimizer}, learning rate {rate}", {
    optimizer: settings.optimizer ?? "",
    rate: settings.learning_rate ?? say("its own"),
  });
}

function temperatureFact(told) {
  if (typeof told?.temperature !== "number" || told.samples === null) return null;
  return say("{temperature}, fitted to {samples} samples", {
    temperature: number(told.temperature, 3),
    samples: told.samples,
  });
}

/** Say what a coverage came to on samples that nothing else was done with, where it was measured. */
function coverageFact(report) {
  const told = countedScores(report)?.told.coverage;
  if (!told) return null;
  return say("{measured} of {samples} samples, by chance {low} to {high}; promised {share}", {
    measured: percent(told.measured),
    samples: told.samples,
    low: percent(told.between[0]),
    high: percent(told.between[1]),
    share: shareAsTyped(told.promised),
  });
}

function hasEnded({ told }) {
  return !told || told.state === "ended";
}

function epochsFact(run) {
  const epochs = run.history?.epoch ?? [];
  if (epochs.length === 0) return null;
  const last = number(epochs.at(-1));
  const said =
    run.best_epoch === null || run.best_epoch === epochs.at(-1)
      ? last
      : say("{last}, the best is {best}", { last, best: run.best_epoch });
  const isCut = ["interrupted", "asked"].includes(run.report?.stopped);
  return isCut ? say("{epochs}; interrupted", { epochs: said }) : said;
}

/** Write seconds as people do: "0.05 s", "3 min 20 s", "2 h 5 min". */
export function durationText(seconds) {
  if (seconds < 60) return `${number(seconds, 2)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

function repeating(command) {
  if (!command) return null;
  const text = make("code", { class: "command-text", tabindex: 0 }, command);
  const button = make(
    "button",
    { type: "button", class: "copy", onclick: () => copy(text, button) },
    say("Copy"),
  );
  return make(
    "div",
    { class: "command" },
    make("p", { class: "faint small" }, say("The command that repeats it")),
    make("div", { class: "command-line" }, text, button),
  );
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = say("Copied");
  } catch {
    // Without the right to write to the clipboard the text is at least chosen, ready for the keys.
    getSelection().selectAllChildren(text);
    button.textContent = say("Chosen: copy it by the keyboard");
  }
  button.addEventListener("blur", () => (button.textContent = say("Copy")), { once: true });
}

function scoresTable({ part, told }) {
  const rivals = Object.entries(told.baselines ?? {});
  const names = scoreNames(told);
  const header = [say("Score"), say("this network"), ...rivals.map(([name]) => baselineName(name))];
  return make(
    "details",
    {},
    make("summary", {}, sayCount(names.length, "{count} score", "All {count} scores")),
    make(
      "div",
      { class: "scroll" },
      make(
        "table",
        {},
        make("caption", { class: "unseen" }, say("Scores, {part}", { part: partName(part) })),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            header.map((name, n) => make("th", { scope: "col", class: n ? "numeric" : null }, name)),
          ),
        ),
        make(
          "tbody",
          {},
          names.map((name) =>
            make(
              "tr",
              {},
              make("th", { scope: "row" }, scoreName(name)),
              [told, ...rivals.map(([, scores]) => scores)].map((scores) =>
                make("td", { class: "numeric" }, scoreText(name, scores[name])),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

function settingsTable(settings) {
  if (!settings) return null;
  return make(
    "details",
    {},
    make("summary", {}, say("All settings")),
    make(
      "div",
      { class: "scroll" },
      make(
        "table",
        { class: "settings" },
        make(
          "tbody",
          {},
          Object.entries(settings).map(([name, value]) =>
            make(
              "tr",
              {},
              make("th", { scope: "row" }, name.replaceAll("_", " ")),
              make("td", {}, settingText(value)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Write the value of a setting. */
export function settingText(value) {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.length ? value.map(settingText).join(", ") : say("none");
  if (value === true) return say("yes");
  if (value === false) return say("no");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function notesOf(notes) {
  if (!notes?.length) return null;
  return make(
    "ul",
    { class: "note" },
    notes.map((note) => make("li", {}, note)),
  );
}
