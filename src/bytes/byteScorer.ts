import { among } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { refuseFreed } from '../../bindings/handle.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import { scannerOver } from '../../bindings/scanner.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { show } from '../messages.ts';
import type { Model } from '../model/model.ts';
import type { RecordScore } from '../model/scores.ts';
import { Collector, scoreBytes } from './collector.ts';
import { CsvChunks } from './csvReader.ts';
import { type Bytes, behindMark, bytesOf, isBuffer } from './input.ts';
import { JsonLines, JsonReader } from './jsonReader.ts';
import { Room } from './room.ts';
import { type ByteScores, joinScores, noScores, putScore, withErrors } from './scores.ts';

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

/** Scores records of JSON and rows of CSV from their bytes. */
export interface ByteScorer {
  /**
   * Scores a record, an array of records, or JSON lines.
   * @throws RowError for the first row that cannot be scored; an array that is no JSON with `onError: 'collect'` too
   */
  json(bytes: Bytes): ByteScores;
  /**
   * Scores one record. Returns what `Model.score` returns, without the arrays that `json` makes.
   * @throws RowError
   */
  record(bytes: Bytes): RecordScore;
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

/** Formats of streams. */
const STREAMS = {
  lines: (_: Model, room: Room | null, collector: Collector) => new JsonLines(room, collector),
  csv: (model: Model, room: Room | null, collector: Collector) => new CsvChunks(model, room, collector),
};
type Format = keyof typeof STREAMS;

/** A stream that has begun. */
interface Stream {
  readonly format: Format;
  readonly collector: Collector;
  readonly input: JsonLines | CsvChunks;
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
 * scorer.record(lines.subarray(0, 32)).label; // 'yes'
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
  let freed = false;
  let stream: Stream | null = null;

  const refuseAfterFree = (): void => {
    if (freed) refuseFreed('scorer');
  };

  const record = (given: Bytes): RecordScore => {
    refuseAfterFree();
    const bytes = bytesOf(given);
    return room?.record(bytes) ?? scoreBytes(model, bytes.subarray(behindMark(bytes)), 0, behindMark(bytes));
  };

  const json = (given: Bytes): ByteScores => {
    refuseAfterFree();
    const bytes = bytesOf(given);
    const score = room?.record(bytes);
    if (score) {
      const out = noScores(1, model);
      putScore(out, 0, score, model);
      return withErrors(out, []);
    }
    const collector = new Collector(model, room, collect);
    new JsonReader(room, collector).document(bytes);
    return collector.results();
  };

  const open = (format: Format): Stream => {
    const collector = new Collector(model, room, collect);
    return { format, collector, input: STREAMS[format](model, room, collector) };
  };

  /** A step of a stream, which is over when it throws. */
  const step = (begun: Stream, take: (input: Stream['input']) => void): ByteScores => {
    stream = begun;
    try {
      take(begun.input);
    } catch (error) {
      stream = null;
      throw error;
    }
    return begun.collector.results();
  };

  const push = (format: Format, given: Bytes): ByteScores => {
    refuseAfterFree();
    const bytes = bytesOf(given);
    if (stream && stream.format !== format) {
      throw new LogoddsError(
        'ERR_RANGE',
        `${format}: expected the stream to go on with ${stream.format}, got a chunk for ${format}; call end() first`,
      );
    }
    return step(stream ?? open(format), (input) => input.push(bytes));
  };

  const end = (): ByteScores => {
    refuseAfterFree();
    if (!stream) return joinScores([], model, []);
    const last = step(stream, (input) => input.end());
    stream = null;
    return last;
  };

  const free = (): void => {
    if (!freed) room?.free();
    freed = true;
  };
  return {
    record,
    json,
    lines: (chunk) => push('lines', chunk),
    csv: (chunk) => push('csv', chunk),
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
