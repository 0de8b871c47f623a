import { LogoddsError } from '../../../../bindings/errors.ts';
import { asCoded } from '../../../encode/columns.ts';
import type { DeclaredTags, DeclaredText } from '../../../encode/declare.ts';
import { Encoder } from '../../../encode/encoder.ts';
import { isConstant, sortLabels } from '../../../encode/infer.ts';
import { encoders } from '../../../encode/kinds/index.ts';
import { isTooLong, lengthError, tokensOf } from '../../../encode/kinds/tokens.ts';
import type { TokensFeature } from '../../../encode/schema.ts';
import { show } from '../../../messages.ts';
import { columnOf, type TrainingRows } from './trainingRows.ts';

/** Share of a sum of weights that may be a rounding error. */
const ROUNDING = 1e-12;
/** Largest number of tags with their own slot. */
const MOST_TAGS = 2000;

/** Resolves words (hashed) and tags (hashed, or one slot each). @throws ERR_SCHEMA for too many tags or none */
export function resolveTokens(rows: TrainingRows, declared: DeclaredText | DeclaredTags): TokensFeature {
  const { name, column, reason, missing = 'baseline', maxText } = declared;
  const cells = asCoded(rows.column(declared), rows.rows, 0, true);
  const split: TokensFeature['split'] = declared.kind === 'text' ? 'words' : { separator: declared.separator ?? ',' };
  const long = cells.levels.findIndex((level) => isTooLong(declared, level));
  if (long >= 0) throw lengthError(cells.codes.indexOf(long), columnOf(declared), declared, cells.levels[long]);
  const lists = cells.levels.map((level) => tokensOf({ split }, level));
  const counts = rows.counts(lists.length, cells, (i) => cells.codes[i]);
  const buckets = declared.kind === 'text' ? (declared.buckets ?? 256) : declared.buckets;
  const tokens = buckets !== undefined ? { buckets } : vocabulary(declared as DeclaredTags, lists, counts);
  const width = 'buckets' in tokens ? tokens.buckets : tokens.length;
  const draft: TokensFeature = {
    name,
    ...(reason !== undefined && { reason }),
    kind: 'tokens',
    ...(column !== undefined && { column }),
    split,
    tokens,
    missing,
    ...(maxText !== undefined && { maxText }),
    ...(declared.scaling === 'standard' && { scaling: 'standard' }),
    unseen: declared.kind === 'tags' ? (declared.unseen ?? 'baseline') : 'baseline',
    means: new Array<number>(width).fill(0),
    scales: new Array<number>(width).fill(1),
  };
  return { ...draft, ...momentsOf(draft, columnOf(declared), cells.levels, counts) };
}

/** Tags with enough rows for a slot. @throws ERR_SCHEMA if there are too many or none */
function vocabulary(
  { name, minCount = 0 }: DeclaredTags,
  lists: readonly (readonly string[])[],
  counts: readonly number[],
): readonly string[] {
  const rows = new Map<string, number>();
  lists.forEach((entries, code) => {
    for (const token of new Set(entries)) rows.set(token, (rows.get(token) ?? 0) + counts[code]);
  });
  const tags = sortLabels([...rows].filter(([, count]) => count > 0 && count >= minCount).map(([tag]) => tag));
  if (tags.length === 0 || tags.length > MOST_TAGS) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(name)}: expected from 1 to ${MOST_TAGS} tags, got ${tags.length}; ${tags.length === 0 ? 'check its separator, or lower "minCount"' : 'raise "minCount", or give it "buckets"'}`,
    );
  }
  return tags;
}

/** Moments of each slot, summed over distinct cells, because a cell has few of the tokens. */
function momentsOf(
  draft: TokensFeature,
  column: string,
  levels: readonly string[],
  counts: readonly number[],
): Pick<TokensFeature, 'means' | 'scales'> {
  const width = draft.means.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sums = new Float64Array(width);
  const cell = new Float64Array(width);
  const encoder = new Encoder({ features: [{ ...draft, missing: 'baseline', unseen: 'baseline' }] }, encoders);
  /** entries that are not 0: slot, value, weight */
  const slots: number[] = [];
  const values: number[] = [];
  const weights: number[] = [];
  levels.forEach((level, code) => {
    if (counts[code] === 0) return;
    encoder.encodeRecord({ [column]: level }, cell);
    for (let j = 0; j < width; j++) {
      if (cell[j] === 0) continue;
      sums[j] += counts[code] * cell[j];
      slots.push(j);
      values.push(cell[j]);
      weights.push(counts[code]);
    }
  });
  const means = Array.from(sums, (sum) => sum / total);
  const squares = new Float64Array(width);
  const absent = new Float64Array(width).fill(total);
  slots.forEach((j, at) => {
    squares[j] += weights[at] * (values[at] - means[j]) ** 2;
    absent[j] -= weights[at];
  });
  const scales = means.map((mean, j) => {
    // the rest of a total of fractions may be a rounding error
    const without = absent[j] > total * ROUNDING ? absent[j] : 0;
    const spread = Math.sqrt((squares[j] + without * mean * mean) / total);
    return isConstant(levels.length, mean, spread) ? 1 : spread;
  });
  return { means, scales };
}
