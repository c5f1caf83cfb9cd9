/**
 * Points in the plane, each of a class: read from pasted or dropped text, and written back.
 *
 * @typedef {{x1: number, x2: number, label: string}} Point
 */

import { say, sayCount } from "./words.js";

/** Points that a playground holds at most: the browser draws and learns all of them. */
export const MOST_POINTS = 5000;

/** Classes at most: more hues than these are not told apart. */
export const MOST_POINT_CLASSES = 8;

/** Characters of a text that are looked at, and bytes of a file. */
export const MOST_POINT_TEXT = 1_000_000;

const LONGEST_LABEL = 60;
const LARGEST_COORDINATE = 1e9;

/**
 * Read points from lines of two numbers and a class: separated by tabs, semicolons, commas or
 * blanks, below a line of names or without one.
 *
 * @param {string} text
 * @returns {{points: Point[], names: string[]}} The points, and the names of the two numbers.
 * @throws {Error} With a sentence that names the line and says what was expected there.
 */
export function readPoints(text) {
  if (text.length > MOST_POINT_TEXT) {
    throw new Error(
      say("Found {count} characters, expected at most {most}. Take fewer points.", {
        count: text.length,
        most: MOST_POINT_TEXT,
      }),
    );
  }
  const separator = separatorOfPoints(text);
  const lines = text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)
    .map((line, place) => ({ number: place + 1, cells: cellsOfPoint(line, separator) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  if (lines.length === 0) {
    throw new Error(say("Found no points. Give a line for each: two numbers and a class."));
  }
  const names = isHeaderOfPoints(lines[0].cells) ? lines.shift().cells.slice(0, 2) : ["x1", "x2"];
  const points = lines.map(pointOf);
  requireClasses(points);
  return { points, names };
}

/**
 * Write points as text that `readPoints` takes.
 *
 * @param {Point[]} points
 * @returns {string}
 */
export function writePoints(points) {
  const lines = points.map(({ x1, x2, label }) => `${x1},${x2},"${label.replaceAll('"', '""')}"`);
  return ["x1,x2,class", ...lines, ""].join("\n");
}

/** Return the classes of points in order: numbers by their value, then words by their letters. */
export function classNamesOf(points) {
  return [...new Set(points.map(({ label }) => label))].sort(inClassOrder);
}

/**
 * Return points as arrays that a network learns from.
 *
 * @param {Point[]} points
 * @param {string[]} classNames
 * @returns {{x: Float64Array, y: Float64Array}} x of shape (n, 2); y of shape (n,), the places of
 *   their classes in `classNames`.
 */
export function arraysOfPoints(points, classNames) {
  return {
    x: Float64Array.from(points.flatMap(({ x1, x2 }) => [x1, x2])),
    y: Float64Array.from(points, ({ label }) => classNames.indexOf(label)),
  };
}

function requireClasses(points) {
  if (points.length === 0) {
    throw new Error(say("Found a line of names and no points. Add a line for each point."));
  }
  if (points.length > MOST_POINTS) {
    throw new Error(
      say("Found {count} points, expected at most {most}. Take a part of them.", {
        count: points.length,
        most: MOST_POINTS,
      }),
    );
  }
  const count = classNamesOf(points).length;
  if (count < 2 || count > MOST_POINT_CLASSES) {
    throw new Error(
      sayCount(
        count,
        "Found a single class, expected 2 to {most}: the third cell of a line is its class.",
        "Found {count} classes, expected 2 to {most}: the third cell of a line is its class.",
        { most: MOST_POINT_CLASSES },
      ),
    );
  }
}

/** @returns {Point} The point that a line tells. */
function pointOf({ number, cells }) {
  if (cells.length !== 3) {
    throw new Error(
      say("Line {line} has {count} cells, expected 3: two numbers and a class.", {
        line: number,
        count: cells.length,
      }),
    );
  }
  const [x1, x2] = cells.slice(0, 2).map((cell, place) => coordinateOf(cell, number, place + 1));
  if (cells[2] === "") {
    throw new Error(
      say("Line {line} has no class. Add it, or leave the line out.", { line: number }),
    );
  }
  return { x1, x2, label: cells[2].slice(0, LONGEST_LABEL) };
}

function coordinateOf(cell, line, place) {
  const value = cell === "" ? NaN : Number(cell);
  if (Math.abs(value) <= LARGEST_COORDINATE) return value;
  throw new Error(
    say('Line {line}, cell {place} is "{cell}", expected a number such as 0.5.', {
      line,
      place,
      cell: cell.slice(0, LONGEST_LABEL),
    }),
  );
}

/** Whether the cells of a first line are names: neither of its first two is a number. */
function isHeaderOfPoints(cells) {
  return cells.length === 3 && cells.slice(0, 2).every((cell) => cell === "" || isNaN(cell));
}

/** The sign between cells: the first of these that the first line has, else blanks. */
function separatorOfPoints(text) {
  const first = text.trimStart().split(/[\r\n]/, 1)[0];
  return ["\t", ";", ","].find((sign) => first.includes(sign)) ?? " ";
}

function cellsOfPoint(line, separator) {
  const pattern =
    separator === " "
      ? /("(?:[^"]|"")*"|\S+)(\s+|$)/g
      : new RegExp(`\\s*("(?:[^"]|"")*"|[^${separator}]*)\\s*(${separator}|$)`, "g");
  const cells = [];
  for (const [, cell, end] of line.trim().matchAll(pattern)) {
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell.trim());
    if (end === "") break; // an empty match would follow at the end of the line
  }
  return cells;
}

function inClassOrder(a, b) {
  const [m, n] = [Number(a), Number(b)];
  if (isNaN(m) !== isNaN(n)) return isNaN(m) ? 1 : -1;
  return isNaN(m) ? (a < b ? -1 : 1) : m - n;
}
