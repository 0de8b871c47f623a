import type { CodedMissing, CodedUnseen, DatePart, Feature, Transform } from '../../../src/index.ts';
import { counted, significant } from './wording.ts';

/** How a feature is encoded, in words. */
export interface FeatureSummary {
  readonly name: string;
  /** the column or features that it reads */
  readonly reads: readonly string[];
  readonly kind: string;
  /** fitted values: range, levels, edges, scaling */
  readonly detail: string;
  readonly missing: string;
  /** of unseen values */
  readonly unseen: string;
  /** treatment of numbers out of range */
  readonly range: string;
}

const NONE = '–';

const MISSING: Readonly<Record<CodedMissing, string>> = {
  slot: 'a weight of its own',
  baseline: 'the average of the training rows',
  mode: 'as the most frequent level',
  error: 'an error',
};

const UNSEEN: Readonly<Record<CodedUnseen, string>> = {
  slot: 'weight 0',
  baseline: 'the average of the training rows',
  error: 'an error',
};

const RANGE = {
  clip: 'set to the nearest end',
  baseline: 'the average of the training rows',
  slot: 'a weight of its own',
  error: 'an error',
} as const;

const span = (low: number | null, high: number | null) =>
  low === null && high === null
    ? 'any number'
    : `${low === null ? '−∞' : significant(low)} to ${high === null ? '∞' : significant(high)}`;
const scaled = (mean: number, scale: number) => `mean ${significant(mean)}, standard deviation ${significant(scale)}`;
const part = (of: DatePart | undefined) => (of === undefined ? '' : `${of} of a date, `);

function transformName(transform: Transform | null): string {
  if (transform === null) return 'number';
  return 'lambda' in transform ? `${transform.name}, λ = ${significant(transform.lambda, 4)}` : transform.name;
}

interface CodedPolicies {
  readonly levels: readonly string[];
  readonly coding: 'onehot' | 'treatment';
  readonly reference: number | null;
  readonly missing: CodedMissing;
  readonly unseen: CodedUnseen;
}

const coded = ({ levels, coding, reference, missing, unseen }: CodedPolicies) => ({
  detail: `${counted(levels.length, 'level')}${coding === 'treatment' && reference !== null ? `, reference ${levels[reference]}` : ''}`,
  missing: MISSING[missing],
  unseen: UNSEEN[unseen],
  range: NONE,
});

type Words = Omit<FeatureSummary, 'name' | 'reads'>;

/** The description of each kind of feature. */
const WORDS: { readonly [K in Feature['kind']]: (feature: Extract<Feature, { kind: K }>) => Words } = {
  numeric: ({ mean, scale, min, max, indicator }) => ({
    kind: 'number',
    detail: `${span(min, max)}; ${scaled(mean, scale)}`,
    missing: indicator ? 'the mean, and a weight of its own' : 'the mean',
    unseen: NONE,
    range: 'taken as it is',
  }),
  categorical: (feature) => ({
    kind: 'category',
    ...coded(feature),
    ...(feature.rare && feature.rare.length > 0
      ? { detail: `${coded(feature).detail}, ${counted(feature.rare.length, 'rare level')} folded` }
      : {}),
  }),
  curve: ({ transform, knots, low, high, range, missing, fill, min, max, part: of }) => ({
    kind: `${part(of)}${knots ? 'natural cubic spline' : transformName(transform)}`,
    detail: [
      span(min, max),
      ...(knots ? [`knots ${knots.map((knot) => significant(knot, 4)).join(', ')}`] : []),
      ...(knots && transform ? [transformName(transform)] : []),
    ].join('; '),
    missing:
      missing === 'error'
        ? MISSING.error
        : `${significant(fill)}${missing === 'slot' ? ', and a weight of its own' : ''}`,
    unseen: NONE,
    range: low === null && high === null ? 'taken as it is' : `outside ${span(low, high)}: ${RANGE[range]}`,
  }),
  binned: (feature) => ({
    ...coded(feature),
    kind: `${part(feature.part)}bins`,
    detail: `${counted(feature.levels.length, 'bin')}, edges ${feature.edges.map((edge) => significant(edge, 4)).join(', ')}`,
    range: RANGE[feature.range],
  }),
  date: (feature) => ({ kind: `${feature.part} of a date`, ...coded(feature) }),
  target: ({ levels, missing, unseen }) => ({
    kind: 'target encoding',
    detail: counted(levels.length, 'level'),
    missing: missing === 'slot' ? 'the mean outcome of missing cells' : MISSING[missing],
    unseen: unseen === 'baseline' ? 'the mean outcome' : UNSEEN[unseen],
    range: NONE,
  }),
  hashed: ({ buckets, missing, of }) => ({
    kind: of ? 'cross, hashed' : 'category, hashed',
    detail: counted(buckets, 'bucket'),
    missing: MISSING[missing],
    unseen: 'by its hash',
    range: NONE,
  }),
  cross: (feature) => ({ kind: 'cross', ...coded(feature) }),
  tokens: ({ split, tokens, missing, unseen }) => ({
    kind: split === 'words' ? 'words of a text' : 'list of tags',
    detail: 'buckets' in tokens ? counted(tokens.buckets, 'bucket') : counted(tokens.length, 'token'),
    missing: missing === 'error' ? MISSING.error : 'no token',
    unseen: 'buckets' in tokens ? 'by its hash' : unseen === 'error' ? UNSEEN.error : 'weight 0',
    range: NONE,
  }),
};

/** Describes how each feature of a schema is encoded. */
export function describeFeatures(features: readonly Feature[]): FeatureSummary[] {
  return features.map((feature) => {
    const reads =
      'of' in feature && feature.of ? feature.of : [('column' in feature && feature.column) || feature.name];
    return { name: feature.name, reads, ...(WORDS[feature.kind] as (one: Feature) => Words)(feature) };
  });
}
