/** Reads a messy file both ways and says where they differ. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lazyDatabase } from '../../cli/src/read/source.ts';
import { otherNotation } from '../../cli/src/read/text/notation.ts';
import { readTraining } from '../../cli/src/read/training.ts';
import { LogoddsError, type Table } from '../../src/index.ts';
import { type MessyFile, messyCsv, messyJson } from './messy.ts';
import { Refused, type SlowColumn, slowColumn, slowCsv, slowJson } from './slow.ts';

export const fileOf = (seed: number): MessyFile => (seed % 4 === 3 ? messyJson(seed) : messyCsv(seed));

interface Outcome {
  /** null: refused */
  readonly columns: ReadonlyMap<string, SlowColumn> | null;
  /** of what is wrong: one of these is told */
  readonly lines: readonly (number | null)[];
  readonly says: string;
}

/** Whether a text is a number in another notation: the list of notations is the product's own. */
const looksLike = (text: string) => otherNotation(text, 'x') !== null;

/** The rows that have a target: the others are left out. */
function labelled(columns: Map<string, SlowColumn>): Map<string, SlowColumn> {
  const target = columns.get('y')!;
  const stays = (_: unknown, row: number) => target.kind === 'coded' && target.labels[row] !== null;
  return new Map(
    [...columns].map(([name, column]): [string, SlowColumn] => [
      name,
      column.kind === 'numeric'
        ? { ...column, values: column.values.filter(stays) }
        : { ...column, labels: column.labels.filter(stays) },
    ]),
  );
}

function slowly({ name, bytes, options }: MessyFile): Outcome {
  try {
    const json = name.endsWith('.jsonl');
    const table = json ? slowJson(bytes, options) : slowCsv(name, bytes, options);
    if (!table.names.includes('y')) throw new Refused(null, 'no target');
    if (table.rows.length === 0) throw new Refused(null, 'no rows');
    const columns = new Map<string, SlowColumn>();
    const failures: Refused[] = [];
    for (const [i, column] of table.names.entries()) {
      try {
        columns.set(column, slowColumn(table, i, json, options, column === 'y', looksLike));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0)
      return {
        columns: null,
        lines: failures.map(({ line }) => line),
        says: failures.map(({ message }) => message).join(', '),
      };
    return { columns: labelled(columns), lines: [], says: '' };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { columns: null, lines: [error.line], says: error.message };
  }
}

async function quickly(folder: string, { name, bytes, options }: MessyFile): Promise<Outcome> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const database = lazyDatabase();
  try {
    const { table } = await readTraining(database.get, { ...options, data: path }, { target: 'y' }, 0);
    return { columns: columnsOf(table), lines: [], says: '' };
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    const { code, detail } = error;
    if (!['ERR_DATA', 'ERR_RECORD', 'ERR_SCHEMA', 'ERR_TARGET'].includes(code)) throw error;
    const line = /\bline (\d+)\b/.exec(detail.replace(path, ''));
    return { columns: null, lines: [line && Number(line[1])], says: `${code} ${detail}` };
  } finally {
    await database.close();
  }
}

const columnsOf = ({ columns }: Table): Map<string, SlowColumn> =>
  new Map(
    columns.map((column): [string, SlowColumn] => {
      const gone = (row: number) => column.missing?.[row] === 1;
      return [
        column.name,
        column.kind === 'numeric'
          ? { kind: 'numeric', values: Array.from(column.values, (value, row) => (gone(row) ? null : value)) }
          : {
              kind: 'coded',
              labels: Array.from(column.codes, (code, row) => (gone(row) ? null : column.levels[code])),
            },
      ];
    }),
  );

/** @returns null when both say the same, else what differs */
export async function differ(folder: string, seed: number): Promise<string | null> {
  const file = fileOf(seed);
  const expected = slowly(file);
  const got = await quickly(folder, file);
  if (!expected.columns || !got.columns) {
    if (!expected.columns !== !got.columns)
      return expected.columns ? `refused: ${got.says}` : `read, though: ${expected.says} (lines ${expected.lines})`;
    const [line] = got.lines;
    const right = line === null || expected.lines.includes(line) || expected.lines.includes(null);
    return right ? null : `expected lines ${expected.lines} (${expected.says}), got: ${got.says}`;
  }
  if (expected.columns.size !== got.columns.size) return `columns ${[...got.columns.keys()]}`;
  for (const [name, column] of expected.columns) {
    const own = got.columns.get(name);
    if (JSON.stringify(own, spelled) !== JSON.stringify(column, spelled))
      return `column ${JSON.stringify(name)}: expected ${JSON.stringify(column)}, got ${JSON.stringify(own)}`;
  }
  return null;
}

/** −0 is not 0. */
const spelled = (_: string, value: unknown) => (Object.is(value, -0) ? '-0' : value);

/** Whether the slow reader reads the file. */
export const isRead = (seed: number): boolean => slowly(fileOf(seed)).columns !== null;
