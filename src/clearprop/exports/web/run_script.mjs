/**
 * Runs the module of one model on rows: the paths of both are its arguments. It prints as JSON the
 * logits, base64 of float64, the answers, and how many seconds a row took.
 *
 * A line of the rows is { cells }, by column, or { numbers }, base64 of float64, or { picture }, of
 * which the data are base64 of RGBA.
 */

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const PASSES = 3; // of which the quickest counts

const [modulePath, rowsPath] = process.argv.slice(2);
const { logits, predict } = await import(pathToFileURL(modulePath));

const bytesOf = (text) => Uint8Array.from(Buffer.from(text, "base64"));

function rowOf({ cells, numbers, picture }) {
  if (picture !== undefined) return { ...picture, data: bytesOf(picture.data) };
  return cells ?? new Float64Array(bytesOf(numbers).buffer);
}

const rows = [];
for await (const line of createInterface({ input: createReadStream(rowsPath) })) {
  rows.push(rowOf(JSON.parse(line)));
}
const found = Float64Array.from(logits(rows).flat());
const times = Array.from({ length: PASSES }, () => {
  const start = performance.now();
  logits(rows);
  return performance.now() - start;
});
process.stdout.write(
  JSON.stringify({
    rows: rows.length,
    data: Buffer.from(found.buffer).toString("base64"),
    answers: predict(rows).flat(),
    seconds: Math.min(...times) / 1000 / Math.max(rows.length, 1),
    version: process.versions.node,
  }),
);
