/**
 * What a playground is set to, and how it is kept: in the page's address, or in a file.
 *
 * @typedef {Object} PlaygroundSettings
 * @property {string} data - "run", "own", or a generated data set's name.
 * @property {number} samples - The points that are drawn to learn from, of generated data.
 * @property {number} noise - How far each number is moved by chance, as a share of its spread.
 * @property {string} start - "run" goes on with the run's network, "new" builds one.
 * @property {Array<number>} layers - The units of each hidden layer of a new network.
 * @property {string} activation
 * @property {string} optimizer
 * @property {number} rate - The learning rate.
 * @property {number} batch - The samples of an update.
 * @property {number} l2 - As scikit-learn scales it.
 * @property {number} seed
 */

import { MOST_POINTS, readPoints, writePoints } from "./points.js";
import { say } from "./words.js";

/** The beginning of an address that keeps a playground. */
export const PLAYGROUND_ADDRESS = "#playground?";

/** Own points up to which the address keeps them; a file takes all. */
const MOST_IN_ADDRESS = 200;

const PLAYGROUND_FORMAT = 1;
const MOST_HIDDEN = 6;
const MOST_UNITS = 256;
const LARGEST_SEED = 2 ** 32 - 1;

const GENERATED_DATA = ["moons", "planar", "spirals", "blobs", "linear"];

const ACTIVATION_CHOICES = [
  "tanh",
  "relu",
  "sigmoid",
  "leaky-relu",
  "elu",
  "selu",
  "softplus",
].concat(["gelu", "mish"]);

const OPTIMIZER_CHOICES = ["adam", "adamw", "rmsprop", "nesterov", "momentum", "sgd"];

/** What each setting may be: one of some names, a number between two, or a list of layers. */
export const PLAYGROUND_FIELDS = {
  data: { names: ["run", "own", ...GENERATED_DATA] },
  samples: { whole: true, least: 10, most: MOST_POINTS },
  noise: { least: 0, most: 2 },
  start: { names: ["run", "new"] },
  layers: { layers: true },
  activation: { names: ACTIVATION_CHOICES },
  optimizer: { names: OPTIMIZER_CHOICES },
  rate: { least: 0, most: 100 },
  batch: { whole: true, least: 1, most: MOST_POINTS },
  l2: { least: 0, most: 1000 },
  seed: { whole: true, least: 0, most: LARGEST_SEED },
};

/** @type {PlaygroundSettings} */
export const FIRST_SETTINGS = {
  data: "moons",
  samples: 500,
  noise: 0,
  start: "new",
  layers: [8, 8],
  activation: "tanh",
  optimizer: "adam",
  rate: 0.01,
  batch: 32,
  l2: 0,
  seed: 0,
};

/** What differs where a run's network and data are in the page: it goes on carefully. */
export const RUN_SETTINGS = { data: "run", start: "run", rate: 0.001 };

/**
 * Read one setting as a person or an address writes it.
 *
 * @param {string} name
 * @param {string} text
 * @returns {string|number|Array<number>}
 * @throws {Error} With a sentence that says what was found and what was expected.
 */
export function readSetting(name, text) {
  const field = PLAYGROUND_FIELDS[name];
  const found = text.trim();
  if (field.names) {
    if (field.names.includes(found)) return found;
    throw new Error(
      say('Found "{found}", expected one of {names}.', {
        found: found.slice(0, 40),
        names: field.names.join(", "),
      }),
    );
  }
  if (field.layers) return readHiddenLayers(found);
  const value = found === "" ? NaN : Number(found);
  const isOne = value >= field.least && value <= field.most;
  if (isOne && (!field.whole || Number.isInteger(value))) return value;
  const { least, most } = field;
  const values = { found: found.slice(0, 40), least, most };
  throw new Error(
    field.whole
      ? say('Found "{found}", expected a whole number from {least} to {most}.', values)
      : say('Found "{found}", expected a number from {least} to {most}.', values),
  );
}

/** Write one setting as `readSetting` reads it. */
export function writeSetting(value) {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/**
 * Write settings, and a few own points, as the end of an address.
 *
 * @param {PlaygroundSettings} settings
 * @param {Array<import("./points.js").Point>} points - The person's own.
 * @returns {string}
 */
export function addressOf(settings, points) {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    if (writeSetting(value) !== writeSetting(FIRST_SETTINGS[name])) {
      written.set(name, writeSetting(value));
    }
  }
  if (settings.data === "own" && points.length > 0 && points.length <= MOST_IN_ADDRESS) {
    written.set("points", writePoints(points));
  }
  return PLAYGROUND_ADDRESS + written;
}

/**
 * Read what an address keeps. What can't be is left as it was, and said.
 *
 * @param {string} hash
 * @returns {{settings: Object, points: ?Array, faults: Array<string>}|null} Null where the address
 *   keeps no playground.
 */
export function readAddress(hash) {
  if (!hash.startsWith(PLAYGROUND_ADDRESS)) return null;
  const written = new URLSearchParams(hash.slice(PLAYGROUND_ADDRESS.length));
  return keptSettings(Object.fromEntries(written));
}

/** Write settings and the person's points as the text of a file. */
export function fileOf(settings, points) {
  const written = Object.entries(settings).map(([name, value]) => [name, writeSetting(value)]);
  const held = Object.fromEntries(written);
  if (points.length > 0) held.points = writePoints(points);
  return `${JSON.stringify({ playground: PLAYGROUND_FORMAT, ...held }, null, 2)}\n`;
}

/**
 * Read what a file keeps.
 *
 * @param {string} text
 * @returns {{settings: Object, points: ?Array, faults: Array<string>}}
 * @throws {Error} Where it is no such file.
 */
export function readPlaygroundFile(text) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch {
    found = null; // said below
  }
  if (found?.playground !== PLAYGROUND_FORMAT) {
    throw new Error(say("This is no file of a playground's settings. Choose one saved from here."));
  }
  return keptSettings(found);
}

function keptSettings(written) {
  const settings = {};
  const faults = [];
  let points = null;
  const attempt = (name, read) => {
    try {
      read();
    } catch (error) {
      faults.push(`${name}: ${error.message}`);
    }
  };
  for (const name of Object.keys(PLAYGROUND_FIELDS)) {
    if (typeof written[name] !== "string") continue;
    attempt(name, () => (settings[name] = readSetting(name, written[name])));
  }
  if (typeof written.points === "string") {
    attempt("points", () => (points = readPoints(written.points).points));
  }
  return { settings, points, faults };
}

function readHiddenLayers(text) {
  const units = text === "" ? [] : text.split(",").map((one) => Number(one.trim() || NaN));
  const isOne = (count) => Number.isInteger(count) && count >= 1 && count <= MOST_UNITS;
  if (units.length <= MOST_HIDDEN && units.every(isOne)) return units;
  throw new Error(
    say('Found "{found}", expected up to {layers} layers of 1 to {units} units, such as 8,8.', {
      found: text.slice(0, 40),
      layers: MOST_HIDDEN,
      units: MOST_UNITS,
    }),
  );
}
