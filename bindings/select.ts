import type { Block, Heap } from './heap.ts';
import type { BatchPlace } from './layout.ts';
import { COLUMN_ENTRY_BYTES, DICTIONARY } from './layout.ts';

/** The shape of a batch, as a likelihood needs it. */
export interface Shape {
  readonly rows: number;
  /** without padding */
  readonly slots: number;
  readonly place: BatchPlace;
}

/** Some columns of a batch, as a new batch. */
export interface Selection extends Shape {
  /** which slots of the whole batch these are, ascending */
  readonly from: Int32Array;
  /** memory that belongs to the selection */
  readonly allocated: readonly Block[];
}

/**
 * Selects the columns of a batch that have one of the slots. Layout `columns` shares their memory, whole categories at a time; other layouts
 * copy.
 * @param slots  ascending
 * @throws ERR_MEMORY
 */
export function select(heap: Heap, whole: Shape, slots: Int32Array): Selection {
  return SELECT[whole.place.layout](heap, whole, slots);
}

type Select = (heap: Heap, whole: Shape, slots: Int32Array) => Selection;

const selectColumns: Select = (heap, { rows, slots: width, place }, slots) => {
  const words = COLUMN_ENTRY_BYTES / 4;
  const firstOf = (j: number) => (j < place.extent ? heap.u32[place.address / 4 + j * words + 2] : width);
  const kept: number[] = [];
  const from: number[] = [];
  let next = 0;
  for (let j = 0; j < place.extent; j++) {
    while (next < slots.length && slots[next] < firstOf(j)) next++;
    if (!(slots[next] < firstOf(j + 1))) continue;
    kept.push(j);
    for (let slot = firstOf(j); slot < firstOf(j + 1); slot++) from.push(slot);
  }
  const block = heap.allocate(Math.max(1, kept.length) * COLUMN_ENTRY_BYTES, `a table of ${kept.length} columns`);
  const table = block.address;
  let first = 0;
  let dictionaries = 0;
  kept.forEach((j, k) => {
    const entry = place.address / 4 + j * words;
    heap.u32.copyWithin(table / 4 + k * words, entry, entry + words);
    heap.u32[table / 4 + k * words + 2] = first;
    dictionaries += Number(heap.u32[entry + 1] === DICTIONARY);
    first += firstOf(j + 1) - firstOf(j);
  });
  return {
    rows,
    slots: from.length,
    place: { ...place, address: table, extent: kept.length, slots: from.length, dictionaries },
    from: Int32Array.from(from),
    allocated: [block],
  };
};

const selectRows: Select = (heap, { rows, place }, slots) => {
  const stride = Math.ceil(slots.length / 4) * 4;
  const bytes = place.wide ? 8 : 4;
  const block = heap.allocate(Math.max(1, rows * stride) * bytes, `${rows} × ${slots.length} cells`);
  const { address } = block;
  const cells = place.wide ? heap.f64 : heap.f32;
  for (let i = 0; i < rows; i++) {
    const source = place.address / bytes + i * place.extent;
    const target = address / bytes + i * stride;
    for (let j = 0; j < stride; j++) cells[target + j] = j < slots.length ? cells[source + slots[j]] : 0;
  }
  return {
    rows,
    slots: slots.length,
    place: { ...place, address, extent: stride, slots: stride },
    from: slots,
    allocated: [block],
  };
};

const selectSparse: Select = (heap, { rows, slots: width, place }, slots) => {
  const to = new Int32Array(width).fill(-1);
  slots.forEach((slot, k) => {
    to[slot] = k;
  });
  const kind = place.wide ? 'f64' : 'f32';
  const bytes = place.wide ? 8 : 4;
  const entries = heap.u32[place.address / 4 + rows];
  let count = 0;
  for (let e = 0; e < entries; e++) if (to[heap.u32[place.extent / 4 + e]] >= 0) count++;
  const allocated: Block[] = [];
  const allocate = (size: number, what: string): number => {
    try {
      allocated.push(heap.allocate(size, what));
    } catch (error) {
      for (const block of allocated) heap.release(block);
      throw error;
    }
    return allocated[allocated.length - 1].address;
  };
  const rowPtr = allocate((rows + 1) * 4, `offsets of ${rows} sparse rows`);
  const colIdx = allocate(Math.max(1, count) * 4, `columns of ${count} entries`);
  const values = place.values ? allocate(Math.max(1, count) * bytes, `values of ${count} entries`) : 0;
  const { u32 } = heap;
  const numbers = heap[kind];
  let at = 0;
  u32[rowPtr / 4] = 0;
  for (let i = 0; i < rows; i++) {
    for (let e = u32[place.address / 4 + i]; e < u32[place.address / 4 + i + 1]; e++) {
      const column = to[u32[place.extent / 4 + e]];
      if (column < 0) continue;
      u32[colIdx / 4 + at] = column;
      if (values) numbers[values / bytes + at] = numbers[place.values / bytes + e];
      at++;
    }
    u32[rowPtr / 4 + i + 1] = at;
  }
  return {
    rows,
    slots: slots.length,
    place: { ...place, address: rowPtr, extent: colIdx, values, slots: slots.length },
    from: slots,
    allocated,
  };
};

const SELECT: Readonly<Record<BatchPlace['layout'], Select>> = {
  columns: selectColumns,
  rows: selectRows,
  sparse: selectSparse,
};
