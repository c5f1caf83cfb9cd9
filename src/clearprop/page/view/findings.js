/** The doctor's findings about a training, and what to type instead. */

import { make } from "./dom.js";
import { say, sayTold } from "./words.js";

/** The panel of what the doctor found. */
export function findingsPanel({ run }) {
  const findings = run.doctor ?? [];
  if (findings.length === 0) {
    return make(
      "p",
      { class: "note" },
      say("Nothing went wrong that the doctor was asked about. To have this run examined, by short trials:"),
      " ",
      make("code", {}, `clearprop doctor ${run.report.folder}`),
    );
  }
  return make("ol", { class: "findings" }, findings.map(findingOf));
}

/** A finding; below its advice may stand the command that follows it. */
function findingOf({ said, advice }) {
  const [words, ...commands] = advice.split("\n");
  return make(
    "li",
    {},
    make("p", { class: "finding-said" }, sayTold(said)),
    make("p", {}, sayTold(words)),
    commands.map((command) => make("p", {}, make("code", {}, command))),
  );
}
