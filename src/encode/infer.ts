import { LogoddsError } from '../../bindings/errors.ts';
import { list, show } from '../messages.ts';
import { CheckedTable } from './checkedTable.ts';
import { asCoded, cellError, MEND } from './columns.ts';
import type { CategoricalFeature, Feature, NumericFeature, PlainSchema } from './schema.ts';
import type { CodedColumn, Column, NumericColumn, Table } from './table.ts';
import { countCodes } from './tally.ts';

/** Options of `inferSchema`. */
export interface InferOptions {
  /** columns that do not become features: target, weight, offset, and any the caller drops */
  readonly exclude: readonly string[];
  readonly coding: 'onehot' | 'treatment';
  /** numeric columns to treat as categories */
  readonly categorical?: readonly string[];
  /** reference level by feature, under treatment coding; default the first level */
  readonly references?: Readonly<Record<string, string>>;
  /** sample weights, length table.rows; a row of weight 0 counts as absent; default all 1 */
  readonly weight?: Float64Array | null;
  /** what an unseen category does at scoring: takes a slot of its own (default), or is an error */
  readonly unseen?: 'slot' | 'error';
  /**
   * `slot` (default): missing cells get a slot of their own. `mode`: they take the most frequent level, or the mean, without a slot.
   */
  readonly missing?: 'slot' | 'mode';
}

/**
 * Returns the schema of a training table: every column that is not excluded becomes a feature, in the order of the table.
 *
 *   mean = Σ sᵢxᵢ / Σ sᵢ,   scale² = Σ sᵢ(xᵢ − mean)² / Σ sᵢ,   over the cells that are not missing
 *
 * The scale of a constant column is 1. Levels are the values of rows with positive weight, sorted by number or by code point. Integer weights
 * give the schema of repeated rows. The order of rows does not matter, up to the rounding of sums.
 * @throws ERR_SCHEMA duplicate or absent columns, no feature at all, a feature with missing cells only, a reference that names no feature
 * @throws ERR_RECORD a cell that is not finite
 * @throws ERR_RANGE  a reference that is not a level, a spread that overflows
 * @throws ERR_SHAPE  weights or columns of another length than the table
 * @example
 * const schema = inferSchema(table, { exclude: ['late'], coding: 'onehot' });
 * schema.features[0].mean; // 1162.17
 * schema.features[1].levels; // ['ATL', 'LAS', 'MCI']
 */
export function inferSchema(table: Table, options: InferOptions): PlainSchema {
  const draft = new SchemaDraft(options);
  draft.add(table, options.weight ?? null);
  return draft.finish();
}

/**
 * `inferSchema` for a table that comes in parts, of the same columns in the same order. What parts say of a number is merged:
 *
 *   mean = m₁ + (m₂ − m₁)·S₂/S,   scale² = (S₁·scale₁² + S₂·scale₂²)/S + (m₂ − m₁)²·S₁S₂/S²
 *
 * One part gives the bits of `inferSchema`; parts of any size the same numbers up to rounding.
 * @see Chan, Golub, LeVeque, The American Statistician 37 (1983) 242–247
 */
export class SchemaDraft {
  readonly #options: Omit<InferOptions, 'weight'>;
  /** of each feature what the rows so far say, by name in the order of the table */
  readonly #found = new Map<string, Moments | Counts>();

  /** @param options  the weights are those of each part */
  constructor(options: Omit<InferOptions, 'weight'>) {
    this.#options = options;
  }

