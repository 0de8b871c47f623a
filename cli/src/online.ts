import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cellError } from '../../src/encode/columns.ts';
import { labelOf, list, show } from '../../src/encode/label.ts';
import {
  type Column,
  type FtrlOptions,
  LogoddsError,
  Model,
  OnlineLearner,
  pickEngine,
  saveModel,
  type Table,
} from '../../src/index.ts';
import { type Spelling, spellingOf } from './levels.ts';
import { startPhase } from './progress.ts';
import { nearest, shorten } from './source.ts';
import { openStream, type RowStream, type StreamRow } from './stream.ts';
import { assertWritable, OutputFile, reason } from './temporary.ts';
import type { TrainResult } from './train.ts';
import type { Roles } from './training.ts';

/** Options of `logodds train --online`, as values. */
export interface OnlineTrainOptions extends Omit<Roles, 'holdoutBy'>, FtrlOptions {
  /** a file, or "-" for standard input */
  readonly data: string;
  /** where the model goes */
  readonly out: string;
  readonly positive?: string;
  /** file that holds the whole state; the run goes on from it when it exists */
  readonly checkpoint?: string;
  /** rows between two checkpoints; 100,000 when absent */
  readonly checkpointEvery?: number;
  /** rows that give the schema; 10,000 when absent */
  readonly warmup?: number;
  /** number of the first row of the input in the whole stream; 0 when absent */
  readonly firstRow?: number;
  readonly warn?: (message: string) => void;
}

/** Rows that become a table at a time. */
const BLOCK_ROWS = 8192;
const CHECKPOINT_EVERY = 100_000;
const WARMUP = 10_000;

/**
 * Learns a stream row by row. The rows of the warm-up give the schema and are then learnt as all others. With a checkpoint the
 * state is saved every so many rows and at the end, the model beside it, each written under a temporary name and renamed; rows
 * that a checkpoint has learnt are skipped. SIGINT and SIGTERM end the input where it stands.
 * @throws ERR_DATA, ERR_SCHEMA, ERR_RECORD, ERR_TARGET, ERR_RANGE, ERR_FORMAT, ERR_OUTPUT; ERR_INTERRUPTED during the warm-up
 */
