import type { Declaration, Schema } from '../../../../src/index.ts';

type Feature = Schema['features'][number];
type Declared = Declaration['features'][number];

/** What a person would have written for a feature; null: training has decided too much of it. */
function declared(feature: Feature): Declared | null {
  const { name, reason, private: hidden } = feature;
  const base = { name, ...(reason !== undefined && { reason }), ...(hidden && { private: hidden }) };
  switch (feature.kind) {
    case 'numeric':
      return { ...base, kind: 'numeric', missing: feature.indicator ? 'slot' : 'baseline' };
    case 'categorical': {
      // how rare a level had to be is not known any more
      if (feature.rare) return null;
      const { column, coding, reference, levels, missing, unseen } = feature;
      return {
        ...{ ...base, kind: 'categorical', coding, missing, unseen },
        ...(column !== undefined && { column }),
        ...(reference !== null && { reference: levels[reference] }),
      };
    }
    default:
      return null;
  }
}

/**
 * How the columns of a model became features, as training would have to be told: to train on later rows in the same way.
 * @returns the declaration, and features of which it cannot be said
 */
export function declarationOf({ features }: Schema): {
  readonly declaration: Declaration;
  readonly unclear: readonly string[];
} {
  const all = features.map((feature) => [feature, declared(feature)] as const);
  return {
    declaration: { features: all.flatMap(([, one]) => (one ? [one] : [])) },
    unclear: all.flatMap(([{ name, kind }, one]) => (one ? [] : [`${name} (${kind})`])),
  };
}
