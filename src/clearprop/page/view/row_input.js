/** A table's row of one's own: its fields, the answer, and how that changes by column. */

import { AnswerView, answersTo } from "./answer_view.js";
import { make, number, percent } from "./dom.js";
import { EffectsView } from "./effects_view.js";
import { effectsOf } from "./row_effects.js";
import { isOutside, readCell } from "./row_fields.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

/** Columns whose effect is shown. */
const MOST_EFFECTS = 10;

/** Milliseconds without a change after which the effects of all columns are computed. */
const ROW_REST = 150;

const SLIDER_STEPS = 100;

/**
 * Return the panel's elements for a model of rows.
 *
 * @param {Object} context
 * @param {Array<import("./row_fields.js").RowField>} fields
 * @returns {HTMLElement}
 */
export function rowInput(context, fields) {
  return new RowInput(context, fields).element;
}

class RowInput {
  constructor({ model, samples, store }, fields) {
    this.model = model;
    this.samples = samples;
    this.store = store;
    this.fields = fields;
    this.answer = new AnswerView(model);
    this.effects = new EffectsView();
    this.cells = new Map(fields.map((field) => [field.name, this.cellOf(field)]));
    this.element = make(
      "div",
      { class: "own own-row" },
      make(
        "div",
        { class: "own-in" },
        this.beginnings(),
        make(
          "div",
          { class: "row-fields" },
          [...this.cells.values()].map(({ element }) => element),
        ),
      ),
      make("div", { class: "own-out" }, this.answer.element, this.effects.element),
    );
    this.ask = drawnWhenSeen(this.element, store, ["epoch"], () => this.answerNow());
    if (this.hasRows) this.takeSample();
    else this.takeMiddles();
  }

  get hasRows() {
    return Boolean(this.samples && (this.samples.raw || this.model.inputs.restore));
  }

  beginnings() {
    const button = (text, onclick) => make("button", { type: "button", onclick }, text);
    return make(
      "div",
      { class: "buttons" },
      button(say("Usual values"), () => this.takeMiddles()),
      this.hasRows ? button(say("The sample that is shown"), () => this.takeSample()) : null,
      this.fields.some(({ mayMiss }) => mayMiss)
        ? button(say("Empty"), () => this.fill(() => null))
        : null,
    );
  }

  cellOf(field) {
    const told = make("span", { class: "row-told small", role: "alert" });
    const input = inputOf(field, () => this.read(field));
    const slider = sliderOf(field, (value) => {
      input.value = String(value);
      this.read(field);
    });
    const element = make(
      "div",
      { class: "row-field" },
      make("label", {}, make("span", { class: "row-name" }, field.name), input),
      slider,
      make("span", { class: "row-hint small faint" }, hintOf(field)),
      told,
    );
    return { element, input, slider, told, value: null, isWrong: false };
  }

  takeMiddles() {
    this.fill(({ middle }) => middle);
  }

  takeSample() {
    const place = this.store.get("sample") ?? 0;
    const { raw } = this.samples;
    const restored = raw ? null : this.model.inputs.restore(this.samples.one(place));
    this.fill(({ name }, at) => (raw ? raw[name]?.[place] : restored[at]) ?? null);
  }

  fill(valueOf) {
    this.fields.forEach((field, at) => {
      const value = valueOf(field, at);
      const { input } = this.cells.get(field.name);
      input.value = value === null ? "" : textOfCell(field, value);
      this.read(field);
    });
  }

  read(field) {
    const cell = this.cells.get(field.name);
    try {
      cell.value = readCell(field, cell.input.value);
      cell.isWrong = false;
      cell.told.textContent = isOutside(field, cell.value)
        ? say("Outside of what training had: don't trust the answer.")
        : "";
      if (cell.slider && cell.value !== null) cell.slider.value = String(cell.value);
      cell.slider?.classList.toggle("unset", cell.value === null);
    } catch (error) {
      cell.isWrong = true;
      cell.told.textContent = error.message;
    }
    cell.input.toggleAttribute("aria-invalid", cell.isWrong);
    this.ask?.();
  }

