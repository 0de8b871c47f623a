/** What is told of logs beside the report: whose rows they have, and what was left out. */
import type { WatchNote } from '../../../../src/monitor.ts';

/** Rows of a log by who scored them. */
export interface Origin {
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  readonly route: string | null;
  readonly rows: number;
}

/** Origins that are named. */
const NAMED = 100;

export class LogCounts {
  readonly #origins = new Map<string, Origin>();
  readonly #notes = new Map<string, number>();
  #others = 0;

  origin(one: Origin): void {
    const key = JSON.stringify([one.model, one.version, one.sha256, one.route]);
    const found = this.#origins.get(key);
    if (!found && this.#origins.size >= NAMED) {
      this.#others += one.rows;
      return;
    }
    this.#origins.set(key, { ...one, rows: one.rows + (found?.rows ?? 0) });
  }

  /** Notes a file without a byte, as a log is that has just begun. */
  readonly empty = (): void => this.note('files without a byte: left out', 1);

  note(what: string, count: number): void {
    if (count > 0) this.#notes.set(what, count + (this.#notes.get(what) ?? 0));
  }

  /** Sorted, so that the order of files does not matter. */
  get origins(): Origin[] {
    return [...this.#origins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }

  get notes(): WatchNote[] {
    const notes = [...this.#notes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => ({ what, count }));
    return this.#others > 0
      ? [...notes, { what: `rows of models beyond the first ${NAMED}: not named`, count: this.#others }]
      : notes;
  }
}
