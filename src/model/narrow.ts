import type { Precision } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { Encoder } from '../encode/encoder.ts';
import { show } from '../encode/label.ts';
import type { NumericFeature } from '../encode/schema.ts';

/** Weights as an engine takes them. */
interface Parameters {
  /** whether cells must be written as (x − mean)/scale */
  readonly standardize: boolean;
  /** of each weight vector the weights, then the intercept */
  readonly vectors: readonly Float64Array[];
}

/** What rounding to f32 may add to a logit: it changes a probability by a quarter of it at most. */
const LARGEST_LOSS = 2e-4;

/** Of numbers within so many standard deviations of the mean. */
const SPREAD = 8;

/**
 * The weights of a model in f64; in f32 of raw cells where that keeps the logits, else of standardised cells, w·scale and b + Σ w·mean, which
 * keeps them where columns are far from 0 or of an extreme scale.
 *
 *   loss = √(b² + Σ (w·size)²)·2⁻²² + Σ |f32(w) − w|·size,   size = |mean| + 8·scale of raw cells, 8 of standardised ones (of these also
 *   Σ |w·mean|·2⁻⁵⁰, which the intercept has lost in f64)
 *
 * @throws ERR_RANGE naming the feature of the greatest term where neither keeps them
 */
export function parametersOf(
  { encoder, weights, intercept }: { encoder: Encoder; weights: Float64Array; intercept: Float64Array },
  precision: Precision,
): Parameters {
  const { slots, specs, firstColumns, coders, schema } = encoder;
  for (const standardize of [false, true]) {
    let worst = 0;
    let name = '';
    const vectors = Array.from(intercept, (b, k) => {
      const out = new Float64Array(slots + 1);
      out.set(weights.subarray(k * slots, (k + 1) * slots));
      out[slots] = b;
      let squares = 0;
      let lost = 0;
      let most = -1;
      let slot = 0;
      specs.forEach((spec, j) => {
        if (precision === 'f32' && spec.kind === 'numeric') {
          const i = firstColumns.filter((first) => first <= j).length - 1;
          // numeric columns are the first of their feature
          const at = j - firstColumns[i];
          const feature = schema.features[i] as NumericFeature;
          const mean = coders[i] ? coders[i].means[at] : feature.mean;
          const scale = coders[i] ? coders[i].scales[at] : feature.scale;
          if (standardize) {
            // what the intercept has lost of it already
            lost += Math.abs(out[slot] * mean) * 2 ** -50;
            out[slots] += out[slot] * mean;
            out[slot] *= scale;
          }
          const size = standardize ? SPREAD : Math.fround(Math.abs(mean) + SPREAD * scale);
          const term = out[slot] * size;
          squares += term * term;
          lost += Math.abs(Math.fround(out[slot]) - out[slot]) * size;
          if (!(Math.abs(term) <= most)) {
            most = Math.abs(term);
            name = feature.name;
          }
        }
        slot += spec.kind === 'numeric' ? 1 : spec.slots;
      });
      const loss = Math.sqrt(out[slots] * out[slots] + squares) * 2 ** -22 + lost;
      if (!(loss <= worst)) worst = loss;
      return out;
    });
    if (precision === 'f64' || worst <= LARGEST_LOSS) return { standardize, vectors };
    if (standardize) {
      throw new LogoddsError(
        'ERR_RANGE',
        `precision: expected "f64", got "f32", which rounds logits by ${worst.toPrecision(1)} at feature ${show(name)}; score in f64`,
      );
    }
  }
  throw new Error('not reached');
}
