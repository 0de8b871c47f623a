import { among } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { refuseFreed } from '../../bindings/handle.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import { ARRAY, type CsvScanner, type Scanner, scannerOver } from '../../bindings/scanner.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { show } from '../messages.ts';
import type { Model } from '../model/model.ts';
import { CsvInput } from './csv.ts';
import { endOfJson, notUtf8, skipBlanks } from './json.ts';
import { Room } from './room.ts';
import {
  type ByteScores,
  firstRows,
  joinScores,
  NO_LABEL,
  noScores,
  type Part,
  RowError,
  withErrors,
  wrongBytes,
} from './scores.ts';

/** How `byteScorer` scores. */
export interface ByteScorerOptions {
  /**
   * default: a new one, WebAssembly where the host has it. A JavaScript engine reads with JSON.parse and scores with `Model.score`, to the same bits. An
   * engine with threads lends none of them.
   */
  readonly engine?: ScoringEngine;
  /** `throw` (default): the first row that cannot be scored ends the call. `collect`: its error is kept, and the rows behind it are scored. */
  readonly onError?: 'throw' | 'collect';
}

/** Bytes of UTF-8. */
export type Bytes = Uint8Array | ArrayBuffer;

/** Scores records of JSON and rows of CSV from their bytes. */
export interface ByteScorer {
  /**
   * Scores a record, an array of records, or JSON lines.
   * @throws RowError for the first row that cannot be scored; an array that is no JSON with `onError: 'collect'` too
   */
  json(bytes: Bytes): ByteScores;
  /**
   * Scores the lines that a chunk of JSON lines completes. Chunks may end anywhere. Lines of blanks are no rows.
   * @throws RowError as `json`, with the row and byte counted from the first chunk; **the stream is then over,** and the next chunk begins another
   */
  lines(chunk: Bytes): ByteScores;
  /**
   * Scores the rows that a chunk of CSV completes. The first line names the columns, in any order; further columns are ignored. Cells become numbers and
   * labels as in the command (docs/FILES.md): empty cells are missing, in columns of numbers also NA and the like.
   * @throws RowError as `lines`; ERR_SCHEMA where the header lacks a column of the model
   */
  csv(chunk: Bytes): ByteScores;
  /** Scores what a stream has left, and ends it: the next chunk begins another. @throws RowError */
  end(): ByteScores;
  /** Gives back the memory, which is the engine's where one was given. **Every later call throws ERR_ENGINE.** */
  free(): void;
  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void;
}

const LF = 0x0a;
const CR = 0x0d;
/** Greatest number of bytes of one record. */
const MOST_BYTES = 2 ** 26;
const TOO_LONG = 'a record of at most 64 MiB';
/** as in the command */
const MOST_CSV = 2 ** 21;
/** bytes of the longest line end, which are no part of a record */
const LINE_END = 2;
const TOO_LONG_CSV = 'a record of at most 2 MiB (is a quote not closed?)';
/** How often a record of CSV is tried at each line end that arrives. */
const MOST_TRIES = 64;
const MARK = [0xef, 0xbb, 0xbf];
const NEXT = 'correct it and send it again';

/** Rows in bytes that are at hand. */
interface Rows {
  readonly count: number;
  bytes(i: number): Uint8Array;
  /** of the first byte, in the whole input */
  offset(i: number): number;
  /** the CSV that they are rows of; null: they are JSON */
  readonly csv: CsvInput | null;
  /** what has read them, if anything has */
  readonly scanner: Scanner | null;
  /** whether the scanner has read row i; it leaves others to the host */
  isRead(i: number): boolean;
  /** whether it has read all rows */
  readonly read: boolean;
}

