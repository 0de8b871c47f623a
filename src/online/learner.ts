import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { Ftrl, type FtrlOptions, ftrlOptions } from '../../bindings/ftrl.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import { CheckedTable } from '../encode/checkedTable.ts';
import { asNumeric, cellError, columnsOf, findColumns } from '../encode/columns.ts';
import { Encoder, writeNumbers } from '../encode/encoder.ts';
import { inferSchema, sortLabels } from '../encode/infer.ts';
import { labelOf } from '../encode/label.ts';
import type { Schema } from '../encode/schema.ts';
import { slotNames } from '../encode/slots.ts';
import type { Table } from '../encode/table.ts';
import { list, show } from '../messages.ts';
import { checkManifest } from '../model/check.ts';
import { isSealed, seal } from '../model/file.ts';
import { FittedModel } from '../model/fittedModel.ts';
import { FORMAT, type Manifest, PRODUCER } from '../model/manifest.ts';
import { decodeSafetensors, encodeSafetensors, parseWritten } from '../model/safetensors.ts';
import { count, list as listOf, nullable, number, object, string } from '../model/shape.ts';
import { allStages } from '../stages.ts';
import type { DataOptions } from '../train/problem/options.ts';
import { excludedColumns } from '../train/problem/prepare.ts';
import { slotsOf } from '../train/problem/slots.ts';
import { foldExactly, standardisation } from '../train/problem/standardise.ts';
import { readTarget, readWeight } from '../train/problem/target.ts';

/** Options of an `OnlineLearner`, beside its schema. */
export interface OnlineOptions extends FtrlOptions {
  /** the column to predict */
  readonly target: string;
  /** both labels */
  readonly classes: readonly [string, string];
  /** the class whose probability the model gives */
  readonly positive: string;
  /** column of sample weights, which scale the gradients; see `Ftrl` */
  readonly weight?: string;
  /** column of numbers that are added to the logit */
  readonly offset?: string;
  readonly engine?: Engine;
}

const onlineOptions = (): Readonly<Record<keyof OnlineOptions, OptionRule>> => ({
  target: 'a name',
  classes: 'a list of names',
  positive: true,
  weight: 'a name',
  offset: 'a name',
  engine: true,
  alpha: 'a number',
  beta: 'a number',
  l1: 'a number',
  l2: 'a number',
});

/** Options of `OnlineLearner.start`. When `classes` and `positive` are absent, they come from the table as in `fit`. */
export interface StartOptions
  extends Omit<OnlineOptions, 'classes' | 'positive'>,
    Partial<Pick<OnlineOptions, 'classes' | 'positive'>>,
    Pick<DataOptions, 'features' | 'exclude' | 'categorical'> {}

/** Number of rows learnt, and how well the learner predicted each one before it learnt it. */
export interface Learnt {
  readonly rows: number;
  /** mean log loss of each row before it was learnt, in nats per unit of weight; null when all weights are 0 */
  readonly logLoss: number | null;
}

/** Errors of resuming that are not about its bytes, or say what is wrong with them. */
const PASSED: readonly string[] = ['ERR_FORMAT', 'ERR_MEMORY', 'ERR_ENGINE'];
/** Number in every checkpoint; `resume` refuses any other. */
const CHECKPOINT = 1;
/** least capacity of the batch that tables are encoded into */
const CAPACITY = 1024;

/** What a learner was told, as plain JSON. */
interface Settings {
  readonly target: string;
  readonly classes: readonly [string, string];
  readonly positive: string;
  readonly weight: string | null;
  readonly offset: string | null;
  readonly rates: Required<FtrlOptions>;
  readonly schema: Schema;
}

/** Sums that a checkpoint keeps beside z and n; `baseline` is the model of the intercept (and offset) alone. */
interface Sums {
  readonly rows: number;
  readonly totalWeight: number;
  readonly loss: number;
  readonly baseline: { readonly z: number; readonly n: number; readonly loss: number };
}

/** What is not checked as a part of the model. */
const checkpointShape = () =>
  object({
    settings: object({
      target: string,
      classes: listOf(string, 2, 2),
      positive: string,
      weight: nullable(string),
      offset: nullable(string),
      rates: object({ alpha: number, beta: number, l1: number, l2: number }),
    }),
    sums: object({
      rows: count,
      totalWeight: number,
      loss: number,
      baseline: object({ z: number, n: number, loss: number }),
    }),
  });

