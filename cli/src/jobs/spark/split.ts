/** The rows of `train` on Spark: statistics and encoding there, and here the held-out rows and a sample. */
import { join } from 'node:path';
import { type Engine, LogoddsError, sliceTable, type Table, type Warning } from '../../../../src/index.ts';
import { codingOf, type PartStatistics, type Remote, RemoteProblem, show } from '../../../../src/internal.ts';
import { fitMissing } from '../../read/gaps.ts';
import { partsOf } from '../../read/roles.ts';
import { lazyDatabase } from '../../read/source.ts';
import { readTraining } from '../../read/training.ts';
import { discard, runFolder } from '../../write/temporary.ts';
import { decideOptionOf } from '../decide.ts';
import { fitOptionsOf, isPenalized } from '../fitOptions.ts';
import { SLICE_ROWS, type Split } from '../split.ts';
import type { TrainOptions } from '../trainOptions.ts';
import { Bridge } from './bridge.ts';
import { Checkpoint } from './checkpoint.ts';

/** Most held-out rows that come here to be evaluated; of more a sample does. */
const HELD_ROWS = 500_000;
/** Rows of the sample of fitted rows, for the baseline of the model. */
const SAMPLE_ROWS = 50_000;

interface SparkColumn {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical' | null;
  readonly type: string;
}

interface Counted {
  readonly parts: readonly PartStatistics[];
  /** of DATA, and of these without a target */
  readonly rows: number;
  readonly without: number;
  /** missing cells of features, and rows that are complete, with --missing drop */
  readonly gaps: Readonly<Record<string, number>>;
  readonly complete: number;
  readonly held: number;
}

/**
 * Splits rows on Spark into those to fit and those to hold out. Random rows are chosen by a hash of their cells and the seed, so they are the same
 * however the rows are divided.
 * @throws as `fit`, with the partition of what is wrong
 */
export async function readSpark(options: TrainOptions & { readonly bridge: string }, engine: Engine): Promise<Split> {
  refuseWhatNeedsRows(options);
  const bridge = new Bridge(options.bridge);
  const checkpoint = options.checkpoint === undefined ? null : new Checkpoint(options.checkpoint, bridge);
  const remote: Remote = checkpoint ?? bridge;
  const { target, weight, offset, holdoutBy, seed = 1, missing, weightKind } = options;
  const fraction = options.holdout ?? 0.2;
  const label = options.data ?? 'frame';
  const columns = remote.ask({ op: 'columns' }).facts as readonly SparkColumn[];
  const parts = partsOf({ label, columns }, { ...options, holdoutBy: fraction === false ? undefined : holdoutBy });
  const features = parts
    .filter(({ role }) => role === 'feature')
    .map(({ name, read }) => [name, kindOf(columns.find((one) => one.name === name)!, read, label)] as const);
  for (const { name, role } of parts) {
    const { kind, type } = columns.find((one) => one.name === name)!;
    const rule = role === 'target' ? 'text, numbers or booleans' : 'numbers';
    if (role !== 'feature' && (kind === null || (role !== 'target' && kind !== 'numeric')))
      throw new LogoddsError('ERR_SCHEMA', `${label}, ${role} ${show(name)}: expected ${rule}, got ${type}; cast it`);
  }
  const counted = remote.ask({
    ...{ op: 'statistics', target, features, weight, offset, weightKind, missing },
    ...{ holdout: fraction || null, holdoutBy: fraction === false ? null : holdoutBy, seed },
  }).facts as Counted;
  refuseFolds(options, new Set(counted.parts.flatMap((part) => part.target.map(([label]) => label))).size);
  const names = features.map(([name]) => name);
  const problem = new RemoteProblem(
    remote,
    counted.parts,
    {
      ...fitOptionsOf(options, names),
      missing: fitMissing(missing),
      unseen: options.unseen,
      categorical: features.filter(([, kind]) => kind === 'categorical').map(([name]) => name),
      engine,
    },
    codingOf({ penalized: isPenalized(options) }),
  );
  const folder = runFolder();
  const tableOf = async (
    which: 'train' | 'held',
    most: number,
  ): Promise<{ table: Table; rows: number; of: number }> => {
    const data = join(folder, `${which}.parquet`);
    const found = remote.ask({ op: 'table', which, most, path: data, seed }).facts as { rows: number; of: number };
    const database = lazyDatabase();
    try {
      const roles = { ...options, features: names, drop: undefined, holdoutBy: undefined, schema: undefined };
      const { table } = await readTraining(database.get, { data }, roles, 0);
      return { table, ...found };
    } finally {
      await database.close();
    }
  };
  try {
    const held = counted.held > 0 ? await tableOf('held', HELD_ROWS) : null;
    const sample = options.baseline === false ? null : await tableOf('train', SAMPLE_ROWS);
    if (held && held.rows < held.of)
      options.warn?.(
        `${held.of.toLocaleString('en-US')} rows are held out, and a sample of ${held.rows.toLocaleString('en-US')} of them is evaluated`,
      );
    options.warn?.(
      'rows are on Spark, so missing cells, leakage, influential rows and the like are not checked; run doctor on a sample',
    );
    const holdout = held?.table ?? null;
    const { classes } = problem.rows.target;
    return {
      train: { table: null, problem },
      classes: () => classes,
      rows: counted.parts.reduce((sum, { rows }) => sum + rows, 0),
      holdout,
      part: (start, end) => sliceTable(holdout!, start, end),
      partRows: SLICE_ROWS,
      features: names,
      leftOut: leftOut(counted, target),
      sample: sample ? { table: sample.table, of: sample.of } : { table: { rows: 0, columns: [] } },
      placed: async (error) => error,
      tidy: async () => {},
      close: () => checkpoint?.close(),
      ...(checkpoint && { done: () => checkpoint.remove() }),
    };
  } finally {
    discard(folder);
  }
}