  /**
   * @param weight  sample weights of these rows; null: ones
   * @param firstRow  number of the part's first row in the whole input, for error messages
   * @throws as `inferSchema`
   */
  add(table: Table, weight: Float64Array | null, firstRow = 0): void {
    const { exclude, categorical = [] } = this.#options;
    if (weight && weight.length !== table.rows) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `weight: expected length ${table.rows} (rows of the table), got ${weight.length}`,
      );
    }
    const checked = CheckedTable.of(table);
    checked.all([...checked.names.filter((name) => !exclude.includes(name)), ...categorical], firstRow);
    refuseOtherLevels(table, exclude);
    for (const column of table.columns) {
      const { name } = column;
      if (exclude.includes(name)) continue;
      const before = this.#found.get(name);
      if (column.kind === 'numeric' && !categorical.includes(name)) {
        const found = momentsOf(column, table.rows, weight, firstRow);
        this.#found.set(name, before?.kind === 'numeric' ? merge(name, before, found) : found);
      } else {
        const counts = before?.kind === 'categorical' ? before : new Counts();
        this.#found.set(name, counts);
        counts.add(column, table.rows, weight, firstRow);
      }
    }
  }

  /**
   * Takes what was counted elsewhere: of rows that come after those so far.
   * @throws ERR_RANGE a spread that overflows
   */
  take(name: string, found: Moments | Tallied): void {
    const before = this.#found.get(name);
    if (found.kind === 'numeric') {
      this.#found.set(name, before?.kind === 'numeric' ? merge(name, before, found) : found);
      return;
    }
    const counts = before?.kind === 'categorical' ? before : new Counts();
    this.#found.set(name, counts);
    counts.take(found);
  }

  /** @throws as `inferSchema` */
  finish(): PlainSchema {
    const { coding, references = {}, unseen = 'slot', missing = 'slot' } = this.#options;
    const features = Array.from(this.#found, ([name, found]): PlainSchema['features'][number] => {
      if (found.kind === 'numeric') return numericFeature(name, found, missing === 'slot');
      const { levels, counts } = found.sorted(name);
      const reference = coding === 'treatment' ? referenceIndex(name, levels, references) : null;
      return { name, kind: 'categorical', levels, counts, coding, reference, missing, unseen };
    });
    if (features.length === 0) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        'table: expected at least one feature column, got none; keep a column besides target, weight and offset',
      );
    }
    checkReferences(features, references);
    return { features };
  }
}

/** What becomes a level of a model must be text. @throws ERR_SHAPE naming the column and the place */
export function refuseOtherLevels({ columns }: Table, exclude: readonly string[]): void {
  for (const column of columns) {
    if (column.kind !== 'coded' || exclude.includes(column.name) || !Array.isArray(column.levels)) continue;
    const at = column.levels.findIndex((level) => typeof level !== 'string');
    if (at < 0) continue;
    throw new LogoddsError(
      'ERR_SHAPE',
      `column ${show(column.name)}: expected text as levels, got a value of another type at ${at}; write it as text, and mark missing cells in \`missing\``,
    );
  }
}

/**
 * Returns labels in the order of classes and levels, as a new array: by value when all are numbers, else by code point.
 * @example
 * sortLabels(['10', '9', '2']); // ['2', '9', '10']
 * sortLabels(['b', 'a9', 'a10']); // ['a10', 'a9', 'b']
 */
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

/** What the rows of positive weight say of a number. */
export interface Moments {
  readonly kind: 'numeric';
  /** Σ sᵢ over the cells that are not missing; without any the rest means nothing */
  readonly total: number;
  /** how many cells these are */
  readonly cells: number;
  readonly mean: number;
  /** square root of the variance */
  readonly spread: number;
  readonly min: number;
  readonly max: number;
  /** whether a cell is missing */
  readonly gaps: boolean;
}

/** @throws ERR_RECORD a cell that is not finite; ERR_RANGE a spread that overflows */
export function momentsOf(column: NumericColumn, rows: number, weight: Float64Array | null, firstRow: number): Moments {
  const { name, values, missing } = column;
  if (!missing && !weight && values instanceof Float64Array) {
    const found = plainMoments(column, values, rows);
    if (found) return found;
  }
  let total = 0;
  let cells = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let gaps = false;
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    if (s === 0) continue;
    if (missing && missing[i] !== 0) {
      gaps = true;
      continue;
    }
    const value = values[i];
    if (!Number.isFinite(value)) throw cellError(firstRow + i, name, 'a finite number', value, MEND);
    total += s;
    cells++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const found = { kind: 'numeric', total, cells, mean: min, spread: 0, min, max, gaps } as const;
  if (total === 0) return found;
  refuseSpread(name, min, max);
  if (min === max) return found;
  // Distances from the least value in a unit near the spread: no sum can overflow, and a power of two rounds nothing.
  const unit = 2 ** Math.floor(Math.log2(max - min));
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    if (missing && missing[i] !== 0) continue;
    const s = weight ? weight[i] : 1;
    if (s !== 0) sum += s * ((values[i] - min) / unit);
  }
  const centre = sum / total;
  let square = 0;
  for (let i = 0; i < rows; i++) {
    if (missing && missing[i] !== 0) continue;
    const s = weight ? weight[i] : 1;
    if (s === 0) continue;
    const d = (values[i] - min) / unit - centre;
    square += s * (d * d);
  }
  return { ...found, mean: min + centre * unit, spread: Math.sqrt(square / total) * unit };
}

