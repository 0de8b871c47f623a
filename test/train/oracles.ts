import { readFileSync } from 'node:fs';
import type { Column, NumericColumn, Table } from '../../src/encode/table.ts';

const folder = new URL('../fixtures/oracles/', import.meta.url);
export const readFixture = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

export interface Oracle {
  terms: string[];
  coef: number[];
  se: number[];
  vcov: number[][];
  n: number;
  logLik: number;
  deviance: number;
  nullDeviance: number;
}

export const oracles: Record<string, Oracle> = JSON.parse(readFixture('expected_glm.json'));

/** A small delimited file as a table: a column of numbers is numeric, any other is coded. */
export function readTable(name: string, delimiter: string | RegExp = ','): Table {
  const lines = readFixture(name).trim().split(/\r?\n/);
  const cells = lines.map((line) => line.split(delimiter).map((cell) => cell.trim().replace(/^["']|["']$/g, '')));
  const rows = cells.length - 1;
  const columns = cells[0].map((column, j): Column => {
    const texts = cells.slice(1).map((row) => row[j]);
    return texts.every((text) => text !== '' && Number.isFinite(Number(text)))
      ? numeric(column, texts.map(Number))
      : coded(column, texts);
  });
  return { rows, columns };
}

export function numeric(name: string, values: ArrayLike<number>, missing: number[] = []): NumericColumn {
  const flags = missing.length > 0 ? new Uint8Array(values.length) : null;
  for (const row of missing) flags![row] = 1;
  return { name, kind: 'numeric', values: Float64Array.from(values), missing: flags };
}

/** null is a missing cell */
export function coded(name: string, texts: readonly (string | null)[]): Column {
  const levels = [...new Set(texts.filter((text) => text !== null))];
  const missing = texts.includes(null) ? Uint8Array.from(texts, (text) => Number(text === null)) : null;
  return {
    name,
    kind: 'coded',
    codes: Uint32Array.from(texts, (text) => Math.max(0, levels.indexOf(text!))),
    levels,
    missing,
  };
}

export function table(...columns: Column[]): Table {
  const [first] = columns;
  return { rows: first.kind === 'numeric' ? first.values.length : first.codes.length, columns };
}

/** The rows of a table at `index`, in that order; an index may repeat. */
export function takeRows({ columns }: Table, index: ArrayLike<number>): Table {
  const pick = <T extends Float64Array | Float32Array | Uint8Array | Uint16Array | Uint32Array>(cells: T): T =>
    (cells.constructor as unknown as { from(index: ArrayLike<number>, map: (i: number) => number): T }).from(
      index,
      (i) => cells[i],
    );
  return {
    rows: index.length,
    columns: columns.map((column) => {
      const missing = column.missing ? pick(column.missing) : null;
      return column.kind === 'numeric'
        ? { ...column, values: pick(column.values), missing }
        : { ...column, codes: pick(column.codes), missing };
    }),
  };
}

export function withColumns(base: Table, ...columns: Column[]): Table {
  const names = columns.map((column) => column.name);
  return { rows: base.rows, columns: [...base.columns.filter((column) => !names.includes(column.name)), ...columns] };
}

export function values(base: Table, name: string): Float64Array {
  return Float64Array.from((base.columns.find((column) => column.name === name) as NumericColumn).values);
}

/** mulberry32: uniform on [0, 1) */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
