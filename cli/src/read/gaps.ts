/** The treatment of missing cells in training. */

import { type Feature, LogoddsError, type Model, type Warning } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import type { MissingPolicy, Part } from './roles.ts';

/** The option `missing` of the library. It never sees the rows that are left out. */
export const fitMissing = (policy: MissingPolicy | undefined) => (policy === 'mean' ? 'mode' : undefined);

const FACTS: Readonly<Record<MissingPolicy, string>> = {
  slot: 'missing cells have a weight of their own',
  mean: 'missing cells take the mean, or the most frequent level of a category   (--missing mean)',
  drop: 'rows with missing cells are left out   (--missing drop)',
};

/** The line of a report about this choice. A weight for missing cells is mentioned only if there is one. */
export function missingFacts(policy: MissingPolicy = 'slot', { manifest }: Model): [string, string][] {
  const weights = (feature: Feature) =>
    feature.kind === 'numeric' ? feature.indicator : feature.kind === 'categorical' && feature.counts.at(-1)! > 0;
  return policy === 'slot' && !manifest.schema.features.some(weights) ? [] : [['missing', FACTS[policy]]];
}

/** The columns whose missing cells leave rows out. */
export const leavesOut = (parts: readonly Part[]): Part[] => parts.filter(({ gaps }) => gaps === 'drop');

type Named = Pick<Part, 'name' | 'role'>;

/** The part of a table that tells which cells are missing. */
interface Flagged {
  readonly rows: number;
  readonly columns: readonly { readonly missing?: ArrayLike<number> | null }[];
}

const INCOMPLETE = 1;
/** whatever else the row lacks */
const NO_TARGET = 2;

/** Which rows have a missing cell in some columns, and in which. */
export class Gaps {
  readonly flags: Uint8Array;
  readonly #parts: readonly Named[];
  readonly #counts: number[];
  #rows = 0;

  constructor(parts: readonly Named[], rows: number) {
    this.#parts = parts;
    this.flags = new Uint8Array(rows);
    this.#counts = parts.map(() => 0);
  }

  /** @param columns  where the parts are in the table */
  add(table: Flagged, columns: readonly number[]): void {
    const { rows } = table;
    const flags = this.flags.subarray(this.#rows, this.#rows + rows);
    this.#parts.forEach(({ role }, k) => {
      const { missing } = table.columns[columns[k]];
      if (!missing) return;
      for (let i = 0; i < rows; i++) {
        if (missing[i] === 0) continue;
        this.#counts[k]++;
        flags[i] = role === 'target' ? NO_TARGET : flags[i] || INCOMPLETE;
      }
    });
    this.#rows += rows;
  }

  /** @returns the rows that stay; null: all. @throws ERR_DATA when none does */
  finish(label: string): Uint32Array | null {
    const { flags } = this;
    if (this.#counts.every((count) => count === 0)) return null;
    const left = flags.reduce((sum, flag) => sum + Number(flag !== 0), 0);
    if (left === flags.length) {
      const [{ name, role }] = this.#parts;
      if (this.#parts.length === 1 && role === 'target') {
        const what = `expected a row with a label in ${show(name)}, got none among ${left}`;
        throw new LogoddsError('ERR_DATA', `${label}: ${what}; name another --target, or fill the cells`);
      }
      throw new LogoddsError(
        'ERR_DATA',
        `${label}: expected a row without missing cells, got none among ${flags.length} (${this.#columns(this.#parts)}); leave out columns with --drop, or give --missing slot`,
      );
    }
    const kept = new Uint32Array(flags.length - left);
    for (let i = 0, at = 0; i < flags.length; i++) if (flags[i] === 0) kept[at++] = i;
    return kept;
  }

  /** The notes about rows that are left out. */
  warnings(): Warning[] {
    if (this.#counts.every((count) => count === 0)) return [];
    const { length } = this.flags;
    const rows = (count: number) => `${count.toLocaleString('en-US')} of ${length.toLocaleString('en-US')} rows`;
    const target = this.#parts.filter(({ role }) => role === 'target');
    const others = this.#parts.filter((part) => part.role !== 'target' && this.#counts[this.#parts.indexOf(part)] > 0);
    const without = this.flags.reduce((sum, flag) => sum + Number(flag === NO_TARGET), 0);
    const incomplete = this.flags.reduce((sum, flag) => sum + Number(flag === INCOMPLETE), 0);
    const found: Warning[] = [];
    if (without > 0) {
      const message = `${rows(without)} ${without === 1 ? 'has' : 'have'} no target (${show(target[0].name)}) and are left out; fill the cells where the label is known`;
      found.push({ code: 'NO_TARGET', message, features: [target[0].name] });
    }
    if (incomplete > 0) {
      const message = `${rows(incomplete)} with missing cells are left out by --missing drop: ${this.#columns(others)}; the model describes complete rows only`;
      found.push({ code: 'INCOMPLETE_ROWS', message, features: others.map(({ name }) => name) });
    }
    return found;
  }

  #columns(parts: readonly Named[]): string {
    const counted = parts
      .map((part) => ({ name: part.name, count: this.#counts[this.#parts.indexOf(part)] }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
    const shown = counted.slice(0, 12).map(({ name, count }) => `${show(name)} ${count.toLocaleString('en-US')}`);
    return counted.length > 12 ? `${shown.join(', ')} and ${counted.length - 12} more` : shown.join(', ');
  }
}

/** The position of the n-th flag, from 0. */
export function nthOf(flags: Uint8Array, flag: number, n: number): number {
  for (let i = 0; i < flags.length; i++) if (flags[i] === flag && n-- === 0) return i;
  return flags.length;
}
