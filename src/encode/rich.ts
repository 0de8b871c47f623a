import type { ColumnSpec } from '../../bindings/batch.ts';
import type { Coder, CoderKind, Encoders, Part, SlotRole } from './coder.ts';
import { asCoded, asNumeric, cellError, MEND } from './columns.ts';
import { DATE_PARTS, parseDate, partOf } from './date.ts';
import { countMissing, defaultCode, defaultError, recordNumber, UNKNOWN } from './encoder.ts';
import { signedHash } from './hash.ts';
import { LABEL_RULE, textOf } from './label.ts';
import { applyTransform } from './power.ts';
import type {
  BinnedFeature,
  CrossFeature,
  CurveFeature,
  DatePart,
  DatePartFeature,
  Feature,
  HashedFeature,
  Schema,
  TargetFeature,
  TokensFeature,
} from './schema.ts';
import { INDICATOR, levelSlots } from './slots.ts';
import { type Spline, splineBasis, splineOf } from './spline.ts';
import type { CodedColumn, Column, NumericColumn } from './table.ts';
import { entries, split, words } from './tokens.ts';

/**
 * The stage that knows features beyond plain numbers and categories: curves (clipping, transforms, splines), bins, parts of dates, target
 * encoding, hashing, crosses, words and tags.
 *
 *   const model = loadModel(bytes, { encoders });
 */
export const encoders: Encoders = {
  curve: {
    make: (feature: CurveFeature) => new CurveCoder(feature),
    valid: validCurve,
  } satisfies CoderKind<CurveFeature>,
  binned: {
    make: (feature: BinnedFeature) => new NumberCodeCoder(feature, binOf(feature)),
    valid: validBinned,
  } satisfies CoderKind<BinnedFeature>,
  date: {
    make: (feature: DatePartFeature) => new NumberCodeCoder(feature, levelOfNumber(feature.levels)),
    valid: (feature) => validLevels(feature) && DATE_PARTS.includes(feature.part),
  } satisfies CoderKind<DatePartFeature>,
  target: {
    make: (feature: TargetFeature) => new TargetCoder(feature),
    valid: validTarget,
  } satisfies CoderKind<TargetFeature>,
  hashed: {
    make: (feature: HashedFeature, schema, columns) =>
      feature.of ? new CrossCoder(feature, feature.of, schema, columns) : new HashedCoder(feature),
    valid: validHashed,
  } satisfies CoderKind<HashedFeature>,
  cross: {
    make: (feature: CrossFeature, schema, columns) => new CrossCoder(feature, feature.of, schema, columns),
    valid: (feature, schema) => validLevels(feature) && validParts(feature.of, schema),
  } satisfies CoderKind<CrossFeature>,
  tokens: {
    make: (feature: TokensFeature) => new TokensCoder(feature),
    valid: validTokens,
  } satisfies CoderKind<TokensFeature>,
};

/** Separates the levels of a cross in the name of its cell. */
export const CROSS = ' × ';

const DATE_RULE = 'an ISO 8601 date such as "2024-05-03" or "2024-05-03T12:30Z"';

/** Milliseconds of the last day that a Date can be */
const LAST_DATE = 8.64e15;

/** Milliseconds of a date in a record. @throws ERR_RECORD */
function recordDate(name: string, value: unknown): number {
  const ms =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'string'
        ? (parseDate(value) ?? Number.NaN)
        : recordNumber(name, value);
  if (!(Math.abs(ms) <= LAST_DATE)) throw cellError(null, name, DATE_RULE, value, 'use null for a missing value');
  return ms;
}

