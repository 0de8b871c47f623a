import type { ByteScorer, ByteScores, RowError } from 'logodds/bytes';
import { LogoddsError } from 'logodds/score';
import { Refusal } from '../../refusal.ts';
import { emptyScores, parsedJson } from '../../scoring/score.ts';
import { type Front, type OpenPart, RowParts, type RowPieces, renumbered, type StreamRow, scatter } from './parts.ts';

export type DividedScores = ByteScores & { readonly parts: RowParts };
type Format = 'lines' | 'csv';

/** A row that waits for its score. */
interface Waiting {
  readonly record: object | null;
  readonly part: OpenPart;
  readonly own: Own;
}

/** The scorer of a part, and what it has scored. */
interface Own {
  readonly scorer: ByteScorer;
  /** bytes that it has got */
  bytes: number;
  /** rows whose scores have left */
  rows: number;
  /** of each later row that it got: its number and its first byte, here and in the whole */
  readonly places: { readonly row: number; readonly offset: number; readonly own: number }[];
  /** scores that no row has taken yet, of which the first `taken` are taken */
  readonly done: { readonly scores: ByteScores; readonly errors: ReadonlyMap<number, RowError>; taken: number }[];
}

export const noCsv = (): Refusal =>
  new Refusal(
    415,
    'ERR_TYPE',
    'content-type: expected JSON, JSON lines or Arrow, got CSV, which this host cannot divide into segments; send JSON lines',
  );

const LF = 10;
const NO_BYTES = new Uint8Array();

/** Scores rows of a stream by the models of their segments: each gets the bytes of its rows, so bits and refusals are its own. */
export class DividedStream {
  readonly #front: Front;
  readonly #partOf: (record: object | null, parts: RowParts) => OpenPart;
  readonly #owns = new Map<OpenPart, Own>();
  readonly #waiting: Waiting[] = [];
  readonly #lines = new LinePieces();
  #csv: RowPieces | null = null;
  #format: Format | null = null;
  #rows = 0;
  #bytes = 0;
  #notes = new RowParts(0);

  constructor(front: Front, partOf: (record: object | null, parts: RowParts) => OpenPart) {
    this.#front = front;
    this.#partOf = partOf;
  }

  lines(bytes: Uint8Array): DividedScores {
    this.#format = 'lines';
    return this.#take(bytes.length === 0 ? [] : this.#lines.rows(bytes), null);
  }

