/** The fields in which a playground's settings are changed. */

import { make } from "./dom.js";
import { PLAYGROUND_FIELDS, readSetting, writeSetting } from "./playground_settings.js";
import { say } from "./words.js";

/** The settings in the order of the form; those of a network need a new one. */
const FORM_ORDER = ["data", "samples", "noise", "start", "layers", "activation"].concat([
  ...["optimizer", "rate", "batch", "l2", "seed"],
]);

/** Settings that stand in the address, but that some data have no use for. */
const USELESS = {
  run: ["samples"],
  own: ["samples", "start"],
  generated: ["start"],
};

export class PlaygroundForm {
  /**
   * @param {object} options
   * @param {import("./playground_settings.js").PlaygroundSettings} options.settings
   * @param {boolean} options.hasRun - Whether a run's network and its training data can be chosen.
   * @param {function(Object): void} options.changed - Told the settings that have changed.
   */
  constructor({ settings, hasRun, changed }) {
    this.settings = { ...settings };
    this.changed = changed;
    this.hasRun = hasRun;
    this.fields = new Map(FORM_ORDER.map((name) => [name, this.fieldOf(name)]));
    this.element = make(
      "div",
      { class: "play-form", role: "group", "aria-label": say("Settings") },
      [...this.fields.values()].map(({ element }) => element),
    );
    this.show(settings);
  }

  /** Show other settings, as an address or a file has them. */
  show(settings) {
    this.settings = { ...settings };
    for (const [name, { input, told }] of this.fields) {
      input.value = writeSetting(settings[name]);
      input.removeAttribute("aria-invalid");
      told.textContent = "";
    }
    this.hideUseless();
  }

  hideUseless() {
    const { data, start } = this.settings;
    const useless = USELESS[data] ?? USELESS.generated;
    const goesOn = data === "run" && start === "run";
    for (const [name, { element }] of this.fields) {
      element.hidden =
        useless.includes(name) || (goesOn && ["layers", "activation"].includes(name));
    }
  }

  fieldOf(name) {
    const about = PLAYGROUND_FIELDS[name];
    const told = make("span", { class: "play-told", role: "alert" });
    const onchange = () => this.read(name);
    const input = about.names
      ? make("select", { name, onchange }, this.optionsOf(name))
      : make("input", {
          name,
          type: "text",
          inputmode: about.layers ? "text" : "decimal",
          autocomplete: "off",
          spellcheck: "false",
          onchange,
        });
    const element = make(
      "label",
      { class: "play-field" },
      make("span", {}, labelOf(name)),
      input,
      told,
    );
    return { element, input, told };
  }

  optionsOf(name) {
    return PLAYGROUND_FIELDS[name].names
      .filter((value) => value !== "run" || this.hasRun)
      .map((value) => make("option", { value }, optionText(name, value)));
  }

  read(name) {
    const { input, told } = this.fields.get(name);
    try {
      const value = readSetting(name, input.value);
      input.removeAttribute("aria-invalid");
      told.textContent = "";
      if (writeSetting(value) === writeSetting(this.settings[name])) return;
      this.settings[name] = value;
      this.hideUseless();
      this.changed({ [name]: value });
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      told.textContent = error.message;
    }
  }
}

function labelOf(name) {
  return {
    data: say("Data"),
    samples: say("Points"),
    noise: say("Noise"),
    start: say("Network"),
    layers: say("Hidden layers"),
    activation: say("Activation"),
    optimizer: say("Optimizer"),
    rate: say("Learning rate"),
    batch: say("Batch size"),
    l2: say("L2"),
    seed: say("Seed"),
  }[name];
}

function optionText(name, value) {
  if (name === "data" && value === "own") return say("own points");
  if (name === "start" && value === "new") return say("a new one");
  return value === "run" ? say("this run's") : value;
}