/** A column of dates as numbers: text is parsed level by level, numbers are milliseconds. */
function datesOf(column: Column, part: DatePart, rows: number, firstRow: number): NumericColumn {
  const { name, missing } = column;
  const values = new Float64Array(rows);
  if (column.kind === 'numeric') {
    for (let i = 0; i < rows; i++) {
      if (missing?.[i]) continue;
      const ms = column.values[i];
      if (!(Math.abs(ms) <= LAST_DATE)) throw cellError(firstRow + i, name, DATE_RULE, ms, MEND);
      values[i] = partOf(ms, part);
    }
  } else {
    const parts = column.levels.map((level) => {
      const ms = parseDate(level);
      return ms === null ? Number.NaN : partOf(ms, part);
    });
    for (let i = 0; i < rows; i++) {
      if (missing?.[i]) continue;
      values[i] = parts[column.codes[i]] ?? Number.NaN;
      if (Number.isNaN(values[i])) throw cellError(firstRow + i, name, DATE_RULE, column.levels[column.codes[i]], MEND);
    }
  }
  return { name, kind: 'numeric', values, missing };
}

interface NumberSource {
  readonly name: string;
  readonly column?: string;
  readonly part?: DatePart;
}

/** The numbers that a feature reads from a column. @throws ERR_RECORD for a cell that is none */
export function numbersOf({ part }: NumberSource, column: Column, rows: number, firstRow: number): NumericColumn {
  if (part !== undefined) return datesOf(column, part, rows, firstRow);
  const numbers = asNumeric(column, rows, firstRow);
  const { name, values, missing } = numbers;
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(values[i]) && !missing?.[i])
      throw cellError(firstRow + i, name, 'a finite number', values[i], MEND);
  }
  return numbers;
}

function recordNumberOf({ name, column = name, part }: NumberSource, value: unknown): number {
  return part === undefined ? recordNumber(column, value) : partOf(recordDate(column, value), part);
}

/** number → transform → spline, of one feature */
export class Curve {
  /** slots */
  readonly width: number;
  readonly #feature: Pick<CurveFeature, 'name' | 'column' | 'transform' | 'knots'>;
  readonly #spline: Spline | null;

  constructor(feature: Pick<CurveFeature, 'name' | 'column' | 'transform' | 'knots'>) {
    this.#feature = feature;
    this.#spline = feature.knots && splineOf(feature.knots);
    this.width = feature.knots === null ? 1 : feature.knots.length - 1;
  }

  /** @throws ERR_RECORD for a number that the transform or the spline does not take */
  put(x: number, row: number | null, out: Float64Array, at: number): void {
    if (this.takes(x, out, at)) return;
    const { transform, knots, name, column = name } = this.#feature;
    const rule = `a ${Number.isFinite(x) ? '' : 'finite '}number that ${transform?.name ?? (knots ? 'the spline' : 'the schema')} takes`;
    throw cellError(row, column, rule, x, 'correct it, or set "low" and "high" in the schema');
  }