  /** @throws Refusal 415 where the host cannot take CSV apart */
  csv(bytes: Uint8Array): DividedScores {
    this.#format = 'csv';
    if (!this.#front.csv) throw noCsv();
    this.#csv ??= this.#front.csv(this.#front.fields);
    return this.#take(bytes.length === 0 ? [] : this.#csv.rows(bytes), this.#csv);
  }

  /** What the end completes. */
  end(): DividedScores {
    const pieces = this.#format === 'csv' ? this.#csv : this.#lines;
    const rows = this.#format === null ? [] : pieces!.rows(NO_BYTES);
    // a header is checked though no row follows it
    if (this.#format === 'csv' && this.#owns.size === 0 && rows.length === 0)
      this.#own(this.#partOf(null, new RowParts(0)), this.#csv!.header ?? NO_BYTES);
    return this.#take(rows, this.#csv, true);
  }

  /** JSON lines that are at hand as a whole. */
  whole(bytes: Uint8Array): DividedScores {
    this.#format = 'lines';
    const rows = [...this.#lines.rows(bytes), ...this.#lines.rows(NO_BYTES)];
    return this.#take(rows, null, true);
  }

  /** Bytes as the model has them that has what no segment has. @throws what is wrong with them */
  alone(bytes: Uint8Array): DividedScores {
    const part = this.#partOf(null, new RowParts(0));
    const scores = this.#own(part, NO_BYTES).scorer.json(bytes);
    const parts = new RowParts(scores.rows);
    for (let row = 0; row < scores.rows; row++) parts.put(row, part);
    return { ...scores, parts };
  }

  free(): void {
    for (const { scorer } of this.#owns.values()) scorer.free();
    this.#owns.clear();
  }

  /** @param pieces  what has the header of the rows; null: they have none */
  #take(rows: readonly StreamRow[], pieces: RowPieces | null, isLast = false): DividedScores {
    const format = this.#format ?? 'lines';
    const fed = new Map<Own, Uint8Array[]>();
    for (const row of rows) {
      const part = this.#partOf(row.record, this.#notes);
      const header = pieces?.header ?? NO_BYTES;
      const isNew = !this.#owns.has(part);
      const own = this.#own(part, header);
      if (isNew && this.#bytes === 0) this.#bytes = header.length;
      own.places.push({ row: this.#rows++, offset: this.#bytes, own: own.bytes });
      own.bytes += row.bytes.length;
      this.#bytes += row.bytes.length;
      const list = fed.get(own);
      if (list) list.push(row.bytes);
      else fed.set(own, [row.bytes]);
      this.#waiting.push({ record: row.record, part, own });
    }
    const owns = isLast ? [...this.#owns.values()] : [...fed.keys()];
    for (const own of owns) {
      const bytes = joinedBytes(fed.get(own) ?? []);
      if (bytes.length > 0) this.#keep(own, () => own.scorer[format](bytes));
      if (isLast) this.#keep(own, () => own.scorer.end());
    }
    return this.#emit(isLast);
  }

  /** Scores that came. What ends a stream says where in the whole it is. */
  #keep(own: Own, make: () => ByteScores): void {
    const moved = <E extends Error>(error: E): E => movedTo(error, own);
    let scores: ByteScores;
    try {
      scores = make();
    } catch (error) {
      throw moved(error as Error);
    }
    for (const error of scores.errors) moved(error);
    const errors = new Map(scores.errors.map((error) => [error.row, error]));
    if (scores.rows > 0) own.done.push({ scores, errors, taken: 0 });
  }

  #own(part: OpenPart, header: Uint8Array): Own {
    let own = this.#owns.get(part);
    if (!own) {
      own = { scorer: part.served.borrow(), bytes: header.length, rows: 0, places: [], done: [] };
      this.#owns.set(part, own);
      if (header.length > 0) own.scorer.csv(header);
    }
    return own;
  }

  /** The rows from the first one on that have their scores, in their order. */
  #emit(isLast: boolean): DividedScores {
    const ready = new Map<Own, number>();
    const isReady = ({ own }: Waiting): boolean => {
      const left = ready.get(own) ?? own.done.reduce((sum, { scores, taken }) => sum + scores.rows - taken, 0);
      ready.set(own, left - 1);
      return left > 0;
    };
    const all = this.#waiting.map(isReady);
    // at the end empty lines of one column are no rows, but between rows they are
    const count = isLast ? all.lastIndexOf(true) + 1 : all.indexOf(false) < 0 ? all.length : all.indexOf(false);
    const out = emptyScores(count, this.#front.model);
    const parts = new RowParts(count);
    parts.unmatched.push(...this.#notes.unmatched.splice(0));
    const records = new Map<OpenPart, object[]>();
    const errors: RowError[] = [];
    const left = new Map<Own, number>();
    const passed = (own: Own): number => {
      const rows = left.get(own) ?? 0;
      left.set(own, rows + 1);
      return rows;
    };
    this.#waiting.splice(0, count).forEach(({ part, own, record }, row) => {
      parts.put(row, part);
      const place = own.places[passed(own)];
      if (!all[row]) {
        errors.push(emptyRow(place.row));
        return;
      }
      const done = own.done[0];
      scatter(out, [row], done.scores, done.taken);
      const error = done.errors.get(place.row);
      if (error) errors.push(error);
      if (++done.taken === done.scores.rows) own.done.shift();
      const list = records.get(part);
      if (list) list.push(record!);
      else records.set(part, [record!]);
    });
    // a stream may go on for long: what has left is forgotten
    for (const [own, rows] of left) {
      own.places.splice(0, rows);
      own.rows += rows;
    }
    for (const [part, list] of records) parts.rows.set(part, { kind: 'records', records: list });
    return { ...out, errors, parts };
  }
}

/** A row of CSV of one column without a value, behind which its part has no row. */
const emptyRow = (row: number): RowError =>
  Object.assign(new LogoddsError('ERR_DATA', `row ${row} (from 0): expected a value, got an empty line; write NA`), {
    row,
    offset: 0,
    scores: null,
  }) as RowError;

/** Where a part has its rows, in the whole. An error of a row is told by its number and its first byte there. */
function movedTo<E extends Error>(error: E, { places, rows }: Pick<Own, 'places' | 'rows'>): E {
  const own = error as E & { row?: number; offset?: number; message: string };
  if (own.row === undefined || places.length === 0) return error;
  const place = places[Math.min(own.row - rows, places.length - 1)];
  const offset = (own.offset ?? place.own) - place.own + place.offset;
  renumbered(own, (row) => (row === own.row ? place.row : row));
  own.message = own.message
    .replace(/^(.*?\brecord )\d+( \(from 0\))/, `$1${place.row}$2`)
    .replace(/\bbyte \d+ \(from 0\)/, `byte ${offset} (from 0)`);
  return Object.assign(own, { row: place.row, offset });
}

/** Lines of JSON that come in pieces. Those of blanks are none: they stand before the row that follows. */
class LinePieces {
  #rest: Uint8Array = NO_BYTES;

  rows(bytes: Uint8Array): StreamRow[] {
    const all = this.#rest.length === 0 ? bytes : joinedBytes([this.#rest, bytes]);
    const rows: StreamRow[] = [];
    const isEnd = bytes.length === 0;
    let at = 0;
    let from = 0;
    while (from < all.length) {
      const found = all.indexOf(LF, from);
      if (found < 0 && !isEnd) break;
      const end = found < 0 ? all.length : found + 1;
      const isBlank = all.subarray(from, end).every((byte) => BLANKS.includes(byte));
      if (!isBlank) {
        rows.push(rowOf(all.subarray(at, end)));
        at = end;
      }
      from = end;
    }
    // the caller may write over its bytes
    this.#rest = isEnd ? NO_BYTES : all.slice(at);
    return rows;
  }
}

const BLANKS = [9, 10, 13, 32];

function rowOf(bytes: Uint8Array): StreamRow {
  try {
    return { bytes, record: parsedJson(bytes) as object };
  } catch {
    return { bytes, record: null };
  }
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
