/** What samples truly are, and what a network says of them, in words. */

import { number } from "./dom.js";
import { say } from "./words.js";

const NAMED_BY_FILE = 28; // characters of a file's name that are shown

/** Write what a sample truly is: the name of its class, or its value. */
export function truthText({ model, samples }, place) {
  return answerText(model, samples.truth[place]);
}

/** Write a class by its name, and values as numbers. */
export function answerText(model, answer) {
  if (Array.isArray(answer)) return answer.map((one) => number(one)).join(", ");
  return model.classNames ? (model.classNames[answer] ?? String(answer)) : number(answer);
}

/** Say where a sample is from: its file, or its row in the data, counted from 1. */
export function originText({ sources, rows }, place) {
  if (!sources) return say("row {row}", { row: number(rows[place] + 1) });
  const name = sources[place];
  return name.length > NAMED_BY_FILE ? `…${name.slice(1 - NAMED_BY_FILE)}` : name;
}