export async function onlineCommand(options: OnlineTrainOptions): Promise<TrainResult> {
  for (const path of [options.out, options.checkpoint]) {
    if (path === undefined) continue;
    assertWritable(path);
    sweep(path);
  }
  const started = performance.now();
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const run = new OnlineRun(options);
  try {
    await run.learn(await openStream(options.data, stop.signal), stop.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  run.save();
  const { weights, intercept, manifest } = run.model;
  const fit = (performance.now() - started) / 1000;
  return {
    // the file has no wall time: a resumed run writes the bytes that one without a stop does
    model: new Model({
      weights,
      intercept,
      covariance: null,
      manifest: { ...manifest, fit: { ...manifest.fit, seconds: fit } },
    }),
    rows: { train: manifest.fit.rows, holdout: 0 },
    metrics: null,
    warnings: [],
    bytes: statSync(options.out).size,
    seconds: { read: 0, fit, score: 0, evaluate: 0, write: 0 },
  };
}

class OnlineRun {
  readonly #options: OnlineTrainOptions;
  #learner: OnlineLearner | null;
  #plan: readonly CellPlan[] = [];
  #saved = 0;

  constructor(options: OnlineTrainOptions) {
    this.#options = options;
    this.#learner = resume(options);
    this.#saved = this.#learner?.progress.rows ?? 0;
  }

  async learn(stream: RowStream, stop: AbortSignal): Promise<void> {
    const { firstRow = 0, warmup = WARMUP } = this.#options;
    const learnt = this.#saved;
    let skip = learnt - firstRow;
    if (skip < 0) {
      throw new LogoddsError(
        'ERR_DATA',
        `--first-row: expected at most ${learnt} (rows learnt so far), got ${firstRow}; the rows between are missing`,
      );
    }
    if (this.#learner && !stop.aborted) this.#begin(stream, this.#learner);
    let waiting: StreamRow[] = [];
    const phase = startPhase('learn', false);
    const start = performance.now();
    try {
      for await (const block of stream.blocks) {
        const rows = skip > 0 ? block.slice(skip) : block;
        skip -= block.length - rows.length;
        if (!this.#learner) {
          for (const row of rows) waiting.push(row);
          if (waiting.length < warmup) continue;
          this.#warmUp(stream, waiting.slice(0, warmup));
          this.#learnRows(waiting);
          waiting = [];
        } else this.#learnRows(rows);
        const { rows: total, logLoss } = this.#learner!.progress;
        const rate = Math.round(((total - learnt) * 1000) / Math.max(1, performance.now() - start));
        phase.update(
          null,
          `${total.toLocaleString('en-US')} rows, ${rate.toLocaleString('en-US')} rows/s, progressive log loss ${logLoss?.toFixed(4) ?? '–'}`,
        );
        await setImmediate(); // signals are heard between two blocks, and end the stream
      }
      if (!this.#learner) {
        if (stop.aborted) {
          throw new LogoddsError(
            'ERR_INTERRUPTED',
            `stopped in the warm-up, after ${waiting.length} of ${warmup} rows; nothing was written`,
          );
        }
        this.#warmUp(stream, waiting.slice(0, warmup));
        this.#learnRows(waiting);
      } else if (skip > 0 && !stop.aborted) {
        throw new LogoddsError(
          'ERR_DATA',
          `${stream.label}: expected the ${learnt} rows that the checkpoint has learnt and those after them, got ${learnt - skip}; ` +
            'give the stream from its beginning, or say with --first-row where it begins',
        );
      }
    } catch (error) {
      if (this.#options.checkpoint !== undefined && this.#learner) {
        if (this.#learner.progress.rows > this.#saved) this.save();
        this.#options.warn?.(`the checkpoint holds the first ${this.#saved} rows; the same command goes on from there`);
      }
      throw error;
    } finally {
      phase.end();
    }
  }

  /** Writes the checkpoint, then the model (of no rows of positive weight there is none). A kill between the two costs nothing. */
  save(): void {
    const { checkpoint, out } = this.#options;
    const learner = this.#learner!;
    if (checkpoint !== undefined) writeWhole(checkpoint, learner.checkpoint());
    this.#saved = learner.progress.rows;
    if (learner.progress.logLoss !== null) writeWhole(out, saveModel(learner.model()));
  }

  get model(): Model {
    return this.#learner!.model();
  }

  #begin(stream: RowStream, learner: OnlineLearner): void {
    this.#learner = learner;
    this.#plan = learningPlan(stream, learner);
  }

  #warmUp(stream: RowStream, rows: readonly StreamRow[]): void {
    if (rows.length === 0) {
      throw new LogoddsError(
        'ERR_DATA',
        `${stream.label}: expected rows, got none (a header only); check where they come from`,
      );
    }
    const { target, positive, weight, offset, alpha, beta, l1, l2 } = this.#options;
    const columns = warmUpPlan(stream, rows, this.#options);
    const table = tableOf(columns, rows, 0);
    const spelled = table.columns.map((column): Column => {
      if (column.kind === 'numeric' || stream.format !== 'csv') return column;
      const spelling = spellingOf(column.levels);
      return { ...column, levels: column.levels.map((level) => SPELL[spelling](level)) };
    });
    const engine = pickEngine();
    const start = { target, positive, weight, offset, alpha, beta, l1, l2, engine };
    this.#begin(stream, OnlineLearner.start({ ...table, columns: spelled }, start));
  }

  #learnRows(rows: readonly StreamRow[]): void {
    const { checkpoint, checkpointEvery = CHECKPOINT_EVERY } = this.#options;
    const learner = this.#learner!;
    for (let from = 0; from < rows.length; from += BLOCK_ROWS) {
      learner.partialFit(tableOf(this.#plan, rows.slice(from, from + BLOCK_ROWS), learner.progress.rows));
      if (checkpoint !== undefined && learner.progress.rows - this.#saved >= checkpointEvery) this.save();
    }
  }
}

/** Removes what a killed run left of a file it was writing: the temporary names of processes that are no more. */
function sweep(path: string): void {
  const begin = `.${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(begin) || !/^\d+\.tmp$/.test(name.slice(begin.length))) continue;
    try {
      process.kill(Number.parseInt(name.slice(begin.length), 10), 0);
    } catch {
      rmSync(join(dirname(path), name), { force: true });
    }
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const file = new OutputFile(path);
  file.write(bytes);
  file.commit();
}

/** The learner of the checkpoint, where there is one. @throws ERR_FORMAT, ERR_DATA when it was started with other options */
function resume(options: OnlineTrainOptions): OnlineLearner | null {
  const { checkpoint } = options;
  if (checkpoint === undefined || !existsSync(checkpoint)) return null;
  let learner: OnlineLearner;
  try {
    learner = OnlineLearner.resume(readFileSync(checkpoint), pickEngine());
  } catch (error) {
    if (error instanceof LogoddsError)
      throw new LogoddsError(error.code, `${checkpoint}: ${error.message}`, { cause: error });
    throw new LogoddsError('ERR_DATA', `${checkpoint}: cannot be read (${reason(error)}); check the path`, {
      cause: error,
    });
  }
  const { target, weight = null, offset = null, positive = learner.positive } = options;
  const rates = ['alpha', 'beta', 'l1', 'l2'] as const;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['target', learner.target, target],
    ['positive', learner.positive, positive],
    ['weight', learner.weight, weight],
    ['offset', learner.offset, offset],
    ...rates.map((name) => [name, learner.rates[name], options[name] ?? learner.rates[name]] as const),
  ];
  for (const [name, expected, got] of pairs) {
    if (expected === got) continue;
    throw new LogoddsError(
      'ERR_DATA',
      `${checkpoint}: expected --${name} ${expected ?? 'absent'} (as it began), got ${got ?? 'none'}; use the same options, or another checkpoint`,
    );
  }
  return learner;
}

/** How the cells of a column are read. */
interface CellPlan {
  readonly name: string;
  readonly cell: (row: StreamRow) => unknown;
  /** null: numeric */
  readonly levels: string[] | null;
  readonly codes: Map<string, number>;
  /** a label that is no level becomes one; else it is unseen */
  readonly open: boolean;
  readonly spelling: Spelling;
  /** cells are text */
  readonly text: boolean;
}

/** A number as a CSV file may write it. */
const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
/** A fraction whose zeros are not part of its label. */
const FRACTION = /^-?(0|[1-9][0-9]*)\.[0-9]+$/;

const SPELL: Readonly<Record<Spelling, (text: string) => string>> = {
  number: (text) => (FRACTION.test(text) ? String(Number(text)) : text),
  boolean: (text) => text.toLowerCase(),
  plain: (text) => text,
};

const isMissing = (cell: unknown): boolean => cell === undefined || cell === null || cell === '';

function planOf(stream: RowStream, name: string, levels: readonly string[] | null, open: boolean): CellPlan {
  const text = stream.format === 'csv';
  return {
    name,
    cell: stream.cell(name),
    levels: levels && [...levels],
    codes: new Map(levels?.map((level, code) => [level, code])),
    open,
    spelling: text && levels ? spellingOf(levels) : 'plain',
    text,
  };
}

/** The columns in use of the first rows, each numeric or with the levels that occur. */
function warmUpPlan(stream: RowStream, rows: readonly StreamRow[], options: OnlineTrainOptions): CellPlan[] {
  const { target, weight, offset, features, drop = [], categorical = [], numeric = [] } = options;
  const names = stream.names(rows);
  const roles = [target, weight, offset].filter((name) => name !== undefined);
  for (const name of [...roles, ...(features ?? []), ...drop, ...categorical, ...numeric])
    requireColumn(stream, names, name);
  const isFeature = (name: string) => (features ? features.includes(name) : !drop.includes(name));
  const numbers = [weight, offset, ...numeric];
  return names
    .filter((name) => roles.includes(name) || isFeature(name))
    .map((name) => {
      const coded =
        name === target || categorical.includes(name) || !(numbers.includes(name) || holdsNumbers(stream, rows, name));
      return planOf(stream, name, coded ? [] : null, coded);
    });
}

/**
 * Whether a column has numbers alone. A column of text of which half the cells or more are numbers has a fault in it.
 * @throws ERR_RECORD naming the first cell that is none
 */
function holdsNumbers(stream: RowStream, rows: readonly StreamRow[], name: string): boolean {
  const cell = stream.cell(name);
  const isNumber = (value: unknown) =>
    stream.format === 'csv' ? NUMBER.test(value as string) : typeof value === 'number';
  let numbers = 0;
  let others = 0;
  let first = -1;
  rows.forEach((row, i) => {
    const value = cell(row);
    if (isMissing(value)) return;
    if (isNumber(value)) numbers++;
    else if (others++ === 0) first = i;
  });
  if (others === 0) return numbers > 0;
  if (numbers < others && stream.format === 'csv') return false;
  if (numbers === 0) return false;
  throw cellError(first, name, 'a number', cell(rows[first]), textAdvice(name));
}

const textAdvice = (name: string) =>
  `correct the cell, leave it empty if the value is missing, or say --categorical ${name}`;

/** The columns that a learner reads, with its levels. */
function learningPlan(stream: RowStream, learner: OnlineLearner): CellPlan[] {
  const { schema, target, classes, weight, offset } = learner;
  const numbers = [weight, offset].filter((name) => name !== null);
  const all = [...schema.features.map(({ name }) => name), target, ...numbers];
  // the first JSON objects may lack a column; one that lacks it in a row has a missing cell there
  if (stream.format === 'csv') for (const name of all) requireColumn(stream, stream.names([]), name);
  return [
    ...schema.features.map((feature) =>
      planOf(stream, feature.name, feature.kind === 'categorical' ? feature.levels : null, false),
    ),
    planOf(stream, target, classes, true),
    ...numbers.map((name) => planOf(stream, name, null, false)),
  ];
}

function requireColumn(stream: RowStream, names: readonly string[], name: string): void {
  if (names.includes(name)) return;
  const guess = nearest(name, names);
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${stream.label}: expected column ${show(name)}, got no column of that name; ` +
      (guess ? `did you mean ${show(guess)}?` : `the columns are ${shorten(names) || list(names)}`),
  );
}

function tableOf(plans: readonly CellPlan[], rows: readonly StreamRow[], firstRow: number): Table {
  return { rows: rows.length, columns: plans.map((plan) => columnOf(plan, rows, firstRow)) };
}

/** @throws ERR_RECORD naming row and column of a cell that cannot be used */
function columnOf(plan: CellPlan, rows: readonly StreamRow[], firstRow: number): Column {
  const { name, cell, levels, codes: codeOf, open, spelling, text } = plan;
  const missing = new Uint8Array(rows.length);
  const values = new Float64Array(levels ? 0 : rows.length);
  const codes = new Uint32Array(levels ? rows.length : 0);
  rows.forEach((row, i) => {
    const value = cell(row);
    if (isMissing(value)) missing[i] = 1;
    else if (!levels) {
      if (text ? !NUMBER.test(value as string) : typeof value !== 'number') {
        throw cellError(firstRow + i, name, 'a number', value, textAdvice(name));
      }
      values[i] = Number(value);
    } else {
      const label = labelOf(value);
      if (label === null)
        throw cellError(firstRow + i, name, 'text, a number or a boolean', value, 'use null for a missing value');
      const spelled = SPELL[spelling](label);
      let code = codeOf.get(spelled) ?? levels.length;
      if (open && code === levels.length) {
        code = levels.push(spelled) - 1;
        codeOf.set(spelled, code);
      }
      codes[i] = code;
    }
  });
  return levels ? { name, kind: 'coded', codes, levels, missing } : { name, kind: 'numeric', values, missing };
}
