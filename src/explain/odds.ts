import { LogoddsError } from '../../bindings/errors.ts';
import { exp } from '../../bindings/js/math.ts';
import { slotNames } from '../encode/slots.ts';
import { normalQuantile } from '../math/normal.ts';
import { list, show } from '../messages.ts';
import { type Explained, partsOf, type Source, sourcesOf } from './explained.ts';

/** How a change of a feature changes the odds of a class. */
export interface OddsRatio {
  /** the class whose odds change; with several classes each one by its own logit */
  readonly class: string;
  readonly feature: string;
  /** the change, in units of the feature */
  readonly delta: number;
  /** exp(w·delta) */
  readonly oddsRatio: number;
  /** ends of the Wald interval; null without covariance */
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Returns the odds ratios of given changes of numeric features, with Wald intervals.
 *
 *   exp(w·Δ),   exp(w·Δ ∓ Φ⁻¹((1 + level)/2)·|Δ|·√Var w)
 *
 * It takes features that enter the logit as one straight line. With bins, splines, transforms and crosses the ratio depends on the starting
 * value, so they are refused.
 * @param deltas  the change Δ of each feature by name, finite, in units of the feature
 * @param level   probability that the interval covers, in (0, 1); default 0.95
 * @throws ERR_SCHEMA a feature that the model does not have, or that is no straight line
 * @throws ERR_RANGE a change that is not finite, a level outside (0, 1)
 * @example
 * const [ratio] = oddsRatios(model, { distance: 100 });
 * ratio.oddsRatio; // 1.3324
 * ratio.low; // 1.0697
 */
export function oddsRatios(model: Explained, deltas: Readonly<Record<string, number>>, level = 0.95): OddsRatio[] {
  const { manifest, encoder, weights, intercept, covariance } = model;
  if (typeof deltas !== 'object' || deltas === null) {
    throw new LogoddsError(
      'ERR_RANGE',
      `deltas: expected a change by feature, got ${show(deltas)}; write { feature: 1 }`,
    );
  }
  const { sources } = sourcesOf(model);
  const half = halfWidth(level);
  const step = intercept.length * (encoder.slots + 1) + 1;
  return Object.entries(deltas).flatMap(([name, delta]) => {
    if (!Number.isFinite(delta)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `change of ${show(name)}: expected a finite number, got ${show(delta)}; correct it`,
      );
    }
    const source = columnOf(model, name);
    if (!isLine(source, sources)) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `odds ratio of ${show(name)}: expected a numeric feature without a transform, got ${source.features.map(({ kind }) => kind).join(', ') || 'the offset'}; use whatIf or explain`,
      );
    }
    const slot = slotNames(encoder).findIndex(({ name: own }) => own === source.features[0].name);
    return Array.from(intercept, (_, k) => {
      const change = weights[k * encoder.slots + slot] * delta;
      const index = k * (encoder.slots + 1) + slot;
      const reach = covariance ? half * Math.abs(delta) * Math.sqrt(Math.max(0, covariance[index * step])) : null;
      return {
        class: manifest.positive ?? manifest.classes[k],
        feature: name,
        delta,
        oddsRatio: exp(change),
        low: reach === null ? null : exp(change - reach),
        high: reach === null ? null : exp(change + reach),
      };
    });
  });
}

/** Φ⁻¹((1 + level)/2). @throws ERR_RANGE */
export function halfWidth(level: number): number {
  if (!(level > 0 && level < 1)) {
    throw new LogoddsError('ERR_RANGE', `level: expected a number above 0 and below 1, got ${level}; 0.95 is usual`);
  }
  return -normalQuantile((1 - level) / 2);
}

/** The source that is a column of this name. @throws ERR_SCHEMA */
export function columnOf(model: Explained, name: string): Source {
  const sources = sourcesOf(model).sources.filter(({ features }) => !features.some((feature) => partsOf(feature)));
  const source = sources.find((one) => one.name === name);
  if (source) return source;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `feature: expected one of the columns ${list(sources.map((one) => one.name))}, got ${show(name)}; name one of them`,
  );
}

function isLine({ features }: Source, sources: readonly Source[]): boolean {
  const [feature] = features;
  const isNumber =
    feature?.kind === 'numeric' ||
    (feature?.kind === 'curve' && !feature.transform && !feature.knots && feature.part === undefined);
  const isCrossed = sources.some((other) => other.features.some((one) => partsOf(one)?.includes(feature?.name)));
  return features.length === 1 && isNumber && !isCrossed;
}