/** The same, up to rounding, for the usual column, in short loops; null without rows, where a value is not finite, or for a tiny spread. */
function plainMoments({ name }: NumericColumn, values: Float64Array, rows: number): Moments | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows; i++) {
    const value = values[i];
    // nearly all are, and finite
    if (value >= min && value <= max) continue;
    if (!Number.isFinite(value)) return null;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (rows === 0) return null;
  const found = { kind: 'numeric', total: rows, cells: rows, mean: min, spread: 0, min, max, gaps: false } as const;
  refuseSpread(name, min, max);
  if (min === max) return found;
  const unit = 2 ** Math.floor(Math.log2(max - min));
  // as exact as a division by this power of two, and faster
  const perUnit = 1 / unit;
  if (perUnit === Number.POSITIVE_INFINITY) return null;
  const centre = distances(values, rows, min, perUnit, 0, false) / rows;
  const square = distances(values, rows, min, perUnit, centre, true);
  return { ...found, mean: min + centre * unit, spread: Math.sqrt(square / rows) * unit };
}

/** Σ d, or Σ d², of d = (x − min)·perUnit − centre: four sums, folded (s0 + s1) + (s2 + s3) */
function distances(
  x: Float64Array,
  rows: number,
  min: number,
  perUnit: number,
  centre: number,
  squared: boolean,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < rows; i += 4) {
    const d0 = (x[i] - min) * perUnit - centre;
    const d1 = (x[i + 1] - min) * perUnit - centre;
    const d2 = (x[i + 2] - min) * perUnit - centre;
    const d3 = (x[i + 3] - min) * perUnit - centre;
    s0 += squared ? d0 * d0 : d0;
    s1 += squared ? d1 * d1 : d1;
    s2 += squared ? d2 * d2 : d2;
    s3 += squared ? d3 * d3 : d3;
  }
  for (; i < rows; i++) {
    const d = (x[i] - min) * perUnit - centre;
    s0 += squared ? d * d : d;
  }
  return s0 + s1 + (s2 + s3);
}

/**
 * Whether a column is constant, or differs by rounding only, by scikit-learn's rule:
 *
 *   spread² ≤ n·ε·spread² + (n·ε·mean)²,   ε = 2⁻⁵²
 *
 * A standardised column of this kind would be rounding, blown up to a spread of 1.
 * @param cells  n, how many values of positive weight there are
 * @param mean  of the raw column
 * @see scikit-learn, sklearn.preprocessing._data._is_constant_feature
 */
export function isConstant(cells: number, mean: number, spread: number): boolean {
  const rounding = cells * Number.EPSILON;
  return spread * Math.sqrt(Math.max(0, 1 - rounding)) <= rounding * Math.abs(mean);
}

/** Greatest magnitude below which all whole numbers are numbers of their own. */
const WHOLE = 9_007_199_254_740_992;

/**
 * Why a numeric column has no weight, after its name: one value, rounding, or ids that numbers do not hold.
 * @param values  'one' value, or values that differ by 'rounding' (`isConstant`)
 * @param mean  of the raw column
 */
export function constantReason(values: 'one' | 'rounding', mean: number): { evidence: string; advice: string } {
  if (Math.abs(mean) >= WHOLE) {
    return {
      evidence: `numbers beyond 2^53, where neighbouring whole numbers become equal, and ${values === 'one' ? 'only one value is left' : 'the values left differ by rounding only'}`,
      advice: 'read it as text and make it categorical if its values are names; else drop the column',
    };
  }
  return values === 'one'
    ? { evidence: 'one value in all training rows', advice: 'drop the column' }
    : {
        evidence:
          "values that differ by rounding only (variance at most n·ε·variance + (n·ε·mean)², scikit-learn's rule)",
        advice: 'drop the column, or centre it at its source if the differences matter',
      };
}

/** Whether the scale of a feature is 1 because its training values differ by rounding only. */
export const isRounding = ({ min, max, mean, scale }: NumericFeature, rows: number): boolean =>
  min < max && scale === 1 && (max - min < 1 || isConstant(rows, mean, 1));

/** What standardising divides by: the spread; 1 for a constant column. */
const scaleOf = ({ cells, mean, spread }: Pick<Moments, 'cells' | 'mean' | 'spread'>): number =>
  isConstant(cells, mean, spread) ? 1 : spread;

/** Weighted mean and population standard deviation of a column without gaps, 1 when constant. */
export function spreadOf(
  name: string,
  values: Float64Array,
  weight: Float64Array | null,
): { readonly mean: number; readonly scale: number } {
  const found = momentsOf({ name, kind: 'numeric', values }, values.length, weight, 0);
  return { mean: found.mean, scale: scaleOf(found) };
}