/**
 * Returns a scorer of bytes, with the bits and the refusals of `JSON.parse` followed by `model.score`, and several times their speed.
 *
 * In WebAssembly a reader that knows the schema writes numbers and codes from the bytes straight into a batch. Records that it does not know how to
 * read (keys with escapes, a key twice, numbers of more than 19 digits) go through `JSON.parse` and `Model.score`.
 * @throws ERR_RANGE for what is no model, and for other options; ERR_ENGINE for what is no engine; ERR_MEMORY
 * @example
 * const scorer = byteScorer(model);
 * const lines = new TextEncoder().encode('{"distance":1200,"origin":"LAS"}\n{"distance":300,"origin":"ATL"}\n');
 * scorer.lines(lines).probabilities; // [0.9114, 0.0477]
 * scorer.end().rows; // 0
 */
export function byteScorer(model: Model, options?: ByteScorerOptions): ByteScorer {
  const { engine, onError = 'throw', ...others } = options ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new LogoddsError(
      'ERR_RANGE',
      `byteScorer: expected the options engine and onError, got ${show(unknown)}; leave it out`,
    );
  if (!model?.encoder || typeof model.score !== 'function') {
    throw new LogoddsError(
      'ERR_RANGE',
      'byteScorer: expected a model, got something else; hand it loadModel(bytes), or the model of a fit',
    );
  }
  const collect = among('onError', onError, 'throw', 'collect') === 'collect';
  const room = roomFor(model, engine ?? ownEngine());
  const { manifest, intercept } = model;
  const { classes, decision } = manifest;
  const vectors = intercept.length;
  const abstain = Boolean(decision.abstain);
  let freed = false;

  // of the call
  let parts: Part[] = [];
  let errors: RowError[] = [];
  /** number of the next row, counted from the begin of the input */
  let row = 0;
  // of the stream
  let offset = 0;
  let format: 'lines' | 'csv' | null = null;
  let csv: CsvInput | null = null;
  let csvScanner: CsvScanner | null = null;
  /** whether the last chunk of CSV ended with a CR, which an LF may follow */
  let afterCr = false;
  /** how often a record of CSV was tried and not complete, and with how many bytes the last time */
  let tries = 0;
  let tried = 0;
  let pending: Uint8Array[] = [];
  let waiting = 0;

  const begin = (): void => {
    if (freed) refuseFreed('scorer');
    parts = [];
    errors = [];
  };
  const results = (): ByteScores => joinScores(parts, vectors, abstain, errors);
  const restart = (): void => {
    row = 0;
    offset = 0;
    pending = [];
    waiting = 0;
    format = null;
    csv = null;
    afterCr = false;
    tries = 0;
    tried = 0;
  };
  const refuse = (error: RowError): never => {
    throw Object.assign(error, { scores: results() });
  };

  /** Scores one row through JSON.parse and `Model.score`. @throws RowError */
  const scoreOne = (out: Part, i: number, bytes: Uint8Array, at: number, csv: CsvInput | null): void => {
    if (bytes.length > (csv ? MOST_CSV : MOST_BYTES))
      throw wrongBytes(row + i, at, csv ? TOO_LONG_CSV : TOO_LONG, NEXT);
    const score = scoreRecord(model, csv ? csv.record(bytes, row + i, at) : jsonOf(bytes, row + i, at), row + i, at);
    const { rows } = out;
    if (vectors === 1) {
      out.logits[i] = score.logit;
      out.probabilities[i] = score.probability;
    } else {
      for (let k = 0; k < vectors; k++) {
        out.logits[k * rows + i] = score.logits![k];
        out.probabilities[k * rows + i] = score.probabilities![k];
      }
    }
    out.labels[i] = classes.indexOf(score.label);
    out.defaulted[i] = score.defaulted;
    out.outOfRange[i] = score.outOfRange;
    if (out.review) out.review[i] = Number(score.review);
  };

  /** Marks a row that could not be scored. */
  const lose = (out: Part, i: number): void => {
    for (let k = 0; k < vectors; k++) {
      out.logits[k * out.rows + i] = Number.NaN;
      out.probabilities[k * out.rows + i] = Number.NaN;
    }
    out.labels[i] = NO_LABEL;
    out.defaulted[i] = Number.NaN;
    out.outOfRange[i] = Number.NaN;
    if (out.review) out.review[i] = 0;
  };

  /** Scores rows, and counts them. */
  const take = (rows: Rows): void => {
    const { count } = rows;
    if (count === 0) return;
    const { scanner } = rows;
    const out = scanner ? room!.score(count, scanner, rows.csv) : noScores(count, vectors, abstain);
    // NaN is no probability: it makes the sum NaN
    let sum = 0;
    for (let i = 0; i < count; i++) sum += out.probabilities[i];
    const all = rows.read && scanner!.left === 0 && sum >= 0;
    for (let i = 0; i < count && !all; i++) {
      if (rows.isRead(i) && out.probabilities[i] >= 0) continue;
      try {
        scoreOne(out, i, rows.bytes(i), rows.offset(i), rows.csv);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        if (!collect) {
          parts.push(firstRows(out, i, vectors));
          refuse(error);
        }
        errors.push(error);
        lose(out, i);
      }
    }
    parts.push(out);
    row += count;
  };

  /** Rows of the scanner, whose input begins at `base`. */
  const scanned = (
    scanner: Scanner,
    count: number,
    base: number,
    valid: boolean,
    csv: CsvInput | null = null,
  ): Rows => {
    // a record that is too long may fit with its line end
    const fits = (i: number): boolean => !csv || scanner.bytes(i).length <= MOST_CSV;
    return {
      count,
      bytes: (i) => scanner.bytes(i),
      offset: (i) => base + scanner.start(i),
      isRead: (i) => valid && !scanner.isLeft(i) && fits(i),
      read: valid && scanner.left === 0 && (count > 1 || fits(0)),
      csv,
      scanner,
    };
  };

  /** Rows from `starts` to `ends` of bytes, for an engine without a scanner. */
  const plain = (
    bytes: Uint8Array,
    base: number,
    starts: readonly number[],
    ends: readonly number[],
    csv: CsvInput | null = null,
  ): Rows => ({
    count: starts.length,
    bytes: (i) => bytes.subarray(starts[i], ends[i]),
    offset: (i) => base + starts[i],
    isRead: () => false,
    read: false,
    csv,
    scanner: null,
  });

  /** Scores whole lines: bytes `from` to `to`. @param base  number of byte 0 in the input */
  const scoreLines = (bytes: Uint8Array, from: number, to: number, base: number): void => {
    if (!room) {
      scorePlainLines(bytes, from, to, base);
      return;
    }
    const { json: scanner, capacity } = room;
    let at = from;
    while (at < to) {
      let end = Math.min(to, at + scanner.size);
      if (end < to) {
        const last = bytes.lastIndexOf(LF, end - 1);
        if (last >= at) end = last + 1;
        else {
          // a line that does not fit
          const next = bytes.indexOf(LF, end);
          end = next < 0 || next >= to ? to : next + 1;
          if (end - at > MOST_BYTES) {
            scorePlainLines(bytes, at, end, base);
            at = end;
            continue;
          }
          scanner.grow(end - at);
        }
      }
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.lines();
        take(scanned(scanner, count, base + at, valid));
      } while (count === capacity);
      at = end;
    }
  };

  const scorePlainLines = (bytes: Uint8Array, from: number, to: number, base: number): void => {
    const starts: number[] = [];
    const ends: number[] = [];
    for (let at = from; at < to; ) {
      const next = bytes.indexOf(LF, at);
      const end = next < 0 || next > to ? to : next;
      const start = skipBlanks(bytes, at, end);
      if (start < end) {
        starts.push(start);
        ends.push(end);
      }
      at = end + 1;
    }
    take(plain(bytes, base, starts, ends));
  };

  /** Where an array stops to be JSON: behind `at`, which is behind its bracket or an element. */
  const wrongArray = (bytes: Uint8Array, at: number, first: boolean): never => {
    let stop = skipBlanks(bytes, at);
    if (first || bytes[stop] === 0x2c) stop = endOfJson(bytes, first ? stop : stop + 1).at;
    return refuse(wrongBytes(row, stop, 'JSON', NEXT));
  };

  /** Scores the elements of an array whose bracket is before `from`. */
  const scoreArray = (bytes: Uint8Array, from: number): void => {
    if (!room) {
      scorePlainArray(bytes, from);
      return;
    }
    const { json: scanner, capacity } = room;
    let at = from;
    let first = true;
    for (;;) {
      const most = at + scanner.size;
      const end = most < bytes.length ? wholeCharacters(bytes, at, most) : bytes.length;
      const last = end === bytes.length;
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.array(first, last);
        take(scanned(scanner, count, at, valid));
        if (count > 0) first = false;
      } while (count === capacity && scanner.state === ARRAY.open);
      if (scanner.used === 0 && scanner.state === ARRAY.open) {
        if (scanner.size >= MOST_BYTES) refuse(wrongBytes(row, at, TOO_LONG, NEXT));
        scanner.grow(2 * scanner.size);
      }
      at += scanner.used;
      if (scanner.state === ARRAY.wrong) wrongArray(bytes, at, first);
      if (scanner.state === ARRAY.closed) {
        endArray(bytes, at);
        return;
      }
    }
  };

  const scorePlainArray = (bytes: Uint8Array, from: number): void => {
    const starts: number[] = [];
    const ends: number[] = [];
    let at = from;
    for (;;) {
      const next = skipBlanks(bytes, at);
      const first = starts.length === 0;
      if (bytes[next] === 0x5d) {
        take(plain(bytes, 0, starts, ends));
        endArray(bytes, next + 1);
        return;
      }
      const start = first ? next : skipBlanks(bytes, next + 1);
      const end = endOfJson(bytes, start);
      if (!end.valid || !(first || bytes[next] === 0x2c)) {
        take(plain(bytes, 0, starts, ends));
        wrongArray(bytes, at, first);
      }
      starts.push(start);
      ends.push(end.at);
      at = end.at;
    }
  };

  const endArray = (bytes: Uint8Array, at: number): void => {
    const end = skipBlanks(bytes, at);
    if (end < bytes.length) refuse(wrongBytes(row, end, 'the end behind the array', NEXT));
  };

  /** Whether the text from `at` on, whose first line ends at `end`, is one record over several lines. */
  const isOne = (bytes: Uint8Array, at: number, end: number): boolean => {
    const line = endOfJson(bytes, at, end);
    if (line.valid && skipBlanks(bytes, line.at, end) === end) return false;
    const whole = endOfJson(bytes, at);
    return whole.valid && skipBlanks(bytes, whole.at) === bytes.length;
  };

  const json = (given: Bytes): ByteScores => {
    begin();
    const kept = row;
    const bytes = bytesOf(given);
    if (room && bytes.length <= room.json.size && bytes[0] === 0x7b) {
      room.json.load(bytes, 0, bytes.length);
      if (room.json.record()) {
        const out = room.scoreRecord();
        if (out.probabilities[0] >= 0 && room.json.left === 0) return withErrors(out, errors);
      }
    }
    try {
      row = 0;
      const at = skipBlanks(bytes, behindMark(bytes));
      if (at === bytes.length) refuse(wrongBytes(0, at, 'JSON', 'send at least one record'));
      const end = bytes.indexOf(LF, at);
      if (bytes[at] === 0x5b) scoreArray(bytes, at + 1);
      else if (end >= 0 && skipBlanks(bytes, end) < bytes.length && isOne(bytes, at, end)) {
        take(plain(bytes, 0, [at], [bytes.length]));
      } else scoreLines(bytes, at, bytes.length, 0);
      return results();
    } finally {
      row = kept;
    }
  };

  /** A step of a stream, which is over when it throws. */
  const stream = (as: 'lines' | 'csv', step: () => void): ByteScores => {
    begin();
    if (format !== null && format !== as) {
      throw new LogoddsError(
        'ERR_RANGE',
        `${as}: expected the stream to go on with ${format}, got a chunk for ${as}; call end() first`,
      );
    }
    format = as;
    try {
      step();
    } catch (error) {
      restart();
      throw error;
    }
    return results();
  };

  const lines = (given: Bytes): ByteScores => {
    const bytes = bytesOf(given);
    return stream('lines', () => {
      const last = bytes.lastIndexOf(LF);
      let at = 0;
      if (waiting > 0 || offset === 0) {
        // the line that was begun; the first one may begin with a mark
        at = last < 0 ? bytes.length : bytes.indexOf(LF) + 1;
        wait(bytes, 0, at);
        if (last < 0) return;
        scoreWaiting();
      }
      if (last >= at) scoreLines(bytes, at, last + 1, offset - at);
      offset += Math.max(0, last + 1 - at);
      wait(bytes, Math.max(at, last + 1), bytes.length);
    });
  };

  /** Keeps bytes of a line that goes on. */
  const wait = (bytes: Uint8Array, from: number, to: number): void => {
    if (from === to) return;
    pending.push(bytes.slice(from, to));
    waiting += to - from;
    if (waiting > MOST_BYTES + LINE_END) refuse(wrongBytes(row, offset, TOO_LONG, NEXT));
  };

  const scoreWaiting = (): void => {
    const line = together(pending, waiting);
    pending = [];
    waiting = 0;
    scoreLines(line, offset === 0 ? behindMark(line) : 0, line.length, offset);
    offset += line.length;
  };

  const csvChunk = (given: Bytes): ByteScores => {
    const bytes = bytesOf(given);
    return stream('csv', () => {
      if (bytes.length === 0) return;
      pending.push(bytes.slice());
      waiting += bytes.length;
      // a record ends with a line; one in many pieces is tried again when twice as many of its bytes have arrived
      const mayEnd = afterCr || bytes.includes(LF) || bytes.includes(CR);
      afterCr = bytes[bytes.length - 1] === CR;
      if ((tries < MOST_TRIES ? mayEnd : waiting >= 2 * tried) || waiting > MOST_CSV + LINE_END) scoreCsv(false);
    });
  };

  /** Scores the rows of CSV that are complete in what waits. */
  const scoreCsv = (last: boolean): void => {
    const bytes = together(pending, waiting);
    let at = offset === 0 && !csv ? behindMark(bytes) : 0;
    const keep = (from: number): void => {
      pending = from < bytes.length ? [bytes.slice(from)] : [];
      waiting = bytes.length - from;
      offset += from;
      tries = from > 0 ? 0 : tries + 1;
      tried = waiting;
      if (waiting > MOST_CSV + LINE_END) refuse(wrongBytes(row, offset, TOO_LONG_CSV, NEXT));
    };
    try {
      if (!csv) {
        const input = new CsvInput(model);
        const behind = input.begin(bytes, at, last, offset);
        // the mark goes with the header
        if (behind < 0) {
          tries++;
          tried = waiting;
          if (waiting > MOST_CSV + LINE_END) refuse(wrongBytes(row, offset, TOO_LONG_CSV, NEXT));
          return;
        }
        csv = input;
        csvScanner = room?.csv(input) ?? null;
        at = behind;
      }
    } catch (error) {
      throw error instanceof RowError && error.scores === null ? refuse(error) : error;
    }
    keep(csvScanner ? scoreScannedCsv(csvScanner, csv, bytes, at, last) : scorePlainCsv(csv, bytes, at, last));
  };

  /** @returns where the first row begins that is not complete */
  const scoreScannedCsv = (
    scanner: CsvScanner,
    input: CsvInput,
    bytes: Uint8Array,
    from: number,
    last: boolean,
  ): number => {
    let at = from;
    while (at < bytes.length) {
      const most = Math.min(bytes.length, at + scanner.size);
      const isEnd = last && most === bytes.length;
      const to = isEnd ? most : wholeCharacters(bytes, at, most);
      scanner.load(bytes, at, to);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.records(isEnd);
        take(scanned(scanner, count, offset + at, valid, input));
      } while (count === room!.capacity);
      at += scanner.used;
      if (most === bytes.length) break;
      if (scanner.used === 0) {
        if (scanner.size <= MOST_CSV) scanner.grow(Math.min(MOST_CSV + LINE_END, 2 * scanner.size));
        else {
          // it is refused, and what is behind it is read
          const long = input.extent(bytes, at, last);
          if (!long) break;
          take(plain(bytes, offset, [long.start], [long.end], input));
          at = long.next;
        }
      }
    }
    return at;
  };

  const scorePlainCsv = (input: CsvInput, bytes: Uint8Array, from: number, last: boolean): number => {
    const starts: number[] = [];
    const ends: number[] = [];
    let at = from;
    for (let row = input.extent(bytes, at, last); row; row = input.extent(bytes, at, last)) {
      starts.push(row.start);
      ends.push(row.end);
      at = row.next;
    }
    take(plain(bytes, offset, starts, ends, input));
    return last ? bytes.length : at;
  };

  const end = (): ByteScores => {
    const last = stream(format ?? 'lines', format === 'csv' ? () => scoreCsv(true) : scoreWaiting);
    restart();
    return last;
  };

  const free = (): void => {
    if (!freed) room?.free();
    freed = true;
  };
  return {
    json,
    lines,
    csv: csvChunk,
    end,
    free,
    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: free,
  } as ByteScorer;
}