  answerNow() {
    clearTimeout(this.resting);
    const cells = [...this.cells];
    const wrong = cells.filter(([, { isWrong }]) => isWrong);
    if (wrong.length > 0) {
      this.clear(say("Correct {name} to get an answer.", { name: wrong[0][0] }));
      return;
    }
    const row = Object.fromEntries(cells.map(([name, { value }]) => [name, value]));
    try {
      const x = this.prepared([row]);
      const [answer] = answersTo(this.model, x, 1);
      this.answer.show(answer, x, (this.store.get("epoch") ?? null) === null);
      this.resting = setTimeout(() => this.compare(row, answer), ROW_REST);
    } catch (error) {
      this.clear(error.message);
    }
  }

  clear(text) {
    this.answer.clear(text);
    this.effects.clear();
  }

  prepared(rows) {
    const isTable = Boolean(this.model.inputs.columns);
    const given = isTable ? rows : rows.map((row) => this.fields.map(({ name }) => row[name]));
    return this.model.prepare(given);
  }

  compare(row, answer) {
    const { place } = answer;
    const measure = ({ place: found, shares, values }) =>
      place === null ? values[0] : (shares[place] ?? Number(found === place));
    const ask = (rows) => answersTo(this.model, this.prepared(rows), rows.length).map(measure);
    const effects = effectsOf(this.fields, row, ask, MOST_EFFECTS);
    const { classNames, target } = this.model;
    const ofShares = place !== null;
    this.effects.show(effects, row, {
      title: ofShares
        ? say("How the probability of {name} changes with one column", { name: classNames[place] })
        : say("How {name} changes with one column", { name: target?.name ?? say("the answer") }),
      here: measure(answer),
      write: ofShares ? (share) => percent(share, 0) : (value) => number(value, 3),
    });
  }
}

function inputOf(field, onchange) {
  if (field.kind === "category") {
    return make(
      "select",
      { onchange },
      make("option", { value: "" }, say("(empty)")),
      field.categories.map((one) => make("option", { value: one }, one)),
    );
  }
  if (field.kind === "date") {
    return make("input", { type: field.hasHour ? "datetime-local" : "date", onchange });
  }
  return make("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    oninput: onchange,
  });
}

/** A slider over the range of training; null where that is not known. */
function sliderOf(field, moved) {
  const { kind, low, high, name } = field;
  if (kind !== "number" || low === null || high === null || low === high) return null;
  const isWhole = [low, high, field.middle].every(Number.isInteger);
  const step = isWhole ? 1 : sliderStepOf(low, high);
  const slider = make("input", {
    type: "range",
    min: isWhole ? low : Math.floor(low / step) * step,
    max: isWhole ? high : Math.ceil(high / step) * step,
    step,
    "aria-label": say("{name}, as a slider", { name }),
    oninput: () => moved(Number(Number(slider.value).toPrecision(6))),
  });
  return slider;
}

/** A round step that a range has about a hundred of. */
function sliderStepOf(low, high) {
  return 10 ** Math.floor(Math.log10((high - low) / SLIDER_STEPS));
}

function hintOf({ kind, low, high, isRange, middle, unit, hasHour }) {
  if (kind === "category") return "";
  if (kind === "date" || low === null) {
    return middle === null || hasHour ? "" : say("about {middle}", { middle });
  }
  if (!isRange) return say("usually {low} to {high}", { low, high });
  const range = say("{low} to {high}, median {middle}", { low, high, middle });
  return unit ? `${range} ${unit}` : range;
}

function textOfCell({ kind, hasHour }, value) {
  if (kind === "number" && typeof value === "number") return String(Number(value.toPrecision(7)));
  if (kind !== "date") return String(value);
  const written = String(value).replace(" ", "T");
  return written.slice(0, hasHour ? 16 : 10); // as a field of the browser's takes it
}