/** The moments of both; of roots and by `hypot`, so that no square overflows. */
function merge(name: string, a: Moments, b: Moments): Moments {
  const gaps = a.gaps || b.gaps;
  if (a.total === 0) return { ...b, gaps };
  if (b.total === 0) return { ...a, gaps };
  const min = Math.min(a.min, b.min);
  const max = Math.max(a.max, b.max);
  refuseSpread(name, min, max);
  const total = a.total + b.total;
  const [p, q] = [a.total / total, b.total / total];
  const apart = b.mean - a.mean;
  return {
    kind: 'numeric',
    total,
    cells: a.cells + b.cells,
    mean: a.mean + apart * q,
    spread: Math.hypot(Math.sqrt(p) * a.spread, Math.sqrt(q) * b.spread, Math.sqrt(p * q) * apart),
    min,
    max,
    gaps,
  };
}

function refuseSpread(name: string, min: number, max: number): void {
  if (Number.isFinite(max - min)) return;
  throw new LogoddsError(
    'ERR_RANGE',
    `column ${show(name)}: expected a spread below 1.8e308, got ${min} to ${max}; rescale the column`,
  );
}

export function numericFeature(name: string, found: Moments, slot: boolean): NumericFeature {
  if (found.total === 0) throw onlyMissing(name);
  const { mean, min, max, gaps } = found;
  return { name, kind: 'numeric', mean, scale: scaleOf(found), min, max, indicator: slot && gaps };
}

/** What the rows of positive weight say of a category: Σ sᵢ of each level that has weight, and of missing cells. */
export interface Tallied {
  readonly kind: 'categorical';
  readonly counts: readonly (readonly [level: string, weight: number])[];
  readonly gaps: number;
}

/** Σ sᵢ of each level that has weight, and of missing cells. */
export class Counts {
  readonly kind = 'categorical';
  readonly #counts = new Map<string, number>();
  #gaps = 0;

  add(column: Column, rows: number, weight: Float64Array | null, firstRow: number): void {
    const { name, codes, levels, missing }: CodedColumn = asCoded(column, rows, firstRow);
    const plain = !weight && !missing ? countCodes(codes.subarray(0, rows), levels.length) : null;
    const counted = plain?.reduce((sum, count) => sum + count, 0) === rows;
    const weights = counted ? plain! : new Float64Array(levels.length);
    for (let i = 0; !counted && i < rows; i++) {
      const share = weight ? weight[i] : 1;
      if (missing?.[i]) this.#gaps += share;
      else if (codes[i] < levels.length) weights[codes[i]] += share;
      else if (share > 0)
        throw cellError(
          firstRow + i,
          name,
          `a code below ${levels.length} (its levels)`,
          codes[i],
          'add the level or mark the cell as missing',
        );
    }
    levels.forEach((level, code) => {
      if (weights[code] > 0) this.#counts.set(level, (this.#counts.get(level) ?? 0) + weights[code]);
    });
  }

  take({ counts, gaps }: Tallied): void {
    for (const [level, weight] of counts) this.#counts.set(level, (this.#counts.get(level) ?? 0) + weight);
    this.#gaps += gaps;
  }

  /** @throws ERR_SCHEMA when all cells are missing */
  sorted(name: string): Pick<CategoricalFeature, 'levels' | 'counts'> {
    if (this.#counts.size === 0) throw onlyMissing(name);
    const levels = sortLabels([...this.#counts.keys()]);
    return { levels, counts: [...levels.map((level) => this.#counts.get(level)!), this.#gaps] };
  }
}

/** @throws ERR_SCHEMA for a reference of what is no feature of levels under treatment coding */
export function checkReferences(features: readonly Feature[], references: Readonly<Record<string, string>>): void {
  const coded = features.filter((feature) => 'coding' in feature && feature.coding === 'treatment');
  for (const name of Object.keys(references)) {
    if (coded.some((feature) => feature.name === name)) continue;
    throw new LogoddsError(
      'ERR_SCHEMA',
      `reference of ${show(name)}: expected a categorical feature under treatment coding (${list(coded.map((feature) => feature.name)) || 'there is none'}), got another name; correct the name or the coding`,
    );
  }
}

/** @throws ERR_RANGE for a reference that is no level */
export function referenceIndex(
  name: string,
  levels: readonly string[],
  references: Readonly<Record<string, string>>,
): number {
  if (!Object.hasOwn(references, name)) return 0;
  const index = levels.indexOf(references[name]);
  if (index >= 0) return index;
  throw new LogoddsError(
    'ERR_RANGE',
    `reference of ${show(name)}: expected one of ${list(levels)}, got ${show(references[name])}`,
  );
}

export function onlyMissing(name: string): LogoddsError {
  return new LogoddsError(
    'ERR_SCHEMA',
    `column ${show(name)}: expected at least one value, got missing cells only; drop the column`,
  );
}