/** The metadata of a checkpoint. */
interface Checkpoint {
  readonly format: number;
  readonly producer: string;
  readonly settings: Settings;
  readonly sums: Sums;
}

/**
 * Learns from tables online, by FTRL-Proximal. Each `partialFit` learns the rows of a table once, in order. `Ftrl` has the formula.
 *
 * Numeric features are standardised by the mean and scale of the schema, which never change. A level that the schema does not list trains the
 * slot of unseen values. For open-ended sets of levels, hash into sparse batches instead (`hashIndex` and `Ftrl` of `logodds/kernels`). The same
 * rows in the same order give the same bits, however they are cut into tables. **The learner holds memory of its engine until `free`.**
 * @example
 * const learner = OnlineLearner.start(table, { target: 'late' });
 * learner.partialFit(table); // { rows: 30, logLoss: 0.6679 }
 * learner.model().score(flight).probability; // 0.5383
 * const copy = OnlineLearner.resume(learner.checkpoint());
 * copy.progress.rows; // 30
 */
export class OnlineLearner implements Disposable {
  readonly target: string;
  readonly classes: readonly [string, string];
  readonly positive: string;
  readonly weight: string | null;
  readonly offset: string | null;
  readonly rates: Required<FtrlOptions>;
  readonly schema: Schema;
  readonly #encoder: Encoder;
  readonly #engine: Engine;
  readonly #ftrl: Ftrl;
  /** intercept and offset alone, on batches without a column */
  readonly #baseline: Ftrl;
  #batches: readonly [ColumnsBatch, ColumnsBatch] | null = null;
  #freed = false;

