import type { Asked, LogLine } from '../hooks.ts';
import type { Served } from '../models/served.ts';
import { type Answer, NOTHING, type PartAnswer, type Rows } from '../scoring/question.ts';
import { answer } from '../scoring/score.ts';

/** Probabilities of one record by both versions. */
export interface Pair {
  readonly id: string;
  readonly champion: Probabilities;
  /** null: it refused the record */
  readonly challenger: Probabilities | null;
}

/** With two classes that of the positive one, else one for each class. */
export type Probabilities = readonly number[];

/** What waits to be scored by the other version. */
interface Job {
  /** of each row */
  readonly idOf: (row: number) => string;
  readonly rows: Rows;
  readonly answered: readonly Probabilities[];
  readonly byChallenger: boolean;
  readonly other: Served;
  readonly take: (pairs: readonly Pair[]) => void;
}

/** How much the second scoring may cost. */
export interface PairLimits {
  /** of the time, from 0 to 1, where 1 is no bound; default 0.1 */
  readonly share?: number;
  /** requests that wait; default 256 */
  readonly waiting?: number;
  /** rows of a request; one that has more is not scored a second time; default 1000 */
  readonly rows?: number;
}

/** What became of requests that should have been scored a second time. */
export interface PairCounts {
  scored: number;
  /** the queue was full */
  dropped: number;
  /** streams, and bodies with too many rows */
  skipped: number;
  failed: number;
}

/** Most time that may be saved up. */
const BURST_MS = 20;

/**
 * Scores requests a second time, by the version that did not answer: after the answer has left, in turns of the event loop of their own, and for no more than
 * a share of the time. What does not fit is counted.
 */
export class Pairs {
  readonly counts: PairCounts = { scored: 0, dropped: 0, skipped: 0, failed: 0 };
  readonly #queue: Job[] = [];
  readonly #share: number;
  readonly #waiting: number;
  readonly #rows: number;
  readonly #log: (line: LogLine) => void;
  /** milliseconds that may be spent now */
  #credit = BURST_MS;
  #since = performance.now();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #hasSaid = false;

  constructor({ share = 0.1, waiting = 256, rows = 1000 }: PairLimits, log: (line: LogLine) => void) {
    this.#share = share;
    this.#waiting = waiting;
    this.#rows = rows;
    this.#log = log;
  }

  /** Rows were answered. @param other  the version that has not @param part  of an answer of several models */
  add(
    asked: Asked,
    found: Answer,
    rows: Rows,
    byChallenger: boolean,
    other: Served,
    take: Job['take'],
    part?: PartAnswer,
  ): void {
    const { scores, faults } = found;
    if (asked.isStreaming || rows.kind === 'lines' || rows.kind === 'csv' || scores.rows > this.#rows) {
      this.counts.skipped++;
      return;
    }
    // faults are counted by who watches refusals; the other rows are compared
    if (scores.rows === faults.length) return;
    if (this.#queue.length >= this.#waiting) {
      this.counts.dropped++;
      return;
    }
    const refused = new Set(faults.map(({ row }) => row));
    const answered = probabilitiesOf(found).map((p, row) => (refused.has(row) ? [] : p));
    const { id } = asked;
    const isSeveral = (part ? part.parts.codes.length : scores.rows) > 1;
    this.#queue.push({
      idOf: (row) => (isSeveral ? `${id}/${part ? part.index[row] : row}` : id),
      rows,
      answered,
      byChallenger,
      other: other.begin(),
      take,
    });
    this.#start();
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Drops what waits. */
  clear(): void {
    for (const { other } of this.#queue.splice(0)) other.end();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    if (this.#timer !== null) return;
    this.#earn();
    const wait = this.#credit > 0 || this.#share >= 1 ? 0 : -this.#credit / this.#share + 1;
    this.#timer = setTimeout(() => this.#work(), wait);
    // a host that is to end does not wait for it
    (this.#timer as { unref?(): void }).unref?.();
  }

  #earn(): void {
    const now = performance.now();
    this.#credit = Math.min(BURST_MS, this.#credit + (now - this.#since) * this.#share);
    this.#since = now;
  }

  #work(): void {
    this.#timer = null;
    this.#earn();
    const begin = performance.now();
    const most = this.#share >= 1 ? 1 : Math.min(1, Math.max(0.1, this.#credit));
    // one turn takes a millisecond at most, then requests have theirs
    while (this.#queue.length > 0 && performance.now() - begin < most) this.#score(this.#queue.shift()!);
    this.#credit -= performance.now() - begin;
    if (this.#queue.length > 0) this.#start();
  }

  #score({ idOf, rows, answered, byChallenger, other, take }: Job): void {
    try {
      const found = secondAnswer(other, rows, answered.length);
      const refused = new Set(found?.faults.map(({ row }) => row));
      const second = found ? probabilitiesOf(found) : null;
      const pairs: Pair[] = [];
      for (const [row, first] of answered.entries()) {
        if (first.length === 0) continue;
        const p = second && !refused.has(row) ? second[row] : null;
        if (byChallenger && p) pairs.push({ id: idOf(row), champion: p, challenger: first });
        else if (!byChallenger) pairs.push({ id: idOf(row), champion: first, challenger: p });
      }
      this.counts.scored += pairs.length;
      take(pairs);
    } catch (error) {
      this.counts.failed++;
      if (!this.#hasSaid)
        this.#log({
          level: 'warn',
          event: 'comparison failed',
          model: other.name,
          version: other.version,
          reason: (error as Error).message,
        });
      this.#hasSaid = true;
    } finally {
      other.end();
    }
  }
}

/** null: the other version refuses them all */
function secondAnswer(other: Served, rows: Rows, count: number): Answer | null {
  try {
    const found = answer(other, rows, NOTHING);
    return found.scores.rows === count ? found : null;
  } catch {
    return null;
  }
}

/** Of each row, copied: scorers write over their scores. */
function probabilitiesOf({ scores }: Answer): Probabilities[] {
  const { rows, probabilities } = scores;
  const vectors = rows === 0 ? 1 : probabilities.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: vectors }, (_, k) => probabilities[k * rows + row]),
  );
}
