import { LogoddsError } from '../../bindings/errors.ts';
import { jsNarrowKernels } from '../../bindings/js/narrow.ts';
import { jsScoringKernels } from '../../bindings/js/scoring.ts';
import { onJavaScript, ScoringEngine } from '../../bindings/scoring.ts';
import type { Encoder } from '../encode/encoder.ts';
import { numericColumns } from '../encode/numericColumns.ts';
import { show } from '../messages.ts';
import type { NarrowStage } from './stages.ts';

/** What rounding to f32 may add to a logit: it changes a probability by a quarter of it at most. */
const LARGEST_LOSS = 2e-4;

/** Of numbers within so many standard deviations of the mean. */
const SPREAD = 8;

/**
 * Whether f32 cells must be written as (x − mean)/scale: where raw ones would lose the logit, as those of columns that are far from 0 or of an
 * extreme scale. The parameters are then made those of such cells: w·scale, and b + Σ w·mean.
 *
 *   loss = √(b² + Σ (w·size)²)·2⁻²² + Σ |f32(w) − w|·size,   size = |mean| + 8·scale of raw cells, 8 of standardised ones (of these also
 *   Σ |w·mean|·2⁻⁵⁰, which the intercept has lost in f64)
 *
 * @param parameters  of each weight vector the weights, then the intercept
 * @throws ERR_RANGE naming the column of the greatest term where neither keeps the logit
 */
export function mustStandardize(encoder: Encoder, parameters: readonly Float64Array[]): boolean {
  const columns = numericColumns(encoder);
  let worst = 0;
  let name = '';
  for (const standardize of [false, true]) {
    worst = 0;
    let most = -1;
    for (const p of parameters) {
      let squares = 0;
      let lost = 0;
      for (const { slot, field, mean, scale } of columns) {
        let size = Math.fround(Math.abs(mean) + SPREAD * scale);
        if (standardize) {
          const shift = p[slot] * mean;
          lost += Math.abs(shift) * 2 ** -50;
          p[encoder.slots] += shift;
          p[slot] *= scale;
          size = SPREAD;
        }
        const term = Math.abs(p[slot] * size);
        squares += term * term;
        lost += Math.abs(Math.fround(p[slot]) - p[slot]) * size;
        if (!(term <= most)) {
          most = term;
          name = field;
        }
      }
      worst = Math.max(worst, Math.sqrt(p[encoder.slots] ** 2 + squares) * 2 ** -22 + lost);
    }
    if (worst <= LARGEST_LOSS) return standardize;
  }
  throw new LogoddsError(
    'ERR_RANGE',
    `precision: expected "f64", got "f32", which rounds logits by ${worst.toPrecision(1)} at feature ${show(name)}; score in f64`,
  );
}

let own: ScoringEngine | undefined;

/**
 * The stage of scoring in f32, on an engine of `logodds`.
 * @example
 * loadModel(bytes, { f32 }).scoreTable(table, { precision: 'f32' }).probabilities[1]; // 0.6337
 */
export const f32: NarrowStage = {
  standardize: mustStandardize,
  engine() {
    if (!own) {
      own = onJavaScript((heap) => ({ ...jsScoringKernels(heap), ...jsNarrowKernels(heap) }), ScoringEngine);
      own.heap.precisions = ['f32', 'f64'];
    }
    return own;
  },
};
