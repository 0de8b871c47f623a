import { LogoddsError } from '../../bindings/errors.ts';
import type { Model } from '../model/model.ts';
import type { RecordScore } from '../model/scores.ts';
import type { CsvInput } from './csv.ts';
import { endOfJson, notUtf8, skipBlanks } from './json.ts';
import type { Room } from './room.ts';
import { MOST_CSV, MOST_JSON, type Rows } from './rows.ts';
import {
  type ByteScores,
  firstRows,
  joinScores,
  noScores,
  type Part,
  putError,
  putScore,
  RowError,
  wrongBytes,
  wrongJson,
} from './scores.ts';

export const TOO_LONG = 'a record of at most 64 MiB';
export const TOO_LONG_CSV = 'a record of at most 2 MiB (is a quote not closed?)';

/** Scores rows, and keeps their scores and errors until a call hands them out. */
export class Collector {
  /** number of the next row, counted from the begin of the input */
  row = 0;
  readonly #model: Model;
  readonly #room: Room | null;
  readonly #collect: boolean;
  #parts: Part[] = [];
  #errors: RowError[] = [];

  /** @param collect  whether errors are kept; else the first one is thrown */
  constructor(model: Model, room: Room | null, collect: boolean) {
    this.#model = model;
    this.#room = room;
    this.#collect = collect;
  }

  /** What was scored since the last call. */
  results(): ByteScores {
    const parts = this.#parts;
    const errors = this.#errors;
    this.#parts = [];
    this.#errors = [];
    return joinScores(parts, this.#model, errors);
  }

  /** Ends the call. @throws the error, with what was scored before it */
  refuse(error: RowError): never {
    throw Object.assign(error, { scores: this.results() });
  }

  /** Scores rows, and counts them. @throws RowError */
  take(rows: Rows): void {
    const { count, scanner, csv } = rows;
    if (count === 0) return;
    const out = scanner ? this.#room!.score(count, scanner, csv) : noScores(count, this.#model);
    // NaN is no probability: it makes the sum NaN
    let sum = 0;
    for (let i = 0; i < count; i++) sum += out.probabilities[i];
    const all = rows.read && scanner!.left === 0 && sum >= 0;
    for (let i = 0; i < count && !all; i++) {
      if (rows.isRead(i) && out.probabilities[i] >= 0) continue;
      try {
        const score = scoreBytes(this.#model, rows.bytes(i), this.row + i, rows.offset(i), csv);
        putScore(out, i, score, this.#model);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        if (!this.#collect) {
          this.#parts.push(firstRows(out, i, this.#model));
          this.refuse(error);
        }
        this.#errors.push(error);
        putError(out, i);
      }
    }
    this.#parts.push(out);
    this.row += count;
  }
}

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Scores one row through JSON.parse, or the rules of CSV, and `Model.score`. @throws RowError */
export function scoreBytes(
  model: Model,
  bytes: Uint8Array,
  row: number,
  offset: number,
  csv: CsvInput | null = null,
): RecordScore {
  const [most, rule] = csv ? [MOST_CSV, TOO_LONG_CSV] : [MOST_JSON, TOO_LONG];
  if (bytes.length > most) throw wrongBytes(row, offset, rule);
  const record = csv ? csv.record(bytes, row, offset) : jsonOf(bytes, row, offset);
  try {
    return model.score(record);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    const say = (text: string) => {
      const numbered = text.replace(/^record/, `$& ${row} (from 0)`);
      return csv ? numbered.replace('use null for a missing', 'leave it empty for a missing') : numbered;
    };
    const { code, message, problems, detail, cause } = error;
    throw new RowError(row, offset, new LogoddsError(code, say(message), { problems, cause }, say(detail)));
  }
}

/** The value of a row of JSON. @throws RowError */
function jsonOf(bytes: Uint8Array, row: number, offset: number): object {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    const end = endOfJson(bytes, 0);
    const stop = end.valid ? skipBlanks(bytes, end.at) : end.at;
    const invalid = notUtf8(bytes);
    if (invalid >= 0 && invalid <= stop) throw wrongBytes(row, offset + invalid, 'UTF-8');
    throw wrongJson(row, offset + stop, stop === bytes.length);
  }
}
