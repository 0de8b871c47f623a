import { LogoddsError } from '../../../bindings/errors.ts';
import { asCoded } from '../../encode/columns.ts';
import type { DeclaredTags, DeclaredText } from '../../encode/declare.ts';
import { Encoder } from '../../encode/encoder.ts';
import { sortLabels } from '../../encode/infer.ts';
import { encoders } from '../../encode/kinds/index.ts';
import { tokensOf } from '../../encode/kinds/tokens.ts';
import { show } from '../../encode/label.ts';
import type { TokensFeature } from '../../encode/schema.ts';
import { columnOf, type TrainingRows } from './trainingRows.ts';

/** A slot for each tag at most; more are hashed. */
const MOST_TAGS = 2000;

/** Words, hashed; tags, hashed or with a slot each. @throws ERR_SCHEMA for too many tags, or none */
export function resolveTokens(rows: TrainingRows, declared: DeclaredText | DeclaredTags): TokensFeature {
  const { name, column, reason, missing = 'baseline' } = declared;
  const cells = asCoded(rows.column(declared), rows.rows, 0);
  const split: TokensFeature['split'] = declared.kind === 'text' ? 'words' : { separator: declared.separator ?? ',' };
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
    unseen: declared.kind === 'tags' ? (declared.unseen ?? 'baseline') : 'baseline',
    means: new Array<number>(width).fill(0),
    scales: new Array<number>(width).fill(1),
  };
  return { ...draft, ...momentsOf(draft, columnOf(declared), cells.levels, counts) };
}

/** Tags that have a slot: of enough rows. @throws ERR_SCHEMA when there are too many, or none */
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

/** Moments of each slot by distinct cell: of most tokens a cell has none. */
function momentsOf(
  draft: TokensFeature,
  column: string,
  levels: readonly string[],
  counts: readonly number[],
): Pick<TokensFeature, 'means' | 'scales'> {
  const width = draft.means.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  const cell = new Float64Array(width);
  const encoder = new Encoder({ features: [{ ...draft, missing: 'baseline', unseen: 'baseline' }] }, encoders);
  levels.forEach((level, code) => {
    if (counts[code] === 0) return;
    encoder.encodeRecord({ [column]: level }, cell);
    for (let j = 0; j < width; j++) {
      if (cell[j] === 0) continue;
      sums[j] += counts[code] * cell[j];
      squares[j] += counts[code] * cell[j] ** 2;
    }
  });
  const means = Array.from(sums, (sum) => sum / total);
  const scales = means.map((mean, j) => Math.sqrt(Math.max(0, squares[j] / total - mean * mean)) || 1);
  return { means, scales };
}
