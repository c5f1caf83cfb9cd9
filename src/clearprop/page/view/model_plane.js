/** The plane of a model that takes two numbers, in their own units. */

import { Plane } from "./plane.js";

/** Deviations around the mean that are shown where no samples say how far numbers go. */
const USUAL_SPREAD = 2;

/**
 * Return the plane of a model with two features.
 *
 * @param {Object} model
 * @param {?import("./samples.js").Samples} samples - Whose points lie on it.
 * @returns {?{scene: Object, prepare: function(Float64Array): Float64Array}} The scene of a
 *   `PlaneView`, and what brings points of the plane to the network; null for other models.
 */
export function planeOfModel(model, samples) {
  const features = featuresOf(model.inputs);
  if (features === null) return null;
  const points = samples === null ? new Float64Array(0) : features.points(samples);
  const plane = points.length > 0 ? Plane.around(points) : new Plane(features.low, features.high);
  const truth = samples?.truth ?? [];
  const areValues = model.classNames === null;
  const shade = areValues ? shadeOf(truth) : null;
  const kindOf = areValues ? (n) => shade(truth[n]) : (n) => truth[n];
  const isHollow = () => false;
  return {
    scene: { plane, names: features.names, x: points, areValues, shade, kindOf, isHollow },
    prepare: (places) => model.prepare(features.rows(places)),
  };
}

/** How points of the plane become rows, and samples points. */
function featuresOf(inputs) {
  if (inputs?.columns?.length === 2) return featuresOfTable(inputs.columns);
  if (inputs?.shape?.length === 1 && inputs.shape[0] === 2 && !inputs.columns) {
    return featuresOfArray(inputs);
  }
  return null;
}

function featuresOfTable(columns) {
  if (!columns.every(({ role }) => role === "number")) return null;
  const names = columns.map(({ name }) => name);
  return {
    names,
    low: columns.map(({ low, mean, std }) => low ?? (mean ?? 0) - (std ?? 1)),
    high: columns.map(({ high, mean, std }) => high ?? (mean ?? 0) + (std ?? 1)),
    points: ({ raw, count }) =>
      raw === null
        ? new Float64Array(0)
        : Float64Array.from({ length: 2 * count }, (_, i) => {
            const cell = raw[names[i % 2]][i >> 1];
            return typeof cell === "number" ? cell : (columns[i % 2].median ?? 0);
          }),
    rows: (places) =>
      Array.from({ length: places.length / 2 }, (_, n) => ({
        [names[0]]: places[2 * n],
        [names[1]]: places[2 * n + 1],
      })),
  };
}

function featuresOfArray(recipe) {
  const [low, high] = [-USUAL_SPREAD, USUAL_SPREAD].map((z) => recipe.restore([z, z]));
  return {
    names: ["x1", "x2"],
    low,
    high,
    points: ({ inputs }) => recipe.restore(inputs),
    rows: (places) =>
      Array.from({ length: places.length / 2 }, (_, n) => [places[2 * n], places[2 * n + 1]]),
  };
}

/** Return what brings values to -1 to 1, around the mean of some. */
function shadeOf(truth) {
  const values = truth.map(Number);
  const mean = values.reduce((sum, one) => sum + one, 0) / (values.length || 1);
  const furthest = values.reduce((most, one) => Math.max(most, Math.abs(one - mean)), 0) || 1;
  return (value) => (value - mean) / furthest;
}