  /**
   * @param schema  a schema as `inferSchema` makes it, with one-hot coding
   * @throws ERR_SCHEMA for treatment coding; ERR_TARGET for classes that are not two or do not include `positive`; ERR_RANGE; ERR_MEMORY
   */
  constructor(schema: Schema, options: OnlineOptions) {
    refuseUnknown('OnlineLearner', options, onlineOptions());
    const { target, classes, positive, weight = null, offset = null, engine = pickEngine() } = options;
    const coded = schema.features.find((feature) => feature.kind === 'categorical' && feature.coding !== 'onehot');
    if (coded) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(coded.name)}: expected onehot coding (every level learns a weight), got treatment; infer it with coding "onehot"`,
      );
    }
    if (!(classes.length === 2 && classes[0] !== classes[1] && classes.includes(positive))) {
      throw new LogoddsError(
        'ERR_TARGET',
        `classes: expected two labels and the positive one among them, got ${list(classes)} and ${show(positive)}`,
      );
    }
    this.target = target;
    this.classes = sortLabels(classes) as [string, string];
    this.positive = positive;
    this.weight = weight;
    this.offset = offset;
    this.rates = ftrlOptions(options);
    this.schema = schema;
    this.#engine = engine;
    this.#encoder = new Encoder(schema, allStages.encoders);
    this.#ftrl = new Ftrl(engine, { slots: this.#encoder.slots, ...this.rates });
    try {
      this.#baseline = new Ftrl(engine, { slots: 0, ...this.rates });
    } catch (error) {
      this.#ftrl.free();
      throw error;
    }
    // for `using` as compilers write it
    if (!Symbol.dispose) Object.assign(this, { [Symbol.for('Symbol.dispose')]: this.free });
  }

  /**
   * Returns a learner whose schema (levels, means, scales) and classes come from a first table. **The table is not learnt:** pass it to
   * `partialFit` like any other. It should have both classes and the usual spread of the numbers.
   * @throws ERR_SCHEMA, ERR_TARGET, ERR_RECORD as `fit`; ERR_TARGET when the table has one class and `classes` is absent
   */
  static start(table: Table, options: StartOptions): OnlineLearner {
    refuseUnknown('OnlineLearner', options, {
      ...onlineOptions(),
      features: 'a list of names',
      exclude: 'a list of names',
      categorical: 'a list of names',
    });
    const exclude = excludedColumns(CheckedTable.of(table), options);
    const { classes, positive } = options.classes
      ? binary(options.classes, options.positive)
      : classesOf(table, options);
    const weight = options.weight === undefined ? null : readWeight(table, options.weight);
    const schema = inferSchema(table, { exclude, coding: 'onehot', categorical: options.categorical, weight });
    const { features: _, exclude: _also, categorical: _too, ...rest } = options;
    return new OnlineLearner(schema, { ...rest, classes, positive });
  }

  /** All rows learnt so far, and their mean log loss before each was learnt (progressive validation). */
  get progress(): Learnt {
    const { rows, loss, totalWeight } = this.#ftrl;
    return { rows, logLoss: totalWeight > 0 ? loss / totalWeight : null };
  }

  /**
   * Learns the rows of a table, in order. **Changes the learner.** All cells are checked first: when it throws, nothing was learnt. Errors count
   * rows from the first row this learner ever received.
   * @returns rows and progressive log loss of this table
   * @throws ERR_SCHEMA columns that are absent or of the wrong type
   * @throws ERR_RECORD a cell that cannot be used, a negative weight, a label that is missing or is neither class
   * @throws ERR_RANGE  numbers beyond 1e60 after standardisation; ERR_MEMORY
   */
  partialFit(table: Table): Learnt {
    void this.#ftrl.heap;
    columnsOf(table);
    const { rows } = table;
    if (rows === 0) return { rows: 0, logLoss: null };
    const firstRow = this.#ftrl.rows;
    const room = this.#room(rows);
    // a getter of the table may learn another table
    this.#batches = null;
    try {
      return this.#learn(table, room, firstRow);
    } finally {
      if (this.#batches || this.#freed) for (const batch of room) batch.free();
      else this.#batches = room;
    }
  }

  #learn(table: Table, [batch, empty]: readonly [ColumnsBatch, ColumnsBatch], firstRow: number): Learnt {
    const { rows } = table;
    let memory: unknown;
    do {
      // written to memory that a getter of the table has made grow, rows are lost
      memory = this.#engine.heap.u8;
      this.#encoder.encode(table, batch, { standardize: true, firstRow });
    } while (this.#engine.heap.u8 !== memory);
    const y = this.#labels(table, firstRow);
    const weight = readNumbers(table, this.weight, firstRow);
    const offset = readNumbers(table, this.offset, firstRow);
    const negative = weight?.findIndex((value) => value < 0) ?? -1;
    if (negative >= 0) {
      throw cellError(
        firstRow + negative,
        this.weight!,
        'a weight >= 0',
        weight![negative],
        'correct it, or leave the row out',
      );
    }
    const logLoss = this.#ftrl.learn(batch, y, weight, offset);
    this.#baseline.learn(empty, y, weight, offset);
    return { rows, logLoss };
  }

  /**
   * Returns the model of the rows so far, of the same kind as `fit` returns. Its `fit.objective` and `logLik` are those of progressive validation.
   * In terms of `fit` the penalty is λ = (λ₁ + λ₂)/S with l1Ratio = λ₁/(λ₁ + λ₂).
   * @throws ERR_DATA when no row of positive weight was learnt
   */
  model(): FittedModel {
    const { totalWeight } = this.#ftrl;
    if (!(totalWeight > 0)) {
      throw new LogoddsError(
        'ERR_DATA',
        'model: expected rows of positive weight, got none; learn some by partialFit first',
      );
    }
    const params = this.#ftrl.weights();
    const names = slotNames(this.#encoder);
    // a row has "present" or "missing" of a feature with an indicator: the first moves into the intercept
    names.forEach(({ role }, j) => {
      if (role !== 'present') return;
      params[params.length - 1] += params[j];
      params[j + 1] -= params[j];
      params[j] = 0;
    });
    const { weights, intercept } = foldExactly(params, standardisation(this.#encoder), slotsOf(names));
    return new FittedModel({
      manifest: this.#manifest(this.#sums()),
      weights,
      intercept,
      covariance: null,
      stages: allStages,
    });
  }

  /**
   * Returns the whole state of the learner as the bytes of a safetensors file with a SHA-256: z and n of `Ftrl`, sums, options and schema.
   * `progress.rows` is the position in the input. The same state always gives the same bytes.
   */
  checkpoint(): Uint8Array {
    const { z, n } = this.#ftrl.state();
    const { target, classes, positive, weight, offset, rates, schema } = this;
    const settings: Settings = { target, classes, positive, weight, offset, rates, schema };
    const content: Checkpoint = { format: CHECKPOINT, producer: PRODUCER, settings, sums: this.#sums() };
    return seal(
      encodeSafetensors(
        { sha256: '0'.repeat(64), checkpoint: JSON.stringify(content) },
        { z: { shape: [z.length], values: z }, n: { shape: [n.length], values: n } },
      ),
    );
  }

  /**
   * Returns the learner of a checkpoint. It continues bit for bit as if it had never stopped.
   * @throws ERR_FORMAT for bytes that are no checkpoint, are damaged, or have another format
   */
  static resume(bytes: Uint8Array | ArrayBuffer, engine?: Engine): OnlineLearner {
    // of anything else no byte: it matches no digest
    const { buffer = bytes, byteOffset, byteLength } = Object(bytes);
    const file = byteLength > 0 ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(0);
    if (!isSealed(file)) {
      throw refuse(
        'expected a whole file that matches its SHA-256',
        'got one that is damaged, cut short or of another kind; use an older copy, or start again without it',
      );
    }
    try {
      return OnlineLearner.#read(file, engine);
    } catch (cause) {
      if (cause instanceof LogoddsError && PASSED.includes(cause.code)) throw cause;
      throw refuse(
        'expected a file that `checkpoint` wrote',
        'got other content; use an older copy, or start again without it',
        cause,
      );
    }
  }

  static #read(file: Uint8Array, engine?: Engine): OnlineLearner {
    const { metadata, tensors } = decodeSafetensors(file);
    if (!('checkpoint' in metadata)) {
      throw refuse(
        'expected a checkpoint',
        'got a model, which cannot learn further; give the file that `checkpoint` wrote',
      );
    }
    const { format, producer, settings, sums } = parseWritten(metadata['checkpoint']) as Checkpoint;
    if (format !== CHECKPOINT) {
      throw refuse(
        `expected format ${CHECKPOINT}`,
        `got format ${format} (written by ${producer}); resume with that version, or start again`,
      );
    }
    const wrong = checkpointShape()({ settings, sums });
    if (wrong !== null) {
      throw refuse(
        `expected a valid checkpoint${wrong}`,
        'got something else; use an older copy, or start again without it',
      );
    }
    checkManifest(manifestOf(settings, sums), allStages);
    const { weight, offset, rates, schema, ...rest } = settings;
    const learner = new OnlineLearner(schema, {
      ...rest,
      ...rates,
      weight: weight ?? undefined,
      offset: offset ?? undefined,
      engine,
    });
    try {
      const found = tensors();
      const read = (name: string) => found.get(name)?.read() ?? new Float64Array(0);
      learner.#ftrl.restore({ ...sums, z: read('z'), n: read('n') });
      const { z, n, loss } = sums.baseline;
      learner.#baseline.restore({ ...sums, z: Float64Array.of(z), n: Float64Array.of(n), loss });
    } catch (error) {
      learner.free();
      throw error;
    }
    return learner;
  }

  /** Gives the memory back to the engine. **Every later call throws ERR_ENGINE.** */
  free(): void {
    this.#freed = true;
    for (const part of [...(this.#batches ?? []), this.#ftrl, this.#baseline]) part.free();
  }

  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void {
    this.free();
  }

  #sums(): Sums {
    const { rows, totalWeight, loss } = this.#ftrl;
    const { z, n, loss: baselineLoss } = this.#baseline.state();
    return { rows, totalWeight, loss, baseline: { z: z[0], n: n[0], loss: baselineLoss } };
  }

  #manifest(sums: Sums): Manifest {
    return manifestOf(this, sums);
  }

  /** Batches for that many rows: of the features, and of no column. */
  #room(rows: number): readonly [ColumnsBatch, ColumnsBatch] {
    if (!this.#batches || this.#batches[0].capacity < rows) {
      for (const batch of this.#batches ?? []) batch.free();
      this.#batches = null;
      const capacity = Math.max(rows, CAPACITY);
      const own = this.#engine.encoded(capacity, this.#encoder.specs);
      this.#batches = [own, this.#engine.encoded(capacity, [])];
    }
    for (const batch of this.#batches) batch.setRows(rows);
    return this.#batches;
  }

  /** 1 for the positive class, 0 for the other. */
  #labels(table: Table, firstRow: number): Float64Array {
    const [column] = findColumns(table, [this.target]);
    const { missing } = column;
    const cells = column.kind === 'coded' ? column.codes : column.values;
    const known = new Map<number, 0 | 1>();
    const read = (row: number): 0 | 1 => {
      const value = column.kind === 'coded' ? column.levels[cells[row]] : cells[row];
      const label = missing?.[row] ? null : labelOf(value);
      if (label !== null && this.classes.includes(label)) return label === this.positive ? 1 : 0;
      const rule = `a class (${list(this.classes)})`;
      throw cellError(
        firstRow + row,
        this.target,
        rule,
        missing?.[row] ? null : value,
        'correct it, or leave the row out',
      );
    };
    const y = new Float64Array(table.rows);
    for (let i = 0; i < table.rows; i++) {
      const label = (missing?.[i] ? undefined : known.get(cells[i])) ?? read(i);
      known.set(cells[i], label);
      y[i] = label;
    }
    return y;
  }
}

function manifestOf({ target, classes, positive, weight, offset, rates, schema }: Settings, sums: Sums): Manifest {
  const { rows, totalWeight, loss, baseline } = sums;
  const { alpha, beta, l1, l2 } = rates;
  const penalty = l1 + l2;
  return {
    format: FORMAT,
    producer: PRODUCER,
    classes,
    positive,
    multiclass: null,
    reference: null,
    target,
    schema,
    objective: {
      lambda: penalty > 0 ? penalty / totalWeight : 0,
      l1Ratio: penalty > 0 ? l1 / penalty : 0,
      C: penalty > 0 ? 1 / penalty : null,
      standardize: true,
    },
    decision: { threshold: 0.5 },
    offset,
    weight,
    fit: {
      solver: 'ftrl',
      choice: `FTRL-Proximal, each row once in order (alpha ${alpha}, beta ${beta}, l1 ${l1}, l2 ${l2})`,
      converged: false,
      reason: 'online',
      iterations: rows,
      gradNorm: null,
      objective: loss / totalWeight,
      logLik: -loss,
      nullLogLik: -baseline.loss,
      rows,
      totalWeight,
    },
    aliased: [],
    warnings: [],
  };
}

/** Classes and positive class as `fit` would have them. */
function binary(labels: readonly string[], positive?: string): { classes: [string, string]; positive: string } {
  const codes = Uint8Array.from(labels, (_, code) => code);
  const column = { name: 'classes', kind: 'coded', codes, levels: labels } as const;
  const { classes, positive: chosen } = readTarget({ rows: labels.length, columns: [column] }, 'classes', positive);
  return { classes: classes as [string, string], positive: chosen! };
}

function classesOf(table: Table, { target, positive }: StartOptions): { classes: [string, string]; positive: string } {
  try {
    const found = readTarget(table, target, positive);
    if (found.classes.length === 2) return { classes: found.classes as [string, string], positive: found.positive! };
  } catch (error) {
    if (!(error instanceof LogoddsError && error.code === 'ERR_TARGET')) throw error;
    throw new LogoddsError(
      'ERR_TARGET',
      `${error.message} (in the first ${table.rows} rows, which set the classes: use more of them, or name both)`,
      { cause: error },
    );
  }
  throw new LogoddsError(
    'ERR_TARGET',
    `target ${show(target)}: expected two classes to learn online, got more; use fit`,
  );
}

/** A column of finite numbers without a missing cell; null without a name. */
function readNumbers(table: Table, name: string | null, firstRow: number): Float64Array | null {
  if (name === null) return null;
  const out = new Float64Array(table.rows);
  const column = asNumeric(findColumns(table, [name])[0], table.rows, firstRow);
  writeNumbers(column, table.rows, firstRow, out, null, Number.NaN);
  return out;
}

function refuse(expected: string, got: string, cause?: unknown): LogoddsError {
  return new LogoddsError('ERR_FORMAT', `checkpoint: ${expected}, ${got}`, { cause });
}