/** Options for which each evaluation needs a number for every row here. @throws ERR_RANGE naming one, before anything is read */
function refuseWhatNeedsRows(options: TrainOptions): void {
  const { trials, cluster, firth, profile, bootstrap, schema, calibrate = 'none', prior } = options;
  const asked = { trials, cluster, firth, profile, bootstrap, schema, prior, calibrate: calibrate !== 'none' };
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined || value === false || value === null) continue;
    throw new LogoddsError(
      'ERR_RANGE',
      `--${name}: expected all rows in memory, got rows on Spark; leave it out, or fit a sample without --spark`,
    );
  }
}

/** @throws ERR_RANGE for a threshold or a band that folds would choose */
function refuseFolds(options: TrainOptions, classes: number): void {
  const decide = decideOptionOf(options);
  const { review } = options;
  const chosen = decide && !('threshold' in decide) && classes === 2;
  if (!chosen && !(review && 'share' in review)) return;
  throw new LogoddsError(
    'ERR_RANGE',
    `${chosen ? 'a threshold to choose' : '--review'}: expected all rows in memory (folds choose it), got rows on Spark; give ${chosen ? '--threshold' : 'the band itself'}`,
  );
}

/** @throws ERR_SCHEMA for a type that a model cannot read */
function kindOf({ name, kind, type }: SparkColumn, read: string, label: string): 'numeric' | 'categorical' {
  const refuse = (rule: string, next: string): never => {
    throw new LogoddsError('ERR_SCHEMA', `${label}, column ${show(name)}: expected ${rule}, got ${type}; ${next}`);
  };
  if (kind === null) return refuse('numbers, text or booleans', `cast it, or leave it out with --drop ${name}`);
  if (read === 'numeric' && kind !== 'numeric') return refuse('numbers', 'cast it');
  return read === 'coded' ? 'categorical' : kind;
}

function leftOut({ rows, without, gaps, complete }: Counted, target: string): Warning[] {
  const count = (some: number) => `${some.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} rows`;
  const found: Warning[] = [];
  if (without > 0) {
    const message = `${count(without)} ${without === 1 ? 'has' : 'have'} no target (${show(target)}) and are left out; fill the cells where the label is known`;
    found.push({ code: 'NO_TARGET', message, features: [target] });
  }
  const names = Object.keys(gaps);
  if (names.length > 0) {
    const columns = names.map((name) => `${show(name)} ${gaps[name].toLocaleString('en-US')}`).join(', ');
    const message = `${count(rows - without - complete)} with missing cells are left out by --missing drop: ${columns}; the model describes complete rows only`;
    found.push({ code: 'INCOMPLETE_ROWS', message, features: names });
  }
  return found;
}
