import { refuse } from '../../../bindings/errors.ts';
import { recordNumberOf } from '../../encode/kinds/numbers.ts';
import type { Feature } from '../../encode/schema.ts';
import { type Fields, put } from '../../encode/turn.ts';
import { whole } from '../check.ts';
import { countCodes } from './countCodes.ts';
import { HELD, HeldRows } from './heldRows.ts';
import { hashOfRow, LabelSample } from './labels.ts';
import { type FeaturePlan, planOf, type Summarised, type SummaryBins, sumBins } from './layout.ts';
import { NumberColumn } from './numberColumn.ts';

/** Options of `summary`. */
export interface SummaryOptions {
  /**
   * numbers of one block of 32 rows in this many are added to bins and moments; counts are of all rows. Default 1: all are. With 16 the standard error of a share
   * is 4 times that of all rows, and recording costs least.
   */
  readonly sample?: number;
  /** number of the first row in the whole stream, which says which rows are sampled; default 0 */
  readonly first?: number;
  /** of the sampling of rows and of labels; default 0 */
  readonly seed?: number;
}

/** The counts of a feature beside its columns. */
export const MISSING = 0;
export const DEFAULTED = 1;
export const BELOW = 2;
export const ABOVE = 3;

/** The counts of a summary, and how records are added to them. */
export class SummaryCells {
  readonly bins: SummaryBins;
  /** numbers of one row in this many are added */
  readonly sample: number;
  readonly seed: number;
  /** rows that were read */
  rows = 0;
  /** rows whose numbers were added */
  sampled = 0;
  /** rows whose score was added */
  scored = 0;
  /** rows that could not be scored; they are in no other count */
  refused = 0;
  /** number of the next row in the stream */
  next: number;
  /** whether sums and ends of numbers of private features are told to nobody: of one row they are its value @internal */
  hides = false;
  /** @internal */
  readonly plan: readonly FeaturePlan[];
  /** by column of the encoder the place of its first count; −1: it has none @internal */
  readonly codesAt: Int32Array;
  /** four counts for each feature @internal */
  readonly counts: Float64Array;
  /** by index of the feature @internal */
  readonly labels = new Map<number, LabelSample>();
  /** @internal */
  readonly of: Summarised;
  readonly #limit: number;
  readonly #numbers: (NumberColumn | null)[];
  readonly #codes: Float64Array;
  /** sampled records: their cells, NaN where a default was taken, and their scores */
  readonly #held: HeldRows;
  readonly #width: number;
  /** of the scores */
  protected readonly scorePlanes: NumberColumn[];
  #block = -1;
  #taken = true;
  readonly #numberAt: Int32Array;
  readonly #numberColumns: readonly NumberColumn[];
  /** whether a number outside the range of training may be one that takes a default */
  readonly #clips: boolean;
  readonly #sumAt: Int32Array;
  readonly #codedAt: Int32Array;
  /** coded columns whose codes are bytes, and the others */
  readonly #byteAt: Int32Array;
  readonly #wideAt: Int32Array;

