/**
 * A run that goes on: what its server tells, and what it is asked.
 *
 * The server tells by events what has changed since it was asked last; with "state" it says that
 * all is to be fetched anew, which it does whenever a page begins to listen. So a page that was
 * closed, or lost its server for a while, catches up by itself.
 */

import { make, number } from "./dom.js";
import { say } from "./words.js";

export class LiveClient {
  /**
   * @param {object} told - Functions that are told what happens: `state(data)`, `row(run, row)`,
   *   `kept(run, kept)`, `told(run, told)`, each with the place of the run, and `lost(isLost)`.
   */
  constructor(told) {
    this.told = told;
  }

  /** Begin to listen; the browser itself connects again where the server was away. */
  start() {
    const events = new EventSource("events");
    events.addEventListener("open", () => this.told.lost(false));
    events.addEventListener("error", () => this.told.lost(true));
    events.addEventListener("state", () => this.fetchState());
    for (const name of ["row", "kept", "told"]) {
      events.addEventListener(name, (event) => {
        const { run, ...what } = JSON.parse(event.data);
        this.told[name](run, what);
      });
    }
  }

  async fetchState() {
    try {
      const answer = await fetch("state");
      if (!answer.ok) throw new Error(await answer.text());
      this.told.state(await answer.json());
    } catch {
      this.told.lost(true); // when the events come back, they ask for it again
    }
  }

  /**
   * Ask for something.
   *
   * @param {"pause"|"go on"|"step"|"stop"|"rate"|"close"} action
   * @param {number} [value] - The learning rate, of "rate".
   * @throws {Error} With what the server said, where it refuses.
   */
  async ask(action, value) {
    const answer = await fetch("control", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(value === undefined ? { do: action } : { do: action, value }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

/**
 * The panel by which a live run is steered.
 *
 * @param {object} context
 * @param {LiveClient} client
 * @param {function(): boolean} isGoingOn - Tells whether any training does, perhaps another one.
 */
export function livePanel({ page, store }, client, isGoingOn) {
  const ask = async (action, value) => {
    try {
      await client.ask(action, value);
      problem.textContent = "";
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  const button = (text, action) => make("button", { type: "button", onclick: () => ask(action) }, text);
  const state = make("strong", { class: "live-state" });
  const progress = make("progress", { class: "live-progress", "aria-label": say("Epochs done") });
  const told = make("span", { class: "faint" });
  const pause = make("button", {
    type: "button",
    class: "primary",
    onclick: () => ask(store.get("live").state === "paused" ? "go on" : "pause"),
  });
  const step = button(say("One step"), "step");
  const stop = button(say("Stop and keep"), "stop");
  const close = button(say("Close the server"), "close");
  const rate = make("input", {
    type: "text",
    inputmode: "decimal",
    class: "rate",
    "aria-label": say("Learning rate"),
  });
  const setRate = (event) => {
    event.preventDefault();
    const value = Number(rate.value);
    if (rate.value.trim() !== "" && value >= 0 && Number.isFinite(value)) ask("rate", value);
    else problem.textContent = say("A learning rate is a number of at least 0, such as 0.01.");
  };
  const rateForm = make(
    "form",
    { class: "field", onsubmit: setRate },
    make("label", { class: "field" }, say("Learning rate"), rate),
    make("button", {}, say("Set")),
  );
  const problem = make("p", { class: "bad", role: "alert" });

  const draw = () => {
    const { state: now, epoch, epochs, step: steps, rate: present } = store.get("live");
    state.textContent = store.get("lost") ? say("The server is away") : stateWord(now);
    state.dataset.state = store.get("lost") ? "lost" : now;
    progress.max = epochs;
    progress.value = epoch;
    told.textContent = say("epoch {epoch} of {epochs}, {steps} updates", { epoch, epochs, steps });
    pause.textContent = now === "paused" ? say("Go on") : say("Pause");
    const hasEnded = !isGoingOn();
    for (const control of [pause, step, stop]) control.hidden = hasEnded;
    close.hidden = !page.live.ended;
    rateForm.hidden = hasEnded || present === null || present === undefined;
    if (document.activeElement !== rate && !rateForm.hidden) rate.value = number(present, 3);
  };
  store.watch("live", draw);
  store.watch("lost", draw);
  draw();
  return make(
    "section",
    { class: "live-bar", "aria-label": say("The training that goes on") },
    make("div", { class: "row live-told", role: "status" }, state, progress, told),
    make("div", { class: "row" }, pause, step, stop, rateForm, close),
    problem,
  );
}

function stateWord(state) {
  const words = { running: say("Training"), paused: say("Paused"), ended: say("Ended") };
  return words[state] ?? state;
}
