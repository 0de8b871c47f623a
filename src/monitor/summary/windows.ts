import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { whole } from '../check.ts';
import type { Summary, SummaryState } from './summary.ts';

/** Options of `windows`. */
export interface WindowOptions {
  /** length of a window: rows, or milliseconds of the times that are given */
  readonly every: { readonly rows: number } | { readonly ms: number };
  /** how many windows are kept, the latest; default 24 */
  readonly keep?: number;
}

/** A window and its summary. */
export interface Window {
  /** number of its first row, or the time at which it begins, in milliseconds */
  readonly from: number;
  readonly to: number;
  readonly summary: Summary;
}

/** What `Windows.toJSON` returns. */
export interface WindowsState {
  readonly kind: 'windows';
  readonly every: { readonly rows: number } | { readonly ms: number };
  readonly keep: number;
  readonly late: number;
  readonly windows: readonly (readonly [from: number, summary: SummaryState])[];
}

/**
 * Summaries of windows of a stream, by rows or by time; made by `windows`. Times are those of the caller: there is no clock in it.
 * @example
 * const { bins } = summarise(model, records);
 * const hours = windows(summary(model, bins), { every: { ms: 3_600_000 } });
 * watch(model, () => hours.at(1_764_500_000_000)).score(flight);
 * hours.list().length; // 1
 */
export class Windows {
  /** rows whose window had been dropped: they are in no window that is kept */
  late = 0;
  readonly #kind: Summary;
  readonly #every: WindowOptions['every'];
  readonly #length: number;
  readonly #keep: number;
  readonly #kept = new Map<number, Summary>();

  /** @internal */
  constructor(kind: Summary, options: WindowOptions) {
    refuseUnknown('windows', options, { every: true, keep: true });
    const { every, keep = 24 } = options;
    const [length, other] = Object.values(Object(every)) as number[];
    if (other !== undefined || !('rows' in Object(every) || 'ms' in Object(every)))
      refuse('ERR_RANGE', 'every', 'rows or ms', tell(every), 'write { every: { rows: 10000 } }');
    this.#every = every;
    this.#length = whole('every', length, 1);
    this.#keep = whole('keep', keep, 1);
    this.#kind = kind;
  }

  /**
   * The summary of the window of a row.
   * @param at  its number in the stream, or its time in milliseconds, as `every` says
   * @throws ERR_RANGE no finite number
   */
  at(at: number): Summary {
    if (!Number.isFinite(at)) refuse('ERR_RANGE', 'at', 'a number of a row or a time', tell(at), 'give one');
    const from = Math.floor(at / this.#length) * this.#length;
    const found = this.#kept.get(from);
    if (found) return found;
    const oldest = Math.min(...this.#kept.keys());
    if (this.#kept.size >= this.#keep && from < oldest) {
      this.late++;
      // counted, and then forgotten
      return this.#kind.fresh(0);
    }
    const made = this.#kind.fresh('rows' in this.#every ? from : 0);
    this.#kept.set(from, made);
    if (this.#kept.size > this.#keep) this.#kept.delete(Math.min(...this.#kept.keys()));
    return made;
  }

  /** The windows that are kept, the earliest first. */
  list(): Window[] {
    return [...this.#kept]
      .sort(([a], [b]) => a - b)
      .map(([from, one]) => ({ from, to: from + this.#length, summary: one }));
  }

  /**
   * Adds the windows of another process, window by window, to the bit and in any order.
   * @throws ERR_SCHEMA windows of another length, or as `Summary.merge`
   */
  merge(other: Windows): void {
    if (!(other instanceof Windows) || JSON.stringify(other.#every) !== JSON.stringify(this.#every))
      refuse('ERR_SCHEMA', 'merge', `windows of ${JSON.stringify(this.#every)}`, 'others', 'merge those of one length');
    this.late += other.late;
    for (const { from, summary } of other.list()) {
      const before = this.late;
      this.at(from).merge(summary);
      if (this.late > before) this.late += summary.rows - 1;
    }
  }

  /** The state, for `JSON.stringify` and `windows`. */
  toJSON(): WindowsState {
    const windows = this.list().map(({ from, summary }) => [from, summary.toJSON()] as const);
    return { kind: 'windows', every: this.#every, keep: this.#keep, late: this.late, windows };
  }
}

/**
 * Makes windows of a stream.
 * @param kind  an empty summary, of whose kind each window is
 * @param options  or the state that `toJSON` returned
 * @throws ERR_RANGE options outside their domain
 * @example
 * const { bins } = summarise(model, records);
 * const thousands = windows(summary(model, bins), { every: { rows: 1000 }, keep: 12 });
 * thousands.at(2500);
 * thousands.list()[0].from; // 2000
 */
export function windows(kind: Summary, options: WindowOptions | WindowsState): Windows {
  if (!('kind' in Object(options))) return new Windows(kind, options);
  const { kind: of, every, keep, late, windows: kept } = options as WindowsState;
  if (of !== 'windows' || !Array.isArray(kept))
    refuse('ERR_FORMAT', 'state', 'an object of kind windows', tell(of), 'give what toJSON returned');
  const made = new Windows(kind, { every, keep });
  for (const [from, state] of kept) made.at(from).merge(kind.restored(state));
  made.late = whole('late', late);
  return made;
}
