import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Dense, dense, type Flights, flights } from '../data.ts';
import { compare } from '../harness.ts';
import { type Lab, shape } from '../lab.ts';

export const notes = [
  'Peak resident set of a fresh Node process that reads arrays from files and fits them, less that of one that does the same with 100 rows; in megabytes (10⁶ bytes).',
  'Data: all arrays that are handed to the fit, in their own types, target included. Rows are read into a batch, which is fitted where it lies; flights are a table of columns, which the process holds until the fit is done.',
];

/** What memory.ts finds in its folder beside the arrays. */
export type Stored =
  | { readonly kind: 'dense'; readonly rows: number; readonly columns: number }
  | {
      readonly kind: 'flights';
      readonly rows: number;
      readonly numeric: readonly string[];
      readonly coded: readonly { readonly name: string; readonly levels: readonly string[] }[];
    };

const FOLDER = 'bench/build/memory';

export async function run(lab: Lab): Promise<void> {
  const [rows, columns] = lab.quick ? [5000, 100] : [200_000, 100];
  await one(lab, `peak memory of a fit, dense f64, ${shape(rows, columns)}`, 20, storeDense(dense(rows, columns)), () =>
    storeDense(dense(100, columns)),
  );
  const data = await flights(lab.quick ? 100 : 1);
  const few = { ...data, rows: 100 };
  const name = `peak memory of a fit, flights, ${shape(data.rows, 7)}`;
  await one(lab, name, 50, storeFlights(data), () => storeFlights(few));
  rmSync(FOLDER, { recursive: true });
}

interface Data {
  readonly stored: Stored;
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array | Uint16Array>>;
}

function storeDense({ rows, columns, x, y }: Dense): Data {
  return { stored: { kind: 'dense', rows, columns }, arrays: { x, y } };
}

/** the first `rows` of them */
function storeFlights({ rows, y, numeric, coded }: Flights): Data {
  const arrays = Object.fromEntries<Float64Array | Uint16Array>([
    ['y', y],
    ...numeric.map(({ name, values }) => [name, values] as const),
    ...coded.map(({ name, codes }) => [name, codes] as const),
  ]);
  for (const [name, array] of Object.entries(arrays)) arrays[name] = array.subarray(0, rows);
  const levels = coded.map((column) => ({ name: column.name, levels: column.levels }));
  return { stored: { kind: 'flights', rows, numeric: numeric.map(({ name }) => name), coded: levels }, arrays };
}

/** @param more  per cent of the data that the fit may take beside them */
async function one(lab: Lab, name: string, more: number, all: Data, few: () => Data): Promise<void> {
  write(few());
  const baseline = peak();
  write(all);
  const bytes = Object.values(all.arrays).reduce((sum, array) => sum + array.byteLength, 0);
  const work = { name, rows: all.stored.rows, bytes: 0, tolerance: 0, unit: 'MB' as const };
  const mine = { name: 'logodds', sample: () => peak() - baseline };
  const allowed = { name: `data + ${more} %`, sample: () => ((1 + more / 100) * bytes) / 1e6 };
  lab.cases.push(await compare(work, [mine, allowed], lab.settings));
}

function write({ stored, arrays }: Data): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/stored.json`, JSON.stringify(stored));
  for (const [name, array] of Object.entries(arrays)) {
    writeFileSync(`${FOLDER}/${name}.bin`, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
}

/** megabytes of a process that fits what is in the folder */
function peak(): number {
  return Number(execFileSync(process.execPath, ['bench/build/memory.mjs', FOLDER]).toString()) / 1e6;
}
