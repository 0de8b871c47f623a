import type { Batch } from '../bindings/batch.ts';
import { pickEngine } from '../bindings/engine.ts';
import type { Likelihood } from '../bindings/likelihood.ts';
import type { Dense, Flights, Sparse } from './data.ts';
import type { Goal } from './race.ts';

/**
 * The one evaluator of a case: every contestant's parameters are judged by the same sums in f64, over a batch of its own in f64
 * whatever type the contestants were given.
 */
export class Judge {
  readonly #batch: Batch;
  readonly #likelihood: Likelihood;
  /** Σ loss/n + λ/2·‖w‖², the intercepts of the classes not penalised */
  readonly objective: (params: Float64Array) => number;

  private constructor(batch: Batch, likelihood: Likelihood, lambda: number) {
    this.#batch = batch;
    this.#likelihood = likelihood;
    const width = batch.slots + 1;
    this.objective = (params) => {
      let square = 0;
      params.forEach((value, i) => {
        if (i % width < batch.slots) square += value * value;
      });
      return likelihood.loss(params) / batch.rows + (lambda / 2) * square;
    };
  }

  /** params by class: weights, then the intercept */
  static matrix(data: Dense | Sparse, lambda: number): Judge {
    const engine = pickEngine('wasm');
    const { rows, columns, y } = data;
    if (!('x' in data)) {
      const batch = engine.sparse(data, columns, 'f64');
      return new Judge(batch, engine.likelihood(batch, { y }), lambda);
    }
    const { x, classes } = data;
    const batch = engine.rows(rows, columns, 'f64');
    for (let i = 0; i < rows; i++) {
      batch.view.set(x.subarray(i * columns, (i + 1) * columns), i * batch.stride);
    }
    const likelihood = classes > 2 ? engine.multinomial(batch, { y, classes }) : engine.likelihood(batch, { y });
    return new Judge(batch, likelihood, lambda);
  }

  /** params: numbers, levels in order, the intercept */
  static flights({ rows, y, numeric, coded }: Flights, lambda: number): Judge {
    const engine = pickEngine('wasm');
    const specs = coded.map(({ levels }) => ({ kind: 'coded' as const, slots: levels.length }));
    const batch = engine.columns(rows, [...numeric.map(() => ({ kind: 'numeric' as const })), ...specs], 'f64');
    numeric.forEach(({ values }, j) => {
      batch.numeric(j).set(values);
    });
    coded.forEach(({ codes }, j) => {
      batch.codes(numeric.length + j).set(codes);
    });
    return new Judge(batch, engine.likelihood(batch, { y }), lambda);
  }

  /** the largest λ with a weight other than zero under L1 alone: max |∂f/∂wⱼ| of the model with an intercept only */
  largestLambda(y: Float64Array): number {
    const positive = y.reduce((sum, value) => sum + value, 0);
    const params = new Float64Array(this.#batch.slots + 1);
    params[this.#batch.slots] = Math.log(positive / (y.length - positive));
    return this.#violation(params, 0);
  }

  /**
   * Largest violation of the optimality conditions of the L1 problems at these λ, as part of the largest λ: |g + λ·sign(w)|
   * where w ≠ 0, max(0, |g| − λ) where w = 0, |g| of the intercept; g = ∂f/∂w of the mean loss.
   * Params: for each λ the weights, then the intercept; a path that ends early is infinitely wrong.
   */
  kkt(lambdas: Float64Array, limit: number): Goal {
    const width = this.#batch.slots + 1;
    return {
      limit,
      shortfall: (params) => {
        if (params.length !== lambdas.length * width) return Number.POSITIVE_INFINITY;
        const each = lambdas.map((lambda, i) => this.#violation(params.subarray(i * width, (i + 1) * width), lambda));
        return Math.max(...each) / lambdas[0];
      },
    };
  }

  #violation(params: Float64Array, lambda: number): number {
    const { rows, slots } = this.#batch;
    const gradient = new Float64Array(slots + 1);
    this.#likelihood.at(params, gradient);
    let worst = Math.abs(gradient[slots]) / rows;
    for (let j = 0; j < slots; j++) {
      const g = gradient[j] / rows;
      const w = params[j];
      worst = Math.max(worst, w === 0 ? Math.abs(g) - lambda : Math.abs(g + lambda * Math.sign(w)));
    }
    return worst;
  }

  free(): void {
    this.#likelihood.free();
    this.#batch.free();
  }
}
