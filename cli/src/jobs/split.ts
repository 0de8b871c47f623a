import { type Engine, sliceTable, splitTable, type Table, type Warning } from '../../../src/index.ts';
import { codingOf, type RemoteProblem, type TrainingProblem } from '../../../src/internal.ts';
import { fitMissing, nthOf } from '../read/gaps.ts';
import { lazyDatabase } from '../read/source.ts';
import { collect, readWithin, type SpilledSplit } from '../read/spill.ts';
import { readTraining } from '../read/training.ts';
import { classesOf } from './classes.ts';
import { isPenalized } from './fitOptions.ts';
import { randomHoldout } from './holdout.ts';
import type { TrainOptions } from './trainOptions.ts';

/** Rows scored between two updates of the bar. */
export const SLICE_ROWS = 65_536;

/** Rows to fit and rows to hold out. */
export interface Split extends Omit<SpilledSplit, 'train'> {
  /** rows in memory, or encoded in a file */
  readonly train:
    | { readonly table: Table }
    | { readonly table: null; readonly problem: TrainingProblem | RemoteProblem };
  /** classes of the rows to fit. @throws the errors of the fit about its target */
  classes(): readonly string[];
  readonly rows: number;
  /** frees unreferenced objects, if memory is limited */
  tidy(): Promise<void>;
  /** the model is saved: what would have helped to go on is removed */
  done?(): void;
}

/** Reads the table and splits it. DuckDB is closed and its memory free when this returns. */
export async function readSplit(options: TrainOptions, engine: Engine): Promise<Split> {
  const fraction = options.holdout ?? 0.2;
  const holdoutBy = fraction === false ? undefined : options.holdoutBy;
  const { memory, bridge } = options;
  if (bridge !== undefined) {
    const { readSpark } = await import('./spark/split.ts');
    return readSpark({ ...options, bridge }, engine);
  }
  if (memory !== undefined) {
    const { penalty, inference, profile, firth, robust } = options;
    const asked = inference || profile || robust;
    const split = await readWithin(memory, engine, {
      data: options,
      roles: { ...options, holdoutBy },
      fraction: fraction || 0,
      flags: (table) => (fraction === false ? null : randomRows(table, options.target, fraction, options.seed ?? 1)),
      columns: { ...options, missing: fitMissing(options.missing) },
      coding: codingOf({ penalized: isPenalized(options) }),
      // logits for the check of separation, weights of 1; sorted probabilities; leverages of Firth's likelihood
      vectors: (classes) =>
        (penalty === 'none' || firth ? classes + 1 : 0) + (asked ? classes + 3 : 0) + (firth ? 3 : 0),
    });
    options.warn?.(
      'rows stay in a file, so missing cells, leakage, influential rows and the like are not checked; run doctor on a sample',
    );
    const { train: problem, ...rest } = split;
    const { target, y } = problem.rows;
    return { ...rest, train: { table: null, problem }, classes: () => target.classes, rows: y.length, tidy: collect };
  }
  const database = lazyDatabase();
  try {
    const { table, features, largest, leftOut, placed } = await readTraining(
      database.get,
      options,
      { ...options, holdoutBy },
      fraction || 0,
    );
    const classes = (rows: Table) => classesOf(rows, options);
    if (fraction === false) return inMemory(table, classes, null, features, leftOut, (error) => placed(error));
    const heldOut = largest ?? randomRows(table, options.target, fraction, options.seed ?? 1);
    const { train, holdout } = splitTable(table, heldOut);
    return inMemory(train, classes, holdout.rows > 0 ? holdout : null, features, leftOut, (error, which = 'train') =>
      placed(error, (row) => nthOf(heldOut, which === 'train' ? 0 : 1, row)),
    );
  } finally {
    await database.close();
  }
}

function inMemory(
  table: Table,
  classes: (table: Table) => readonly string[],
  holdout: Table | null,
  features: readonly string[],
  leftOut: readonly Warning[],
  placed: Split['placed'],
): Split {
  const part = (start: number, end: number) => sliceTable(holdout!, start, end);
  return {
    train: { table },
    classes: () => classes(table),
    ...{ rows: table.rows, holdout, part, partRows: SLICE_ROWS, features, leftOut, placed },
    sample: { table },
    tidy: async () => {},
    close() {},
  };
}

function randomRows(table: Table, target: string, fraction: number, seed: number): Uint8Array {
  const column = table.columns.find((one) => one.name === target)!;
  // counts of successes are not classes: all rows form one stratum
  return column.kind === 'coded'
    ? randomHoldout(column.codes, column.levels.length, fraction, seed)
    : randomHoldout(new Uint8Array(table.rows), 1, fraction, seed);
}
