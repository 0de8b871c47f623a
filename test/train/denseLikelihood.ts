import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';

/**
 * The likelihood as the formula reads: a dense matrix, plain loops, Math.exp. It shares no code with the engines, so that solvers can be
 * judged without them, and the engines by it.
 *
 * @param x  rows × columns, row-major, without the column of ones of the intercept
 */
export function denseLikelihood(
  x: Float64Array,
  columns: number,
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null = null,
  offset: ArrayLike<number> | null = null,
): Likelihood {
  const rows = y.length;
  const parameters = columns + 1;
  const s = Float64Array.from({ length: rows }, (_, i) => (weight ? weight[i] : 1));
  const cell = (i: number, j: number): number => (j < columns ? x[i * columns + j] : 1);
  const logit = (w: Float64Array, i: number): number => {
    let z = offset ? offset[i] : 0;
    for (let j = 0; j < parameters; j++) z += cell(i, j) * w[j];
    return z;
  };
  const hessianAt = (w: Float64Array, out: Float64Array): void => {
    out.fill(0);
    for (let i = 0; i < rows; i++) {
      const t = Math.exp(-Math.abs(logit(w, i)));
      const curvature = (s[i] * t) / (1 + t) ** 2;
      for (let j = 0; j < parameters; j++) {
        const scaled = curvature * cell(i, j);
        if (scaled !== 0) for (let k = 0; k < parameters; k++) out[j * parameters + k] += scaled * cell(i, k);
      }
    }
  };
  return {
    rows,
    classes: 1,
    parameters,
    totalWeight: s.reduce((sum, value) => sum + value, 0),
    loss(w) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const z = logit(w, i);
        sum += s[i] * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y[i] * z);
      }
      return sum;
    },
    at(w, gradient) {
      const point = w.slice();
      gradient.fill(0);
      for (let i = 0; i < rows; i++) {
        const z = logit(w, i);
        const t = Math.exp(-Math.abs(z));
        const residual = z > 0 ? (1 - y[i] - y[i] * t) / (1 + t) : ((1 - y[i]) * t - y[i]) / (1 + t);
        for (let j = 0; j < parameters; j++) gradient[j] += s[i] * residual * cell(i, j);
      }
      return {
        loss: this.loss(w),
        hessian: (out) => hessianAt(point, out),
        classHessian: (_, out) => hessianAt(point, out),
        hessianVector(v, out) {
          const h = new Float64Array(parameters * parameters);
          hessianAt(point, h);
          for (let j = 0; j < parameters; j++) {
            out[j] = 0;
            for (let k = 0; k < parameters; k++) out[j] += h[j * parameters + k] * v[k];
          }
        },
      };
    },
    gram(c, out) {
      out.fill(0);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < parameters; j++) {
          for (let k = 0; k < parameters; k++) out[j * parameters + k] += (c ? c[i] : 1) * cell(i, j) * cell(i, k);
        }
      }
    },
    transpose(r, out) {
      out.fill(0);
      for (let i = 0; i < rows; i++) for (let j = 0; j < parameters; j++) out[j] += r[i] * cell(i, j);
    },
    squares(vectors, out) {
      for (let i = 0; i < rows; i++) {
        out[i] = 0;
        for (let at = 0; at < vectors.length; at += parameters) {
          let z = 0;
          for (let j = 0; j < parameters; j++) z += cell(i, j) * vectors[at + j];
          out[i] += z ** 2;
        }
      }
    },
    logits(w, out) {
      for (let i = 0; i < rows; i++) out[i] = logit(w, i);
    },
    select(slots) {
      const part = Float64Array.from({ length: rows * slots.length }, (_, k) => {
        const i = Math.floor(k / slots.length);
        return cell(i, slots[k - i * slots.length]);
      });
      return { likelihood: denseLikelihood(part, slots.length, y, weight, offset), from: slots };
    },
    free() {},
    [Symbol.dispose]() {},
  };
}

/** The part of an engine that `fit` needs, over `denseLikelihood`: every slot is a dense column. Counts what is not freed. */
export function denseEngine(): Engine & { readonly live: () => number } {
  let live = 0;
  const engine = {
    name: 'js',
    reason: 'the reference of the tests',
    live: () => live,
    encoded(rows: number, specs: readonly ColumnSpec[]) {
      live++;
      const offsets: number[] = [];
      let slots = 0;
      for (const spec of specs) {
        offsets.push(slots);
        slots += spec.kind === 'numeric' ? 1 : spec.slots;
      }
      const cells = specs.map((spec) => (spec.kind === 'numeric' ? new Float64Array(rows) : new Uint32Array(rows)));
      return {
        rows,
        specs,
        offsets,
        slots,
        numeric: (j: number) => cells[j],
        codes: (j: number) => cells[j],
        free: () => live--,
      };
    },
    likelihood(
      batch: ColumnsBatch,
      target: { y: Float64Array; weight?: Float64Array | null; offset?: Float64Array | null },
    ) {
      live++;
      const { rows, slots, specs, offsets } = batch;
      const x = new Float64Array(rows * slots);
      specs.forEach((spec, j) => {
        for (let i = 0; i < rows; i++) {
          if (spec.kind === 'numeric') x[i * slots + offsets[j]] = batch.numeric(j)[i];
          else x[i * slots + offsets[j] + batch.codes(j)[i]] = 1;
        }
      });
      return { ...denseLikelihood(x, slots, target.y, target.weight, target.offset), free: () => live-- };
    },
  };
  return engine as unknown as Engine & { live: () => number };
}
