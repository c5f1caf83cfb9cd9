/** Toy data, generated as `clearprop.load_data` generates it, from the page's own seeds. */

import { Random } from "./random.js";

const POINT_NAMES = ["x1", "x2"];

/**
 * Samples of two features each.
 *
 * @typedef {object} ToyData
 * @property {Float64Array} x - (n, 2), the classes one after the other.
 * @property {Float64Array} y - (n,): class indices, or values.
 * @property {number} n
 * @property {string[]} names - Of the features.
 * @property {string[]|null} classNames - null for values.
 */

/**
 * The course's flower: petals of two classes, taking turns around the origin.
 *
 * @param {number} samples
 * @param {number} seed
 * @returns {ToyData}
 */
function planarData(samples, seed) {
  const random = new Random(seed);
  return pointsOf(samples, ["0", "1"], (petals, share) => {
    const t = (petals + share) * 3.12 + 0.2 * random.normal();
    const r = 4 * Math.sin(4 * t) + 0.2 * random.normal();
    return [r * Math.sin(t), r * Math.cos(t)];
  });
}

/** Two half circles of radius 1 that reach into each other. */
function moonsData(samples, seed) {
  const random = new Random(seed);
  const noise = 0.2;
  return pointsOf(samples, ["upper", "lower"], (moon, share) => {
    const [across, up] = [Math.cos(Math.PI * share), Math.sin(Math.PI * share)];
    const [x1, x2] = moon === 0 ? [across, up] : [1 - across, 0.5 - up];
    return [x1 + noise * random.normal(), x2 + noise * random.normal()];
  });
}

/** Three arms that wind around the origin up to radius 1, one class each. */
function spiralsData(samples, seed) {
  const random = new Random(seed);
  const [arms, noise] = [["arm 1", "arm 2", "arm 3"], 0.02];
  return pointsOf(samples, arms, (arm, share) => {
    const radius = 0.05 + 0.95 * share;
    const angle = 2 * Math.PI * (arm / arms.length + 0.75 * radius);
    return [
      radius * Math.cos(angle) + noise * random.normal(),
      radius * Math.sin(angle) + noise * random.normal(),
    ];
  });
}

/** Three round heaps with standard deviation 1 at random places in a square of side 12. */
function blobsData(samples, seed) {
  const random = new Random(seed);
  const blobs = ["blob 1", "blob 2", "blob 3"];
  const places = blobs.map(() => [random.uniform(-6, 6), random.uniform(-6, 6)]);
  return pointsOf(samples, blobs, (blob) => places[blob].map((middle) => middle + random.normal()));
}

/** Values 2 x1 - x2 + 0.5, plus noise: the simplest regression. */
function linearData(samples, seed) {
  const random = new Random(seed);
  const made = pointsOf(samples, ["y"], () => [random.normal(), random.normal()]);
  const y = made.y.map(
    (_, n) => 2 * made.x[2 * n] - made.x[2 * n + 1] + 0.5 + 0.1 * random.normal(),
  );
  return { ...made, y, classNames: null };
}

/** Every toy data set by its name: a function of the number of samples and the seed. */
export const DATA_SETS = Object.freeze({
  blobs: blobsData,
  linear: linearData,
  moons: moonsData,
  planar: planarData,
  spirals: spiralsData,
});

/**
 * Make points class by class.
 *
 * @param {number} samples
 * @param {string[]} classNames
 * @param {function(number, number): number[]} pointAt - Of a class and how far along it, 0 to 1.
 * @returns {ToyData}
 */
function pointsOf(samples, classNames, pointAt) {
  const classes = classNames.length;
  if (!Number.isInteger(samples) || samples < classes) {
    throw new Error(`${samples} samples can't be spread over ${classes} classes; give more.`);
  }
  const x = new Float64Array(2 * samples);
  const y = new Float64Array(samples);
  let n = 0;
  for (let own = 0; own < classes; own++) {
    const count = Math.floor(samples / classes) + Number(own < samples % classes);
    for (let i = 0; i < count; i++, n++) {
      x.set(pointAt(own, count > 1 ? i / (count - 1) : 0), 2 * n);
      y[n] = own;
    }
  }
  return { x, y, n: samples, names: POINT_NAMES, classNames };
}
