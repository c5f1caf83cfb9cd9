/** The page begins here: from its data to what is seen. */

import { decodedBytes } from "../engine/base64.js";
import { openModel } from "../engine/model.js";
import { activationsPanel } from "./activations.js";
import { answersPanel } from "./answers.js";
import { benchBar } from "./bench.js";
import { boundaryPanel } from "./boundary.js";
import { comparisonPanel } from "./comparison.js";
import { curvesPanel } from "./curves.js";
import { make } from "./dom.js";
import { findingsPanel } from "./findings.js";
import { firstWeightsPanel, hasFirstPictures } from "./first_weights.js";
import { flowPanel } from "./flow.js";
import { contentsOf, groupElement, shownGroups } from "./frame.js";
import { histogramsPanel } from "./histograms.js";
import { Inspection } from "./inspection.js";
import { KeptParameters } from "./kept.js";
import { LiveClient, livePanel } from "./live.js";
import { matricesPanel } from "./matrices.js";
import { networkPanel } from "./network_drawing.js";
import { overviewPanel } from "./overview.js";
import { ownInputPanel } from "./own_input.js";
import { playgroundPanel } from "./playground.js";
import { PLAYGROUND_ADDRESS } from "./playground_settings.js";
import { programPage } from "./program.js";
import { projectionPanel } from "./projection.js";
import { Samples } from "./samples.js";
import { Store } from "./store.js";
import { unitsPanel } from "./units.js";
import { say, useWords } from "./words.js";

const hasModel = ({ model }) => model !== null;
const hasSamples = ({ model, samples }) => model !== null && samples !== null;
const hasDoctor = ({ run }) => run.doctor !== null || run.report?.folder !== undefined;

/** Return all groups of panels; those that a run has nothing for are left out. */
function pageGroups() {
  return [
    {
      id: "training",
      title: say("Training"),
      panels: [
        { id: "curves", title: say("Curves"), make: curvesPanel, when: ({ run }) => run.history !== null },
        { id: "findings", title: say("The doctor"), make: findingsPanel, when: hasDoctor },
      ],
    },
    {
      id: "network",
      title: say("Network"),
      panels: [
        { id: "drawing", title: say("Layers and weights"), make: networkPanel, when: hasModel },
        {
          id: "first-weights",
          title: say("What the first layer looks for"),
          make: firstWeightsPanel,
          when: (context) => hasModel(context) && hasFirstPictures(context),
        },
        { id: "matrices", title: say("Every number"), make: matricesPanel, when: hasModel },
      ],
    },
    {
      id: "samples",
      title: say("Samples"),
      panels: [
        {
          id: "activations",
          title: say("One sample, layer by layer"),
          make: activationsPanel,
          when: hasSamples,
        },
        { id: "answers", title: say("Right and wrong"), make: answersPanel, when: hasSamples },
        { id: "projection", title: say("Layers in two dimensions"), make: projectionPanel, when: hasSamples },
      ],
    },
    {
      id: "units",
      title: say("Units and gradients"),
      panels: [
        { id: "shares", title: say("Active and dead units"), make: unitsPanel, when: hasSamples },
        { id: "histograms", title: say("Histograms"), make: histogramsPanel, when: hasModel },
        { id: "flow", title: say("Gradients and updates"), make: flowPanel, when: hasSamples },
      ],
    },
    {
      id: "try",
      title: say("Try it"),
      panels: [
        { id: "own-input", title: say("Your own input"), make: ownInputPanel, when: hasModel },
        { id: "boundary", title: say("Decision boundary"), make: boundaryPanel, when: hasModel },
        { id: "playground", title: say("Go on training"), make: playgroundPanel, when: hasModel },
      ],
    },
  ];
}

const page = JSON.parse(document.getElementById("data").textContent);
const root = document.getElementById("page");
let contexts = [];
let chosen = 0;
let client = null;

useWords(page.words);
if (page.program) programPage(page, root);
else if (page.live) {
  root.replaceChildren(make("p", { class: "note" }, say("Waiting for the training to begin ...")));
  client = new LiveClient(liveListeners());
  client.start();
} else {
  showRuns(page);
  if (location.hash.startsWith(PLAYGROUND_ADDRESS)) {
    document.getElementById("playground")?.scrollIntoView(); // made where it is seen
  }
}

