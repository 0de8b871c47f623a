/** Rows of text that are read in WebAssembly, ahead of our scanners. */
import { type CsvHeader, type ScannedColumn, TableScanner } from '../../../../src/text.ts';
import type { ColumnPlan } from './builder.ts';
import type { Reading } from './options.ts';

/** Takes rows `from` to `to` of those that were read. */
type Take = (table: TableScanner, from: number, to: number) => void;

type Reader = NonNullable<ReturnType<TableScanner['beginCsv']>> | ReturnType<TableScanner['beginLines']>;

/**
 * Reads the rows of which it is sure straight into columns; each other row goes to the scanner of its format, which knows every option, message and
 * place. What both make of a row is the same.
 */
export class RowsAhead {
  readonly #table: TableScanner;
  readonly #reading: Reading;
  readonly #take: Take;
  /** columns whose numbers have a least one */
  readonly #bounded: readonly (readonly [column: number, least: number])[];
  #reader: Reader | null = null;
  /** false: the file cannot be read so, or most of its rows are left */
  serves = false;

  private constructor(table: TableScanner, plans: readonly ColumnPlan[], reading: Reading, take: Take) {
    this.#table = table;
    this.#reading = reading;
    this.#take = take;
    this.#bounded = plans.flatMap(({ least }, j) => (least === undefined ? [] : [[j, least] as const]));
  }

  /**
   * @param take  given rows in their order, between those that are left
   * @returns null for columns and notations that only the scanners know
   */
  static of(plans: readonly ColumnPlan[], reading: Reading, json: boolean, take: Take): RowsAhead | null {
    const { decimal, thousands } = reading.style;
    if (decimal !== '.' || thousands !== null) return null;
    const columns = plans.map((plan) => scannedColumn(plan, json));
    const table = columns.includes(null) ? null : TableScanner.over(columns as ScannedColumn[]);
    return table && new RowsAhead(table, plans, reading, take);
  }

  /** A reader of a file of CSV, behind its header; null where none can read it. */
  beginCsv(header: Omit<CsvHeader, 'tokens'>) {
    const { quote, tokens } = this.#reading;
    return this.#begun(quote === '"' ? this.#table.beginCsv({ ...header, tokens }) : null);
  }

  /** A reader of a file of JSON lines. */
  beginLines() {
    return this.#begun(this.#table.beginLines());
  }

  #begun<T extends Reader | null>(reader: T): T {
    this.#reader = reader;
    this.serves = reader !== null;
    return reader;
  }

  /**
   * Reads rows of what the scanner has loaded.
   * @param last  the input ends with it
   * @param left  called with each row that is left
   * @returns whether more rows may be in what is loaded
   */
  read(last: boolean, left: (start: number, end: number) => void): boolean {
    const table = this.#table;
    const count = table.read(last);
    const scanner = this.#reader!;
    for (const [column, least] of this.#bounded) {
      const numbers = table.numbers(column);
      for (let row = 0; row < count; row++) if (!(numbers[row] >= least) && !scanner.isLeft(row)) scanner.leave(row);
    }
    let at = 0;
    if (scanner.left > 0) {
      for (let row = 0; row < count; row++) {
        if (!scanner.isLeft(row)) continue;
        if (row > at) this.#take(table, at, row);
        at = row + 1;
        left(scanner.start(row), scanner.end(row));
      }
    }
    if (count > at) this.#take(table, at, count);
    const isFull = count === table.capacity;
    if (isFull && 2 * scanner.left > count) this.serves = false;
    return isFull;
  }
}

/** How a column is read; null where only a scanner knows it. */
function scannedColumn(
  { name, levels, texts, required, strict, open, instant }: ColumnPlan,
  json: boolean,
): ScannedColumn | null {
  const isRequired = required !== undefined;
  const other = { name, codes: 0, gap: isRequired ? -1 : 0, unseen: 0 };
  if (open) return json || isRequired ? null : { ...other, labels: 'place' };
  if (!levels) return instant ? null : { ...other, labels: 'number' };
  if (!texts) return null;
  const missing = levels.length + 1;
  const labels = [...texts.codes].map(([text, code]) => [text, code ?? missing] as const);
  return {
    name,
    labels: isRequired ? labels.filter(([, code]) => code !== missing) : labels,
    codes: levels.length + 2,
    gap: isRequired ? -1 : missing,
    unseen: texts.areAll && !strict && !isRequired ? levels.length : -1,
  };
}