  constructor(of: Summarised, bins: SummaryBins, { sample = 1, first = 0, seed = 0 }: SummaryOptions) {
    this.of = of;
    this.bins = bins;
    this.sample = whole('sample', sample, 1);
    this.next = whole('first', first);
    this.seed = whole('seed', seed);
    this.#limit = 2 ** 32 / sample;
    const { specs } = of.encoder;
    this.plan = planOf(of.encoder, bins?.without);
    const all = this.plan.flatMap(({ columns }) => columns);
    this.#numbers = specs.map((_, at) => {
      const own = bins?.columns?.[at];
      return own ? new NumberColumn(own) : null;
    });
    const wrong =
      bins?.columns?.length !== specs.length ||
      all.some(({ at, kept }) => (kept === 'number') !== Boolean(this.#numbers[at]));
    if (wrong)
      refuse(
        'ERR_SCHEMA',
        'bins',
        `those of the ${specs.length} columns of this model`,
        'others',
        'use its own baseline',
      );
    this.codesAt = new Int32Array(specs.length).fill(-1);
    let total = 0;
    for (const { at, kept, slots } of all) {
      if (kept !== 'codes') continue;
      this.codesAt[at] = total;
      total += slots;
    }
    this.#codes = new Float64Array(total);
    const placesOf = (which: string): Int32Array =>
      Int32Array.from(
        all.filter(({ kept }) => kept === which),
        ({ at }) => at,
      );
    this.#numberAt = placesOf('number');
    this.#numberColumns = Array.from(this.#numberAt, (at) => this.#numbers[at]!);
    this.#sumAt = placesOf('sum');
    this.#codedAt = placesOf('codes');
    this.#byteAt = this.#codedAt.filter((at) => specs[at].slots! <= 256);
    this.#wideAt = this.#codedAt.filter((at) => specs[at].slots! > 256);
    this.counts = new Float64Array(4 * this.plan.length);
    this.#width = specs.length;
    this.#clips = this.plan.some(({ range, feature }) => range !== null && feature.kind !== 'numeric');
    this.scorePlanes = (bins.scores ?? []).map((own) => new NumberColumn(own));
    this.#held = new HeldRows(
      this.#width + this.scorePlanes.length,
      Int32Array.of(...this.#numberAt, ...this.#wideAt),
      this.#byteAt,
    );
  }

  /** By column of the encoder; a sum is null until something else than 0 is in it. @internal */
  get numbers(): readonly (NumberColumn | null)[] {
    this.settle();
    return this.#numbers;
  }

  /** Counts of the slots of coded columns, one column after another. @internal */
  get codes(): Float64Array {
    this.settle();
    return this.#codes;
  }

  /** Counts the records that wait. @param isOver  and gives their memory back */
  protected settle(isOver = true): void {
    const held = this.#held;
    if (held.count === 0) return;
    for (const at of this.#byteAt)
      countCodes(this.#codes, this.codesAt[at], held.codes(at), this.of.encoder.specs[at].slots!);
    for (const at of this.#wideAt) countSlots(this.#codes, this.codesAt[at], held.column(at));
    this.#numberColumns.forEach((column, k) => {
      const values = held.column(this.#numberAt[k]);
      column.addAll(values, 0, values.length, null);
    });
    this.scorePlanes.forEach((plane, k) => {
      const values = held.column(this.#width + k);
      plane.addAll(values, 0, values.length, null);
    });
    held.clear(isOver);
  }

  /** Holds the scores of the record that was added last. */
  protected holdScore(k: number, score: number): void {
    const held = this.#held;
    if (held.count === 0) {
      this.scorePlanes[k].add(score);
      return;
    }
    held.cells[(this.#width + k) * HELD + held.count - 1] = score;
    held.gaps[this.#width + k]--;
  }

  /** Whether the numbers of a row are sampled: blocks of 32 rows are, by a hash of their number. */
  takes(row: number): boolean {
    if (this.sample === 1) return true;
    const block = Math.floor(row / BLOCK);
    if (block !== this.#block) {
      this.#block = block;
      this.#taken = hashOfRow(block, this.seed) < this.#limit;
    }
    return this.#taken;
  }

  /** The rows of a table whose numbers are sampled: beginning and end of each run. @param first  number of its first row */
  runs(first: number, rows: number): Uint32Array {
    if (this.sample === 1) return Uint32Array.of(0, rows);
    const runs: number[] = [];
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, (Math.floor((first + from) / BLOCK) + 1) * BLOCK - first);
      if (this.takes(first + from)) runs.push(from, to);
      from = to;
    }
    return Uint32Array.from(runs);
  }

  /** The sums of a column, made where there were none. @internal */
  sumAt(at: number): NumberColumn {
    const found = this.#numbers[at];
    if (found) return found;
    const { index, columns } = this.plan.find((one) => one.columns.some((column) => column.at === at))!;
    const coder = this.of.encoder.coders[index];
    const k = at - columns[0].at;
    const made = new NumberColumn(sumBins(coder?.means[k] ?? 0, coder?.scales[k] ?? 1));
    this.#numbers[at] = made;
    return made;
  }

  /**
   * Adds an encoded record.
   * @param row  as `Encoder.encodeRecord` wrote it: an entry for each column, then the number of values outside the range of training
   * @param defaults  as it returned
   * @internal
   */
  addRow(record: object, row: Float64Array, defaults: number): void {
    const number = this.next++;
    this.rows++;
    const filled = defaults > 0 ? this.#defaults(record as Fields, row, number, defaults) : NONE;
    if (row[row.length - 1] > 0 || (defaults > 0 && this.#clips)) this.#outside(record as Fields, row);
    if (!this.takes(number)) {
      const [codes, coded] = [this.#codes, this.#codedAt];
      for (let i = 0; i < coded.length; i++) codes[this.codesAt[coded[i]] + row[coded[i]]]++;
      return;
    }
    this.sampled++;
    if (this.#held.isFull) this.settle(false);
    const width = this.#width;
    const { cells, count, gaps } = this.#held;
    this.#held.put(row);
    for (const at of filled) {
      cells[at * HELD + count] = Number.NaN;
      gaps[at]++;
    }
    // scores come with the next call
    for (let k = width; k < gaps.length; k++) {
      cells[k * HELD + count] = Number.NaN;
      gaps[k]++;
    }
    this.#held.count++;
    const sums = this.#sumAt;
    for (let i = 0; i < sums.length; i++) if (row[sums[i]] !== 0) this.sumAt(sums[i]).add(row[sums[i]]);
  }

  /** Counts the features of a record that took a default. @returns the columns whose number is one */
  #defaults(record: Fields, row: Float64Array, number: number, defaults: number): readonly number[] {
    const filled: number[] = [];
    let left = defaults;
    for (const { index, field, columns, gap } of this.plan) {
      // asking a record by a name that varies takes longer than all the rest
      if (field === undefined || (gap !== null && row[columns[0].at] !== gap) || record[field] != null) continue;
      left--;
      this.counts[4 * index + MISSING]++;
      if (columns[0].kept === 'number') filled.push(columns[0].at);
    }
    if (left > 0)
      for (const index of this.defaultsOf((field) => record[field], number))
        filled.push(this.plan[index].columns[0].at);
    return filled;
  }

  /**
   * Counts the features that take a default although their cell is there.
   * @returns those of them whose number is that default
   * @internal
   */
  defaultsOf(cell: (field: string) => unknown, number: number): number[] {
    const { encoder } = this.of;
    const scratch = new Float64Array(encoder.specs.length + 1);
    const found: number[] = [];
    for (const { index, field, feature, columns } of this.plan) {
      const value = field === undefined ? null : cell(field);
      if (
        value == null ||
        put(encoder.turns.find((turn) => turn.feature === feature)!, NO_RECORD, value, scratch) !== 1
      )
        continue;
      this.counts[4 * index + DEFAULTED]++;
      if (columns[0].kept === 'number' && (feature as { readonly range?: string }).range !== 'clip') found.push(index);
      // what is personal is counted only
      if (!feature.private && isLabelled(feature))
        this.#sampleOf(index).add(hashOfRow(number, this.seed), String(value));
    }
    return found;
  }

  #sampleOf(index: number): LabelSample {
    let sample = this.labels.get(index);
    if (!sample) {
      sample = new LabelSample();
      this.labels.set(index, sample);
    }
    return sample;
  }

  #outside(record: Fields, row: Float64Array): void {
    for (const { index, range, field, feature, columns } of this.plan) {
      if (!range) continue;
      const own = row[columns[0].at];
      if (feature.kind === 'numeric' && own >= range[0] && own <= range[1]) continue;
      if (record[field!] == null) continue;
      const x = feature.kind === 'numeric' ? own : recordNumberOf(feature as never, record[field!]);
      if (x < range[0]) this.counts[4 * index + BELOW]++;
      else if (x > range[1]) this.counts[4 * index + ABOVE]++;
    }
  }

  /** Adds the counts of another summary with the same columns. */
  protected addCells(other: SummaryCells): void {
    this.hides ||= other.hides;
    this.rows += other.rows;
    this.sampled += other.sampled;
    this.scored += other.scored;
    this.refused += other.refused;
    addTo(this.codes, other.codes);
    addTo(this.counts, other.counts);
    other.numbers.forEach((column, at) => {
      if (column) this.sumAt(at).merge(column);
    });
    for (const [index, sample] of other.labels) this.#sampleOf(index).merge(sample);
  }
}

/** Counts slots. */
function countSlots(counts: Float64Array, from: number, slots: Float64Array): void {
  for (let i = 0; i < slots.length; i++) counts[from + slots[i]]++;
}

/** Rows that are sampled together. */
const BLOCK = 32;
const NONE: readonly number[] = [];
const NO_RECORD = {};

/** Features whose unseen values are labels. */
const isLabelled = ({ kind }: Feature): boolean => kind === 'categorical' || kind === 'target';

export function addTo(to: Float64Array, from: Float64Array): void {
  for (let k = 0; k < to.length; k++) to[k] += from[k];
}