/** Show the runs of a page's data, the one that was chosen before, or the last. */
function showRuns(data) {
  const before = contexts[chosen];
  contexts = data.runs.map((run) => contextOf(data, run));
  const named = data.runs.findIndex((run) => run.name === before?.run.name);
  const going = data.runs.findIndex((run) => run.told && run.told.state !== "ended");
  if (named >= 0 && (going < 0 || data.runs[named].told.state !== "ended")) chosen = named;
  else if (going >= 0) chosen = going; // the one before has ended, and others go on
  else chosen = data.live ? data.runs.length - 1 : 0;
  const sample = before?.store.get("sample") ?? 0;
  if (sample < (contexts[chosen]?.samples?.count ?? 0)) contexts[chosen].store.set("sample", sample);
  showChosen();
}

/** Gather what the panels of a run read. */
function contextOf(data, run) {
  const told = run.told ?? null;
  const store = new Store({
    sample: 0,
    epoch: told && !data.live?.ended && run.kept.length ? run.kept.length - 1 : null,
    live: told,
    rows: null,
    lost: false,
  });
  const context = { page: data, run, store, model: null, samples: null, problem: null };
  try {
    context.model = openModel(decodedBytes(run.model));
  } catch (error) {
    context.problem = run.problem ?? error.message;
    return context;
  }
  context.samples = run.samples && new Samples(run.samples);
  context.kept = new KeptParameters(context.model.network, run.kept);
  context.kept.load(store.get("epoch"));
  store.watch("epoch", (place) => context.kept.load(place)); // the first to hear of it
  context.inspection = new Inspection(context);
  return context;
}

function showChosen() {
  const context = contexts[chosen];
  if (context === undefined) return;
  const groups = shownGroups(pageGroups(), context);
  const contents = contentsOf(groups);
  const sections = groups.map((group) => groupElement(group, context));
  sections.forEach(contents.follow);
  document.title = context.run.name;
  root.replaceChildren(
    pageHead(context),
    contents.element,
    ...sections,
    ...[benchBar(context)].filter(Boolean),
  );
}

function pageHead(context) {
  const { run, store } = context;
  const several = contexts.length > 1;
  return make(
    "header",
    { class: "page-head" },
    make("p", { class: "eyebrow" }, "clearprop", store.get("live") ? make("span", {}, say("live")) : null),
    several && !client ? comparison() : null,
    several ? runChoice() : null,
    make("h1", {}, run.name),
    client && store.get("live") ? livePanel(context, client, isGoingOn) : null,
    context.problem
      ? make(
          "p",
          { class: "error" },
          say("The model can't be opened in this page: {reason}", { reason: context.problem }),
        )
      : null,
    overviewPanel(context),
  );
}

/** Whether any of the trainings goes on: what is asked is asked of all of them. */
function isGoingOn() {
  return contexts.some(({ store }) => store.get("live").state !== "ended");
}

function comparison() {
  return make(
    "section",
    { class: "panel", id: "comparison", "aria-labelledby": "comparison-title" },
    make("h2", { id: "comparison-title" }, say("The runs beside each other")),
    comparisonPanel(
      contexts.map(({ run }) => run),
      chooseRun,
    ),
  );
}

function runChoice() {
  return make(
    "div",
    { class: "choices run-choice", role: "group", "aria-label": say("Run that is shown") },
    contexts.map(({ run }, place) =>
      make(
        "button",
        { type: "button", "aria-pressed": String(place === chosen), onclick: () => chooseRun(place) },
        run.name,
      ),
    ),
  );
}

function chooseRun(place) {
  chosen = place;
  showChosen();
  root.querySelectorAll(".run-choice button")[place]?.focus({ preventScroll: true });
}

/** What a live run's server tells is put where the panels read it. */
function liveListeners() {
  return {
    state: showRuns,
    row: (place, row) => {
      const context = contexts[place];
      if (context === undefined) return;
      const { run, store } = context;
      const rows = (run.history ??= {});
      if ((rows.epoch?.at(-1) ?? 0) >= row.epoch) return; // the state had it already
      for (const [name, value] of Object.entries(row)) (rows[name] ??= []).push(value);
      if (store.get("rows") === rows) store.tell("rows");
      else store.set("rows", rows);
    },
    kept: (place, kept) => {
      const context = contexts[place];
      if (context?.kept === undefined) return;
      const { run, store } = context;
      const isFollowing = store.get("epoch") === null || store.get("epoch") >= run.kept.length - 1;
      context.kept.add(kept);
      if (!isFollowing) return store.tell("live");
      if (store.get("epoch") === run.kept.length - 1) store.tell("epoch");
      else store.set("epoch", run.kept.length - 1);
    },
    told: (place, told) => contexts[place]?.store.set("live", told),
    lost: (isLost) => contexts.forEach(({ store }) => store.set("lost", isLost)),
  };
}
