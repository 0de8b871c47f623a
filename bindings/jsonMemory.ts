import { Heap } from './heap.ts';
import { joinedBytes } from './joined.ts';
import { BEHIND, PLAN_BYTES, POWERS_BYTES, putConstants, scannerOver } from './scanner.ts';

/** What JSON may have at most. */
export interface JsonLimits {
  /** arrays and objects in one another; 1024 or less */
  readonly depth: number;
  /** keys of an object; Infinity: any number */
  readonly keys: number;
  /** elements of an array that is the whole or a member of it; Infinity: any number */
  readonly elements: number;
}

/** An array of numbers, or of arrays of them. */
export interface NumberArray {
  /** its numbers in their order; null and NaN, which Python writes, are NaN */
  readonly values: Float64Array;
  /** how many are null or NaN */
  readonly gaps: number;
  /** [n] of n numbers, [n, d] of n arrays of d numbers each; null: it is nested otherwise */
  readonly shape: readonly number[] | null;
}

/** JSON in two parts. */
export interface SplitJson {
  /** the JSON with [k] in the place of array k */
  readonly rest: Uint8Array;
  readonly arrays: readonly NumberArray[];
}

const EXCESSES = [null, 'depth', 'keys', 'elements'] as const;
/** levels that are remembered */
export const MOST_DEPTH = 1024;
const LEVELS = 24;
const UNEQUAL = 0xffffffff;
const LEFT = 1;

/** Bytes of input that fit at first, and for which memory is kept. */
const FIRST = 2 ** 16;
const MOST_KEPT = 2 ** 20;
/** room for 128 bits beyond a key */
const KEY_BYTES = 256;

const encoder = /* @__PURE__ */ new TextEncoder();

/** A memory in which JSON is looked through. */
class Room {
  readonly kernels;
  readonly heap: Heap;
  readonly size: number;
  readonly plan: number;
  readonly state: number;
  readonly key: number;
  readonly input: number;
  readonly out: number;

  /** @throws what the host throws when it lacks WebAssembly SIMD; ERR_MEMORY */
  constructor(size: number) {
    const heap = new Heap(new WebAssembly.Memory({ initial: 1 }), 16);
    const allocate = (bytes: number, clear = true) => heap.allocate(bytes, 'a reader of JSON', clear).address;
    this.kernels = scannerOver(heap);
    this.heap = heap;
    this.size = size;
    this.plan = allocate(PLAN_BYTES);
    this.state = allocate(LEVELS + 8 * MOST_DEPTH);
    this.key = allocate(KEY_BYTES);
    const powers = allocate(POWERS_BYTES);
    this.input = allocate(size + BEHIND, false);
    // a number takes a byte, and another before the next one
    this.out = allocate(8 * (size / 2 + 1), false);
    putConstants(heap, this.plan, powers);
  }

  /** Copies bytes into memory. @returns the position behind them */
  load(bytes: Uint8Array): number {
    this.heap.u8.set(bytes, this.input);
    return this.input + bytes.length;
  }
}

/** What looks through JSON, in a memory of its own. */
export class JsonMemory {
  #room = new Room(FIRST);

  /** The first limit that JSON passes, or null. */
  excess(bytes: Uint8Array, { depth, keys, elements }: JsonLimits): keyof JsonLimits | null {
    const room = this.#room;
    const { size, state, input, kernels } = room;
    const at = state / 4;
    const { u32 } = room.heap;
    u32[at] = depth;
    u32[at + 1] = wordOf(keys);
    u32[at + 2] = wordOf(elements);
    u32[at + 3] = 0;
    u32[at + 4] = 0;
    for (let from = 0; from < bytes.length; from += size) {
      const whole = bytes.length <= size;
      const found = kernels.checkJson(state, input, room.load(whole ? bytes : bytes.subarray(from, from + size)));
      if (found) return EXCESSES[found];
    }
    return null;
  }

  /** Takes the arrays of numbers out that are values of a key. Views of them are valid until the next call. */
  split(bytes: Uint8Array, key: string): SplitJson | null {
    const room = this.#roomFor(bytes.length);
    const { kernels, heap, input, plan } = room;
    const { written } = encoder.encodeInto(`"${key}"`, heap.u8.subarray(room.key, room.key + KEY_BYTES - 16));
    const end = room.load(bytes);
    kernels.endWith0(end);
    const arrays: NumberArray[] = [];
    const spans: [start: number, end: number][] = [];
    let out = room.out;
    for (let at = input; ; ) {
      const start = kernels.findArray(at, end, room.key, written);
      if (start === 0) break;
      const behind = kernels.scanNumbers(plan, start, out);
      if (behind === LEFT) return null;
      at = behind || start + 1;
      if (behind === 0) continue;
      const found = (i: number) => heap.u32[plan / 4 + i];
      const [count, depth, rows, width] = [found(0), found(2), found(3), found(4)];
      const values = heap.f64.subarray(out / 8, out / 8 + count);
      const isMatrix = depth === 2 && width !== UNEQUAL && rows * width === count;
      arrays.push({ values, gaps: found(1), shape: depth === 1 ? [count] : isMatrix ? [rows, width] : null });
      spans.push([start - input, behind - input]);
      out += 8 * count;
    }
    return spans.length === 0 ? null : { rest: without(bytes, spans), arrays };
  }

  #roomFor(length: number): Room {
    if (length <= this.#room.size) return this.#room;
    const room = new Room(2 ** Math.ceil(Math.log2(length)));
    if (room.size <= MOST_KEPT) this.#room = room;
    return room;
  }
}

/** A limit as the kernel has it: 0 is none. */
const wordOf = (most: number): number => (most < 2 ** 32 ? Math.max(1, Math.floor(most)) : 0);

/** Bytes with [k] in the place of span k. */
function without(bytes: Uint8Array, spans: readonly (readonly [start: number, end: number])[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  spans.forEach(([start, end], k) => {
    parts.push(bytes.subarray(at, start), encoder.encode(`[${k}]`));
    at = end;
  });
  parts.push(bytes.subarray(at));
  return joinedBytes(parts);
}
