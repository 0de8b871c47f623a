import { among } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { refuseFreed } from '../../bindings/handle.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import { ARRAY, scannerOver } from '../../bindings/scanner.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import type { Model } from '../model/model.ts';
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
  /** Scores what a stream has left, and ends it: the next chunk begins another. @throws RowError */
  end(): ByteScores;
  /** Gives back the memory. **Every later call throws ERR_ENGINE.** */
  free(): void;
  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void;
}

const LF = 0x0a;
/** Greatest number of bytes of one record. */
const MOST_BYTES = 2 ** 26;
const TOO_LONG = 'a record of at most 64 MiB';
const MARK = [0xef, 0xbb, 0xbf];
const NEXT = 'correct it and send it again';

/** Rows in bytes that are at hand. */
interface Rows {
  readonly count: number;
  bytes(i: number): Uint8Array;
  /** of the first byte, in the whole input */
  offset(i: number): number;
  /** whether a room has read it */
  isRead(i: number): boolean;
  /** whether a room has read all */
  readonly read: boolean;
}

/**
 * Returns a scorer of bytes, with the bits and the refusals of `JSON.parse` followed by `model.score`, and several times their speed.
 *
 * In WebAssembly a reader that knows the schema writes numbers and codes from the bytes straight into a batch. Records that it does not know how to
 * read (keys with escapes, a key twice, numbers of more than 19 digits) go through `JSON.parse` and `Model.score`.
 * @throws ERR_MEMORY; ERR_RANGE for another `onError`
 * @example
 * const scorer = byteScorer(model);
 * const lines = new TextEncoder().encode('{"distance":1200,"origin":"LAS"}\n{"distance":300,"origin":"ATL"}\n');
 * scorer.lines(lines).probabilities; // [0.9114, 0.0477]
 * scorer.end().rows; // 0
 */
