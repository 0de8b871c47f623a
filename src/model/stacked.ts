import { LogoddsError } from '../../bindings/errors.ts';
import { sourceOf } from '../encode/coder.ts';
import type { CurveFeature, Feature, NumericFeature } from '../encode/schema.ts';
import { INDICATOR } from '../encode/slots.ts';
import { list, show } from '../messages.ts';
import { FittedModel } from './fittedModel.ts';
import { copyOf, distinct, type StackedBase } from './manifest.ts';

/** The slots of a feature that are added to a model, and what each of them weighs. */
interface Placed {
  readonly feature: Feature;
  readonly weights: Float64Array;
  readonly baseline: Float64Array | null;
}

/**
 * Puts base models into the meta-learner that was fitted to their logits, and returns one plain model.
 *
 *   meta   z = b + Σₖ vₖ·zₖ + …,   base k   zₖ = x·wₖ + bₖ   ⇒   z = (b + Σₖ vₖ·bₖ) + x·(Σₖ vₖ·wₖ) + …
 *
 * A logit of logits is linear in the fields, so the stack needs no form of its own: every reader of model files scores it, explains it and serves it.
 * Its logit is that of base after base followed by the meta-learner, but for rounding; with weight 1 on one base, no other and the intercept 0, it has the
 * bits of that base. A base of weight 0 is left out.
 *
 * A base enters by its logit before its own calibration and decision; those of the meta-learner are kept. Features that two bases have alike are there
 * once. Those of one name that differ (other levels, another mean) are both there, the later one as "base: feature". There is no covariance: the
 * meta-learner does not know how sure its bases are.
 *
 * @param meta   of two classes; of its features those with the names of bases are numbers, the logits of these bases
 * @param bases  by name, of the same two classes, in any roles of positive and negative
 * @throws ERR_RANGE for a model with other classes or an offset, for a base that the meta-learner does not read as a number
 * @example
 * const base = (features) => ({ target: 'late', features, folding: { folds: 3 } });
 * const near = outOfFold(records, base(['distance'])).planes[0];
 * const from = outOfFold(records, base(['origin'])).planes[0];
 * const meta = fit(records.map(({ late }, i) => ({ late, near: near[i], from: from[i] })), { target: 'late' }).model;
 * const whole = (features) => fit(records, { target: 'late', features }).model;
 * const stack = stackModels(meta, { near: whole(['distance']), from: whole(['origin']) });
 * stack.fields.map(({ name }) => name); // ['distance', 'origin']
 * stack.score(flight).label; // 'yes'
 * @see Wolpert, "Stacked generalization", Neural Networks 5, 1992; Breiman, "Stacked regressions", Machine Learning 24, 1996
 */
export function stackModels(meta: FittedModel, bases: Readonly<Record<string, FittedModel>>): FittedModel {
  const { classes, positive } = meta.manifest;
  let intercept = meta.intercept[0];
  const placed = new Map<string, Placed>();
  const members: StackedBase[] = [];
  const own = partsOf(meta);
  for (const [name, base] of Object.entries(bases)) {
    checkBase(name, base, classes);
    const entry = own.find(({ feature }) => feature.name === name);
    if (entry?.feature.kind !== 'numeric' || sourceOf(entry.feature) !== name)
      throw refuse(
        `base ${show(name)}`,
        'a number among the features of the meta-learner',
        'none',
        'fit it to the logits of its bases',
      );
    // a logit is never missing: where the meta-learner tells present from missing, it is present
    intercept += entry.weights[1 + INDICATOR.findIndex(([role]) => role === 'present')] ?? 0;
    const sign = base.manifest.positive === positive ? 1 : -1;
    const weight = sign * entry.weights[0];
    const { producer, fit, calibration } = base.manifest;
    members.push({ name, weight, sha256: base.sha256, producer, rows: fit.rows, calibrated: Boolean(calibration) });
    if (weight === 0) continue;
    intercept += weight * base.intercept[0];
    addBase(placed, name, partsOf(base), weight);
  }
  for (const part of own) if (!Object.hasOwn(bases, part.feature.name)) addBase(placed, 'meta', [part], 1);
  if (placed.size === 0)
    throw refuse(
      'stack',
      'a base of a weight that is not 0',
      `0 for all (${list(Object.keys(bases))})`,
      'use better bases, or a weaker penalty',
    );
  const join = (of: (part: Placed) => Float64Array): Float64Array =>
    Float64Array.from([...placed.values()].flatMap((part) => [...of(part)]));
  const { inference: _, ...manifest } = copyOf(meta.manifest);
  return new FittedModel({
    manifest: {
      ...manifest,
      schema: { features: [...placed.values()].map(({ feature }) => feature) },
      aliased: [],
      stack: { intercept: meta.intercept[0], bases: members },
      warnings: distinct([
        ...manifest.warnings,
        ...Object.entries(bases).flatMap(([name, base]) =>
          base.manifest.warnings.map((one) => ({ ...one, message: `base ${show(name)}: ${one.message}` })),
        ),
      ]),
    },
    weights: join(({ weights }) => weights),
    intercept: Float64Array.of(intercept),
    covariance: null,
    baseline: [...placed.values()].every(({ baseline }) => baseline) ? join(({ baseline }) => baseline!) : null,
    stages: meta.stages,
  });
}

