import { sourceOf } from './coder.ts';
import type { Encoder } from './encoder.ts';
import type { NumericFeature } from './schema.ts';

/** A numeric column of a batch. */
interface NumericColumnOfBatch {
  /** index of the column in the batch */
  readonly column: number;
  /** that of its weight */
  readonly slot: number;
  /** the column of a table, or field of a record, that it reads */
  readonly field: string;
  /** range in training, of the written numbers */
  readonly mean: number;
  readonly scale: number;
}

/** The numeric columns of an encoder's batches, in order; a curve has several. */
export function numericColumns({
  schema,
  specs,
  firstColumns,
  coders,
}: Pick<Encoder, 'schema' | 'specs' | 'firstColumns' | 'coders'>): NumericColumnOfBatch[] {
  let slot = 0;
  let i = -1;
  return specs.flatMap((spec, column) => {
    while (firstColumns[i + 1] <= column) i++;
    if (spec.kind === 'coded') {
      slot += spec.slots;
      return [];
    }
    const feature = schema.features[i];
    const at = column - firstColumns[i];
    const coder = coders[i];
    const { mean, scale } = coder ? { mean: coder.means[at], scale: coder.scales[at] } : (feature as NumericFeature);
    return [{ column, slot: slot++, field: sourceOf(feature), mean, scale }];
  });
}