export function byteScorer(model: Model, options: ByteScorerOptions = {}): ByteScorer {
  const collect = among('onError', options.onError ?? 'throw', 'throw', 'collect') === 'collect';
  const room = roomFor(model, options.engine ?? pickScoringEngine());
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
  let pending: Uint8Array[] = [];
  let waiting = 0;

  const begin = (): void => {
    if (freed) refuseFreed('scorer');
    parts = [];
    errors = [];
  };
  const scores = (): ByteScores => joinScores(parts, vectors, abstain, errors);
  const results = (): ByteScores => {
    if (parts.length === 0) parts.push(noScores(0, vectors, abstain));
    return scores();
  };
  const restart = (): void => {
    row = 0;
    offset = 0;
    pending = [];
    waiting = 0;
  };
  const refuse = (error: RowError): never => {
    throw Object.assign(error, { scores: results() });
  };

  /** Scores one row through JSON.parse and `Model.score`. @throws RowError */
  const scoreOne = (out: Part, i: number, bytes: Uint8Array, at: number): void => {
    const score = scoreRecord(model, bytes, row + i, at);
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
    const out = room ? room.score(count) : noScores(count, vectors, abstain);
    // NaN is no probability: it makes the sum NaN
    let sum = 0;
    for (let i = 0; i < count; i++) sum += out.probabilities[i];
    const all = rows.read && room!.scanner.left === 0 && sum >= 0;
    for (let i = 0; i < count && !all; i++) {
      if (rows.isRead(i) && out.probabilities[i] >= 0) continue;
      try {
        scoreOne(out, i, rows.bytes(i), rows.offset(i));
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
  const scanned = (count: number, base: number, valid: boolean): Rows => ({
    count,
    bytes: (i) => room!.scanner.bytes(i),
    offset: (i) => base + room!.scanner.start(i),
    isRead: (i) => valid && !room!.scanner.isLeft(i),
    read: valid && room!.scanner.left === 0,
  });

  /** Rows from `starts` to `ends` of bytes, for an engine without a scanner. */
  const plain = (bytes: Uint8Array, base: number, starts: readonly number[], ends: readonly number[]): Rows => ({
    count: starts.length,
    bytes: (i) => bytes.subarray(starts[i], ends[i]),
    offset: (i) => base + starts[i],
    isRead: () => false,
    read: false,
  });

  /** Scores whole lines: bytes `from` to `to`. @param base  number of byte 0 in the input */
  const scoreLines = (bytes: Uint8Array, from: number, to: number, base: number): void => {
    if (!room) {
      scorePlainLines(bytes, from, to, base);
      return;
    }
    const { scanner, capacity } = room;
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
          if (end - at > MOST_BYTES) refuse(wrongBytes(row, base + at, TOO_LONG, NEXT));
          scanner.grow(end - at);
        }
      }
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.lines();
        take(scanned(count, base + at, valid));
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
    const { scanner, capacity } = room;
    let at = from;
    let first = true;
    for (;;) {
      const end = wholeCharacters(bytes, at, Math.min(bytes.length, at + scanner.size));
      const last = end === bytes.length;
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.array(first, last);
        take(scanned(count, at, valid));
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
    if (room && bytes.length <= room.scanner.size && bytes[0] === 0x7b) {
      room.scanner.load(bytes, 0, bytes.length);
      if (room.scanner.record()) {
        const out = room.scoreRecord();
        if (out.probabilities[0] >= 0 && room.scanner.left === 0) return withErrors(out, errors);
      }
    }
    try {
      row = 0;
      const at = skipBlanks(bytes, behindMark(bytes));
      if (at === bytes.length) refuse(wrongBytes(0, at, 'JSON', 'send at least one record'));
      const end = bytes.indexOf(LF, at);
      if (bytes[at] === 0x5b) scoreArray(bytes, at + 1);
      else if (end >= 0 && skipBlanks(bytes, end) < bytes.length && isOne(bytes, at, end)) {
        // the host reads it
        if (room) room.scanner.load(bytes, 0, 0);
        take({ ...plain(bytes, 0, [at], [bytes.length]) });
      } else scoreLines(bytes, at, bytes.length, 0);
      return results();
    } finally {
      row = kept;
    }
  };

  /** A step of a stream, which is over when it throws. */
  const stream = (step: () => void): ByteScores => {
    begin();
    try {
      step();
    } catch (error) {
      restart();
      throw error;
    }
    return results();
  };

  const lines = (given: Bytes): ByteScores =>
    stream(() => {
      const bytes = bytesOf(given);
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

  /** Keeps bytes of a line that goes on. */
  const wait = (bytes: Uint8Array, from: number, to: number): void => {
    if (from === to) return;
    pending.push(bytes.slice(from, to));
    waiting += to - from;
    if (waiting > MOST_BYTES) refuse(wrongBytes(row, offset, TOO_LONG, NEXT));
  };

  const scoreWaiting = (): void => {
    const line = together(pending, waiting);
    pending = [];
    waiting = 0;
    scoreLines(line, offset === 0 ? behindMark(line) : 0, line.length, offset);
    offset += line.length;
  };

  const end = (): ByteScores => {
    const last = stream(scoreWaiting);
    restart();
    return last;
  };

  const free = (): void => {
    if (!freed) room?.free();
    freed = true;
  };
  return { json, lines, end, free, [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: free } as ByteScorer;
}

/** Where the engine reads; null: it does not. An engine whose memory is shared by threads lends its kind only. */
function roomFor(model: Model, engine: ScoringEngine): Room | null {
  if (typeof engine?.encoded !== 'function')
    throw new LogoddsError(
      'ERR_ENGINE',
      'byteScorer: expected an engine, got none; hand it pickEngine(), or leave it out',
    );
  if (engine.name === 'js') return null;
  const own = isBuffer(engine.heap.memory.buffer) ? engine : pickScoringEngine();
  return own.name === 'js' ? null : new Room(model, own, scannerOver(own.heap));
}

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws RowError */
function scoreRecord(model: Model, bytes: Uint8Array, row: number, offset: number) {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw wrongBytes(row, offset + notUtf8(bytes), 'UTF-8', NEXT);
  }
  let record: object;
  try {
    record = JSON.parse(text);
  } catch {
    const end = endOfJson(bytes, 0);
    throw wrongBytes(row, offset + (end.valid ? skipBlanks(bytes, end.at) : end.at), 'JSON', NEXT);
  }
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

/** `end`, or less where it would cut a character. */
function wholeCharacters(bytes: Uint8Array, from: number, end: number): number {
  if (end === bytes.length) return end;
  let at = end;
  while (at > from && end - at < 3 && (bytes[at] & 0xc0) === 0x80) at--;
  return at > from ? at : end;
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
  if (given instanceof Uint8Array) return given;
  if (isBuffer(given)) return new Uint8Array(given);
  const got = typeof given === 'string' ? 'text' : 'something else';
  throw new LogoddsError(
    'ERR_SHAPE',
    `bytes: expected a Uint8Array or an ArrayBuffer, got ${got}; encode text with new TextEncoder().encode(text)`,
  );
}