/** An engine that goes with its scorer: nobody has to free what is in it. */
function ownEngine(): ScoringEngine {
  const engine = pickScoringEngine();
  engine.heap.watching = false;
  return engine;
}

/** Where the engine reads; null: it does not. An engine whose memory is shared by threads lends its kind only. */
function roomFor(model: Model, engine: ScoringEngine): Room | null {
  if (typeof engine?.encoded !== 'function')
    throw new LogoddsError(
      'ERR_ENGINE',
      'byteScorer: expected an engine, got something else; hand it pickEngine(), or leave it out',
    );
  if (engine.name === 'js') return null;
  const own = isBuffer(engine.heap.memory.buffer) ? engine : ownEngine();
  return own.name === 'js' ? null : new Room(model, own, scannerOver(own.heap));
}

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value of a row of JSON. @throws RowError */
function jsonOf(bytes: Uint8Array, row: number, offset: number): object {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw wrongBytes(row, offset + notUtf8(bytes), 'UTF-8', NEXT);
  }
  try {
    return JSON.parse(text);
  } catch {
    const end = endOfJson(bytes, 0);
    throw wrongBytes(row, offset + (end.valid ? skipBlanks(bytes, end.at) : end.at), 'JSON', NEXT);
  }
}

/** @throws RowError */
function scoreRecord(model: Model, record: object, row: number, offset: number) {
  try {
    return model.score(record);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    const say = (text: string) => text.replace(/^record/, `$& ${row} (from 0)`);
    const { code, message, problems, detail, cause } = error;
    throw new RowError(row, offset, new LogoddsError(code, say(message), { problems, cause }, say(detail)));
  }
}

/** Behind the mark that some programs write before UTF-8. */
const behindMark = (bytes: Uint8Array): number => (MARK.every((byte, i) => bytes[i] === byte) ? MARK.length : 0);

/** `end`, or less where the bytes before it begin a character and do not end it. */
function wholeCharacters(bytes: Uint8Array, from: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= from; back++) {
    const byte = bytes[end - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? end - back : end;
  }
  return end;
}

function together(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const isBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === '[object ArrayBuffer]';

/** @throws ERR_SHAPE */
function bytesOf(given: Bytes): Uint8Array {
  // `slice` of a Buffer does not copy
  if (given instanceof Uint8Array)
    return given.constructor === Uint8Array ? given : new Uint8Array(given.buffer, given.byteOffset, given.length);
  if (isBuffer(given)) return new Uint8Array(given);
  const [got, next] =
    typeof given === 'string'
      ? ['text', 'encode it with new TextEncoder().encode(text)']
      : ['something else', 'hand over the bytes of a body or of a file'];
  throw new LogoddsError('ERR_SHAPE', `bytes: expected a Uint8Array or an ArrayBuffer, got ${got}; ${next}`);
}
