/** The bar that says what all panels look at: an epoch, to scrub and play, and a sample. */

import { make, number } from "./dom.js";
import { samplePicture } from "./pictures.js";
import { truthText } from "./truth.js";
import { say } from "./words.js";

const FRAME = 600; // milliseconds that an epoch is shown while the timeline plays

/** The bar at the foot of the window; null where there is nothing to choose. */
export function benchBar(context) {
  const { run, samples, store } = context;
  const parts = [];
  if (run.kept.length || store.get("live")) parts.push(timeline(context));
  if (samples) parts.push(sampleChoice(context));
  if (parts.length === 0) return null;
  return make("aside", { class: "bench", "aria-label": say("What is looked at") }, parts);
}

/** The slider over the kept epochs; its last place is the model itself. */
function timeline({ run, store }) {
  const slider = make("input", {
    type: "range",
    min: 0,
    step: 1,
    class: "timeline",
    "aria-label": say("Epoch that is shown"),
    oninput: () => {
      const place = Number(slider.value);
      stop();
      choose(place);
    },
  });
  const name = make("output", { class: "bench-name" });
  const play = make("button", {
    type: "button",
    class: "play-epochs",
    onclick: () => (timer ? stop() : start()),
  });
  let timer = null;

  const last = () => (store.get("live") ? run.kept.length - 1 : run.kept.length);
  const here = () => store.get("epoch") ?? run.kept.length;
  const choose = (place) => store.set("epoch", place === run.kept.length ? null : place);
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    draw();
  };
  const start = () => {
    if (here() >= last()) choose(0);
    timer = setTimeout(forward, FRAME);
    draw();
  };
  const forward = () => {
    choose(here() + 1);
    if (here() >= last()) return stop();
    timer = setTimeout(forward, FRAME);
  };
  const draw = () => {
    const isModel = here() === run.kept.length;
    slider.max = String(Math.max(0, last()));
    slider.value = String(here());
    slider.disabled = play.disabled = last() < 1;
    const said = isModel ? say("the model") : say("epoch {epoch}", { epoch: number(run.kept[here()].epoch) });
    name.textContent = said;
    slider.setAttribute("aria-valuetext", said);
    play.replaceChildren(timer ? "❚❚" : "▶");
    play.setAttribute("aria-label", timer ? say("Stop playing") : say("Play the epochs"));
  };
  store.watch("epoch", draw);
  store.watch("live", draw);
  draw();
  return make("div", { class: "bench-part bench-epochs" }, play, slider, name);
}

function sampleChoice(context) {
  const { samples, store } = context;
  const last = samples.count - 1;
  const field = make("input", {
    type: "number",
    min: 0,
    max: last,
    class: "sample-number",
    "aria-label": say("Sample that is shown, from 0 to {last}", { last }),
    onchange: () => choose(Math.round(Number(field.value)) || 0),
  });
  const picture = make("span", { class: "bench-picture" });
  const name = make("output", { class: "bench-name" });
  const choose = (place) => {
    store.set("sample", Math.max(0, Math.min(last, place)));
    field.value = String(store.get("sample"));
  };
  const turn = (by, sign, said) =>
    make(
      "button",
      { type: "button", class: "turn", "aria-label": said, onclick: () => choose(store.get("sample") + by) },
      sign,
    );
  const draw = () => {
    const place = store.get("sample");
    field.value = String(place);
    name.textContent = say("sample, {truth}", { truth: truthText(context, place) });
    if (!samples.arePictures) return;
    const said = say("sample {place}", { place });
    picture.replaceChildren(samplePicture(samples.one(place), samples.shape, said));
  };
  store.watch("sample", draw);
  draw();
  return make(
    "div",
    { class: "bench-part bench-samples" },
    samples.arePictures ? picture : null,
    turn(-1, "‹", say("The sample before")),
    field,
    turn(1, "›", say("The next sample")),
    name,
  );
}
