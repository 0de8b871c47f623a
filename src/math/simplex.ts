/** The result of `leastCombination`: solutions of the two dual problems. */
export interface Combination {
  /** weight vᵢ ≥ 1 of every row */
  readonly weights: Float64Array;
  /** b */
  readonly direction: Float64Array;
}

/** Reduced costs, pivots and sums below this are rounding errors: rows have a largest entry of 1, and directions are within ±1. */
const TOLERANCE = 1e-9;
/** Values of the problem below this count as 0: rows enter with a mean weight of 1, so it is the rounding error of a mean. */
const ZERO = 1e-14;
/** Steps without progress before switching to the rule of least index, which cannot cycle. */
const STALLED = 30;
/** Number of rows per column that are priced until none helps; then all are priced again. */
const CANDIDATES = 4;
/** Steps between two inversions of the basis from scratch. */
const REFRESH = 50;

/**
 * Linear program for the combination of rows that is nearest to zero:
 *
 *   minimise ‖Aᵀv‖₁ over v ≥ 1,      dual:  maximise Σ aᵢ·b over aᵢ·b ≥ 0, −1 ≤ bⱼ ≤ 1
 *
 * The minimum is 0, Aᵀv = 0, exactly when no b has all aᵢ·b ≥ 0 and one of them > 0 (Stiemke's lemma); else b is such a direction.
 *
 * Revised simplex method on the first problem, in standard form h = Aᵀu + s⁺ − s⁻ with u = v − 1 and h = −Aᵀ1: the basis has a row a column
 * of A, so a step costs columns² and the prices of some rows; all of A is read when none of these helps any more. It starts feasible, with
 * u = 0. Steepest price first; after 30 steps without progress the rule of least index (Bland), which ends. The inverse of the basis is
 * renewed every 50 steps and at the end.
 *
 * @param a  rows × columns, row-major, the largest |entry| of a row 1
 * @returns null if it does not terminate, which only rounding can cause
 * @see Dantzig, Linear Programming and Extensions, 1963; Bland, Mathematics of Operations Research 2(2), 1977
 */
export function leastCombination(a: Float64Array, rows: number, columns: number): Combination | null {
  const program = new Program(a, rows, columns);
  const most = 1000 + 50 * columns;
  let stalled = 0;
  for (let step = 0; step < most; step++) {
    if (step % REFRESH === REFRESH - 1) program.refresh();
    const before = program.value();
    let entering = before <= ZERO ? -1 : program.price(stalled > STALLED);
    if (entering < 0) {
      // an apparent optimum must hold with a fresh inverse
      program.refresh();
      entering = program.value() <= ZERO ? -1 : program.price(stalled > STALLED);
      if (entering < 0) return program.solution();
    }
    if (!program.pivot(entering, stalled > STALLED)) return null;
    stalled = program.value() < before - ZERO ? 0 : stalled + 1;
  }
  return null;
}

/** The state: variables 0 … rows − 1 are u, then s⁺ and s⁻ of every column; those not in the basis are 0. */
class Program {
  readonly #a: Float64Array;
  readonly #rows: number;
  readonly #columns: number;
  /** −Aᵀ1, divided by the rows */
  readonly #h: Float64Array;
  readonly #basis: Int32Array;
  readonly #inverse: Float64Array;
  /** values of the basis */
  readonly #x: Float64Array;
  readonly #direction: Float64Array;
  /** variables that could improve the value when all were last priced */
  #candidates: number[] = [];
  /** B⁻¹ · the column that enters */
  readonly #entering: Float64Array;

  constructor(a: Float64Array, rows: number, columns: number) {
    this.#a = a;
    this.#rows = rows;
    this.#columns = columns;
    this.#h = new Float64Array(columns);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) this.#h[j] -= a[i * columns + j] / rows;
    this.#basis = Int32Array.from(this.#h, (value, j) => rows + j + (value < 0 ? columns : 0));
    this.#inverse = new Float64Array(columns * columns);
    this.#x = new Float64Array(columns);
    this.#direction = new Float64Array(columns);
    this.#entering = new Float64Array(columns);
    this.refresh();
  }

