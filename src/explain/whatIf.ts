import { LogoddsError } from '../../bindings/errors.ts';
import type { Feature } from '../encode/schema.ts';
import { type Explained, fieldOf, type Row, type Scored, sourcesOf } from './explained.ts';
import { fewestTokens, splitOf } from './fewestTokens.ts';
import { nearestDate, readsDate } from './nearestDate.ts';
import { nearestNumber, readsNumber } from './nearestNumber.ts';
import { columnOf } from './odds.ts';
import { type Found, like, type Search, type TokenChange, type Value } from './search.ts';

/** The smallest change of one column that changes the label of a record. */
export interface WhatIf<S extends Scored = Scored> {
  readonly feature: string;
  /** value in the record */
  readonly from: unknown;
  /** value that gives another label, in the form of `from`; null when none was found */
  readonly to: Value | null;
  /** for words and tags: the tokens that are added and removed; else null */
  readonly tokens: TokenChange | null;
  /** score of the record with that value; null when none was found */
  readonly score: S | null;
  /** true: `to` is a number or a date outside the training range, where the model has seen no rows */
  readonly extrapolated: boolean;
  /** why no value was found, in one sentence; null when one was found */
  readonly reason: string | null;
}

/**
 * Finds the smallest change of one column of a record that changes its label. All other columns stay as they are; all features of the column, and
 * crosses with it, change together. Smallest means:
 *
 *   numbers      the least distance. Where the logit is monotone between two of the places that are tried, no double nearer to the record's
 *                value changes the label. Places are bounds of bins, ends of clipping, knots and 32 places between two of them, levels that are
 *                numbers, and the range of training, then ever further out. Only narrow turns of splines can be missed. A missing number starts
 *                at the mean.
 *   categories   the level, of those that the model lists, with the smallest change of the logit (with several classes of its greatest change)
 *   dates        the least time: whole hours (or minutes) within a week where the model reads these, and whole days up to ten years. The rest of
 *                the time of day and the zone stay. Of two dates equally far away the later one is taken. A missing date is not searched.
 *   words, tags  with a list of tokens: the fewest tokens that are added (once) or removed (everywhere), and of these the greatest effect. With
 *                several classes that are decided by costs, or each with its own calibrator, fewer tokens may do.
 *
 * Every answer has been scored. Hashed values are not searched, since the model has their buckets and not their names.
 *
 * @param feature  name of the column
 * @throws ERR_SCHEMA a column that the model does not read; ERR_SCHEMA, ERR_RECORD as `Model.score`
 * @example
 * const change = whatIf(model, flight, 'distance');
 * change.to; // 387.98
 * change.score.label; // 'no'
 * whatIf(model, flight, 'origin').to; // 'ATL'
 */
export function whatIf<S extends Scored>(model: Explained<S>, record: Row, feature: string): WhatIf<S> {
  const source = columnOf(model, feature);
  const now = model.score(record);
  const from = fieldOf(record, feature);
  // fields may be accessors of a class: what is copied are the values
  const { sources } = sourcesOf(model);
  const fields = Object.fromEntries(
    sources.flatMap(({ columns }) => columns).map((name) => [name, fieldOf(record, name)]),
  );
  const score = (value: Value): S | null => {
    try {
      return model.score({ ...fields, [feature]: value });
    } catch (error) {
      // a value that the model refuses is no answer
      if (error instanceof LogoddsError && error.code === 'ERR_RECORD') return null;
      throw error;
    }
  };
  const { to, reason = null, extrapolated = false, tokens = null } = find({ model, source, from, now, score });
  return {
    feature,
    from,
    to,
    tokens: to === null ? null : tokens,
    score: to === null ? null : score(to),
    extrapolated,
    reason,
  };
}

function find(search: Search): Found {
  const { features, name } = search.source;
  if (features.some(readsDate)) return nearestDate(search);
  if (features.length === 0 || features.some(readsNumber)) return nearestNumber(search);
  const levels = new Set(features.flatMap(levelsOf));
  if (levels.size > 0) return nearestLevel(search, levels);
  const by = splitOf(features);
  if (by !== null) return fewestTokens(search, by);
  const kinds = [...new Set(features.map(({ kind }) => kind))].join(', ');
  return {
    to: null,
    reason: `values of ${JSON.stringify(name)} are not searched: the model does not list them (${kinds})`,
  };
}

function levelsOf(feature: Feature): readonly string[] {
  switch (feature.kind) {
    case 'categorical':
      return [...feature.levels, ...(feature.rare ?? [])];
    case 'target':
      return feature.levels;
    case 'numeric':
    case 'curve':
    case 'binned':
    case 'date':
    case 'hashed':
    case 'cross':
    case 'tokens':
      return [];
  }
}

function nearestLevel({ from, now, score, source }: Search, levels: Iterable<string>): Found {
  let best: Value | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const level of levels) {
    const value = like(from, level);
    const scored = score(value);
    if (!scored || scored.label === now.label) continue;
    const change = changeOf(now, scored);
    if (change < least) {
      least = change;
      best = value;
    }
  }
  return best === null
    ? { to: null, reason: `no level of ${JSON.stringify(source.name)} changes the label` }
    : { to: best };
}

function changeOf(now: Scored, then: Scored): number {
  if (!now.logits || !then.logits) return Math.abs(then.logit - now.logit);
  const { logits } = then;
  return now.logits.reduce((most, z, k) => Math.max(most, Math.abs(logits[k] - z)), 0);
}
