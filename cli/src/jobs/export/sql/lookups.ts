import type { Dialect } from './dialects.ts';

/** Values of a table that stand in a CASE; more are a table that is joined. */
const MOST_IN_CASE = 8;

interface Lookup {
  readonly as: string;
  readonly on: string;
  readonly keys: readonly (string | number)[];
  readonly columns: (readonly number[])[];
}

/** Tables of values by a text or a number. Large ones are joined, each once. */
export class Lookups {
  readonly #dialect: Dialect;
  readonly #lookups = new Map<string, Lookup>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  text(of: string, table: ReadonlyMap<string, number>, other: string): string {
    return this.#value(of, table, other);
  }

  among(of: string, table: ReadonlyMap<number, number>, other: string): string {
    return this.#value(of, table, other);
  }

  unknown(of: string, table: ReadonlyMap<string, number>): string {
    if (table.size === 0) return '1 = 1';
    if (table.size <= MOST_IN_CASE)
      return `${of} NOT IN (${[...table.keys()].map((key) => this.#key(key)).join(', ')})`;
    return `${this.#lookup(of, table).as}.k IS NULL`;
  }

  #value(of: string, table: ReadonlyMap<string | number, number>, other: string): string {
    const { number } = this.#dialect;
    if (table.size === 0) return other;
    if (table.size <= MOST_IN_CASE) {
      const cases = [...table].map(([key, value]) => `WHEN ${this.#key(key)} THEN ${number(value)}`);
      return `CASE ${of} ${cases.join(' ')} ELSE ${other} END`;
    }
    const lookup = this.#lookup(of, table);
    const values = lookup.keys.map((key) => table.get(key)!);
    let at = lookup.columns.findIndex((column) => column.every((value, i) => Object.is(value, values[i])));
    if (at < 0) at = lookup.columns.push(values) - 1;
    return `COALESCE(${lookup.as}.v${at}, ${other})`;
  }

  #key(key: string | number): string {
    return typeof key === 'string' ? this.#dialect.text(key) : this.#dialect.number(key);
  }

  #lookup(of: string, table: ReadonlyMap<string | number, number>): Lookup {
    const keys = [...table.keys()];
    const id = JSON.stringify([of, keys]);
    let found = this.#lookups.get(id);
    if (!found) {
      found = { as: `l${this.#lookups.size}`, on: of, keys, columns: [] };
      this.#lookups.set(id, found);
    }
    return found;
  }

  /** The joins of all that was asked for. */
  get joins(): string {
    return [...this.#lookups.values()]
      .map(({ as, on, keys, columns }) => {
        const rows = keys.map((key, i) => [
          this.#key(key),
          ...columns.map((values) => this.#dialect.number(values[i])),
        ]);
        const table = this.#dialect.rows(['k', ...columns.map((_, i) => `v${i}`)], rows, as);
        return `\n  LEFT JOIN ${table} ON ${as}.k = ${on}`;
      })
      .join('');
  }
}
