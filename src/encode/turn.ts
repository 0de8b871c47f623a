import type { ColumnSpec } from '../../bindings/columnsBatch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';
import { type Coder, type Encoders, missingStage, OUTSIDE, sourceOf } from './coder.ts';
import { cellError, hasField, refuseAbsent } from './columns.ts';
import { LABEL_RULE, textOf } from './label.ts';
import type { CategoricalFeature, Feature, Schema } from './schema.ts';

/** A feature with precomputed facts for encoding records. */
export interface Turn {
  readonly feature: Feature;
  /** null for numeric and categorical features */
  readonly coder: Coder | null;
  /** its first column of a batch */
  readonly at: number;
  /** the column of a table, or field of a record, that it reads; undefined for crosses, which come last and do not use it */
  readonly field: string;
  /** the fields of all turns */
  readonly fields: readonly string[];
  /** a number of a record from `low` to `high` is its entry unchanged: the range of training, or an empty range */
  readonly low: number;
  readonly high: number;
  /** for a categorical feature: the codes of labels */
  readonly codes: ReadonlyMap<string, number>;
  /** some of these labels by `placeOf`, and their codes: looking here first is faster than hashing the text */
  readonly labels: readonly string[];
  readonly slots: readonly number[];
  /** for a categorical feature: the codes of a missing cell and of an unseen value; −1: an error */
  readonly gap: number;
  readonly unseen: number;
  /** for a categorical feature: for each code of earlier tables, its level and its slot */
  seen: (string | undefined)[];
  table: number[] | Uint32Array;
}

/** The features of a schema, ready to encode records. */
export interface Turns {
  readonly schema: Schema;
  /** the columns of a batch, in order */
  readonly specs: readonly ColumnSpec[];
  /** number of slots of all columns; a parameter vector has one more number, the intercept */
  readonly slots: number;
  /** for each column its first slot, for a coded one ~slot */
  readonly offsets: readonly number[];
  /** for each feature of the schema its first column in a batch */
  readonly firstColumns: readonly number[];
  /** for each feature of the schema its coder; null for numeric and categorical features */
  readonly coders: readonly (Coder | null)[];
  /** the features that read a field, and their fields @internal */
  readonly turns: readonly Turn[];
  /** @internal */
  readonly fields: readonly string[];
  /** crosses, which read what the others wrote: they are written last @internal */
  readonly crosses: readonly Turn[];
  /** number of features that can take a default; crosses are made of other features and do not count */
  readonly sources: number;
}

const NULL = 'use null for a missing value';

const PLACES = 128;

// shared by all that have none: a model of numbers makes hundreds
const NO_CODES = new Map<string, number>();
const NONE: never[] = [];

/** A place from the length of a label and its last character. */
export const placeOf = (label: string): number =>
  (label.charCodeAt(label.length - 1) + 16 * label.length) & (PLACES - 1);

/**
 * @param encoders  coders of kinds beyond numeric and categorical
 * @throws ERR_FORMAT when one of them is absent
 */
export function turnsOf(schema: Schema, encoders: Encoders): Turns {
  const specs: ColumnSpec[] = [];
  const firstColumns: number[] = [];
  const coders: (Coder | null)[] = [];
  const turns: Turn[] = [];
  const fields: string[] = [];
  const crosses: Turn[] = [];
  for (const feature of schema.features) {
    const at = specs.length;
    firstColumns.push(at);
    const { kind } = feature;
    let field = sourceOf(feature);
    let coder: Coder | null = null;
    let low = 1;
    let high = 0;
    let gap = 0;
    let unseen = 0;
    let codes = NO_CODES;
    let labels: string[] = NONE;
    let slots: number[] = NONE;
    const add = (label: string, code: number): void => {
      codes.set(label, code);
      labels[placeOf(label)] = label;
      slots[placeOf(label)] = code;
    };
    if (kind === 'numeric') {
      specs.push({ kind });
      if (feature.indicator) specs.push({ kind: 'coded', slots: 2 });
      else ({ min: low, max: high } = feature);
    } else if (kind === 'categorical') {
      const { levels, rare = [] } = feature;
      specs.push({ kind: 'coded', slots: levels.length + 2 });
      codes = new Map();
      slots = [];
      labels = new Array(PLACES).fill('');
      // the place of an empty label: it is none of these
      labels[0] = ' ';
      levels.forEach(add);
      for (const label of rare) add(label, levels.length + 1);
      gap = defaultCode(feature, 'missing');
      unseen = defaultCode(feature, 'unseen');
    } else {
      const encoder = encoders[kind];
      if (!encoder?.make) throw missingStage('encoders', `feature ${show(feature.name)} is ${show(kind)}`);
      coder = encoder.make(feature as never, schema, firstColumns);
      [field] = coder.columns;
      specs.push(...coder.specs);
    }
    coders.push(coder);
    const turn = {
      labels,
      slots,
      feature,
      coder,
      at,
      field,
      fields,
      low,
      high,
      codes,
      gap,
      unseen,
      seen: NONE,
      table: NONE,
    };
    if (field === undefined) crosses.push(turn);
    else {
      turns.push(turn);
      fields.push(field);
    }
  }
  let slots = 0;
  const offsets = specs.map(({ slots: coded }) => {
    if (!coded) return slots++;
    slots += coded;
    return ~(slots - coded);
  });
  return {
    schema,
    specs: Object.freeze(specs),
    slots,
    offsets,
    firstColumns,
    coders,
    turns,
    fields,
    crosses,
    sources: fields.length,
  };
}

