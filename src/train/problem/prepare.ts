import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { type Engine, engineOf, pickEngine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import type { Likelihood } from '../../../bindings/likelihood.ts';
import { columnsOf, findColumns } from '../../encode/columns.ts';
import { Encoder, type SlotName } from '../../encode/encoder.ts';
import { inferSchema, refuseOtherLevels } from '../../encode/infer.ts';
import { encoders } from '../../encode/kinds/index.ts';
import { list, show } from '../../encode/label.ts';
import type { Schema } from '../../encode/schema.ts';
import { slotNames } from '../../encode/slots.ts';
import type { Table } from '../../encode/table.ts';
import { slotMeans } from './baseline.ts';
import { ChunkedLikelihood, type Chunks, profileChunks } from './chunks.ts';
import { type DataOptions, WEIGHT_KINDS, type WeightKind } from './options.ts';
import { resolveSchema } from './resolve/schema.ts';
import { lenient } from './resolve/trainingRows.ts';
import type { RowVectors } from './rows.ts';
import { profileSlots, type SlotProfile } from './slotProfile.ts';
import { type Standardisation, standardisation } from './standardise.ts';
import { classFactors, frequencies, readOffset, readTarget, readTrials, readWeight, type Target } from './target.ts';
import { TargetColumns } from './targetColumns.ts';

/** One encoded data set: all that is decided before a likelihood is formed. */
export interface Problem extends RowVectors {
  readonly engine: Engine;
  /** standardised, f64; with `chunks` a window on the rows */
  readonly batch: ColumnsBatch;
  /** the rows, where they are not all in the batch */
  readonly chunks: Chunks | null;
  readonly schema: Schema;
  readonly encoder: Encoder;
  /** what each slot stands for */
  readonly slots: readonly SlotName[];
  readonly standard: Standardisation;
  /**
   * Fits what is learnt from outcomes to these sample weights (null: ones), as target encoding is: rows of positive weight take values that
   * rows like them, but not they, decide; rows of weight 0 what all rows of positive weight do.
   * @returns what takes it back
   */
  adapt(weight: Float64Array | null): () => void;
  /** `slotMeans` of all rows by their sample weights */
  baseline(): Float64Array;
  free(): void;
}

/**
 * Reads, checks and encodes a table.
 * @param coding  where the options leave it open
 * @throws ERR_SCHEMA, ERR_TARGET, ERR_RECORD, ERR_RANGE, ERR_DATA; see `fit`
 */
export function prepare(table: Table, options: DataOptions, coding: 'onehot' | 'treatment' = 'onehot'): Problem {
  columnsOf(table);
  if (table.rows === 0) {
    throw new LogoddsError('ERR_DATA', 'table: expected at least one row, got none; check the file or the query');
  }
  const exclude = excludedColumns(table, options);
  refuseOtherLevels(table, options.exclude ?? []);
  const rows = readRows(table, options);
  const asked = {
    ...schemaOptions(options, coding),
    exclude,
    categorical: options.categorical,
    weight: frequencies(rows.sampleWeight, rows),
  };
  const { schema: draft, targets } = options.schema
    ? resolveSchema(table, options.schema, asked)
    : { schema: inferSchema(table, asked), targets: [] };
  if (draft.features.some(({ name }) => name === options.offset)) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema: expected features of other names than the offset column, got ${show(options.offset)}; rename the feature`,
    );
  }
  const columns =
    targets.length > 0
      ? new TargetColumns(table, draft, targets, (schema) => trainingEncoder(schema).firstColumns, rows)
      : null;
  const schema = columns?.schema ?? draft;
  const encoder = trainingEncoder(schema);
  const engine = engineOf(options.engine ?? pickEngine());
  const batch = engine.encoded(table.rows, encoder.specs);
  try {
    let memory: unknown;
    do {
      // written to memory that a getter of the table has made grow, rows are lost
      memory = engine.heap?.u8;
      encoder.encode(table, batch, { standardize: true });
    } while (engine.heap?.u8 !== memory);
    const problem = problemOf(engine, batch, null, schema, rows, columns);
    problem.adapt(rows.sampleWeight);
    return problem;
  } catch (error) {
    batch.free();
    throw error;
  }
}

/** A problem of its parts; `chunks` has the rows when the batch does not hold them all. */
export function problemOf(
  engine: Engine,
  batch: ColumnsBatch,
  chunks: Chunks | null,
  schema: Schema,
  rows: RowVectors,
  columns: TargetColumns | null = null,
): Problem {
  const encoder = trainingEncoder(schema);
  const standard = standardisation(encoder);
  let means: Float64Array | null = null;
  return {
    ...rows,
    engine,
    batch,
    chunks,
    schema,
    encoder,
    slots: slotNames(encoder),
    standard,
    adapt: (weight) => columns?.write(batch, weight) ?? (() => {}),
    baseline() {
      means ??= slotMeans(batch, chunks, standard, rows.sampleWeight);
      return means;
    },
    free: () => batch.free(),
  };
}

/** What `inferSchema` is told of the features. */
export const schemaOptions = (
  { coding, references, unseen, missing }: DataOptions,
  otherwise: 'onehot' | 'treatment',
) => ({ coding: coding ?? otherwise, references, unseen, missing });

/**
 * Reads and checks the columns of a table that are no features.
 * @throws as `prepare`
 */
export function readRows(table: Table, options: DataOptions): RowVectors {
  const target =
    options.trials === undefined
      ? readTarget(table, options.target, options.positive, leftOutBy(options.classWeight))
      : readTrials(table, options.target, options.trials);
  const { classes } = target;
  const { weightKind = 'sampling' } = options;
  if (!WEIGHT_KINDS.includes(weightKind)) {
    throw new LogoddsError('ERR_RANGE', `weightKind: expected sampling or count, got ${show(weightKind)}`);
  }
  const named = options.weight === undefined ? null : readWeight(table, options.weight, weightKind);
  const { leftOut } = target;
  const given = leftOut ? Float64Array.from(leftOut.rows, (gone, i) => (gone ? 0 : named ? named[i] : 1)) : named;
  const sampleWeight = target.trials ? target.trials.map((trials, i) => trials * (given ? given[i] : 1)) : given;
  const offset = options.offset === undefined ? null : readOffset(table, options.offset);
  if (classes.length > 2 && offset) {
    throw new LogoddsError(
      'ERR_TARGET',
      `offset ${show(options.offset)}: expected a target of two classes, got ${classes.length}; leave it out`,
    );
  }
  const { multiclass = 'multinomial' } = options;
  if (multiclass !== 'multinomial' && multiclass !== 'ovr') {
    throw new LogoddsError('ERR_RANGE', `multiclass: expected multinomial or ovr, got ${show(multiclass)}`);
  }
  const kind = classes.length === 2 ? 'binomial' : multiclass;
  const weight = effectiveWeight(target, sampleWeight, options);
  const counts = countsOf(target, given, weightKind);
  return {
    target,
    kind,
    y: target.y,
    sampleWeight,
    weight,
    offset,
    weightKind,
    counts,
    unit: unitWeights(counts, weight),
  };
}

/** The likelihoods of a problem, one, or for `ovr` one a class; `weight` in place of its own. */
export function likelihoods(problem: Problem, weight: Float64Array | null = problem.weight): LikelihoodOf[] {
  const { engine, batch, chunks, kind, y, offset, target } = problem;
  if (kind === 'multinomial') {
    const classes = target.classes.length;
    const likelihood = chunks
      ? new ChunkedLikelihood(engine, chunks, { y, weight, offset: null }, classes)
      : engine.multinomial(batch, { y, classes, weight });
    return [{ y: null, likelihood }];
  }
  const targets = kind === 'binomial' ? [y] : target.classes.map((_, k) => y.map((code) => Number(code === k)));
  const open: LikelihoodOf[] = [];
  try {
    for (const share of targets) {
      const vectors = { y: share, weight, offset };
      const likelihood = chunks ? new ChunkedLikelihood(engine, chunks, vectors, 1) : engine.likelihood(batch, vectors);
      open.push({ y: share, likelihood });
    }
    return open;
  } catch (error) {
    for (const { likelihood } of open) likelihood.free();
    throw error;
  }
}

/** `profileSlots` of all rows of a problem. */
export function profileRows(
  { batch, chunks, standard }: Problem,
  y: Float64Array | null,
  weight: Float64Array | null,
): SlotProfile {
  return chunks ? profileChunks(chunks, y, weight, standard) : profileSlots(batch, y, weight, standard);
}

export interface LikelihoodOf {
  readonly likelihood: Likelihood;
  /** share of the positive class; null for several classes */
  readonly y: Float64Array | null;
}

/** The encoder of rows that are fitted. */
export const trainingEncoder = (schema: Schema): Encoder => new Encoder(lenient(schema), encoders);

/** Columns that are no features. @throws ERR_SCHEMA absent columns, no feature left */
export function excludedColumns(
  table: Table,
  { target, trials, weight, offset, features, exclude = [] }: DataOptions,
): string[] {
  const roles = [target, trials, weight, offset].filter((name) => name !== undefined);
  findColumns(table, [...roles, ...(features ?? []), ...exclude]);
  const used = features?.find((name) => roles.includes(name));
  if (used !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected columns besides target, weight and offset, got ${show(used)}; leave it out`,
    );
  }
  const dropped = new Set([...roles, ...exclude]);
  const names = table.columns.map((column) => column.name);
  const excluded = names.filter((name) => dropped.has(name) || (features && !features.includes(name)));
  if (excluded.length === names.length) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected at least one column besides target, weight, offset and excluded ones, got none of ${list(names)}; keep one`,
    );
  }
  return excluded;
}

/** Sample weights times class weights. @throws ERR_TARGET when a class has no weight */
export function effectiveWeight(
  target: Target,
  weight: Float64Array | null,
  { classWeight, target: name }: DataOptions,
): Float64Array | null {
  const share = classShare(target, weight);
  const { classes } = target;
  const absent = classes.filter((_, k) => !(share[k] > 0));
  if (absent.length > 0) {
    const present = classes.filter((_, k) => share[k] > 0);
    throw new LogoddsError(
      'ERR_TARGET',
      classes.length === 2
        ? `target ${show(name)}: expected two classes with positive weight, got only ${list(present)}; give rows of both outcomes a weight above 0`
        : `target ${show(name)}: expected positive weight in each class, got none in ${list(absent)}; give its rows a weight above 0 or leave them out`,
    );
  }
  if (classWeight === undefined) return weight;
  const factor = classFactors(classWeight, target, share);
  if (target.trials) {
    throw new LogoddsError(
      'ERR_RANGE',
      'classWeight: expected none beside trials (a row holds both classes); weight the rows instead',
    );
  }
  return target.code.map((code, i) => factor[code] * (weight ? weight[i] : 1));
}

/** Classes whose factor is 0. */
const leftOutBy = (classWeight: DataOptions['classWeight']): string[] =>
  typeof classWeight === 'object' ? Object.keys(classWeight).filter((label) => classWeight[label] === 0) : [];

function countsOf({ trials }: Target, given: Float64Array | null, kind: WeightKind): Float64Array | null {
  if (!given) return trials;
  return given.map((w, i) => (trials ? trials[i] : 1) * (kind === 'count' ? w : Number(w > 0)));
}

function unitWeights(counts: Float64Array | null, weight: Float64Array | null): Float64Array | null {
  if (weight?.every((w, i) => w === (counts ? counts[i] : 1)) ?? true) return null;
  return weight!.map((w, i) => w / (counts ? counts[i] || 1 : 1));
}

/** S_c of each class, in the order of `classes` */
export function classShare({ classes, code, trials, y }: Target, weight: Float64Array | null): Float64Array {
  const share = new Float64Array(classes.length);
  for (let i = 0; i < code.length; i++) {
    const s = weight ? weight[i] : 1;
    if (trials) {
      share[0] += s * (1 - y[i]);
      share[1] += s * y[i];
    } else share[code[i]] += s;
  }
  return share;
}
