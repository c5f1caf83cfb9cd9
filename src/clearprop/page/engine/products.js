/**
 * Products of matrices, the floor of a step's time.
 *
 * Two lines of the result are summed together, from four lines of the right factor at a time: so
 * each number that is read serves two sums, and each sum is read and written once for four
 * products. That is as near to the processor's own pace as plain JavaScript comes.
 */

/**
 * Write y = x W.
 *
 * @param {Float64Array} x - (n, d), from `xStart` on.
 * @param {Float64Array} W - (d, m).
 * @param {Float64Array} y - (n, m), from `yStart` on.
 */
export function multiply(x, W, y, n, d, m, xStart = 0, yStart = 0) {
  y.fill(0, yStart, yStart + n * m);
  addProduct(x, xStart, d, 1, W, 0, y, yStart, n, d, m);
}

/**
 * Write dW = x.T dy.
 *
 * @param {Float64Array} x - (n, d).
 * @param {Float64Array} dy - (n, m).
 * @param {Float64Array} dW - (d, m).
 */
export function multiplyTransposed(x, dy, dW, n, d, m) {
  dW.fill(0, 0, d * m);
  addTransposed(x, dy, dW, n, d, m);
}

/** Add x.T dy to dW, of the shapes of `multiplyTransposed`; x and dy begin where told. */
export function addTransposed(x, dy, dW, n, d, m, xStart = 0, dyStart = 0) {
  addProduct(x, xStart, 1, d, dy, dyStart, dW, 0, d, n, m);
}

/**
 * Write dx = dy W.T.
 *
 * @param {Float64Array} dy - (n, m), from `dyStart` on.
 * @param {Float64Array} W - (d, m).
 * @param {Float64Array} dx - (n, d).
 */
export function multiplyByTransposed(dy, W, dx, n, m, d, dyStart = 0) {
  let row = 0;
  for (; row + 2 <= n; row += 2) {
    const first = dyStart + row * m;
    const second = first + m;
    const out = row * d;
    let i = 0;
    for (; i + 4 <= d; i += 4) {
      const w0 = i * m;
      const w1 = w0 + m;
      const w2 = w1 + m;
      const w3 = w2 + m;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      for (let k = 0; k < m; k++) {
        const a = dy[first + k];
        const b = dy[second + k];
        s0 += a * W[w0 + k];
        s1 += a * W[w1 + k];
        s2 += a * W[w2 + k];
        s3 += a * W[w3 + k];
        t0 += b * W[w0 + k];
        t1 += b * W[w1 + k];
        t2 += b * W[w2 + k];
        t3 += b * W[w3 + k];
      }
      dx[out + i] = s0;
      dx[out + i + 1] = s1;
      dx[out + i + 2] = s2;
      dx[out + i + 3] = s3;
      dx[out + d + i] = t0;
      dx[out + d + i + 1] = t1;
      dx[out + d + i + 2] = t2;
      dx[out + d + i + 3] = t3;
    }
    for (; i < d; i++) {
      dx[out + i] = dot(dy, first, W, i * m, m);
      dx[out + d + i] = dot(dy, second, W, i * m, m);
    }
  }
  if (row < n) {
    for (let i = 0; i < d; i++) {
      dx[row * d + i] = dot(dy, dyStart + row * m, W, i * m, m);
    }
  }
}

function dot(a, aStart, b, bStart, count) {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    sum += a[aStart + k] * b[bStart + k];
  }
  return sum;
}

/**
 * Add A B to C, where A[i, k] = a[aStart + i * aRow + k * aColumn]: A is `a` or its transpose.
 *
 * B (inner, columns) and C (rows, columns) lie line by line from `bStart` and `cStart` on.
 */
function addProduct(a, aStart, aRow, aColumn, b, bStart, c, cStart, rows, inner, columns) {
  let i = 0;
  for (; i + 2 <= rows; i += 2) {
    const p = cStart + i * columns;
    const q = p + columns;
    let at = aStart + i * aRow;
    let b0 = bStart;
    let k = 0;
    for (; k + 4 <= inner; k += 4) {
      const x0 = a[at];
      const y0 = a[at + aRow];
      at += aColumn;
      const x1 = a[at];
      const y1 = a[at + aRow];
      at += aColumn;
      const x2 = a[at];
      const y2 = a[at + aRow];
      at += aColumn;
      const x3 = a[at];
      const y3 = a[at + aRow];
      at += aColumn;
      const b1 = b0 + columns;
      const b2 = b1 + columns;
      const b3 = b2 + columns;
      for (let j = 0; j < columns; j++) {
        const v0 = b[b0 + j];
        const v1 = b[b1 + j];
        const v2 = b[b2 + j];
        const v3 = b[b3 + j];
        c[p + j] += x0 * v0 + x1 * v1 + (x2 * v2 + x3 * v3);
        c[q + j] += y0 * v0 + y1 * v1 + (y2 * v2 + y3 * v3);
      }
      b0 = b3 + columns;
    }
    for (; k < inner; k++) {
      const x = a[at];
      const y = a[at + aRow];
      at += aColumn;
      for (let j = 0; j < columns; j++) {
        c[p + j] += x * b[b0 + j];
        c[q + j] += y * b[b0 + j];
      }
      b0 += columns;
    }
  }
  if (i < rows) {
    const p = cStart + i * columns;
    let at = aStart + i * aRow;
    for (let k = 0; k < inner; k++) {
      const x = a[at];
      const line = bStart + k * columns;
      at += aColumn;
      for (let j = 0; j < columns; j++) {
        c[p + j] += x * b[line + j];
      }
    }
  }
}
