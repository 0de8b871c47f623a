import type { LogoddsError } from '../../bindings/errors.ts';
import { sourceOf } from './coder.ts';
import { cellError, MEND } from './columns.ts';
import type { Encoder } from './encoder.ts';

/** The parts of an encoder that name the terms of a logit. */
interface LogitSource {
  readonly weights: Float64Array;
  readonly manifest: { readonly offset: string | null };
  readonly encoder: Pick<Encoder, 'schema' | 'offsets' | 'firstColumns' | 'slots'>;
}

/**
 * ERR_RECORD for a row without a label, because terms of its logit overflow. It names the column of the largest term.
 * @param row  null is a single record
 * @param numberOf  value of a numeric column of the batch
 */
export function lostLogit(
  { encoder, weights, manifest }: LogitSource,
  row: number | null,
  numberOf: (j: number) => number,
): LogoddsError {
  const { schema, offsets, firstColumns, slots } = encoder;
  let name = manifest.offset;
  let value = 0;
  let most = -1;
  offsets.forEach((place, column) => {
    for (let at = place; at >= 0 && at < weights.length; at += slots) {
      const x = numberOf(column);
      const term = Math.abs(x * weights[at]);
      // a cell of a batch may be no number
      if (term > most || Number.isNaN(x)) {
        most = term;
        value = x;
        name = sourceOf(schema.features[firstColumns.filter((first) => first <= column).length - 1]);
      }
    }
  });
  return cellError(row, name!, 'a number whose term in the logit does not overflow', value, MEND);
}
