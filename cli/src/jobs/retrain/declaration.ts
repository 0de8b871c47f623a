import type { Declaration, Schema } from '../../../../src/index.ts';

type Feature = Schema['features'][number];
type Of<K extends Feature['kind']> = Extract<Feature, { readonly kind: K }>;
type Declared = Declaration['features'][number];
type Tokens = Of<'tokens'>;
type Curve = Of<'curve'>;

/** What a person would have written for a schema. */
export interface Declarable {
  readonly declaration: Declaration;
  /** flags of `train` for what a schema has no words for: coding and reference levels of bins and crosses */
  readonly flags: readonly string[];
  /** what training decided and later rows do not change: knots, edges, parameters of transforms */
  readonly kept: readonly string[];
  /** what the model file does not say, and what is taken instead */
  readonly taken: readonly string[];
}

/** What a declaration of one feature leaves to say. */
interface Told {
  readonly declared: object;
  readonly kept?: string | null;
  readonly taken?: string | null;
}

const named = ({ name, reason }: Feature): { name: string; reason?: string } => ({
  name,
  ...(reason !== undefined && { reason }),
});

const sourced = ({ column }: { readonly column?: string }) => (column === undefined ? {} : { column });

const dated = ({ part, unit }: Pick<Curve, 'part' | 'unit'>) => ({ ...(part && { part }), ...(unit && { unit }) });

/** The unit in which the penalty measured weights. */
function scalingOf({ units, scales }: Curve): 'standard' | 'robust' | 'none' {
  if (units.every((unit) => unit === 1)) return 'standard';
  return units.every((unit, j) => unit === 1 / scales[j]) ? 'none' : 'robust';
}

