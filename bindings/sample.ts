import type { Block, Heap } from './heap.ts';
import { type BatchPlace, BYTES, COLUMN_ENTRY_BYTES, KINDS } from './layout.ts';
import type { Shape } from './select.ts';

/** Some rows of a batch, copied. */
export interface RowSample extends Shape {
  /** memory that belongs to the sample */
  readonly allocated: readonly Block[];
}

/** Fraction of the golden ratio: its multiples, without whole parts, are spread evenly and have no period. */
const GOLDEN = 0.618033988749895;

/**
 * Numbers of `count` of the rows, ascending: one of each of `count` equal parts, each time at another place of its part, so that no period of the
 * rows is favoured.
 */
export function spreadRows(rows: number, count: number): Uint32Array {
  const part = rows / count;
  const numbers = new Uint32Array(count);
  let place = 0;
  for (let k = 0; k < count; k++) {
    numbers[k] = Math.floor((k + place) * part);
    place += GOLDEN;
    if (place >= 1) place--;
  }
  return numbers;
}

/** Copies the rows of these numbers. @throws ERR_MEMORY */
export function sampleRows(heap: Heap, whole: Shape, numbers: Uint32Array): RowSample {
  const allocated: Block[] = [];
  const allocate = (bytes: number): number => {
    const block = heap.allocate(Math.max(16, bytes), `a sample of ${numbers.length} rows`);
    allocated.push(block);
    return block.address;
  };
  try {
    const place = { ...whole.place, ...SAMPLE[whole.place.layout](heap, whole, numbers, allocate) };
    return { rows: numbers.length, slots: whole.slots, place, allocated };
  } catch (error) {
    for (const block of allocated) heap.release(block);
    throw error;
  }
}

type Sample = (
  heap: Heap,
  whole: Shape,
  numbers: Uint32Array,
  allocate: (bytes: number) => number,
) => Partial<BatchPlace>;

const sampleColumns: Sample = (heap, { place }, numbers, allocate) => {
  const words = COLUMN_ENTRY_BYTES / 4;
  const table = allocate(place.extent * COLUMN_ENTRY_BYTES);
  for (let j = 0; j < place.extent; j++) {
    const entry = place.address / 4 + j * words;
    // of a dictionary column the places
    const kind = KINDS[heap.u32[entry + 1]] ?? 'u16';
    const bytes = BYTES[kind];
    const address = allocate(numbers.length * bytes);
    pick(heap[kind], heap.u32[entry] / bytes, numbers, address / bytes);
    heap.u32.copyWithin(table / 4 + j * words, entry, entry + words);
    heap.u32[table / 4 + j * words] = address;
  }
  return { address: table };
};

/** to, to + 1, … become copies of the cells of these rows, the first row being at `from`. */
function pick(
  cells: Float64Array | Float32Array | Uint8Array | Uint16Array | Uint32Array,
  from: number,
  numbers: Uint32Array,
  to: number,
): void {
  for (let i = 0; i < numbers.length; i++) cells[to + i] = cells[from + numbers[i]];
}

const sampleDense: Sample = (heap, { place }, numbers, allocate) => {
  const kind = place.wide ? 'f64' : 'f32';
  const stride = place.extent;
  const bytes = BYTES[kind];
  const address = allocate(numbers.length * stride * bytes);
  const cells = heap[kind];
  const from = place.address / bytes;
  const to = address / bytes;
  for (let i = 0; i < numbers.length; i++) {
    const source = from + numbers[i] * stride;
    cells.copyWithin(to + i * stride, source, source + stride);
  }
  return { address };
};

const sampleSparse: Sample = (heap, { place }, numbers, allocate) => {
  const kind = place.wide ? 'f64' : 'f32';
  const bytes = BYTES[kind];
  const pointers = place.address / 4;
  let count = 0;
  for (const row of numbers) count += heap.u32[pointers + row + 1] - heap.u32[pointers + row];
  const address = allocate((numbers.length + 1) * 4);
  const extent = allocate(count * 4);
  const values = place.values ? allocate(count * bytes) : 0;
  const { u32 } = heap;
  let at = 0;
  u32[address / 4] = 0;
  numbers.forEach((row, i) => {
    const first = u32[pointers + row];
    const end = u32[pointers + row + 1];
    u32.copyWithin(extent / 4 + at, place.extent / 4 + first, place.extent / 4 + end);
    if (values) {
      heap[kind].copyWithin(values / bytes + at, place.values / bytes + first, place.values / bytes + end);
    }
    at += end - first;
    u32[address / 4 + i + 1] = at;
  });
  return { address, extent, values };
};

const SAMPLE: Readonly<Record<BatchPlace['layout'], Sample>> = {
  columns: sampleColumns,
  rows: sampleDense,
  sparse: sampleSparse,
};
