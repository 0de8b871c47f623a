/** The program of a thread that reads rows for another one. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Table } from '../../../src/index.ts';
import { type FromReader, receivedError, sentError, type ToldOfTable, type ToReader } from './apart.ts';
import { readRows } from './scoringRows.ts';
import type { UseShare } from './wanted.ts';

/** Tables that may be sent before the first of them is used. */
const MOST_AHEAD = 2;

const port = parentPort!;
const { data, columns, spill } = workerData as ToReader;
const say = (message: FromReader, moved: readonly ArrayBuffer[] = []) => port.postMessage(message, [...moved]);

let unused = 0;
let failure: Error | null = null;
let wake = (): void => {};
port.on('message', (told: ToldOfTable) => {
  unused--;
  if (told !== null) failure = receivedError(told);
  wake();
});

/** Waits until fewer tables than these are on their way. @throws the error with which one was used */
async function fewer(most: number): Promise<void> {
  while (unused >= most && failure === null) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (failure !== null) throw failure;
}

/** A table without the levels of the wanted columns, which both threads have. Its cells are copies: the reader goes on writing to its own. */
function copied({ rows, columns: cells }: Table) {
  const moved: ArrayBuffer[] = [];
  const copy = <T extends { slice(): T; readonly buffer: ArrayBufferLike }>(values: T): T => {
    const own = values.slice();
    moved.push(own.buffer as ArrayBuffer);
    return own;
  };
  const own = cells.map((column, j) => column.kind === 'coded' && column.levels !== columns.wanted[j].levels);
  const table: Table = {
    rows,
    columns: cells.map((column, j) => {
      const missing = column.missing ? copy(column.missing as Uint8Array) : null;
      return column.kind === 'numeric'
        ? { ...column, values: copy(column.values as Float64Array), missing }
        : { ...column, codes: copy(column.codes as Uint32Array), levels: own[j] ? column.levels : [], missing };
    }),
  };
  return { table, own, moved };
}

const use: UseShare = async (table, firstRow, share) => {
  const { moved, ...sent } = copied(table);
  unused++;
  say({ ...sent, firstRow, share }, moved);
  await fewer(MOST_AHEAD);
};

try {
  const options = { ...data, warn: (text: string) => say({ warn: text }) };
  const rows = await readRows(options, columns, use, { spill, used: () => fewer(1) });
  say({ rows });
} catch (error) {
  say({ failure: sentError(error) });
} finally {
  port.close();
}