/** The rows of the rarest that has a slot, where others may have had none; null: there is nothing to say. */
const fewest = (counts: readonly number[]): number | null => {
  const least = Math.floor(counts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
  return least > 1 && Number.isFinite(least) ? least : null;
};

const minCountTaken = (name: string, least: number): string => `minCount ${least} of ${name} (its rarest level)`;

/** How a feature of each kind was declared. @param rows  that the model was trained on */
const TOLD: { readonly [K in Feature['kind']]: (feature: Of<K>, rows: number) => Told } = {
  numeric: ({ indicator }) => ({ declared: { kind: 'numeric', missing: indicator ? 'slot' : 'baseline' } }),
  curve(feature) {
    const { name, transform, knots, low, high, range, missing, fill } = feature;
    const scaling = scalingOf(feature);
    const lambda = transform && 'lambda' in transform ? `lambda of ${name}` : null;
    return {
      declared: {
        ...{ kind: 'numeric', ...sourced(feature), ...dated(feature), missing },
        ...(transform && { transform: lambda === null ? transform.name : transform }),
        ...(knots && { spline: knots }),
        ...(low !== null && { low }),
        ...(high !== null && { high }),
        ...((low !== null || high !== null) && { range }),
        ...(missing !== 'error' && { impute: fill }),
        ...(scaling !== 'standard' && { scaling }),
      },
      kept: [knots && `knots of ${name}`, lambda, missing === 'error' ? null : `the value for missing cells of ${name}`]
        .filter((one) => one !== null)
        .join(', '),
    };
  },
  binned: (feature) => ({
    declared: {
      ...{ kind: 'numeric', ...sourced(feature), ...dated(feature) },
      ...{ bins: feature.edges, range: feature.range, missing: feature.missing },
    },
    kept: `edges of ${feature.name}`,
  }),
  categorical(feature) {
    const { name, coding, reference, levels, missing, unseen, rare } = feature;
    return {
      declared: {
        ...{ kind: 'categorical', ...sourced(feature), coding, missing, unseen },
        ...(reference !== null && { reference: levels[reference] }),
        ...(rare && { maxLevels: levels.length }),
      },
      taken: rare ? `maxLevels ${levels.length} of ${name} (as many levels as it has)` : null,
    };
  },
  date(feature) {
    const { coding, reference, levels, missing, unseen } = feature;
    return {
      declared: {
        ...{ kind: 'categorical', ...sourced(feature), ...dated(feature), coding, missing, unseen },
        ...(reference !== null && { reference: levels[reference] }),
      },
    };
  },
  target: (feature) => ({
    declared: {
      ...{ kind: 'categorical', ...sourced(feature), encoding: 'target' },
      ...{ missing: feature.missing, unseen: feature.unseen },
    },
    taken: `smooth auto and folds 5 of ${feature.name}`,
  }),
  hashed({ of, buckets, missing, ...feature }) {
    if (of) return { declared: { kind: 'cross', of, buckets } };
    return { declared: { kind: 'categorical', ...sourced(feature), encoding: 'hash', buckets, missing } };
  },
  cross({ name, of, counts, unseen }, rows) {
    const all = counts.reduce((sum, count) => sum + count, 0);
    // some combinations have no slot
    const least = all < rows && unseen !== 'error' ? fewest(counts.slice(0, -1)) : null;
    return {
      declared: { kind: 'cross', of, unseen, ...(least !== null && { minCount: least }) },
      taken: least === null ? null : minCountTaken(name, least),
    };
  },
  tokens(feature, rows) {
    const { name, split, tokens, missing, unseen, scaling, maxText, means } = feature;
    const common = {
      ...sourced(feature),
      missing,
      ...(scaling && { scaling }),
      ...(maxText !== undefined && { maxText }),
    };
    if (split === 'words') return { declared: { kind: 'text', ...common, buckets: (tokens as Buckets).buckets } };
    const { separator } = split;
    if ('buckets' in tokens) return { declared: { kind: 'tags', ...common, separator, buckets: tokens.buckets } };
    const least = unseen === 'error' ? null : fewest(means.map((mean) => Math.round(mean * rows)));
    return {
      declared: { kind: 'tags', ...common, separator, unseen, ...(least !== null && { minCount: least }) },
      taken: least === null ? null : minCountTaken(name, least),
    };
  },
};

type Buckets = Extract<Tokens['tokens'], { readonly buckets: number }>;

const toldOf = <F extends Feature>(feature: F, rows: number): Told =>
  (TOLD[feature.kind] as (feature: F, rows: number) => Told)(feature, rows);

/** Bins and crosses, whose coding is that of all. */
const isCoded = (feature: Feature): feature is Of<'binned'> | Of<'cross'> =>
  feature.kind === 'binned' || feature.kind === 'cross';

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function flagsOf(features: readonly Feature[]): readonly string[] {
  const coded = features.filter(isCoded);
  const references = coded.flatMap(({ name, reference, levels }) =>
    // the first one is taken anyway
    reference ? ['--reference', `${quoted(name)}=${quoted(levels[reference])}`] : [],
  );
  const crosses = features.filter((one) => one.kind === 'cross' || (one.kind === 'hashed' && one.of !== null));
  return [
    ...(coded.length > 0 ? ['--coding', coded[0].coding] : []),
    ...references,
    ...(crosses.some((one) => 'missing' in one && one.missing === 'baseline') ? ['--missing', 'mean'] : []),
  ];
}

/**
 * How the columns of a model became features, as training would have to be told: to train on later rows in the same way. On the rows that the model was
 * trained on it gives the same features.
 * @param rows  that it was trained on
 */
export function declarationOf({ features }: Schema, rows: number): Declarable {
  const told = features.map((feature) => {
    const { declared, ...rest } = toldOf(feature, rows);
    return {
      ...rest,
      declared: { ...named(feature), ...declared, ...(feature.private && { private: true }) } as Declared,
    };
  });
  const said = (key: 'kept' | 'taken') => told.flatMap((one) => one[key] || []);
  return {
    declaration: { features: told.map(({ declared }) => declared) },
    ...{ flags: flagsOf(features), kept: said('kept'), taken: said('taken') },
  };
}

/** What is to be said of it; none: it is all in the model file, and follows the rows. */
export const notesOf = ({ kept, taken }: Declarable): readonly string[] => [
  ...(kept.length > 0 ? [`as in the champion: ${kept.join(', ')}; name a --schema in the policy to choose anew`] : []),
  ...(taken.length > 0
    ? [`not in the model file, so taken: ${taken.join('; ')}; name a --schema to say otherwise`]
    : []),
];
