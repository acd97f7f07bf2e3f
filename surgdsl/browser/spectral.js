/**
 * Singular values of a matrix, to the last few bits.
 *
 * Householder reflections make it bidiagonal, which changes no singular value by more than rounding (Golub and Kahan 1965); those of a
 * bidiagonal matrix are counted below any number by the signs of a tridiagonal one, so each is found by halving, without iterating the others.
 * @module
 */

/** @typedef {{rows: number, columns: number, data: Float64Array}} Matrix row-major */

/** @param {Matrix} matrix @returns {Matrix} */
function transposed({ rows, columns, data }) {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j];
  return { rows: columns, columns: rows, data: result };
}

/**
 * The reflection 1 − 2vvᵀ/‖v‖² that takes x to a multiple of its first unit vector; x becomes v, and ‖v‖²/2 and the multiple come back.
 * @param {Float64Array} x
 */
function reflector(x) {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return { beta: 0, alpha: 0 };
  let sum = 0;
  for (const value of x) sum += (value / largest) ** 2;
  const alpha = x[0] > 0 ? -largest * Math.sqrt(sum) : largest * Math.sqrt(sum);
  // v is scaled by the largest element, so that its square neither overflows nor vanishes.
  const head = (x[0] - alpha) / largest;
  sum += head * head - (x[0] / largest) ** 2;
  for (let i = 0; i < x.length; i++) x[i] /= largest;
  x[0] = head;
  return { beta: sum / 2, alpha };
}

/** Takes the reflection of the columns below row k out of the columns behind k. @param {Matrix} matrix @param {number} k @returns {number} the diagonal element */
function reflectColumns({ rows, columns, data }, k) {
  const v = new Float64Array(rows - k);
  for (let i = k; i < rows; i++) v[i - k] = data[i * columns + k];
  const { beta, alpha } = reflector(v);
  if (beta === 0) return alpha;
  const sums = new Float64Array(columns - k - 1);
  for (let i = k; i < rows; i++) {
    const [factor, from] = [v[i - k], i * columns + k + 1];
    for (let j = 0; j < sums.length; j++) sums[j] += factor * data[from + j];
  }
  for (let i = k; i < rows; i++) {
    const [factor, from] = [v[i - k] / beta, i * columns + k + 1];
    for (let j = 0; j < sums.length; j++) data[from + j] -= factor * sums[j];
  }
  return alpha;
}

/** Likewise of row k, right of the diagonal. @param {Matrix} matrix @param {number} k @returns {number} the element beside the diagonal */
function reflectRow({ rows, columns, data }, k) {
  const start = k * columns + k + 1;
  const v = data.slice(start, start + columns - k - 1);
  const { beta, alpha } = reflector(v);
  if (beta === 0) return alpha;
  for (let i = k + 1; i < rows; i++) {
    const from = i * columns + k + 1;
    let sum = 0;
    for (let j = 0; j < v.length; j++) sum += v[j] * data[from + j];
    const factor = sum / beta;
    for (let j = 0; j < v.length; j++) data[from + j] -= factor * v[j];
  }
  return alpha;
}

/** The off-diagonal of the tridiagonal matrix whose eigenvalues are ±σ: diagonal and superdiagonal elements by turns. @param {Matrix} matrix @returns {Float64Array} */
function bidiagonal(matrix) {
  const wide = matrix.rows < matrix.columns ? transposed(matrix) : { ...matrix, data: matrix.data.slice() };
  const result = new Float64Array(2 * wide.columns - 1);
  for (let k = 0; k < wide.columns; k++) {
    result[2 * k] = reflectColumns(wide, k);
    if (k + 1 < wide.columns) result[2 * k + 1] = reflectRow(wide, k);
  }
  return result;
}

/** How many eigenvalues of the tridiagonal matrix lie below x. @param {Float64Array} off @param {number} x @param {number} least a pivot that is no zero */
function below(off, x, least) {
  let count = 0;
  let pivot = -x;
  for (let i = 0; ; i++) {
    if (Math.abs(pivot) < least) pivot = -least;
    if (pivot < 0) count++;
    if (i === off.length) return count;
    pivot = -x - (off[i] * off[i]) / pivot;
  }
}

/**
 * Some singular values, largest first, by their numbers from 1; 0 beyond the last.
 * @param {Matrix} matrix @param {number[]} numbers @returns {number[]}
 */
export function singularValues(matrix, numbers) {
  const largest = matrix.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(largest > 0 && largest < Infinity)) return numbers.map(() => largest);
  // Scaled by a power of two, so that squares of its elements are far from the ends of the floats.
  const scale = 2 ** Math.max(Math.floor(Math.log2(largest)), -1000);
  const off = bidiagonal({ ...matrix, data: matrix.data.map((value) => value / scale) });
  const size = (off.length + 1) / 2;
  let most = 0;
  for (let i = 0; i <= off.length; i++) most = Math.max(most, Math.abs(off[i - 1] ?? 0) + Math.abs(off[i] ?? 0));
  return numbers.map((number) => (number > size ? 0 : scale * halved(off, 2 * size - number + 1, most)));
}

/** The eigenvalue with so many up to it. @param {Float64Array} off @param {number} rank @param {number} most none is larger @returns {number} */
function halved(off, rank, most) {
  let [low, high] = [0, most * (1 + 2 ** -40)];
  const least = most * 2 ** -120;
  while (high - low > high * 2 ** -52) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high || high < most * 2 ** -60) return high;
    if (below(off, middle, least) >= rank) high = middle;
    else low = middle;
  }
  return high;
}
