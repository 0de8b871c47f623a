import type { Feature, Model } from 'logodds';

/** What the rows of training gave to a feature: it differs between two fits of one schema. */
const FITTED = new Set([
  'mean',
  'scale',
  'min',
  'max',
  'counts',
  'means',
  'scales',
  'fill',
  'dates',
  'values',
  'levels',
]);

/** A rule that differs: of a feature (its path in the schema), or of the model. */
export interface Changed {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** A feature that both models have, and read otherwise. */
export interface ChangedFeature {
  readonly feature: string;
  /** kind, column, missing and unseen values, edges, knots and so on */
  readonly rules: readonly Changed[];
  readonly addedLevels: readonly string[];
  readonly removedLevels: readonly string[];
}

/** How two schemas differ. */
export interface SchemaDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ChangedFeature[];
}

export function schemaDifference({ manifest: a }: Model, { manifest: b }: Model): SchemaDifference {
  const before = byName(a.schema.features);
  const after = byName(b.schema.features);
  const changed = [...before].flatMap(([feature, from]) => {
    const to = after.get(feature);
    if (!to) return [];
    const found = {
      feature,
      rules: changes(rulesOf(from), rulesOf(to)),
      addedLevels: without(levelsOf(to), levelsOf(from)),
      removedLevels: without(levelsOf(from), levelsOf(to)),
    };
    return found.rules.length + found.addedLevels.length + found.removedLevels.length > 0 ? [found] : [];
  });
  return {
    added: without([...after.keys()], [...before.keys()]),
    removed: without([...before.keys()], [...after.keys()]),
    changed,
  };
}

/** Fields of two plain objects that are not the same. An absent one is null. */
export function changes(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): Changed[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((field) => {
    const from = a[field] ?? null;
    const to = b[field] ?? null;
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field, from, to }];
  });
}

const byName = (features: readonly Feature[]) => new Map(features.map((feature) => [feature.name, feature]));

const rulesOf = (feature: Feature): Record<string, unknown> => {
  const { name: _, ...rules } = Object.fromEntries(Object.entries(feature).filter(([key]) => !FITTED.has(key)));
  // the reference by its name: its number changes with the levels
  if ('reference' in feature && feature.reference !== null) rules['reference'] = feature.levels[feature.reference];
  if (feature.kind === 'tokens' && !('buckets' in feature.tokens)) delete rules['tokens'];
  return rules;
};

const levelsOf = (feature: Feature): readonly string[] =>
  feature.kind === 'tokens' && !('buckets' in feature.tokens)
    ? feature.tokens
    : 'levels' in feature
      ? feature.levels
      : [];

function without(all: readonly string[], those: readonly string[]): string[] {
  const out = new Set(those);
  return all.filter((one) => !out.has(one));
}