  /** ‖Aᵀv‖₁ / rows */
  value(): number {
    let sum = 0;
    for (let k = 0; k < this.#columns; k++) if (this.#basis[k] >= this.#rows) sum += this.#x[k];
    return sum;
  }

  /** @returns a variable that lowers the value when it enters: the steepest, or the first; −1 at the optimum */
  price(first: boolean): number {
    const [rows, columns, b] = [this.#rows, this.#columns, this.#direction];
    // the dual: b = −(costs of the basis) · B⁻¹
    b.fill(0);
    for (let k = 0; k < columns; k++) {
      if (this.#basis[k] < rows) continue;
      for (let j = 0; j < columns; j++) b[j] -= this.#inverse[k * columns + j];
    }
    if (first) {
      for (let variable = 0; variable < rows + 2 * columns; variable++)
        if (this.#cost(variable) < -TOLERANCE) return variable;
      return -1;
    }
    for (let pass = 0; pass < 2; pass++) {
      let best = -1;
      let least = -TOLERANCE;
      for (const variable of this.#candidates) {
        const cost = this.#cost(variable);
        if (cost < least) [best, least] = [variable, cost];
      }
      if (best >= 0 || pass === 1) return best;
      this.#choose();
    }
    return -1;
  }

  /** The variables that would lower the value the most, one for each step until the next choice, and more. */
  #choose(): void {
    const count = this.#rows + 2 * this.#columns;
    const costs = new Float64Array(count);
    const found: number[] = [];
    for (let variable = 0; variable < count; variable++) {
      costs[variable] = this.#cost(variable);
      if (costs[variable] < -TOLERANCE) found.push(variable);
    }
    this.#candidates = found.sort((i, j) => costs[i] - costs[j] || i - j).slice(0, CANDIDATES * this.#columns);
  }

  /** Reduced cost of a variable under the last direction: by how much the value changes as it grows. */
  #cost(variable: number): number {
    const [a, rows, columns, b] = [this.#a, this.#rows, this.#columns, this.#direction];
    if (variable >= rows) {
      const j = variable - rows;
      return j < columns ? 1 + b[j] : 1 - b[j - columns];
    }
    let cost = 0;
    for (let at = variable * columns, j = 0; j < columns; j++) cost += a[at + j] * b[j];
    return cost;
  }

  /**
   * Enters a variable into the basis in place of the one that reaches 0 first; a tie goes to the largest pivot, or to the least index.
   * @returns false if none reaches 0
   */
  pivot(variable: number, least: boolean): boolean {
    const [columns, inverse, x, basis, d] = [this.#columns, this.#inverse, this.#x, this.#basis, this.#entering];
    d.fill(0);
    for (let j = 0; j < columns; j++) {
      const entry = this.#entry(variable, j);
      if (entry !== 0) for (let k = 0; k < columns; k++) d[k] += inverse[k * columns + j] * entry;
    }
    let ratio = Number.POSITIVE_INFINITY;
    for (let k = 0; k < columns; k++) if (d[k] > TOLERANCE) ratio = Math.min(ratio, x[k] / d[k]);
    let leaving = -1;
    for (let k = 0; k < columns; k++) {
      if (!(d[k] > TOLERANCE && x[k] / d[k] <= ratio + ZERO)) continue;
      if (leaving < 0 || (least ? basis[k] < basis[leaving] : d[k] > d[leaving])) leaving = k;
    }
    if (leaving < 0) return false;
    const pivot = leaving * columns;
    for (let j = 0; j < columns; j++) inverse[pivot + j] /= d[leaving];
    const entered = x[leaving] / d[leaving];
    for (let k = 0; k < columns; k++) {
      if (k === leaving) continue;
      x[k] = Math.max(0, x[k] - entered * d[k]);
      if (d[k] !== 0) for (let j = 0; j < columns; j++) inverse[k * columns + j] -= d[k] * inverse[pivot + j];
    }
    x[leaving] = entered;
    basis[leaving] = variable;
    return true;
  }

  /** Inverts the basis from scratch (Gauss-Jordan, partial pivoting) and recomputes its values. */
  refresh(): void {
    const n = this.#columns;
    const width = 2 * n;
    const work = new Float64Array(n * width);
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < n; j++) work[j * width + k] = this.#entry(this.#basis[k], j);
      work[k * width + n + k] = 1;
    }
    for (let k = 0; k < n; k++) {
      let best = k;
      for (let i = k + 1; i < n; i++) if (Math.abs(work[i * width + k]) > Math.abs(work[best * width + k])) best = i;
      for (let j = 0; j < width; j++) {
        const kept = work[k * width + j];
        work[k * width + j] = work[best * width + j];
        work[best * width + j] = kept;
      }
      const pivot = work[k * width + k];
      for (let j = 0; j < width; j++) work[k * width + j] /= pivot;
      for (let i = 0; i < n; i++) {
        const factor = work[i * width + k];
        if (i === k || factor === 0) continue;
        for (let j = k; j < width; j++) work[i * width + j] -= factor * work[k * width + j];
      }
    }
    this.#x.fill(0);
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < n; j++) {
        const value = work[k * width + n + j];
        this.#inverse[k * n + j] = value;
        this.#x[k] += value * this.#h[j];
      }
      this.#x[k] = Math.max(0, this.#x[k]);
    }
  }

  solution(): Combination {
    const weights = new Float64Array(this.#rows).fill(1);
    this.#basis.forEach((variable, k) => {
      if (variable < this.#rows) weights[variable] += this.#x[k] * this.#rows;
    });
    if (this.value() <= ZERO) this.#direction.fill(0);
    return { weights, direction: this.#direction };
  }

  /** of the column of a variable */
  #entry(variable: number, j: number): number {
    const [rows, columns] = [this.#rows, this.#columns];
    if (variable < rows) return this.#a[variable * columns + j];
    return variable === rows + j ? 1 : variable === rows + columns + j ? -1 : 0;
  }
}
