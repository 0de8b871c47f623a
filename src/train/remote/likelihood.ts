import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Engine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import type { Likelihood, LikelihoodPoint, SumsElsewhere } from '../../../bindings/likelihood.ts';
import { cellsOf } from '../problem/chunks.ts';
import type { Remote } from './remote.ts';

/** Most rows of a sample, whatever was asked for, and most bytes of their cells: they come here. */
const SAMPLE_ROWS = 262_144;
const SAMPLE_BYTES = 2 ** 28;

/** The rows that likelihoods on other machines share. */
export interface RemoteRows {
  readonly remote: Remote;
  readonly engine: Engine;
  readonly rows: number;
  /** Σ s, class weights included */
  readonly totalWeight: number;
  /** an empty batch of the encoded columns, for their kinds and slots */
  readonly layout: Pick<ColumnsBatch, 'specs' | 'offsets' | 'slots'>;
  /** of samples, which must outlive their likelihoods */
  readonly batches: ColumnsBatch[];
}

/**
 * The likelihood of rows on other machines: every method is a question, and its answer a sum over all rows. Points stay valid, because a question
 * names its parameters. Sums that need the logits of every row here are refused; `elsewhere` has what takes their place.
 */
export class RemoteLikelihood implements Likelihood {
  readonly rows: number;
  readonly classes: number;
  readonly parameters: number;
  readonly totalWeight: number;
  readonly elsewhere: SumsElsewhere;
  /** absent for some of the columns alone */
  readonly sample?: (most: number) => Likelihood;
  readonly #shared: RemoteRows;
  /** of two classes the class whose probability it gives, as an index */
  readonly #of: number | null;
  readonly #columns: readonly number[];
  readonly #slots: Int32Array;

  /**
   * @param classes  1 for the binomial
   * @param of       the positive class of a binomial likelihood; null for several classes
   * @param columns  that it has, ascending; default all
   */
  constructor(shared: RemoteRows, classes: number, of: number | null, columns?: readonly number[]) {
    const { layout, rows, totalWeight } = shared;
    this.#shared = shared;
    this.#of = of;
    this.#columns = columns ?? layout.specs.map((_, j) => j);
    this.#slots = Int32Array.from(
      this.#columns.flatMap((j) => Array.from({ length: widthOf(layout, j) }, (_, k) => layout.offsets[j] + k)),
    );
    this.rows = rows;
    this.classes = classes;
    this.parameters = classes * (this.#slots.length + 1);
    this.totalWeight = totalWeight;
    if (!columns) this.sample = (most) => this.#sampled(most);
    this.elsewhere = {
      separates: (params) => this.#ask('separates', {}, [params])[0] === 0,
      scores: (params, j, k, out) => out.set(this.#ask('scores', { j, k }, [params])),
    };
  }

  loss(params: Float64Array): number {
    return this.#ask('loss', {}, [params])[0];
  }

  at(params: Float64Array, gradient: Float64Array): LikelihoodPoint {
    const point = params.slice();
    const found = this.#ask('at', {}, [point]);
    gradient.set(found.subarray(1));
    return {
      loss: found[0],
      hessian: (out, most) => out.set(this.#ask('hessian', { most: this.#most(most) }, [point])),
      classHessian: (j, out, most) => out.set(this.#ask('classHessian', { j, most: this.#most(most) }, [point])),
      hessianVector: (v, out) => out.set(this.#ask('hessianVector', {}, [point, v])),
    };
  }

  gram(c: Float64Array | null, out: Float64Array, most?: number): void {
    if (c) throw elsewhere('a factor for every row');
    out.set(this.#ask('gram', { most: this.#most(most) }, []));
  }

  transpose(): void {
    throw elsewhere('a factor for every row');
  }

  squares(): void {
    throw elsewhere('a sum for every row');
  }

  logits(): void {
    throw elsewhere('a logit for every row');
  }

  select(slots: Int32Array): { readonly likelihood: Likelihood; readonly from: Int32Array } {
    const { layout } = this.#shared;
    const wanted = new Set(Array.from(slots, (slot) => this.#slots[slot]));
    const columns = this.#columns.filter((j) =>
      Array.from({ length: widthOf(layout, j) }, (_, k) => layout.offsets[j] + k).some((slot) => wanted.has(slot)),
    );
    const likelihood = new RemoteLikelihood(this.#shared, this.classes, this.#of, columns);
    const place = new Map(Array.from(this.#slots, (slot, k) => [slot, k]));
    return { likelihood, from: likelihood.#slots.map((slot) => place.get(slot)!) };
  }

  /** Releases nothing: the rows belong to the other side. */
  free(): void {}

  [Symbol.dispose](): void {}

  /** The likelihood of rows that come here, with their encoded cells. */
  #sampled(most: number): Likelihood {
    const { remote, engine, layout, batches } = this.#shared;
    const { specs } = layout;
    const room = Math.floor(SAMPLE_BYTES / (8 * (specs.length + 3)));
    const wanted = Math.ceil(Math.min(most, SAMPLE_ROWS, Math.max(1, room)));
    const { facts, values } = remote.ask({ op: 'sample', most: wanted, columns: this.#columns });
    const { rows, weighted, shifted } = facts as { rows: number; weighted: boolean; shifted: boolean };
    const batch = engine.columns(rows, specs, 'f64');
    try {
      const plane = (at: number) => values.subarray(at * rows, (at + 1) * rows);
      specs.forEach((_, j) => {
        cellsOf(batch, j).set(plane(j));
      });
      let at = specs.length;
      const codes = plane(at++);
      const weight = weighted ? plane(at++) : null;
      const offset = shifted ? plane(at++) : null;
      const y = this.#of === null ? codes : codes.map((code) => Number(code === this.#of));
      const found =
        this.#of === null
          ? engine.multinomial(batch, { y, classes: this.classes, weight })
          : engine.likelihood(batch, { y, weight, offset });
      batches.push(batch);
      return found;
    } catch (error) {
      batch.free();
      throw error;
    }
  }

  /** null: all rows */
  readonly #most = (most = Number.POSITIVE_INFINITY) => (most < this.rows ? Math.ceil(most) : null);

  #ask(op: string, more: object, values: readonly Float64Array[]): Float64Array {
    const { classes } = this;
    return this.#shared.remote.ask({ op, classes, of: this.#of, columns: this.#columns, ...more }, values).values;
  }
}

const widthOf = ({ specs }: RemoteRows['layout'], j: number): number => {
  const spec = specs[j];
  return spec.kind === 'numeric' ? 1 : spec.slots;
};

const elsewhere = (what: string): LogoddsError =>
  new LogoddsError(
    'ERR_RANGE',
    `likelihood: expected sums alone of rows on other machines, got ${what}; fit the rows in memory`,
  );
