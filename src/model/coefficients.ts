import { exp } from '../../bindings/js/math.ts';
import type { SlotName } from '../encode/encoder.ts';
import { slotNames } from '../encode/slots.ts';
import { twoSidedP, Z95 } from '../math/normal.ts';
import type { BootstrapInterval } from './manifest.ts';
import type { Model } from './model.ts';

/** The estimate of one weight, on the scale of the raw features. A figure that does not exist is null. */
export interface Coefficient {
  /** the class whose odds it changes */
  readonly class: string;
  /** name of the feature, "(intercept)" for the intercept */
  readonly feature: string;
  /** the level, "(missing)" for a slot of missing cells, null for a number */
  readonly level: string | null;
  /**
   * change of the logit per unit of the feature, or for the level; null when it could not be estimated (aliased or constant)
   */
  readonly value: number | null;
  /** standard error of `value`; null without inference */
  readonly stdError: number | null;
  /** value/stdError */
  readonly z: number | null;
  /** two-sided p-value of z under the standard normal */
  readonly p: number | null;
  /** ends of the 95 % Wald interval, value ∓ 1.96·stdError */
  readonly ciLow: number | null;
  readonly ciHigh: number | null;
  /** exp(value) */
  readonly oddsRatio: number | null;
  /**
   * 95 % interval by the profile likelihood (null: that end is infinite) and likelihood-ratio test against 0; absent when not asked for
   */
  readonly profile?: {
    readonly low: number | null;
    readonly high: number | null;
    readonly chi2: number;
    readonly p: number;
  };
  /** standard error and 95 % intervals from resampled rows; absent when not asked for */
  readonly bootstrap?: Omit<BootstrapInterval, 'parameter'>;
}

/** Φ⁻¹(0.975) */

/**
 * Returns the estimates of a model: the intercept first, then each slot in order. With more than two classes it does so for each class, in order.
 *
 *   z = value/stdError,   p = 2·(1 − Φ(|z|)),   interval = value ± Φ⁻¹(0.975)·stdError,   oddsRatio = exp(value)
 *
 * Parameters that are fixed by design have no line: the reference class, the reference level, the slot of unseen values (unless rare levels
 * share it), and slots of missing cells and hash buckets that no training row has. With a reference class the odds are those against it.
 * @example
 * const [, distance] = coefficients(model);
 * distance.value; // 0.00287
 * distance.oddsRatio; // 1.0029
 * coefficients(model).map(({ feature, level }) => level ?? feature); // ['(intercept)', 'distance', 'LAS', 'MCI']
 */
export function coefficients(model: Model): Coefficient[] {
  const { manifest, weights, intercept, covariance, encoder } = model;
  const { slots } = encoder;
  const aliased = new Set(manifest.aliased);
  const about = <T extends { readonly parameter: number }>(list: readonly T[] | null | undefined) =>
    new Map(list?.map(({ parameter, ...figures }) => [parameter, figures]));
  const profiles = about(manifest.inference?.profile);
  const resampled = about(manifest.inference?.bootstrap?.intervals);
  const step = intercept.length * (slots + 1) + 1;
  const line = (k: number, slot: number, feature: string, level: string | null, value: number): Coefficient => {
    const index = k * (slots + 1) + slot;
    const none = { stdError: null, z: null, p: null, ciLow: null, ciHigh: null };
    const name = { class: manifest.positive ?? manifest.classes[k], feature, level };
    if (aliased.has(index)) return { ...name, value: null, ...none, oddsRatio: null };
    const profile = profiles.get(index);
    const bootstrap = resampled.get(index);
    const estimate = {
      ...name,
      value,
      ...none,
      oddsRatio: exp(value),
      ...(profile && { profile }),
      ...(bootstrap && { bootstrap }),
    };
    const stdError = covariance ? Math.sqrt(covariance[index * step]) : 0;
    if (!(stdError > 0)) return estimate;
    const z = value / stdError;
    const half = Z95 * stdError;
    return { ...estimate, stdError, z, p: twoSidedP(z), ciLow: value - half, ciHigh: value + half };
  };
  /** @param place  of the slot in its feature  @param used  whether a class has a weight there */
  const estimated = ({ feature, role }: SlotName, place: number, used: boolean): boolean => {
    const source = manifest.schema.features[feature];
    if (role === 'level' && source.kind === 'hashed') return source.counts[place] > 0;
    // a bucket of no row; of words that cancel (mean 0, deviation 1) the weight tells
    if (source.kind === 'tokens' && 'buckets' in source.tokens)
      return source.means[place] !== 0 || source.scales[place] !== 1 || used;
    if (role === 'missing' && 'counts' in source)
      return source.missing === 'slot' && source.counts[source.counts.length - 1] > 0;
    if (role === 'unseen') return 'rare' in source;
    return role === 'number' || role === 'level' || role === 'missing';
  };
  const names = slotNames(encoder);
  const lines: Coefficient[] = [];
  intercept.forEach((constant, k) => {
    if (manifest.reference !== null && manifest.classes[k] === manifest.reference) return;
    lines.push(line(k, slots, '(intercept)', null, constant));
    let first = 0;
    names.forEach((slot, j) => {
      if (slot.feature !== names[first].feature) first = j;
      // of several classes all have the same lines
      const used = intercept.some((_, c) => weights[c * slots + j] !== 0);
      if (estimated(slot, j - first, used)) lines.push(line(k, j, slot.name, slot.level, weights[k * slots + j]));
    });
  });
  return lines;
}
