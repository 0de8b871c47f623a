import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import { sourceOf } from '../../encode/coder.ts';
import { asCoded } from '../../encode/columns.ts';
import { spreadOf } from '../../encode/infer.ts';
import type { Schema, TargetFeature } from '../../encode/schema.ts';
import { stratifiedFolds } from './folds.ts';
import type { TargetPlan } from './resolve/schema.ts';
import type { RowVectors } from './rows.ts';
import { frequencies, type TargetNumbers } from './target.ts';
import { crossFitTarget, encodeTarget, type Outcomes } from './targetEncoding.ts';

/** Seed of the folds, so that they are the same in every fit of the same rows. */
const SEED = 1;

interface Source extends TargetPlan {
  /** code of each row: a level, then *missing* if it is a level, then cells that take the prior */
  readonly codes: Uint32Array;
  readonly levels: number;
  /** number of its first column in a batch */
  readonly column: number;
}

/**
 * The columns of target-encoded features in a training batch. The schema has the values for scoring, from all rows. A training row has the
 * value, prior included, from the rows outside its fold.
 */
export class TargetColumns {
  readonly schema: Schema;
  readonly #rows: RowVectors;
  /** outcomes: for two classes the share of the positive one; for more, a plane for each class */
  readonly #planes: readonly TargetNumbers[];
  readonly #sources: Source[];

  /** @param draft  its target features have levels, and no values yet */
  constructor(
    table: CheckedTable,
    draft: Schema,
    plans: readonly TargetPlan[],
    columnsOf: (schema: Schema) => readonly number[],
    rows: RowVectors,
  ) {
    this.#rows = rows;
    const { kind, y, target, sampleWeight } = rows;
    this.#planes = kind === 'binomial' ? [y] : target.classes.map((_, k) => y.map((code) => Number(code === k)));
    const features = [...draft.features];
    const sources = plans.map((plan) => {
      const feature = draft.features[plan.feature] as TargetFeature;
      const cells = asCoded(table.column(sourceOf(feature)), table.rows, 0);
      const levels = feature.levels.length;
      const place = new Map(feature.levels.map((level, code) => [level, code]));
      const codeOf = cells.levels.map((level) => place.get(level) ?? levels + 1);
      const gap = feature.missing === 'slot' ? levels : levels + 1;
      const codes = Uint32Array.from({ length: table.rows }, (_, i) =>
        cells.missing?.[i] ? gap : (codeOf[cells.codes[i]] ?? levels + 1),
      );
      return { ...plan, codes, levels: levels + 1 };
    });
    for (const source of sources) {
      const { feature } = source;
      const { values, priors } = encodeTarget(this.#outcomes(source, sampleWeight));
      const fitted = this.#crossFitted(source, sampleWeight);
      const moments = fitted.map((plane) => spreadOf('', plane, sampleWeight));
      features[feature] = {
        ...(draft.features[feature] as TargetFeature),
        values: values.map((plane, k) => [...plane, priors[k]]),
        means: moments.map(({ mean }) => mean),
        scales: moments.map(({ scale }) => scale),
      };
    }
    this.schema = { features };
    const columns = columnsOf(this.schema);
    this.#sources = sources.map((source) => ({ ...source, column: columns[source.feature] }));
  }

  /** Writes the standardised cross-fitted values for these weights into a batch of the rows. */
  write(batch: ColumnsBatch, weight: Float64Array | null): void {
    for (const source of this.#sources) {
      const { means, scales } = this.schema.features[source.feature] as TargetFeature;
      this.#crossFitted(source, weight).forEach((plane, k) => {
        const out = batch.numeric(source.column + k);
        for (let i = 0; i < plane.length; i++) out[i] = (plane[i] - means[k]) / scales[k];
      });
    }
  }

  #outcomes({ codes, levels, smooth }: Omit<Source, 'column'>, weight: Float64Array | null): Outcomes {
    return { codes, levels, planes: this.#planes, weight: frequencies(weight, this.#rows), smooth };
  }

  #crossFitted(source: Omit<Source, 'column'>, weight: Float64Array | null): Float64Array[] {
    const { target } = this.#rows;
    const fold = stratifiedFolds(target.code, target.classes.length, weight, source.folds, SEED);
    return crossFitTarget(this.#outcomes(source, weight), fold);
  }
}
