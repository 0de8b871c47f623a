import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Numbers in [0, 1), the same each time. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Rows of CSV with the columns a, b, c and, if asked for, y. */
export function csv(rows: number, seed: number, hasTarget = false): string {
  const next = random(seed);
  const lines = [`a,b,c${hasTarget ? ',y' : ''}`];
  for (let i = 0; i < rows; i++) {
    const [a, b, c] = [next() * 4 - 2, next() * 10, 'xyz'[Math.floor(next() * 3)]];
    lines.push(`${a},${b},${c}${hasTarget ? `,${next() < 1 / (1 + Math.exp(-a)) ? 1 : 0}` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Writes Parquet of such CSV, with columns that no model uses. */
export async function parquet(
  folder: string,
  files: Readonly<Record<string, string>>,
  more = '',
  rows = 2048,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const [name, text] of Object.entries(files)) {
      const to = join(folder, name);
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(`${to}.csv`, text);
      await connection.run(`copy (select * ${more} from '${to}.csv') to '${to}' (row_group_size ${rows})`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
