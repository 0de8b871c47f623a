import type { ColumnSpec } from '../../../bindings/columnsBatch.ts';
import type { LogoddsError } from '../../../bindings/errors.ts';
import { type Coder, type Part, type Slot, sourceOf } from '../coder.ts';
import { cellError, MEND } from '../columns.ts';
import type { Feature } from '../schema.ts';
import type { Column } from '../table.ts';

/** The coder of a feature of one column, and the kinds of its columns in a batch. */
export abstract class FeatureCoder<F extends Feature> implements Coder {
  readonly columns: readonly [string];
  readonly specs: readonly ColumnSpec[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  protected readonly feature: F;

  /** @param moments  of numeric columns */
  constructor(feature: F, specs: readonly ColumnSpec[], moments: Pick<Coder, 'means' | 'scales'> = NONE) {
    this.columns = [sourceOf(feature)];
    this.specs = specs;
    this.means = moments.means;
    this.scales = moments.scales;
    this.feature = feature;
  }

  abstract slots(): readonly Slot[];
  abstract write(columns: readonly Column[], part: Part, at: number): void;
  abstract writeRecord(value: unknown, out: Float64Array, at: number): number;

  /** ERR_RECORD for a missing cell that has no default */
  protected missingError(row: number | null, next = MEND): LogoddsError {
    return cellError(row, this.columns[0], 'a value', null, next);
  }
}

const NONE = { means: [], scales: [] };
