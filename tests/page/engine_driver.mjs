/** Reads questions about the engine's twin, one JSON object a line, and writes the answers. */

import { createInterface } from "node:readline";

import { answerTo } from "./engine_answers.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answerTo(JSON.parse(line)))}\n`);
}
