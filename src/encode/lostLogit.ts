import type { LogoddsError } from '../../bindings/errors.ts';
import { cellError, MEND } from './columns.ts';
import type { Encoder } from './encoder.ts';
import { numericColumns } from './numericColumns.ts';

/** What the terms of a logit are told from. */
interface LogitSource {
  readonly weights: Float64Array;
  readonly manifest: { readonly offset: string | null };
  readonly encoder: Pick<Encoder, 'schema' | 'specs' | 'firstColumns' | 'coders' | 'slots'>;
}

/**
 * ERR_RECORD for a row that no label can be told for, because terms of its logit overflow; names the column of the greatest term.
 * @param row  null is a single record
 * @param numberOf  of a numeric column of the batch
 */
export function lostLogit(
  { encoder, weights, manifest }: LogitSource,
  row: number | null,
  numberOf: (j: number) => number,
): LogoddsError {
  let name = manifest.offset;
  let value = 0;
  let most = -1;
  for (const { column, slot, field } of numericColumns(encoder)) {
    for (let at = slot; at < weights.length; at += encoder.slots) {
      const x = numberOf(column);
      const term = Math.abs(x * weights[at]);
      if (term > most) {
        most = term;
        value = x;
        name = field;
      }
    }
  }
  return cellError(row, name!, 'a number whose term in the logit does not overflow', value, MEND);
}
