import { LogoddsError, type Model, type Table, type Warning } from '../../../src/index.ts';
import { list, selectRows } from '../../../src/internal.ts';
import { withBaseline } from '../../../src/monitor.ts';
import { counted } from '../figures/wording.ts';
import type { OptionRow } from '../options/table.ts';

/** The option of commands that save a model. */
export const BASELINE: OptionRow = [
  '--no-baseline',
  'leave the distribution of the fitted rows out of the model file; drift and monitor then need these rows',
];

/** How the baseline is made. */
export interface BaselineChoice {
  /** false: none */
  readonly baseline?: boolean;
  readonly weight?: string;
  readonly trials?: string;
  readonly prior?: unknown;
  readonly seed?: number;
}

/** The rows of a baseline. */
export interface BaselineData {
  readonly table: Table;
  /** rows that these are a sample of; absent: none */
  readonly of?: number;
}

/**
 * Puts the distribution of the fitted rows into a model, last, so that it has the scores of the model as it is.
 * @returns notes about what is left out; a baseline that cannot be made loses no fit
 */
export function based(
  model: Model,
  { table, of }: BaselineData,
  options: BaselineChoice,
): { readonly model: Model; readonly notes: readonly Warning[] } {
  const { baseline = true, weight, trials, prior, seed } = options;
  if (!baseline) return { model, notes: [] };
  const rows = fittedRows(model, table, trials);
  const said: string[] = [];
  let made: Model = model;
  try {
    made = withBaseline(model, rows.table, { seed, of });
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    return {
      model,
      notes: [note(`there is no baseline in the model (${error.detail}); drift and monitor need the training rows`)],
    };
  }
  const { without = [], parts } = made.manifest.baseline!;
  if (without.length > 0)
    said.push(
      `it leaves out ${list(without)}, whose values would take more than 64 kB or are private in fewer than 10 rows`,
    );
  if (parts.length === 1)
    said.push(
      trials === undefined
        ? 'its classes are not told apart, because they would take more than 1 MB or one has fewer than 10 rows with private values'
        : 'its classes are not told apart, because the target counts successes',
    );
  if (rows.left > 0) said.push(`it is without ${counted(rows.left, 'row')} of classes that the model does not have`);
  if (weight !== undefined || prior !== undefined)
    said.push(
      `rows count once in it, whatever ${weight === undefined ? 'the prior' : 'their weight'} says, so data of other shares drift from it`,
    );
  return { model: made, notes: said.map((what) => note(`the baseline of the model: ${what}`)) };
}

const note = (message: string): Warning => ({ code: 'BASELINE', severity: 'info', message, features: [] });

/** The rows whose class the model has, without a target that is no class. */
function fittedRows(
  { manifest }: Model,
  table: Table,
  trials?: string,
): { readonly table: Table; readonly left: number } {
  const { target, classes } = manifest;
  const column = table.columns.find(({ name }) => name === target);
  if (trials !== undefined || column?.kind !== 'coded')
    return { table: { rows: table.rows, columns: table.columns.filter((one) => one !== column) }, left: 0 };
  const known = column.levels.map((label) => classes.includes(label));
  if (known.every(Boolean)) return { table, left: 0 };
  const kept = Uint32Array.from({ length: table.rows }, (_, row) => row).filter((row) => known[column.codes[row]]);
  return { table: selectRows(table, kept), left: table.rows - kept.length };
}
