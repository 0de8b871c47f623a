import { refuseUnknown } from '../../../bindings/names.ts';
import { whole } from '../check.ts';
import { type Line, type LineFault, labelOf, type OutcomeLabel, type Prediction, predictionOf } from './prediction.ts';
import { Tally } from './tally.ts';

/** How a log is read. */
export interface LogOptions {
  /** digests of the models whose scores are wanted: others are counted by digest and left out; default all */
  readonly known?: readonly string[];
  /** greatest number of characters of a line: a longer one is counted and left out; default 1,000,000 */
  readonly longest?: number;
}

/** What became of the lines of a log. `lines` is the sum of the others. */
export interface LineCounts {
  readonly lines: number;
  readonly read: number;
  /** half a line: the log ends within it, as the writer was killed or still writes */
  readonly cut: number;
  readonly notJson: number;
  /** JSON, but not what the log should have: see `faults` */
  readonly otherSchema: number;
  readonly tooLong: number;
  readonly unknownModel: number;
}

/** A kind of fault, how many lines have it, and the first of them, from 1. */
export interface CountedFault extends LineFault {
  readonly count: number;
  readonly line: number;
}

/** Kinds of faults and of digests that are named; more are counted together. */
const NAMED = 100;

/**
 * Reads a log of JSON lines that comes in pieces; made by `predictionLog` and `labelLog`. Lines that are none are counted by what is wrong, and the rest goes on.
 * Its size is bounded.
 * @example
 * const log = labelLog();
 * log.add('{"id":"a","label":"yes","at":"2026-01-02T00:00:00Z"}\n{"id":"b","la').length; // 1
 * log.end();
 * log.counts.cut; // 1
 */
export class LogReader<Row> {
  readonly #parse: (value: unknown) => Line<Row>;
  readonly #known: ReadonlySet<unknown> | null;
  readonly #longest: number;
  readonly #counts = { lines: 0, read: 0, cut: 0, notJson: 0, otherSchema: 0, tooLong: 0, unknownModel: 0 };
  readonly #faults = new Map<string, { count: number; readonly line: number } & LineFault>();
  readonly #digests = new Tally(NAMED);
  #rest = '';
  /** whether the line that is open is too long: what is left of it is skipped */
  #skips = false;

  /** @internal */
  constructor(parse: (value: unknown) => Line<Row>, options: LogOptions) {
    refuseUnknown('log', options, { known: true, longest: true });
    this.#parse = parse;
    this.#known = options.known ? new Set(options.known) : null;
    this.#longest = whole('longest', options.longest ?? 1_000_000, 1);
  }

  /** The rows that this piece completes. @param text  of the log, cut anywhere */
  add(text: string): Row[] {
    const rows: Row[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#take(text.slice(start, end), rows);
      start = end + 1;
    }
    this.#hold(text.slice(start));
    return rows;
  }

  /** The log ends here: a last line without its end is read if it is whole, else counted as cut. */
  end(): Row[] {
    const rows: Row[] = [];
    if (this.#rest !== '' || this.#skips) this.#take('', rows, true);
    return rows;
  }

  get counts(): LineCounts {
    return { ...this.#counts };
  }

  /** What is wrong with lines, by kind. */
  get faults(): readonly CountedFault[] {
    return [...this.#faults.values()].map((fault) => ({ ...fault }));
  }

  /** Lines by the digest of a model that is not known; at most a hundred digests are named, the rest is under `others`. */
  get unknownModels(): Readonly<Record<string, number>> {
    return this.#digests.counts;
  }

  #hold(part: string): void {
    if (this.#skips) return;
    this.#rest += part;
    if (this.#rest.length <= this.#longest) return;
    this.#skips = true;
    this.#rest = '';
  }

  #take(part: string, rows: Row[], isEnd = false): void {
    this.#hold(part);
    const text = this.#rest.trim();
    const isTooLong = this.#skips;
    this.#rest = '';
    this.#skips = false;
    if (text === '' && !isTooLong) return;
    const counts = this.#counts;
    counts.lines++;
    if (isTooLong) {
      counts.tooLong++;
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (isEnd) counts.cut++;
      else counts.notJson++;
      return;
    }
    const { row, fault } = this.#parse(value);
    if (fault) {
      counts.otherSchema++;
      this.#blame(fault);
      return;
    }
    const { sha256 } = row as { readonly sha256?: string };
    if (this.#known && sha256 !== undefined && !this.#known.has(sha256)) {
      counts.unknownModel++;
      this.#digests.add(sha256);
      return;
    }
    counts.read++;
    rows.push(row as Row);
  }

  #blame(fault: LineFault): void {
    const key = `${fault.field} ${fault.rule}`;
    const known = this.#faults.get(key);
    // there are no more kinds than fields that are checked
    if (known) known.count++;
    else this.#faults.set(key, { ...fault, count: 1, line: this.#counts.lines });
  }
}

/**
 * Makes a reader of a prediction log: lines of JSON with `at, id, entity, model, version, sha256, route, logit, probability, label, inputs`.
 *
 * Half a line at the end, lines that are no JSON or of another schema, lines that are too long and scores of models that are not known are counted by name, and
 * the other lines are read.
 * @throws ERR_RANGE an option that is none
 * @example
 * const log = predictionLog();
 * log.add('{"at":"2026-01-02T00:00:00Z","id":"a"}\n').length; // 0
 * log.faults; // [{ field: 'model', rule: 'a text that is not empty', count: 1, line: 1 }]
 */
export const predictionLog = (options: LogOptions = {}): LogReader<Prediction> => new LogReader(predictionOf, options);

/**
 * Makes a reader of a log of labels: lines of JSON with `id` or `entity`, `label`, `at` and, optionally, `outcomeAt`.
 * @throws ERR_RANGE an option that is none
 * @example
 * const log = labelLog();
 * log.add('{"entity":"c7","label":true,"at":"2026-01-02T00:00:00Z"}\n')[0].label; // 'true'
 */
export const labelLog = (options: Omit<LogOptions, 'known'> = {}): LogReader<OutcomeLabel> =>
  new LogReader(labelOf, options);
