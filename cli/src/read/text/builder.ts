/** Turns records into tables, with a plan for each column. */
import type { Column, Table } from '../../../../src/index.ts';
import { LABEL_RULE, parseDate } from '../../../../src/internal.ts';
import { NUMBER, type NumberReader, type TableScanner } from '../../../../src/text.ts';
import { codesFor } from '../block.ts';
import { CELL, type RawRecord } from './cell.ts';
import { Dictionary } from './dictionary.ts';
import { findCell, KIND, TEXT_KIND } from './facts.ts';
import { type Reading, readerOf } from './options.ts';

/** The type in which a column is read. */
export interface ColumnPlan {
  readonly name: string;
  /** null: numeric, or by `label` */
  readonly levels: readonly string[] | null;
  /** the label of a text: a level, or unseen; null: missing; undefined: the text cannot be used */
  readonly label?: (text: string, kind: number) => string | null | undefined;
  /** texts whose code is known; null: such a cell is missing. `areAll`: every other text that may be a label is unseen. */
  readonly texts?: { readonly codes: Iterable<readonly [text: string, code: number | null]>; readonly areAll: boolean };
  /** numeric: the instant of a date, in milliseconds since 1970 */
  readonly instant?: boolean;
  /** no levels are known: labels are collected in the order of their first occurrence */
  readonly open?: boolean;
  /** a missing cell is an error with this next step; absent: it may be missing */
  readonly required?: string;
  /** least number allowed; any finite number when absent */
  readonly least?: number;
  /** next step for a cell that is not a number */
  readonly advice?: string;
  /** a label that is not a level is an error */
  readonly strict?: { readonly rule: string; readonly next: string };
}

/** One cell that cannot be used. */
export type Refuse = (row: number, line: number, name: string, rule: string, value: unknown, next: string) => never;

const MISSING = -1;
const UNUSABLE = -2;
/** Largest number of distinct texts that are remembered, because a stream may bring new ones forever. */
const MOST_KNOWN = 1_000_000;

interface Filling {
  readonly plan: ColumnPlan;
  values: Float64Array;
  codes: Uint8Array | Uint16Array | Uint32Array;
  missing: Uint8Array | null;
  readonly dictionary: Dictionary;
  /** code of each text of the dictionary */
  known: number[];
  /** code of each label */
  readonly byLabel: Map<string, number>;
  /** levels found so far, if no levels are known */
  levels: string[];
}

/** Collects up to `capacity` records. `table()` returns them; `clear()` starts again with new arrays. */
export class TableBuilder {
  rows = 0;
  readonly capacity: number;
  readonly #reading: Reading;
  readonly #quote: string;
  readonly #refuse: Refuse;
  readonly #reader: NumberReader;
  readonly #columns: Filling[];

