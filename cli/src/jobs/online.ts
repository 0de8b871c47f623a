import { existsSync, readFileSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { LogoddsError, type Model, OnlineLearner, pickEngine, saveModel, type Warning } from '../../../src/index.ts';
import { splitmix32 } from '../../../src/internal.ts';
import type { FtrlOptions } from '../../../src/kernels.ts';
import { commandError } from '../errors.ts';
import { counted } from '../figures/wording.ts';
import { movedTo, placed, rowOf } from '../read/place.ts';
import { openStream, type RowStream, type StreamRow } from '../read/stream.ts';
import { learningPlan, type StreamedColumn, type StreamRoles, tableOf, warmUpPlan } from '../read/streamed.ts';
import type { ReadOptions } from '../read/text/options.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile, reason } from '../write/temporary.ts';
import { based } from './baseline.ts';
import type { LearningCurve } from './learningCurve.ts';
import type { TrainResult } from './trainOptions.ts';

/** Options of `logodds train --online`, as values. */
export interface OnlineTrainOptions extends StreamRoles, ReadOptions, FtrlOptions {
  /** a file, or "-" for standard input */
  readonly data: string;
  /** where the model goes */
  readonly out: string;
  readonly positive?: string;
  /** file that holds the whole state; the run continues from it if it exists */
  readonly checkpoint?: string;
  /** rows between two checkpoints; 100,000 when absent */
  readonly checkpointEvery?: number;
  /** number of first rows that set the schema; 10,000 when absent */
  readonly warmup?: number;
  /** number of the first row of the input in the whole stream; 0 when absent */
  readonly firstRow?: number;
  /** false: the model has no distribution of its rows */
  readonly baseline?: boolean;
  /** takes the progressive log loss by rows learnt */
  readonly curve?: LearningCurve;
  /** called whenever state and model were saved before the end */
  readonly onSave?: () => void;
  readonly warn?: (message: string) => void;
}

/** Rows of one table. */
const BLOCK_ROWS = 8192;
const CHECKPOINT_EVERY = 100_000;
const WARMUP = 10_000;
/** Rows of the sample for the baseline. */
const SAMPLE_ROWS = 10_000;

/**
 * Learns a stream row by row. The rows of the warm-up set the schema and are then learnt like all others. With a checkpoint, state and model
 * are saved at intervals and at the end; each is written under a temporary name and renamed. Rows that the checkpoint has learnt are skipped.
 * SIGINT and SIGTERM end the input at its current row.
 * @throws ERR_DATA, ERR_SCHEMA, ERR_RECORD, ERR_TARGET, ERR_RANGE, ERR_FORMAT, ERR_OUTPUT; ERR_INTERRUPTED during the warm-up
 */
export async function onlineCommand(options: OnlineTrainOptions): Promise<TrainResult> {
  const { out, checkpoint, data } = options;
  assertWritable(out, data);
  if (checkpoint !== undefined) assertWritable(checkpoint, out, data);
  const started = performance.now();
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const run = new OnlineRun(options);
  try {
    await run.learn(await openStream(options.data, stop.signal, options), stop.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  run.finish();
  const { model, notes } = run.saved;
  const fit = (performance.now() - started) / 1000;
  return {
    model,
    rows: { train: model.manifest.fit.rows, holdout: 0 },
    metrics: null,
    warnings: notes,
    curve: options.curve,
    bytes: statSync(options.out).size,
    seconds: { read: 0, fit, score: 0, evaluate: 0, write: 0 },
  };
}

class OnlineRun {
  readonly #options: OnlineTrainOptions;
  #learner: OnlineLearner | null;
  #plan: readonly StreamedColumn[] = [];
  #saved = 0;
  #saving: { readonly model: Model; readonly notes: readonly Warning[] } | null = null;
  readonly #sample: StreamRow[] = [];
  readonly #random = splitmix32(1);
  #seen = 0;

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
        // rows that a checkpoint has learnt belong to the distribution all the same
        this.#keep(block.slice(0, block.length - rows.length));
        skip -= block.length - rows.length;
        if (!this.#learner) {
          for (const row of rows) waiting.push(row);
          if (waiting.length < warmup) continue;
          this.#warmUp(stream, waiting.slice(0, warmup));
          this.#learnRows(stream, waiting);
          waiting = [];
        } else this.#learnRows(stream, rows);
        const { rows: total, logLoss } = this.#learner!.progress;
        const rate = Math.round(((total - learnt) * 1000) / Math.max(1, performance.now() - start));
        phase.update(
          null,
          `${counted(total, 'row')}, ${rate.toLocaleString('en-US')} rows/s, progressive log loss ${logLoss?.toFixed(4) ?? '–'}`,
        );
        await setImmediate(); // signals are heard between two blocks, and end the stream
      }
      if (!this.#learner) {
        if (stop.aborted) {
          throw commandError(
            'ERR_INTERRUPTED',
            `stopped in the warm-up, after ${waiting.length} of ${counted(warmup, 'row')}; nothing was written`,
          );
        }
        this.#warmUp(stream, waiting.slice(0, warmup));
        this.#learnRows(stream, waiting);
      } else if (skip > 0 && !stop.aborted) {
        throw new LogoddsError(
          'ERR_DATA',
          `${stream.label}: expected the ${counted(learnt, 'row')} that the checkpoint has learnt and those after them, got ${learnt - skip}; ` +
            'give the stream from its beginning, or say with --first-row where it begins',
        );
      }
    } catch (error) {
      if (this.#options.checkpoint !== undefined && this.#learner) {
        if (this.#learner.progress.rows > this.#saved) this.save();
        this.#options.warn?.(
          `the checkpoint holds the first ${counted(this.#saved, 'row')}; run the same command to continue from there`,
        );
      }
      throw error;
    } finally {
      phase.end();
    }
  }

  /** Writes the checkpoint, then the model (none without rows of positive weight). A kill between the two loses nothing. */
  save(): void {
    const { checkpoint, out } = this.#options;
    const learner = this.#learner!;
    if (checkpoint !== undefined) writeWhole(checkpoint, learner.checkpoint());
    this.#saved = learner.progress.rows;
    if (learner.progress.logLoss === null) return;
    const { model, notes } = based(
      learner.model(),
      { table: tableOf(this.#plan, this.#sample, 0), of: this.#seen },
      this.#options,
    );
    this.#saving = { model, notes };
    writeWhole(out, saveModel(model));
  }

  /** Rows of the baseline: a sample of those that this run has read, each as likely (Vitter's algorithm R). */
  #keep(rows: readonly StreamRow[]): void {
    if (this.#options.baseline === false) return;
    const sample = this.#sample;
    for (const row of rows) {
      const place = this.#seen < SAMPLE_ROWS ? this.#seen : Math.floor(this.#random() * (this.#seen + 1));
      this.#seen++;
      if (place < SAMPLE_ROWS) sample[place] = row;
    }
  }

  finish(): void {
    this.save();
    this.#options.curve?.finish(this.#learner!.progress);
  }

  /** What was saved last, and what its baseline leaves out. */
  get saved(): { readonly model: Model; readonly notes: readonly Warning[] } {
    return this.#saving ?? { model: this.#learner!.model(), notes: [] };
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
    const { target, positive, weight, offset, alpha, beta, l1, l2, classes } = this.#options;
    const columns = warmUpPlan(stream, rows, this.#options);
    const table = tableOf(columns, rows, 0);
    const engine = pickEngine();
    const two = classes && { classes: classes as [string, string] };
    const start = { target, positive, weight, offset, alpha, beta, l1, l2, engine, ...two };
    this.#begin(
      stream,
      placing(stream, rows, 0, () => OnlineLearner.start(table, start)),
    );
  }

  #learnRows(stream: RowStream, rows: readonly StreamRow[]): void {
    const { checkpoint, checkpointEvery = CHECKPOINT_EVERY, curve, onSave } = this.#options;
    const learner = this.#learner!;
    for (let from = 0; from < rows.length; ) {
      const first = learner.progress.rows;
      const block = rows.slice(from, from + Math.min(BLOCK_ROWS, curve ? curve.next(first) - first : BLOCK_ROWS));
      from += block.length;
      const table = tableOf(this.#plan, block, first);
      placing(stream, block, first, () => learner.partialFit(table));
      this.#keep(block);
      curve?.add(learner.progress);
      if (checkpoint !== undefined && learner.progress.rows - this.#saved >= checkpointEvery) {
        this.save();
        onSave?.();
      }
    }
  }
}

/** Adds the line of the row to errors of the learner. @param first  number of the first row */
function placing<T>(stream: RowStream, rows: readonly StreamRow[], first: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const row = rowOf(error);
    const line = row === null ? undefined : rows[row - first]?.line;
    throw line === undefined ? error : placed(movedTo(row!, error as LogoddsError), stream.label, line);
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const file = new OutputFile(path);
  file.write(bytes);
  file.commit();
}

/** The learner of the checkpoint, if there is one. @throws ERR_FORMAT, ERR_DATA when it was started with other options */
function resume(options: OnlineTrainOptions): OnlineLearner | null {
  const { checkpoint } = options;
  if (checkpoint === undefined || !existsSync(checkpoint)) return null;
  let learner: OnlineLearner;
  try {
    learner = OnlineLearner.resume(readFileSync(checkpoint), pickEngine());
  } catch (error) {
    if (error instanceof LogoddsError)
      throw new LogoddsError(error.code, `${checkpoint}: ${error.detail}`, { cause: error });
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
      `${checkpoint}: expected --${name} ${expected ?? 'absent'} (as in the checkpoint), got ${got ?? 'none'}; give the same options, or another checkpoint`,
    );
  }
  return learner;
}