/** The features of a model with their slots. */
function partsOf({ encoder, weights, baseline }: FittedModel): Placed[] {
  const { schema, firstColumns, offsets, slots } = encoder;
  const start = (feature: number): number => {
    const at = offsets[firstColumns[feature] ?? offsets.length] ?? slots;
    return at < 0 ? ~at : at;
  };
  return schema.features.map((feature, i) => ({
    feature,
    weights: weights.slice(start(i), start(i + 1)),
    baseline: baseline?.slice(start(i), start(i + 1)) ?? null,
  }));
}

/** Adds the features of a base, each by its weight: to those that are there alike, or behind them. */
function addBase(placed: Map<string, Placed>, base: string, parts: readonly Placed[], weight: number): void {
  const names = new Map<string, string>();
  for (const part of parts) {
    const feature = renamed(part.feature, placed, base, names);
    const known = placed.get(feature.name);
    if (known) {
      part.weights.forEach((w, slot) => {
        known.weights[slot] += weight * w;
      });
    } else placed.set(feature.name, { ...part, feature, weights: part.weights.map((w) => weight * w) });
  }
}

/** The feature as it stands in the stack: as it is, unless another of its name differs. @param names  of this base, from its own to those of the stack */
function renamed(
  given: Feature,
  placed: ReadonlyMap<string, Placed>,
  base: string,
  names: Map<string, string>,
): Feature {
  const feature = copyOf(given);
  const parts = 'of' in feature ? feature.of : null;
  const moved = parts ? { ...feature, of: parts.map((name) => names.get(name) ?? name) } : feature;
  const fits = (name: string): boolean => {
    const other = placed.get(name)?.feature;
    return !other || JSON.stringify(other) === JSON.stringify(named(moved as Feature, name));
  };
  let name = feature.name;
  for (let k = 0; !fits(name); k++) name = `${base}: ${feature.name}${k > 0 ? ` ${k + 1}` : ''}`;
  names.set(feature.name, name);
  return named(moved as Feature, name);
}

/** The feature under another name: what it reads stays, and so does the order of its members. */
function named(feature: Feature, name: string): Feature {
  if (name === feature.name) return feature;
  const column = sourceOf(feature);
  if (feature.kind === 'cross' || (feature.kind === 'hashed' && feature.of)) return { ...feature, name };
  if (feature.kind === 'numeric') return asCurve(feature, name);
  return { ...feature, name, column } as Feature;
}

/** A number under another name than its column; a plain number has none. It gives the same entries in the same slots. */
const asCurve = (
  { name: column, reason, private: hidden, mean, scale, min, max, indicator }: NumericFeature,
  name: string,
): CurveFeature => ({
  name,
  ...(reason !== undefined && { reason }),
  ...(hidden && { private: true }),
  kind: 'curve',
  column,
  transform: null,
  knots: null,
  low: null,
  high: null,
  range: 'clip',
  missing: indicator ? 'slot' : 'baseline',
  fill: mean,
  min,
  max,
  means: [mean],
  scales: [scale],
  units: [1],
});

function checkBase(name: string, { manifest }: FittedModel, classes: readonly string[]): void {
  const { positive, offset } = manifest;
  if (positive === null || classes.length !== 2 || !classes.every((one) => manifest.classes.includes(one)))
    throw refuse(
      `base ${show(name)}`,
      `the classes of the stack (${list(classes)})`,
      list(manifest.classes),
      'fit it to the same target',
    );
  if (offset !== null)
    throw refuse(
      `base ${show(name)}`,
      'a model without an offset',
      `the offset ${show(offset)}`,
      'make the offset a feature, or leave the base out',
    );
}

const refuse = (what: string, expected: string, got: string, next: string): LogoddsError =>
  new LogoddsError('ERR_RANGE', `${what}: expected ${expected}, got ${got}; ${next}`);
