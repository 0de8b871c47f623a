import type { Encoder } from '../../encode/encoder.ts';
import type { Feature } from '../../encode/schema.ts';
import type { NumberBins } from './bins.ts';

/** What a summary needs to know of a model. */
export interface Summarised {
  readonly manifest: { readonly classes: readonly string[]; readonly positive: string | null };
  readonly encoder: Encoder;
}

/**
 * How a column of the encoder is summed up. `number`: bins and moments. `sum`: moments of what is not 0 (tokens, further terms of a spline). `codes`: how often
 * each slot occurs. `none`: not at all, its feature is left out.
 */
export type Kept = 'number' | 'sum' | 'codes' | 'none';

/** A feature and its columns of the encoder. */
export interface FeaturePlan {
  readonly feature: Feature;
  /** index in the schema */
  readonly index: number;
  /** field that it reads; undefined: a cross, made of others */
  readonly field: string | undefined;
  /** its columns of the encoder */
  readonly columns: readonly { readonly at: number; readonly kept: Kept; readonly slots: number }[];
  /** least and greatest training value of the number that it reads; null: it reads none, or has no range */
  readonly range: readonly [low: number, high: number] | null;
  /** entry of the first column where the cell of a record is missing; null: it may be any */
  readonly gap: number | null;
  /** entry of the first column where a default was taken; null: it has a slot for it, or no default */
  readonly fill: number | null;
}

/**
 * The features of an encoder, and how each of its columns is summed up.
 * @param without  names of features that are left out
 * @internal
 */
export function planOf(
  { schema, specs, firstColumns, coders, turns }: Encoder,
  without: readonly string[] = [],
): FeaturePlan[] {
  return schema.features.map((feature, index) => {
    const from = firstColumns[index];
    const to = firstColumns[index + 1] ?? specs.length;
    const columns = specs.slice(from, to).map(({ kind, slots = 0 }, k) => {
      const kept: Kept = kind === 'coded' ? 'codes' : k === 0 && feature.kind !== 'tokens' ? 'number' : 'sum';
      return { at: from + k, kept: without.includes(feature.name) ? ('none' as const) : kept, slots };
    });
    const { min, max } = feature as Partial<Record<'min' | 'max', number>>;
    const range = min !== undefined && max !== undefined ? ([min, max] as const) : null;
    const turn = turns.find((one) => one.feature === feature);
    const field = turn?.field;
    const gap = feature.kind === 'numeric' ? feature.mean : feature.kind === 'categorical' ? turn!.gap : null;
    let fill: number | null = null;
    if (feature.kind === 'numeric') fill = feature.mean;
    else if (columns[0].kept === 'number') {
      const out = new Float64Array(specs.length + 1);
      try {
        coders[index]!.writeRecord(null, out, from);
        fill = out[from];
      } catch {
        // a missing cell is an error
      }
    }
    return { feature, index, field, columns, range, gap, fill };
  });
}

/** Whether what a private feature sums up is told to nobody: its numbers, not the counts of its categories. */
export const isHidden = ({ feature, columns }: FeaturePlan): boolean =>
  feature.private === true && columns.some(({ kept }) => kept === 'number' || kept === 'sum');

/** The bins of a summary: of each column of the encoder that is kept as a number, and of each plane of scores. */
export interface SummaryBins {
  /** null: a column of codes or sums */
  readonly columns: readonly (NumberBins | null)[];
  readonly scores: readonly NumberBins[];
  /** names of features whose values are not summed up: of them missing and unseen cells alone are counted; absent: none */
  readonly without?: readonly string[];
}

/** Probabilities by tenths. */
export const TENTHS: NumberBins = {
  edges: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  low: 0,
  high: 1,
  centre: 0,
};

/** Of a column that is only summed up: nothing but its size. */
export const sumBins = (mean: number, scale: number): NumberBins => ({
  edges: [0],
  low: 0,
  high: Math.abs(mean) + 8 * scale,
  centre: 0,
});
