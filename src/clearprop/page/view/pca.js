/**
 * Principal components by hand: the two directions in which samples differ most.
 *
 * Subspace iteration on the centred samples, V <- orthonormal(X.T (X V)), so that a layer of
 * thousands of units needs no matrix of all of them by all of them; more directions than are wanted
 * are followed, so that those which tell nearly as much don't blur. At its end the few directions
 * are turned into the principal ones by Jacobi's rotations. Source: Golub, Van Loan, "Matrix
 * Computations" (2013), sections 8.2.4, 8.3.1 and 8.5.
 */

import { Random } from "../engine/random.js";

const FOLLOWED = 8; // directions, of which two are wanted
const MOST_ROUNDS = 200;
const SETTLED = 1e-12; // of the share of variance that both tell, between rounds

/**
 * @param {Float64Array} data - Samples (N, D), row after row.
 * @param {number} n
 * @returns {{points: [number, number][], shares: [number, number]}} Each sample's place along both,
 *   and the share of all variance that each tells. The largest entry of each direction is positive,
 *   so that the picture does not flip from epoch to epoch.
 */
export function principalComponents(data, n) {
  const size = n > 0 ? data.length / n : 0;
  const centred = centredSamples(data, n, size);
  const total = squaresOf(centred);
  const count = Math.min(FOLLOWED, n, size);
  if (!(total > 0 && total < Infinity)) {
    return { points: Array.from({ length: n }, () => [0, 0]), shares: [0, 0] };
  }
  const random = new Random(0);
  let directions = orthonormal(
    Array.from({ length: count }, () => Float64Array.from({ length: size }, () => random.normal())),
  );
  let found = ritz(centred, n, size, directions);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = found.values;
    directions = orthonormal(found.along.map((z) => gathered(centred, n, size, z)));
    found = ritz(centred, n, size, directions);
    const change = [0, 1].map((k) => Math.abs((found.values[k] ?? 0) - (before[k] ?? 0)));
    if (Math.max(...change) <= SETTLED * total) break;
  }
  const signs = found.directions.map(signOfLargest);
  return {
    points: Array.from({ length: n }, (_, row) =>
      [0, 1].map((k) => (signs[k] ?? 0) * (found.along[k]?.[row] ?? 0)),
    ),
    shares: [0, 1].map((k) => (found.values[k] ?? 0) / total),
  };
}

/** Turn directions within the space that they span, so that samples are uncorrelated along them. */
function ritz(centred, n, size, directions) {
  const along = directions.map((direction) => projected(centred, n, size, direction));
  const gram = along.map((one) => along.map((other) => dotOf(one, other)));
  const { values, vectors } = jacobi(gram);
  const order = [...values.keys()].sort((a, b) => values[b] - values[a]);
  const turned = (rows) =>
    order.map((k) => {
      const sum = new Float64Array(rows[0].length);
      rows.forEach((row, i) => {
        for (let d = 0; d < row.length; d++) sum[d] += vectors[i][k] * row[d];
      });
      return sum;
    });
  return { values: order.map((k) => values[k]), along: turned(along), directions: turned(directions) };
}

/** Find the eigenvalues of a small symmetric matrix, and its eigenvectors as columns. */
function jacobi(matrix) {
  const size = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let isDiagonal = true;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        if (Math.abs(a[p][q]) <= 1e-15 * Math.sqrt(Math.abs(a[p][p] * a[q][q]))) continue;
        isDiagonal = false;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        turnColumns(a, p, q, c, c * t);
        turnRows(a, p, q, c, c * t);
        turnColumns(vectors, p, q, c, c * t);
      }
    }
    if (isDiagonal) break;
  }
  return { values: a.map((row, i) => row[i]), vectors };
}

function turnColumns(matrix, p, q, c, s) {
  for (const row of matrix) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
}

function turnRows(matrix, p, q, c, s) {
  const [one, other] = [matrix[p], matrix[q]];
  matrix[p] = one.map((value, i) => c * value - s * other[i]);
  matrix[q] = one.map((value, i) => s * value + c * other[i]);
}

function centredSamples(data, n, size) {
  const mean = new Float64Array(size);
  for (let at = 0; at < data.length; at++) mean[at % size] += data[at] / n;
  return Float64Array.from(data, (value, at) => value - mean[at % size]);
}

/** X v: each sample's place along a direction. */
function projected(centred, n, size, direction) {
  const found = new Float64Array(n);
  for (let row = 0, at = 0; row < n; row++) {
    let sum = 0;
    for (let d = 0; d < size; d++, at++) sum += centred[at] * direction[d];
    found[row] = sum;
  }
  return found;
}

/** X.T z: the samples, weighed and added up. */
function gathered(centred, n, size, weights) {
  const found = new Float64Array(size);
  for (let row = 0, at = 0; row < n; row++) {
    const weight = weights[row];
    for (let d = 0; d < size; d++, at++) found[d] += centred[at] * weight;
  }
  return found;
}

/** Gram and Schmidt's way, each direction twice for the sake of rounding. */
function orthonormal(directions) {
  const found = [];
  for (const direction of directions) {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of found) {
        const share = dotOf(direction, other);
        for (let d = 0; d < direction.length; d++) direction[d] -= share * other[d];
      }
    }
    const length = Math.sqrt(squaresOf(direction));
    found.push(direction.map((value) => (length > 0 ? value / length : 0)));
  }
  return found;
}

function signOfLargest(direction) {
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? -1 : 1;
}

function dotOf(one, other) {
  let sum = 0;
  for (let d = 0; d < one.length; d++) sum += one[d] * other[d];
  return sum;
}

function squaresOf(values) {
  return dotOf(values, values);
}