  constructor(plans: readonly ColumnPlan[], capacity: number, reading: Reading, refuse: Refuse) {
    this.capacity = capacity;
    this.#reading = reading;
    this.#quote = reading.quote ?? '"';
    this.#refuse = refuse;
    this.#reader = readerOf(reading);
    this.#columns = plans.map((plan) => ({
      plan,
      ...this.#cells(plan),
      dictionary: new Dictionary(),
      known: [],
      byLabel: new Map(plan.levels?.map((level, code) => [level, code])),
      levels: [],
    }));
  }

  #cells({ levels, open }: ColumnPlan): Pick<Filling, 'values' | 'codes' | 'missing'> {
    const { capacity } = this;
    const none = new Uint8Array(0);
    return levels || open
      ? {
          values: new Float64Array(0),
          codes: open ? new Uint32Array(capacity) : codesFor(levels!.length + 1, capacity),
          missing: null,
        }
      : { values: new Float64Array(capacity), codes: none, missing: null };
  }

  /**
   * @param slots  place of the cell of each plan; −1, or a place beyond the record: no cell
   * @param row  of the input, for errors
   */
  add(record: RawRecord, slots: Int32Array, row: number): void {
    const at = this.rows++;
    const { bytes, starts, ends, kinds, line } = record;
    const columns = this.#columns;
    for (let j = 0; j < columns.length; j++) {
      const column = columns[j];
      const slot = slots[j];
      const kind = slot < 0 ? CELL.none : kinds[slot];
      if (kind === CELL.none) {
        this.#gap(column, at, row, line);
        continue;
      }
      if (column.values.length > 0 && !column.plan.instant) {
        if (kind <= CELL.quoted || kind === CELL.number || kind === CELL.string) {
          if (this.#reader.read(bytes, starts[slot], ends[slot]) !== NUMBER.none) {
            const { value } = this.#reader;
            const { least = -Number.MAX_VALUE } = column.plan;
            column.values[at] = value;
            if (value >= least && value <= Number.MAX_VALUE) continue;
            const rule = least === 0 ? 'a finite number >= 0' : 'a finite number';
            this.#refuse(row, line, column.plan.name, rule, value, column.plan.advice ?? MEND);
          }
        }
        this.#noNumber(column, record, slot, at, row);
        continue;
      }
      const entry = findCell(column.dictionary, bytes, starts[slot], ends[slot], kind, this.#quote);
      const code = entry < column.known.length ? column.known[entry] : this.#learn(column, entry);
      if (column.plan.instant) {
        if (Number.isNaN(code)) this.#gap(column, at, row, line);
        else column.values[at] = code;
      } else if (code >= 0) {
        column.codes[at] = code;
        const { strict, levels, name } = column.plan;
        if (strict && code >= levels!.length)
          this.#refuse(row, line, name, strict.rule, shown(column.dictionary, entry), strict.next);
      } else if (code === MISSING) this.#gap(column, at, row, line);
      else {
        const { name, open, advice = MEND } = column.plan;
        const rule = open ? `${LABEL_RULE}, or a list of these` : LABEL_RULE;
        this.#refuse(row, line, name, rule, shown(column.dictionary, entry), advice);
      }
    }
  }

  /** Adds rows `from` to `to` of those that were read into columns; no more than fit. */
  addRows(table: TableScanner, from: number, to: number): void {
    const at = this.rows;
    this.rows += to - from;
    this.#columns.forEach((column, j) => {
      const { levels, open } = column.plan;
      if (open) {
        this.#addPlaces(column, j, table, from, to, at - from);
        return;
      }
      if (levels) {
        const codes = table.codes(j).subarray(from, to);
        column.codes.set(codes, at);
        const gap = levels.length + 1;
        for (let i = codes.indexOf(gap); i >= 0; i = codes.indexOf(gap, i + 1)) {
          column.codes[at + i] = 0;
          column.missing ??= new Uint8Array(this.capacity);
          column.missing[at + i] = 1;
        }
        return;
      }
      column.values.set(table.numbers(j).subarray(from, to), at);
      const missing = table.missing(j).subarray(from, to);
      if (!missing.includes(1)) return;
      column.missing ??= new Uint8Array(this.capacity);
      column.missing.set(missing, at);
    });
  }

  /** @param shift  from a row of the table to that of this one */
  #addPlaces(column: Filling, j: number, table: TableScanner, from: number, to: number, shift: number): void {
    const { buffer, byteOffset, byteLength } = table.bytes;
    const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
    const { dictionary, known, codes } = column;
    const missing = (row: number) => {
      column.missing ??= new Uint8Array(this.capacity);
      column.missing[row] = 1;
    };
    table.cells(j, from, to, (row, start, end, quoted) => {
      if (start < 0) {
        missing(row + shift);
        return;
      }
      const entry = findCell(dictionary, bytes, start, end, quoted ? CELL.quoted : CELL.bare, this.#quote);
      const code = entry < known.length ? known[entry] : this.#learn(column, entry);
      // of CSV every text is a label, or a missing cell
      if (code >= 0) codes[row + shift] = code;
      else missing(row + shift);
    });
  }

  #gap(column: Filling, at: number, row: number, line: number): void {
    const { name, required } = column.plan;
    if (required !== undefined) this.#refuse(row, line, name, 'a value', null, required);
    column.missing ??= new Uint8Array(this.capacity);
    column.missing[at] = 1;
  }

  #noNumber(
    column: Filling,
    { bytes, starts, ends, kinds, line }: RawRecord,
    slot: number,
    at: number,
    row: number,
  ): void {
    const kind = kinds[slot];
    const text = bytes.toString('utf8', starts[slot], ends[slot]);
    const { tokens, na } = this.#reading;
    const isText = TEXT_KIND[kind] === 0;
    if (isText ? tokens.has(text) : kind === CELL.special && na.has(text)) {
      this.#gap(column, at, row, line);
      return;
    }
    const { name, advice = MEND } = column.plan;
    const special = kind === CELL.special;
    const value = isText
      ? text
      : kind === CELL.list
        ? []
        : kind === CELL.object
          ? {}
          : kind === CELL.boolean
            ? text === 'true'
            : Number(text);
    const next = special ? `correct it, or say --na ${text} if the value is missing` : advice;
    this.#refuse(row, line, name, special ? 'a finite number' : 'a number', value, next);
  }

  #learn(column: Filling, entry: number): number {
    const { dictionary, known, plan, byLabel } = column;
    const text = dictionary.text(entry);
    if (plan.instant) return known[known.push(parseDate(text) ?? Number.NaN) - 1];
    const label = plan.label ? plan.label(text, dictionary.kind(entry)) : text;
    let code = label === null ? MISSING : UNUSABLE;
    if (typeof label === 'string') {
      code = byLabel.get(label) ?? plan.levels?.length ?? -1;
      if (plan.open && code < 0) {
        code = column.levels.push(label) - 1;
        byLabel.set(label, code);
      }
    }
    known.push(code);
    return code;
  }

  /** The rows so far. After `clear` the caller owns the arrays. */
  table(): Table {
    const { rows } = this;
    return {
      rows,
      columns: this.#columns.map(({ plan: { name, levels, open }, values, codes, missing, levels: met }): Column => {
        const gaps = missing?.subarray(0, rows) ?? null;
        return levels || open
          ? { name, kind: 'coded', codes: codes.subarray(0, rows), levels: levels ?? met, missing: gaps }
          : { name, kind: 'numeric', values: values.subarray(0, rows), missing: gaps };
      }),
    };
  }

  clear(): void {
    this.rows = 0;
    for (const column of this.#columns) {
      Object.assign(column, this.#cells(column.plan));
      if (!column.plan.open && column.known.length < MOST_KNOWN) continue;
      // without known levels a dictionary serves the rows of one table, so that it stays small
      column.dictionary.clear();
      column.known = [];
      if (!column.plan.open) continue;
      column.byLabel.clear();
      column.levels = [];
    }
  }
}

/** A cell of a dictionary as messages show it. */
function shown(dictionary: Dictionary, entry: number): unknown {
  const text = dictionary.text(entry);
  const kind = dictionary.kind(entry);
  return kind === KIND.object ? {} : kind === KIND.list ? [] : kind === KIND.special ? Number(text) : text;
}

const MEND = 'correct the cell, or leave it empty if the value is missing';
