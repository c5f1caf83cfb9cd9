/**
 * Points in the plane, each of a class: read from pasted or dropped text, and written back. Of a
 * table with more columns, two are chosen as the plane's, and one as the class.
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
const LEAST_COLUMNS = 3;
const LARGEST_COORDINATE = 1e9;

/**
 * Read points from lines of two numbers and a class, or from a table of which two columns are
 * numbers: see `readPointTable`.
 *
 * @param {string} text
 * @returns {{points: Point[], names: string[]}} The points, and the names of the two numbers.
 * @throws {Error} With a sentence that names the line and says what was expected there.
 */
export function readPoints(text) {
  const table = readPointTable(text);
  const [across, up, kind] = table.usualColumns();
  const { points } = table.points([across, up, kind]);
  return { points, names: [table.names[across], table.names[up]] };
}

/**
 * Read lines of three cells or more: separated by tabs, semicolons, commas or blanks, below a line
 * of names or without one.
 *
 * @param {string} text
 * @returns {PointTable}
 * @throws {Error} With a sentence that names the line and says what was expected there.
 */
export function readPointTable(text) {
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
  const [{ cells }] = lines;
  const given = isHeaderOfPoints(cells) ? lines.shift().cells : cells.map(() => "");
  const names = given.map((name, place) => name || `x${place + 1}`); // an index has none
  requireWidth(lines, Math.max(cells.length, LEAST_COLUMNS));
  return new PointTable(names, lines);
}

/** Lines of cells: two columns are the plane's, one is the class. */
export class PointTable {
  /**
   * @param {string[]} names - Of the columns.
   * @param {Array<{number: number, cells: string[]}>} lines - With the number of each in its text.
   */
  constructor(names, lines) {
    this.names = names;
    this.lines = lines;
  }

  /** Whether there is a choice. Of three columns the first two are the plane's. */
  get isWide() {
    return this.names.length > LEAST_COLUMNS;
  }

  /** Return the places of the columns that are numbers in most lines. */
  numericColumns() {
    return this.columnsWhere((cells) => {
      const given = cells.filter((cell) => cell !== "");
      return given.filter(isCoordinate).length > given.length / 2;
    });
  }

  /** Return the places of the columns that can be a class. */
  classColumns() {
    return this.columnsWhere((cells) => isFewKinds(new Set(cells.filter((cell) => cell !== "")).size));
  }

  columnsWhere(isOne) {
    return [...this.names.keys()].filter((place) => isOne(this.lines.map(({ cells }) => cells[place])));
  }

  /**
   * Return the places of the columns to begin with: across, up, and the class. That is the last
   * column that can be one, of words before one of numbers.
   *
   * @throws {Error} With a sentence, where a wide table has no such columns.
   */
  usualColumns() {
    if (!this.isWide) return [0, 1, 2];
    const [numbers, kinds] = [this.numericColumns(), this.classColumns()];
    const kind = kinds.filter((place) => !numbers.includes(place)).at(-1) ?? kinds.at(-1);
    const [across, up] = numbers.filter((place) => place !== kind);
    if (kind === undefined || up === undefined) {
      throw new Error(
        say(
          "Of its columns {numbers} hold numbers, and {kinds} hold 2 to {most} different cells; expected two of the first kind, and one of the second.",
          { numbers: numbers.length, kinds: kinds.length, most: MOST_POINT_CLASSES },
        ),
      );
    }
    return [across, up, kind];
  }

  /**
   * Return the points of some columns.
   *
   * @param {number[]} columns - Their places: across, up, and the class.
   * @returns {{points: Point[], left: number}} The points, and how many lines of a wide table have
   *   none, as a cell is empty or no number.
   * @throws {Error} With a sentence, where there are no classes, or too many points.
   */
  points(columns) {
    const chosen = this.lines.map(({ number, cells }) => ({
      number,
      cells: columns.map((place) => cells[place]),
    }));
    const whole = this.isWide ? chosen.filter(isWholePoint) : chosen;
    const points = whole.map(pointOf);
    requireClasses(points);
    return { points, left: chosen.length - whole.length };
  }
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
  if (!isFewKinds(count)) {
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

function requireWidth(lines, width) {
  const wrong = lines.find(({ cells }) => cells.length !== width);
  if (wrong === undefined) return;
  const found = { line: wrong.number, count: wrong.cells.length, width };
  throw new Error(
    width === LEAST_COLUMNS
      ? say("Line {line} has {count} cells, expected 3: two numbers and a class.", found)
      : say("Line {line} has {count} cells, expected {width} as the first line has.", found),
  );
}

/** @returns {Point} The point that three cells tell. */
function pointOf({ number, cells }) {
  const [x1, x2] = cells.slice(0, 2).map((cell, place) => coordinateOf(cell, number, place + 1));
  if (cells[2] === "") {
    throw new Error(
      say("Line {line} has no class. Add it, or leave the line out.", { line: number }),
    );
  }
  return { x1, x2, label: cells[2].slice(0, LONGEST_LABEL) };
}

function isWholePoint({ cells: [x1, x2, label] }) {
  return isCoordinate(x1) && isCoordinate(x2) && label !== "";
}

function isCoordinate(cell) {
  return cell !== "" && Math.abs(Number(cell)) <= LARGEST_COORDINATE;
}

function isFewKinds(count) {
  return count >= 2 && count <= MOST_POINT_CLASSES;
}

function coordinateOf(cell, line, place) {
  if (isCoordinate(cell)) return Number(cell);
  throw new Error(
    say('Line {line}, cell {place} is "{cell}", expected a number such as 0.5.', {
      line,
      place,
      cell: cell.slice(0, LONGEST_LABEL),
    }),
  );
}

/** Whether the cells of a first line are names: none is a number, but for a third and last one. */
function isHeaderOfPoints(cells) {
  const looked = cells.length === LEAST_COLUMNS ? cells.slice(0, 2) : cells;
  return cells.length >= LEAST_COLUMNS && looked.every((cell) => cell === "" || isNaN(cell));
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