  /** `put`, but false when a number is not finite on the way */
  takes(x: number, out: Float64Array, at: number): boolean {
    const { transform } = this.#feature;
    const t = transform === null ? x : applyTransform(transform, x);
    if (this.#spline === null) out[at] = t;
    else splineBasis(this.#spline, t, out, at);
    for (let j = 0; j < this.width; j++) if (!Number.isFinite(out[at + j])) return false;
    return true;
  }
}

class CurveCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly #feature: CurveFeature;
  readonly #curve: Curve;
  readonly #indicator: boolean;
  readonly #cell: Float64Array;
  /** what a missing cell becomes */
  readonly #gap: Float64Array;

  constructor(feature: CurveFeature) {
    this.#feature = feature;
    this.#curve = new Curve(feature);
    const { width } = this.#curve;
    this.columns = [feature.column ?? feature.name];
    this.#indicator = feature.missing === 'slot' || feature.range === 'slot';
    const numbers = Array.from({ length: width }, (): ColumnSpec => ({ kind: 'numeric' }));
    this.specs = this.#indicator ? [...numbers, { kind: 'coded', slots: 2 }] : numbers;
    this.means = feature.means;
    this.scales = feature.scales;
    this.#cell = new Float64Array(width);
    this.#gap = new Float64Array(width);
    this.#curve.put(feature.fill, null, this.#gap, 0);
  }

  slots(): readonly (readonly [SlotRole, string | null])[] {
    const { width } = this.#curve;
    const numbers = Array.from({ length: width }, (_, j): [SlotRole, string | null] => [
      'number',
      j > 0 ? `spline ${j}` : null,
    ]);
    return [...numbers, ...(this.#indicator ? INDICATOR : [])];
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const { width } = this.#curve;
    const { values, missing } = numbersOf(this.#feature, source, rows, firstRow);
    const cell = this.#cell;
    const outs = Array.from({ length: width }, (_, j) => batch.numeric(at + j));
    const flags = this.#indicator ? batch.codes(at + width) : null;
    const { means, scales } = this;
    for (let i = 0; i < rows; i++) {
      const took = this.#place(missing && missing[i] !== 0 ? null : values[i], firstRow + i, cell, 0);
      for (let j = 0; j < width; j++) {
        outs[j][i] = standardize ? (cell[j] - means[j]) / scales[j] : cell[j];
        if (!Number.isFinite(outs[j][i]))
          throw cellError(firstRow + i, this.columns[0], 'a finite number within f32', values[i], MEND);
      }
      if (flags) flags[i] = took & 1;
      if (took !== 0 && defaulted) defaulted[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    const x = value === undefined || value === null ? null : recordNumberOf(this.#feature, value);
    const took = this.#place(x, null, out, at);
    if (this.#indicator) out[at + this.#curve.width] = took & 1;
    return took === 0 ? 0 : 1;
  }

  /** @returns 0: taken as it is; 2: a default; 3: a default with the slot of missing cells */
  #place(x: number | null, row: number | null, out: Float64Array, at: number): number {
    const { low, high, range, missing, name, column = name } = this.#feature;
    const below = x !== null && low !== null && x < low;
    if (x !== null && !below && (high === null || x <= high)) {
      this.#curve.put(x, row, out, at);
      return 0;
    }
    if (x !== null && range === 'clip') {
      this.#curve.put(below ? low : high!, row, out, at);
      return 2;
    }
    const policy = x === null ? missing : range;
    if (policy === 'error') {
      const rule = x === null ? 'a value' : `a number from ${low ?? '-Infinity'} to ${high ?? 'Infinity'}`;
      throw cellError(row, column, rule, x, x === null ? 'give one' : MEND);
    }
    out.set(this.#gap, at);
    return policy === 'slot' ? 3 : 2;
  }
}

/** The bin of a number: −1 below the edges, −2 above. */
export function binOf({ edges }: Pick<BinnedFeature, 'edges'>): (x: number) => number {
  const last = edges.length - 1;
  return (x) => {
    if (x < edges[0]) return -1;
    if (x > edges[last]) return -2;
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (edges[middle] <= x) low = middle;
      else high = middle;
    }
    return low;
  };
}

/** A part of a date among its levels: −1 when it is none. */
function levelOfNumber(levels: readonly string[]): (x: number) => number {
  const codes = new Map(levels.map((level, code) => [Number(level), code]));
  return (x) => codes.get(x) ?? -1;
}

/** Numbers that become codes: bins, parts of dates. */
class NumberCodeCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means = [];
  readonly scales = [];
  readonly #feature: BinnedFeature | DatePartFeature;
  readonly #codeOf: (x: number) => number;
  readonly #gap: number;
  readonly #unseen: number;

  constructor(feature: BinnedFeature | DatePartFeature, codeOf: (x: number) => number) {
    this.#feature = feature;
    this.#codeOf = codeOf;
    this.#gap = defaultCode(feature, 'missing');
    this.#unseen = defaultCode(feature, 'unseen');
    this.columns = [feature.column ?? feature.name];
    this.specs = [{ kind: 'coded', slots: feature.levels.length + 2 }];
  }

  slots(): readonly (readonly [SlotRole, string | null])[] {
    return levelSlots(this.#feature);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, defaulted }: Part, at: number): void {
    const out = batch.codes(at);
    const { values, missing } = numbersOf(this.#feature, source, rows, firstRow);
    for (let i = 0; i < rows; i++) {
      const code = missing && missing[i] !== 0 ? this.#missing(firstRow + i) : this.#codeOf(values[i]);
      out[i] = code < 0 ? this.#outside(code, firstRow + i, values[i]) : code;
      if (defaulted && (code < 0 || (missing && missing[i] !== 0))) defaulted[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    if (value === undefined || value === null) {
      out[at] = this.#missing(null);
      return 1;
    }
    const x = recordNumberOf(this.#feature, value);
    const code = this.#codeOf(x);
    out[at] = code < 0 ? this.#outside(code, null, x) : code;
    return code < 0 ? 1 : 0;
  }

  #missing(row: number | null): number {
    if (this.#gap < 0) throw cellError(row, this.columns[0], 'a value', null, MEND);
    return this.#gap;
  }

  /** The code of a number that is in no bin, or a part of a date that training did not have. */
  #outside(code: number, row: number | null, x: number): number {
    const feature = this.#feature;
    const { levels } = feature;
    if (feature.kind === 'binned' && feature.range === 'clip') return code === -1 ? 0 : levels.length - 1;
    if (this.#unseen >= 0) return this.#unseen;
    if (feature.kind !== 'binned') throw defaultError(row, feature, x);
    const { edges } = feature;
    throw cellError(row, this.columns[0], `a number from ${edges[0]} to ${edges[edges.length - 1]}`, x, MEND);
  }
}

/** Codes of the levels of a column, kept while the same `levels` array comes: tables of one source share it. */
class LevelTable<T> {
  readonly #of: (level: string | undefined) => T;
  #levels: readonly string[] | null = null;
  #table: T[] = [];

  constructor(of: (level: string | undefined) => T) {
    this.#of = of;
  }

  /** of each level, then of a code beyond them */
  read({ levels }: CodedColumn): readonly T[] {
    if (this.#levels !== levels || this.#table.length !== levels.length + 1) {
      this.#table = [...levels, undefined].map((level) => this.#of(level));
      this.#levels = levels;
    }
    return this.#table;
  }
}

function recordLabel(name: string, value: unknown): string {
  const label = typeof value === 'string' ? value : textOf(value);
  if (label === null) throw cellError(null, name, LABEL_RULE, value, 'use null for a missing value');
  return label;
}

class TargetCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly #feature: TargetFeature;
  readonly #codes: Map<string, number>;
  readonly #table: LevelTable<number>;

  constructor(feature: TargetFeature) {
    this.#feature = feature;
    this.columns = [feature.column ?? feature.name];
    this.specs = feature.values.map(() => ({ kind: 'numeric' }));
    this.means = feature.means;
    this.scales = feature.scales;
    this.#codes = new Map(feature.levels.map((level, code) => [level, code]));
    this.#table = new LevelTable((level) => (level === undefined ? UNKNOWN : (this.#codes.get(level) ?? UNKNOWN)));
  }

  slots(): readonly (readonly [SlotRole, string | null])[] {
    return this.#feature.values.map((): [SlotRole, null] => ['number', null]);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const column = asCoded(source, rows, firstRow);
    const { codes, levels, missing } = column;
    const table = this.#table.read(column);
    const { means, scales } = this;
    const { values } = this.#feature;
    const outs = values.map((_, k) => batch.numeric(at + k));
    for (let i = 0; i < rows; i++) {
      const gap = missing ? missing[i] !== 0 : false;
      const code = gap ? null : table[Math.min(codes[i], levels.length)];
      const slot = this.#slot(code, firstRow + i, gap ? null : levels[codes[i]]);
      for (let k = 0; k < outs.length; k++) {
        outs[k][i] = standardize ? (values[k][slot] - means[k]) / scales[k] : values[k][slot];
      }
      if (defaulted && slot >= this.#feature.levels.length) defaulted[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    const { values, levels } = this.#feature;
    const gap = value === undefined || value === null;
    const code = gap ? null : (this.#codes.get(recordLabel(this.columns[0], value)) ?? UNKNOWN);
    const slot = this.#slot(code, null, value);
    for (let k = 0; k < values.length; k++) out[at + k] = values[k][slot];
    return slot >= levels.length ? 1 : 0;
  }

  /** @param code  null: missing */
  #slot(code: number | null, row: number | null, value: unknown): number {
    const { levels, missing, unseen } = this.#feature;
    if (code === null) {
      if (missing === 'error') throw cellError(row, this.columns[0], 'a value', null, MEND);
      return missing === 'slot' ? levels.length : levels.length + 1;
    }
    if (code !== UNKNOWN) return code;
    if (unseen === 'error') throw defaultError(row, this.#feature, value);
    return levels.length + 1;
  }
}

/** The slot of a text: its bucket, and `buckets` further when its hash is negative. */
export function hashedSlot(text: string, buckets: number): number {
  const hash = signedHash(text);
  return hash < 0 ? buckets + (-hash % buckets) : hash % buckets;
}

/** Slots of a hashed feature. */
function hashedSlots({ buckets }: HashedFeature): [SlotRole, string][] {
  const level = (sign: string) => (_: unknown, bucket: number) => ['level', `${sign}${bucket}`] as [SlotRole, string];
  return [
    ...Array.from({ length: buckets }, level('#')),
    ...Array.from({ length: buckets }, level('#-')),
    ['missing', '(missing)'],
    ['unseen', '(unseen)'],
  ];
}

class HashedCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means = [];
  readonly scales = [];
  readonly #feature: HashedFeature;
  readonly #gap: number;
  readonly #table: LevelTable<number>;

  constructor(feature: HashedFeature) {
    const { buckets, name, column = name } = feature;
    this.#feature = feature;
    this.columns = [column];
    this.specs = [{ kind: 'coded', slots: 2 * buckets + 2 }];
    this.#gap = defaultCode(asCodedFeature(feature), 'missing');
    this.#table = new LevelTable((level) => (level === undefined ? UNKNOWN : hashedSlot(level, buckets)));
  }

  slots(): [SlotRole, string][] {
    return hashedSlots(this.#feature);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, defaulted }: Part, at: number): void {
    const out = batch.codes(at);
    const column = asCoded(source, rows, firstRow);
    const { codes, levels, missing } = column;
    const table = this.#table.read(column);
    const gap = this.#gap;
    for (let i = 0; i < rows; i++) {
      const slot = missing && missing[i] !== 0 ? gap : table[Math.min(codes[i], levels.length)];
      if (slot < 0 || slot === UNKNOWN) {
        const rule = slot < 0 ? 'a value' : 'a level with a name';
        throw cellError(firstRow + i, this.columns[0], rule, null, MEND);
      }
      out[i] = slot;
    }
    countMissing(column, rows, defaulted);
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    if (value === undefined || value === null) {
      if (this.#gap < 0) throw cellError(null, this.columns[0], 'a value', value, 'give one');
      out[at] = this.#gap;
      return 1;
    }
    out[at] = hashedSlot(recordLabel(this.columns[0], value), this.#feature.buckets);
    return 0;
  }
}

/** A hashed feature as one of levels: no value of it is unseen. */
const asCodedFeature = (feature: HashedFeature) => ({
  ...feature,
  levels: { length: 2 * feature.buckets },
  reference: null,
  unseen: 'slot' as const,
});

/** Cells of a cross that are remembered. */
const MOST_KNOWN = 2 ** 18;

const places = /* @__PURE__ */ new WeakMap<Schema, Map<string, number>>();

/** Index of the feature of a name; −1 without one. */
function placeOf(schema: Schema, name: string): number {
  let known = places.get(schema);
  if (!known) {
    known = new Map(schema.features.map((feature, i) => [feature.name, i]));
    places.set(schema, known);
  }
  return known.get(name) ?? -1;
}

/** Codes of other features, as one code. */
class CrossCoder implements Coder {
  readonly columns = [];
  readonly specs: readonly ColumnSpec[];
  readonly means = [];
  readonly scales = [];
  readonly #slots: () => readonly (readonly [SlotRole, string | null])[];
  /** columns of the parts, which may be behind this one: known when all coders are made */
  readonly #places: () => readonly number[];
  #at: readonly number[] | null = null;
  readonly #levels: readonly (readonly string[])[];
  readonly #slotOf: (text: string) => number;
  /** slot of a cell with a missing part, of a cell that training did not have; −1: an error */
  readonly #defaults: readonly [missing: number, unseen: number];
  readonly #name: string;
  /** cells that were met, by their number; null: there are more than 2^53 numbers */
  readonly #known: Map<number, number> | null;

  constructor(
    feature: CrossFeature | HashedFeature,
    of: readonly string[],
    schema: Schema,
    columns: readonly number[],
  ) {
    const hashed = feature.kind === 'hashed';
    const slots = hashed ? 2 * feature.buckets : feature.levels.length;
    this.#name = feature.name;
    this.specs = [{ kind: 'coded', slots: slots + 2 }];
    const coded = hashed ? asCodedFeature(feature) : feature;
    this.#defaults = [defaultCode(coded, 'missing'), defaultCode(coded, 'unseen')];
    const parts = of.map((name) => placeOf(schema, name));
    this.#places = () => parts.map((part) => columns[part]);
    this.#levels = parts.map((part) => levelsOf(schema.features[part])!);
    const cells = this.#levels.reduce((product, { length }) => product * (length + 2), 1);
    this.#known = cells <= Number.MAX_SAFE_INTEGER ? new Map() : null;
    this.#slots = () => (hashed ? hashedSlots(feature) : levelSlots(feature));
    if (hashed) this.#slotOf = (text) => hashedSlot(text, feature.buckets);
    else {
      const codes = new Map(feature.levels.map((level, code) => [level, code]));
      this.#slotOf = (text) => codes.get(text) ?? this.#defaults[1];
    }
  }

  slots(): readonly (readonly [SlotRole, string | null])[] {
    return this.#slots();
  }

  write(_: readonly Column[], { rows, firstRow, batch }: Part, at: number): void {
    const out = batch.codes(at);
    this.#at ??= this.#places();
    const parts = this.#at.map((column) => batch.codes(column));
    const codes = new Array<number>(parts.length);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < parts.length; j++) codes[j] = parts[j][i];
      out[i] = this.#slot(codes, firstRow + i);
    }
  }

  writeRecord(_: unknown, out: Float64Array, at: number): number {
    this.#at ??= this.#places();
    out[at] = this.#slot(
      this.#at.map((column) => out[column]),
      null,
    );
    return 0;
  }

  #slot(codes: readonly number[], row: number | null): number {
    const levels = this.#levels;
    let cell = 0;
    let gap = -1;
    for (let j = 0; j < codes.length; j++) {
      const past = codes[j] - levels[j].length;
      // a missing part comes before an unseen one
      if (past >= 0 && gap !== 0) gap = past;
      cell = cell * (levels[j].length + 2) + codes[j];
    }
    const known = gap < 0 ? this.#known?.get(cell) : this.#defaults[gap];
    if (known !== undefined && known >= 0) return known;
    const names = codes.map((code, j) => levels[j][code] ?? 'nothing');
    const slot = gap < 0 ? this.#slotOf(names.join(CROSS)) : -1;
    if (slot < 0) throw cellError(row, this.#name, 'a combination seen in training', names.join(CROSS), MEND);
    // what is remembered is bounded: a server meets new cells for years
    if (this.#known && this.#known.size < MOST_KNOWN) this.#known.set(cell, slot);
    return slot;
  }
}

/** The levels of a feature that a cross may have as part; null: it has none. */
export function levelsOf(feature: Feature): readonly string[] | null {
  return feature.kind === 'categorical' || feature.kind === 'binned' || feature.kind === 'date' ? feature.levels : null;
}

class TokensCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly #feature: TokensFeature;
  readonly #codes: Map<string, number> | null;
  readonly #table: LevelTable<readonly string[] | null>;

  constructor(feature: TokensFeature) {
    const { tokens, means, scales, name, column = name } = feature;
    this.#feature = feature;
    this.columns = [column];
    this.specs = means.map(() => ({ kind: 'numeric' }));
    this.means = means;
    this.scales = scales;
    this.#codes = 'buckets' in tokens ? null : new Map(tokens.map((token, code) => [token, code]));
    this.#table = new LevelTable((level) => (level === undefined ? null : tokensOf(feature, level)));
  }

  slots(): [SlotRole, string][] {
    const { tokens } = this.#feature;
    return this.specs.map((_, j) => ['number', 'buckets' in tokens ? `#${j}` : tokens[j]]);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const column = asCoded(source, rows, firstRow);
    const { codes, levels, missing } = column;
    const table = this.#table.read(column);
    const { means, scales } = this;
    const outs = means.map((_, j) => batch.numeric(at + j).fill(0, 0, rows));
    for (let i = 0; i < rows; i++) {
      const list = missing && missing[i] !== 0 ? null : table[Math.min(codes[i], levels.length)];
      const unseen = this.#count(list, firstRow + i, (j, sign) => {
        outs[j][i] += sign;
      });
      if (unseen && defaulted) defaulted[i]++;
    }
    if (!standardize) return;
    for (let j = 0; j < outs.length; j++) {
      for (let i = 0; i < rows; i++) outs[j][i] = (outs[j][i] - means[j]) / scales[j];
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    out.fill(0, at, at + this.means.length);
    const byText = (): readonly string[] => tokensOf(this.#feature, recordLabel(this.columns[0], value));
    const listed = Array.isArray(value) && this.#feature.split !== 'words';
    const list = value === undefined || value === null ? null : ((listed ? entries(value) : null) ?? byText());
    return this.#count(list, null, (j, sign) => {
      out[at + j] += sign;
    })
      ? 1
      : 0;
  }

  /** Adds the tokens of a cell; true when it was missing or had one that training did not know. */
  #count(tokens: readonly string[] | null, row: number | null, add: (slot: number, sign: number) => void): boolean {
    const { missing, unseen, tokens: known } = this.#feature;
    if (tokens === null) {
      if (missing === 'error') throw cellError(row, this.columns[0], 'a value', null, MEND);
      return true;
    }
    let strange = false;
    for (const token of tokens) {
      if ('buckets' in known) {
        const hash = signedHash(token);
        add(Math.abs(hash) % known.buckets, hash < 0 ? -1 : 1);
        continue;
      }
      const code = this.#codes!.get(token);
      if (code !== undefined) add(code, 1);
      else {
        if (unseen === 'error') throw defaultError(row, { ...this.#feature, levels: known }, token);
        strange = true;
      }
    }
    return strange;
  }
}

/** The tokens of a text, as a feature splits it. */
export function tokensOf({ split: by }: Pick<TokensFeature, 'split'>, text: string): readonly string[] {
  return by === 'words' ? words(text) : split(text, by.separator);
}

// What a model file must hold of each kind, beside what `check.ts` says of every feature.

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const among = (value: unknown, words: string): boolean => isText(value) && words.split(' ').includes(value);
const numbers = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every(isNumber);
const positive = (value: unknown, length: number): boolean =>
  numbers(value, length) && (value as number[]).every((one) => one > 0);
const rising = (value: readonly number[]): boolean => value.every((one, i) => i === 0 || one > value[i - 1]);
const distinctTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const optional = (value: unknown, valid: (value: unknown) => boolean): boolean => value === undefined || valid(value);

function validSource({ column, part }: { column?: string; part?: DatePart }): boolean {
  return optional(column, isText) && optional(part, (value) => DATE_PARTS.includes(value as DatePart));
}

/** A feature of levels. */
function validLevels(feature: BinnedFeature | DatePartFeature | CrossFeature): boolean {
  const { levels, counts, coding, reference, missing, unseen } = feature;
  return (
    distinctTexts(levels) &&
    levels.length > 0 &&
    numbers(counts, levels.length + 1) &&
    among(coding, 'onehot treatment') &&
    (coding === 'onehot'
      ? reference === null
      : Number.isInteger(reference) && reference! >= 0 && reference! < levels.length) &&
    among(missing, 'slot baseline mode error') &&
    among(unseen, 'slot baseline error') &&
    ('of' in feature || validSource(feature))
  );
}

function validCurve(feature: CurveFeature): boolean {
  const { transform, knots, low, high, range, missing, fill, min, max, means, scales, units } = feature;
  const width = knots === null ? 1 : (knots?.length ?? 0) - 1;
  const end = (value: unknown): boolean => value === null || isNumber(value);
  return (
    validSource(feature) &&
    (transform === null ||
      among(transform?.name, 'log log1p sqrt') ||
      (among(transform?.name, 'box-cox yeo-johnson') && isNumber((transform as { lambda?: unknown }).lambda))) &&
    (knots === null || (knots?.length >= 3 && numbers(knots, knots.length) && rising(knots))) &&
    end(low) &&
    end(high) &&
    (low === null || high === null || low < high) &&
    among(range, 'clip baseline slot error') &&
    among(missing, 'slot baseline error') &&
    numbers([fill, min, max], 3) &&
    numbers(means, width) &&
    new Curve(feature).takes(fill, new Float64Array(width), 0) &&
    positive(scales, width) &&
    positive(units, width)
  );
}

function validBinned(feature: BinnedFeature): boolean {
  const { edges, levels, range } = feature;
  return (
    validLevels(feature) &&
    numbers(edges, levels.length + 1) &&
    rising(edges) &&
    among(range, 'clip baseline slot error')
  );
}

function validTarget(feature: TargetFeature): boolean {
  const { levels, counts, values, missing, unseen, means, scales } = feature;
  return (
    validSource(feature) &&
    distinctTexts(levels) &&
    numbers(counts, levels.length + 1) &&
    Array.isArray(values) &&
    values.length > 0 &&
    values.every((of) => numbers(of, levels.length + 2)) &&
    among(missing, 'slot baseline error') &&
    among(unseen, 'baseline error') &&
    numbers(means, values.length) &&
    positive(scales, values.length)
  );
}

function validParts(of: unknown, schema: Schema): boolean {
  if (!distinctTexts(of) || (of as string[]).length < 2) return false;
  const parts = (of as string[]).map((name) => schema.features[placeOf(schema, name)]);
  return parts.every((part) => part !== undefined && Array.isArray(levelsOf(part)));
}

function validHashed(feature: HashedFeature, schema: Schema): boolean {
  const { of, buckets, counts, missing } = feature;
  return (
    validSource(feature) &&
    (of === null || validParts(of, schema)) &&
    Number.isSafeInteger(buckets) &&
    buckets > 0 &&
    numbers(counts, 2 * buckets + 1) &&
    among(missing, 'slot baseline mode error')
  );
}

function validTokens(feature: TokensFeature): boolean {
  const { split: by, tokens, missing, unseen, means, scales } = feature;
  const width = Array.isArray(tokens) ? tokens.length : (tokens as { buckets?: number })?.buckets;
  return (
    validSource(feature) &&
    (by === 'words' || (isText(by?.separator) && by.separator.length > 0)) &&
    (!Array.isArray(tokens) || distinctTexts(tokens)) &&
    Number.isSafeInteger(width) &&
    width! > 0 &&
    among(missing, 'baseline error') &&
    among(unseen, 'baseline error') &&
    numbers(means, width!) &&
    positive(scales, width!)
  );
}
