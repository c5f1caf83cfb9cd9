/** The page of a program that is watched while it runs: anybody's network, by the names it has. */

import { make, number } from "./dom.js";
import { LineChart, wantsLog } from "./plot.js";
import { activationSentences, ArrayCards, parameterSentences } from "./program_arrays.js";
import { ProgramClient, ProgramData } from "./program_data.js";
import { drawnWhenSeen } from "./seeing.js";
import { say, sayTold } from "./words.js";

const MOST_LINES = 8;

/**
 * Draw the page of a watched program, and keep it so while the program runs.
 *
 * @param {object} page - The page's data, with `program`.
 * @param {HTMLElement} root
 */
export function programPage(page, root) {
  const data = new ProgramData(page.program);
  const isLive = page.live !== null && page.live !== undefined;
  const sections = [
    programCost(data),
    programVerdict(data),
    programFindings(data),
    programCards(data, "parameters", say("Parameters"), ["parameter"], (one) => parameterSentences(data, one)),
    programFlow(data),
    programCards(data, "activations", say("Activations"), ["activation", "array"], activationSentences),
    programCards(data, "gradients", say("Gradients"), ["gradient"], () => []),
    programPrinted(data),
  ];
  const changed = () => {
    head.draw();
    sections.forEach((section) => section.draw());
  };
  const told = {
    changed,
    lost: (isLost) => head.lost(isLost),
    refused: (sentence) => head.refused(sentence),
  };
  const client = isLive ? new ProgramClient(data, told) : null;
  const head = programHead(data, client);
  document.title = data.name;
  root.replaceChildren(head.element, ...sections.map(({ element }) => element));
  changed();
  client?.start();
}

function programHead(data, client) {
  const state = make("strong", { class: "live-state" });
  const told = make("span", { class: "faint" });
  const why = make("pre", { class: "program-why", tabindex: 0, hidden: true });
  const note = make("p", { class: "note", hidden: true });
  const problem = make("p", { class: "bad", role: "alert" });
  const ask = (text, action) => make("button", { type: "button", onclick: () => client.ask(action) }, text);
  const stop = client && ask(say("Stop the program"), "stop");
  const close = client && ask(say("Close the server"), "close");
  let isLost = false;
  const draw = () => {
    const isRunning = data.state === "waiting" || data.state === "running";
    state.textContent = isLost ? say("The server is away") : programState(data.state);
    state.dataset.state = isLost ? "lost" : data.state;
    const counters = Object.entries(data.counters).map(([name, value]) => `${name} = ${number(value, 9)}`);
    const seconds = data.rows.at(-1)?.seconds;
    const time = seconds === undefined ? [] : [say("{seconds} s", { seconds: number(seconds, 3) })];
    told.textContent = [...time, ...counters].join(" · ");
    why.textContent = data.why;
    why.hidden = data.why === "";
    note.textContent = data.note;
    note.hidden = data.note === "";
    if (client === null) return;
    stop.hidden = !isRunning;
    close.hidden = isRunning;
  };
  return {
    element: make(
      "header",
      { class: "page-head" },
      make("p", { class: "eyebrow" }, "clearprop", client ? make("span", {}, say("live")) : null),
      make("h1", {}, data.name),
      make(
        "section",
        { class: "live-bar", "aria-label": say("The program") },
        make("div", { class: "row live-told", role: "status" }, state, told),
        client ? make("div", { class: "row" }, stop, close) : null,
        problem,
      ),
      note,
      why,
    ),
    draw,
    lost: (now) => {
      isLost = now;
      draw();
    },
    refused: (sentence) => {
      problem.textContent = sentence;
    },
  };
}

function programState(state) {
  const words = {
    waiting: say("Looking at what it does ..."),
    running: say("Running"),
    ended: say("Ended"),
    failed: say("Failed"),
    stopped: say("Stopped"),
    late: say("Stopped: out of time"),
  };
  return words[state] ?? state;
}

/** Make a section that is shown as soon as it has something to show, and drawn when it is seen. */
function programSection(id, title, body, hasAny, draw) {
  const element = make(
    "section",
    { class: "panel program-section", id, "aria-labelledby": `${id}-title`, hidden: true },
    make("h2", { id: `${id}-title` }, title),
    body,
  );
  const ask = drawnWhenSeen(element, null, [], draw);
  return {
    element,
    draw: () => {
      element.hidden = !hasAny();
      ask();
    },
  };
}

