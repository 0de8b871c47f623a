import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { asNumeric, findColumns } from '../../encode/columns.ts';
import { numbersOf } from '../../encode/kinds/numbers.ts';
import type { Column, NumericColumn, Table } from '../../encode/table.ts';
import { ABOVE, BELOW, MISSING, type SummaryCells } from './cells.ts';
import { countCodes } from './countCodes.ts';
import type { FeaturePlan, Summarised } from './layout.ts';

/** Rows of a table that were encoded. */
export interface PartOfTable {
  readonly table: Table;
  readonly batch: Pick<ColumnsBatch, 'numeric' | 'codes'>;
  /** cells of the batch are standardised */
  readonly standardize: boolean;
  /** of each row the features that took a default; null: none did */
  readonly defaulted: Float64Array | null;
  /** whether a number that is taken as it is lies outside the range of training; one that takes a default may, too */
  readonly outOfRange: boolean;
  /** number of the first row in the stream */
  readonly first: number;
}

/** Adds the rows of a part to a summary: as `Summary.addRow` of each, column by column. */
export function addTable(summary: SummaryCells, of: Summarised, part: PartOfTable): void {
  const { table, batch, first } = part;
  const { rows } = table;
  const fields = of.encoder.turns.map(({ field }) => field);
  const found = new Map<string, Column>(findColumns(table, fields).map((column, i) => [fields[i], column]));
  const runs = summary.runs(first, rows);
  summary.rows += rows;
  for (let k = 0; k < runs.length; k += 2) summary.sampled += runs[k + 1] - runs[k];
  const left = part.defaulted && countMissing(summary, found, part.defaulted);
  const others = left && rowsWithDefaults(summary, found, part, left);
  for (const plan of summary.plan) {
    const source = plan.field === undefined ? undefined : found.get(plan.field);
    let isInside = false;
    for (const { at, kept, slots } of plan.columns) {
      if (kept === 'none') continue;
      if (kept === 'codes') countCodes(summary.codes, summary.codesAt[at], batch.codes(at).subarray(0, rows), slots);
      else if (kept === 'sum') addSums(summary, at, valuesOf(of, plan, at, part), runs);
      else {
        const column = summary.numbers[at]!;
        const taken = others?.get(plan.index);
        const skip = skipped(part.defaulted ? (source?.missing ?? null) : null, taken);
        const values =
          plan.feature.kind === 'numeric' && source
            ? asNumeric(source, rows, first).values
            : valuesOf(of, plan, at, part);
        const span = column.addRuns(values, runs, skip);
        // of the cells themselves, and of all that are there
        const isWhole = summary.sample === 1 && !taken && values === (source as NumericColumn | undefined)?.values;
        if (isWhole && span && plan.range) isInside = span[0] >= plan.range[0] && span[1] <= plan.range[1];
      }
    }
    // a plain number outside is told by the encoder
    const isAsked = plan.feature.kind === 'numeric' ? part.outOfRange : part.outOfRange || part.defaulted !== null;
    if (isAsked && plan.range && source && !isInside)
      countOutside(summary, plan, numbersOf(plan.feature as never, source, rows, first), rows);
  }
  summary.next = Math.max(summary.next, first + rows);
}

/** Counts missing cells. @returns of each row the features that took a default although their cell is there; null: none did */
function countMissing(
  summary: SummaryCells,
  found: ReadonlyMap<string, Column>,
  defaulted: Float64Array,
): Float64Array | null {
  const rows = defaulted.length;
  let others = 0;
  for (let i = 0; i < rows; i++) others += defaulted[i];
  for (const { index, field } of summary.plan) {
    const missing = field === undefined ? null : found.get(field)!.missing;
    if (!missing) continue;
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += missing[i] === 0 ? 0 : 1;
    summary.counts[4 * index + MISSING] += sum;
    others -= sum;
  }
  // what has missing cells takes a default for each of them; further kinds have their own rules
  const isPlain = summary.plan.every(({ feature: { kind } }) => kind === 'numeric' || kind === 'categorical');
  if (others === 0 && isPlain) return null;
  const left = defaulted.slice();
  for (const { field } of summary.plan) {
    const missing = field === undefined ? null : found.get(field)!.missing;
    if (missing) for (let i = 0; i < rows; i++) left[i] -= missing[i] === 0 ? 0 : 1;
  }
  return left;
}

/** Counts what took a default in these rows. @returns by feature the rows whose number is one */
function rowsWithDefaults(
  summary: SummaryCells,
  found: ReadonlyMap<string, Column>,
  { first, table }: PartOfTable,
  left: Float64Array,
): Map<number, Uint8Array> {
  const filled = new Map<number, Uint8Array>();
  for (let i = 0; i < left.length; i++) {
    if (!(left[i] > 0)) continue;
    for (const index of summary.defaultsOf((field) => cellOf(found.get(field)!, i), first + i)) {
      const rows = filled.get(index) ?? new Uint8Array(table.rows);
      rows[i] = 1;
      filled.set(index, rows);
    }
  }
  return filled;
}

/** A cell as a field of a record has it. */
function cellOf(column: Column, row: number): unknown {
  if (column.missing?.[row]) return null;
  if (column.kind === 'numeric') return column.values[row];
  const text = column.levels[column.codes[row]];
  return column.lists && text?.[0] === '[' ? JSON.parse(text) : (text ?? '(unseen)');
}

function skipped(missing: Uint8Array | null, others: Uint8Array | undefined): Uint8Array | null {
  if (!others || !missing) return others ?? missing;
  return others.map((flag, i) => flag | missing[i]);
}

/** The cells of a batch as they are without standardising. */
function valuesOf(
  { encoder }: Summarised,
  { index, columns }: FeaturePlan,
  at: number,
  { batch, standardize }: PartOfTable,
): Float64Array | Float32Array {
  const values = batch.numeric(at);
  const coder = encoder.coders[index];
  if (!standardize || !coder) return values;
  const k = at - columns[0].at;
  return values.map((x) => x * coder.scales[k] + coder.means[k]);
}

function addSums(summary: SummaryCells, at: number, values: Float64Array | Float32Array, runs: Uint32Array): void {
  for (let k = 0; k < runs.length; k += 2)
    for (let i = runs[k]; i < runs[k + 1]; i++) if (values[i] !== 0) summary.sumAt(at).add(values[i]);
}

function countOutside(summary: SummaryCells, { index, range }: FeaturePlan, source: NumericColumn, rows: number): void {
  const [low, high] = range!;
  const { values, missing } = source;
  let [below, above] = [0, 0];
  for (let i = 0; i < rows; i++) {
    const x = values[i];
    if (x >= low && x <= high) continue;
    if (missing?.[i]) continue;
    if (x < low) below++;
    else if (x > high) above++;
  }
  summary.counts[4 * index + BELOW] += below;
  summary.counts[4 * index + ABOVE] += above;
}