/** Writes the value of a field of a record. @returns as `Coder.writeRecord` */
export function put(turn: Turn, record: object, value: unknown, out: Float64Array): number {
  const { feature, coder, field, at } = turn;
  const missing = value == null;
  if (value === undefined && !(field in record)) expectFields(record, turn.fields);
  if (coder) return coder.writeRecord(value, out, at);
  if (feature.kind === 'numeric') {
    const x = missing ? feature.mean : recordNumber(field, value);
    out[at] = x;
    if (feature.indicator) out[at + 1] = Number(missing);
    return missing ? 1 : x < feature.min || x > feature.max ? OUTSIDE : 0;
  }
  let code: number | undefined;
  if (!missing) {
    const label = typeof value === 'string' ? value : textOf(value);
    if (label === null) throw cellError(null, field, LABEL_RULE, value, NULL);
    code = turn.codes.get(label);
  }
  out[at] = code ?? (missing ? turn.gap : turn.unseen);
  if (out[at] < 0) throw defaultError(null, feature as CategoricalFeature, value, missing);
  return code === undefined ? 1 : 0;
}

/** @throws ERR_SCHEMA when a record lacks some of these fields, ERR_RECORD when it is none */
export function expectFields(record: object, names: readonly string[]): void {
  if (typeof record !== 'object' || record === null) {
    throw new LogoddsError('ERR_RECORD', `record: expected an object, got ${record === null ? record : typeof record}`);
  }
  refuseAbsent(
    'record',
    names.filter((name) => !hasField(record, name)),
    Object.keys(record),
  );
}

/** What a record is read as. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * One number of a record.
 * @throws ERR_RECORD when it is neither a finite number nor a bigint
 */
export function recordNumber(name: string, value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw cellError(null, name, 'a finite number', value, NULL);
}

/** The code that a missing cell or an unseen value takes: a slot of its own, the reference level, the most frequent one (the first of several); −1: an error. */
export function defaultCode(
  feature: Pick<CategoricalFeature, 'missing' | 'unseen' | 'reference' | 'counts'> & {
    readonly levels: { readonly length: number };
  },
  of: 'missing' | 'unseen',
): number {
  const { counts, reference } = feature;
  const slots = feature.levels.length;
  const policy = feature[of];
  if (policy === 'error') return -1;
  if (policy === 'slot') return slots + Number(of === 'unseen');
  if (policy === 'baseline' && reference !== null) return reference;
  let most = 0;
  for (let code = 1; code < slots; code++) if (counts[code] > counts[most]) most = code;
  return most;
}

/** ERR_RECORD for a cell where the feature has no default: it is missing, or not among its levels. `row` null is a single record. */
export function defaultError(
  row: number | null,
  feature: Feature & { readonly levels: readonly string[] },
  value: unknown,
  missing = false,
): LogoddsError {
  const field = sourceOf(feature);
  if (missing) return cellError(row, field, 'a value', null, 'give one');
  const rule = `one of the ${feature.levels.length} levels seen in training`;
  return cellError(row, field, rule, value, 'correct it, or train with a slot for it');
}