function programCost(data) {
  const seen = new LineChart({ title: say("Cost"), xName: say("second") });
  const lists = make("div", { class: "program-lists" });
  /** @type {Map<string, LineChart>} */
  const charts = new Map();
  const hasCost = () => data.rows.some(({ cost }) => cost !== null);
  return programSection(
    "cost",
    say("Cost"),
    make("div", {}, seen.element, lists),
    () => hasCost() || data.lists.size > 0,
    () => {
      seen.element.hidden = !hasCost();
      showLines(seen, data.rows.map(({ seconds }) => seconds), [
        { name: "", values: data.rows.map(({ cost }) => cost) },
      ]);
      for (const [name, values] of data.lists) {
        if (!charts.has(name)) {
          charts.set(name, new LineChart({ title: name, xName: say("entry") }));
          lists.append(charts.get(name).element);
        }
        showLines(charts.get(name), values.map((_, n) => n + 1), [{ name: "", values }]);
      }
    },
  );
}

function showLines(chart, x, lines) {
  if (chart.place !== null) return; // somebody reads it off
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  chart.show({ x, lines, isLog: wantsLog(values), marks: [] });
}

function programVerdict(data) {
  const told = make("pre", { class: "program-told", tabindex: 0 });
  const outcome = make("p", {});
  const body = make("div", {}, outcome, told);
  return programSection(
    "verdict",
    say("The check of its gradients"),
    body,
    () => true,
    () => {
      const passed = data.verdict?.passed;
      outcome.textContent = verdictWords(data.verdict);
      outcome.className = passed === true ? "good" : passed === false ? "bad" : "note";
      told.textContent = data.verdict?.told ?? "";
      told.hidden = data.verdict === null;
    },
  );
}

function verdictWords(verdict) {
  if (verdict === null) return say("It is being checked ...");
  if (verdict.passed === null) return say("Its gradients could not be checked.");
  if (verdict.passed) return say("Its gradients are right.");
  return verdict.line
    ? say("Line {line} is where it goes wrong.", { line: String(verdict.line.number) })
    : say("Not every gradient is right.");
}

function programFindings(data) {
  const list = make("ol", { class: "findings", "aria-live": "polite" });
  let shown = "";
  return programSection(
    "findings",
    say("What is wrong as it runs"),
    list,
    () => data.findings.length > 0,
    () => {
      const now = JSON.stringify(data.findings);
      if (now === shown) return; // it would be read out again
      shown = now;
      list.replaceChildren(
        ...data.findings.map(({ name, said, advice }) =>
          make(
            "li",
            {},
            make("p", { class: "finding-said" }, `${sayTold(name)}: ${sayTold(said)}`),
            make("p", {}, sayTold(advice)),
          ),
        ),
      );
    },
  );
}

function programCards(data, id, title, roles, sentencesOf) {
  const cards = new ArrayCards();
  return programSection(
    id,
    title,
    cards.element,
    () => data.arraysOf(...roles).length > 0,
    () => cards.show(data.arraysOf(...roles), sentencesOf),
  );
}

function programFlow(data) {
  const ratios = new LineChart({ title: say("One update, as a share of the parameter"), xName: say("second") });
  const norms = new LineChart({ title: say("Length of the gradient"), xName: say("second") });
  const gradientLines = () => {
    const names = new Set(data.arraysOf("gradient").map(({ name }) => name));
    return data.linesOf("norms", Infinity).filter(({ name }) => names.has(name)).slice(0, MOST_LINES);
  };
  return programSection(
    "flow",
    say("Updates and gradients"),
    make("div", {}, ratios.element, norms.element),
    () => data.rows.length > 0,
    () => {
      const x = data.rows.map(({ seconds }) => seconds);
      for (const [chart, lines] of [
        [ratios, data.linesOf("ratios", MOST_LINES)],
        [norms, gradientLines()],
      ]) {
        chart.element.hidden = lines.length === 0;
        if (lines.length > 0) showLines(chart, x, lines);
      }
    },
  );
}

function programPrinted(data) {
  const text = make("pre", { class: "program-told", tabindex: 0, "aria-label": say("What it prints") });
  return programSection(
    "printed",
    say("What it prints"),
    text,
    () => data.printed !== "",
    () => {
      text.textContent = data.printed;
      text.scrollTop = text.scrollHeight;
    },
  );
}
