import { LogoddsError } from '../../bindings/errors.ts';
import { asCoded, cellError, findColumns, MEND } from './columns.ts';
import { list, show } from './label.ts';
import type { CategoricalFeature, Feature, NumericFeature, Schema } from './schema.ts';
import type { CodedColumn, Column, NumericColumn, Table } from './table.ts';

/** How `inferSchema` reads a training table. */
export interface InferOptions {
  /** columns that are no features: target, weight, offset, what the caller drops */
  readonly exclude: readonly string[];
  readonly coding: 'onehot' | 'treatment';
  /** numeric columns to treat as categories */
  readonly categorical?: readonly string[];
  /** reference level by feature, under treatment coding; the first level when absent */
  readonly references?: Readonly<Record<string, string>>;
  /** sample weights, length table.rows; rows of weight 0 are as if absent */
  readonly weight?: Float64Array | null;
  /** what an unseen category does at scoring; "slot" when absent */
  readonly unseen?: 'slot' | 'error';
  /** "slot" (when absent): missing cells get a slot of their own; "mode": the most frequent level, and the mean without an indicator */
  readonly missing?: 'slot' | 'mode';
}

/**
 * The schema of a training table: every column that is not excluded is a feature, in the order of the table.
 *
 *   mean = Σ sᵢxᵢ / Σ sᵢ,   scale² = Σ sᵢ(xᵢ − mean)² / Σ sᵢ,   over the cells that are not missing
 *
 * Levels are those that occur in a row of positive weight, sorted by `sortLabels`. Integer weights give the schema of
 * repeated rows, and the order of rows does not matter, up to the rounding of sums.
 * @throws ERR_SCHEMA duplicate or absent columns, no feature at all, a feature with missing cells only, a reference that names no feature
 * @throws ERR_RECORD a cell that is not finite
 * @throws ERR_RANGE  a reference that is not a level, a spread that overflows
 * @throws ERR_SHAPE  weights or columns of another length than the table
 */
export function inferSchema(table: Table, options: InferOptions): Schema {
  const { exclude, coding, categorical = [], references = {}, unseen = 'slot', missing = 'slot' } = options;
  const weight = options.weight ?? null;
  if (weight && weight.length !== table.rows) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `weight: expected length ${table.rows} (rows of the table), got ${weight.length}`,
    );
  }
  const names = table.columns.map((column) => column.name);
  findColumns(table, [...names, ...categorical]);
  const features = table.columns
    .filter((column) => !exclude.includes(column.name))
    .map((column): Feature => {
      if (column.kind === 'numeric' && !categorical.includes(column.name)) {
        return numericFeature(column, table.rows, weight, missing === 'slot');
      }
      const { name, levels, counts } = countLevels(column, table.rows, weight);
      const reference = coding === 'treatment' ? referenceIndex(name, levels, references) : null;
      return { name, kind: 'categorical', levels, counts, coding, reference, missing, unseen };
    });
  if (features.length === 0) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      'table: expected at least one feature column, got none; keep a column besides target, weight and offset',
    );
  }
  const coded = features.filter((feature) => feature.kind === 'categorical' && feature.coding === 'treatment');
  for (const name of Object.keys(references)) {
    if (!coded.some((feature) => feature.name === name)) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `reference of ${show(name)}: expected a categorical feature under treatment coding (${list(coded.map((feature) => feature.name)) || 'there is none'}); correct the name or the coding`,
      );
    }
  }
  return { features };
}

/** Labels in the order of classes and levels: by value when all are numbers, else by code point. A new array. */
export function sortLabels(labels: readonly string[]): string[] {
  const numbers = labels.every((label) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(label));
  return [...labels].sort((a, b) => (numbers ? Number(a) - Number(b) : 0) || byCodePoint(a, b));
}

/** UTF-16 puts the surrogates of U+10000 and above before U+E000 … U+FFFF; code points do not. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return Number((x & 0xf800) === 0xd800) - Number((y & 0xf800) === 0xd800) || x - y;
  }
  return a.length - b.length;
}

function numericFeature(
  column: NumericColumn,
  rows: number,
  weight: Float64Array | null,
  slot: boolean,
): NumericFeature {
  const { name, values, missing } = column;
  let total = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let gaps = false;
  for (let i = 0; i < rows; i++) {
    if (weight?.[i] === 0) continue;
    if (missing?.[i]) {
      gaps = true;
      continue;
    }
    const value = values[i];
    if (!Number.isFinite(value)) throw cellError(i, name, 'a finite number', value, MEND);
    total += weight ? weight[i] : 1;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (total === 0) throw onlyMissing(name);
  /** weighted mean of f over the cells that count */
  const average = (f: (value: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      if (weight?.[i] !== 0 && !missing?.[i]) sum += (weight ? weight[i] : 1) * f(values[i]);
    }
    return sum / total;
  };
  // Distances from the least value in a unit near the spread: no sum can overflow, and a power of two rounds nothing.
  const spread = max - min;
  if (!Number.isFinite(spread)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `column ${show(name)}: expected a spread below 1.8e308, got ${min} to ${max}; rescale the column`,
    );
  }
  if (spread === 0) return { name, kind: 'numeric', mean: min, scale: 1, min, max, indicator: slot && gaps };
  const unit = 2 ** Math.floor(Math.log2(spread));
  const centre = average((value) => (value - min) / unit);
  const variance = average((value) => ((value - min) / unit - centre) ** 2);
  const mean = min + centre * unit;
  const scale = Math.sqrt(variance) * unit;
  return { name, kind: 'numeric', mean, scale: scale > 0 ? scale : 1, min, max, indicator: slot && gaps };
}

function countLevels(
  column: Column,
  rows: number,
  weight: Float64Array | null,
): Pick<CategoricalFeature, 'name' | 'levels' | 'counts'> {
  const { name, codes, levels, missing }: CodedColumn = asCoded(column, rows, 0);
  const weights = new Float64Array(levels.length);
  let gaps = 0;
  for (let i = 0; i < rows; i++) {
    const share = weight ? weight[i] : 1;
    if (missing?.[i]) gaps += share;
    else if (codes[i] < levels.length) weights[codes[i]] += share;
    else if (share > 0)
      throw cellError(
        i,
        name,
        `a code below ${levels.length} (its levels)`,
        codes[i],
        'add the level or mark the cell as missing',
      );
  }
  const counts = new Map<string, number>();
  levels.forEach((level, code) => {
    if (weights[code] > 0) counts.set(level, (counts.get(level) ?? 0) + weights[code]);
  });
  if (counts.size === 0) throw onlyMissing(name);
  const sorted = sortLabels([...counts.keys()]);
  return { name, levels: sorted, counts: [...sorted.map((level) => counts.get(level)!), gaps] };
}

function referenceIndex(name: string, levels: readonly string[], references: Readonly<Record<string, string>>): number {
  if (!Object.hasOwn(references, name)) return 0;
  const index = levels.indexOf(references[name]);
  if (index >= 0) return index;
  throw new LogoddsError(
    'ERR_RANGE',
    `reference of ${show(name)}: expected one of ${list(levels)}, got ${show(references[name])}`,
  );
}

function onlyMissing(name: string): LogoddsError {
  return new LogoddsError(
    'ERR_SCHEMA',
    `column ${show(name)}: expected at least one value, got missing cells only; drop the column`,
  );
}
