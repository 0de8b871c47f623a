import { LogoddsError } from '../../bindings/errors.ts';

/** z = x·w + intercept + offset of each row, as a scorer gives them. */
export type Logits = Float64Array | Float32Array;

/** @throws ERR_RANGE naming the first row that is not valid */
export function checkLogits(logits: Logits, rule: string, valid: (z: number) => boolean): void {
  for (let i = 0; i < logits.length; i++) if (!valid(logits[i])) throw rangeError('logits', rule, i, logits[i]);
}

/**
 * @param length  of the logits
 * @param y  codes 0 to classes − 1
 * @returns Σ sᵢ
 * @throws ERR_SHAPE, ERR_RANGE
 */
export function checkRows(
  length: number,
  y: ArrayLike<number>,
  classes: number,
  weight: Float64Array | null | undefined,
): number {
  if (y.length !== length || (weight && weight.length !== length)) {
    const got = weight ? `${y.length} and ${weight.length}` : y.length;
    throw new LogoddsError('ERR_SHAPE', `labels and weights: expected length ${length} (as the logits), got ${got}`);
  }
  let total = 0;
  for (let i = 0; i < length; i++) {
    const share = weight ? weight[i] : 1;
    if (!(Number.isInteger(y[i]) && y[i] >= 0 && y[i] < classes)) {
      throw rangeError('labels', classes === 2 ? '0 or 1' : `whole numbers from 0 to ${classes - 1}`, i, y[i]);
    }
    if (!(share >= 0 && share < Number.POSITIVE_INFINITY)) throw rangeError('weights', 'finite numbers >= 0', i, share);
    total += share;
  }
  if (!(total > 0))
    throw new LogoddsError('ERR_SHAPE', 'weights: expected at least one row of positive weight, got none');
  return total;
}

function rangeError(what: string, rule: string, row: number, got: number): LogoddsError {
  return new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${got} at row ${row}`);
}
