import { pagesModule } from './modules/pages.ts';

/** The functions of assembly/pages.ts. */
interface PageKernels {
  readonly memory: WebAssembly.Memory;
  bytesAt(): number;
  unsnap(from: number, length: number, to: number, size: number): number;
  unpack(from: number, end: number, bits: number, out: number, count: number): number;
}

/** Bytes that a kernel reads or writes behind an end. */
const BEHIND = 32;
const PAGE = 2 ** 16;

/** Most bits of a value that are read here. */
export const MOST_BITS = 24;

/** The memory of the kernels that read pages of Parquet. It has the bytes of one call at a time, and keeps room for the largest. */
class PageMemory {
  readonly #kernels: PageKernels;
  readonly #from: number;
  #bytes: Uint8Array;

  constructor() {
    this.#kernels = new WebAssembly.Instance(pagesModule()).exports as unknown as PageKernels;
    this.#from = this.#kernels.bytesAt();
    this.#bytes = new Uint8Array(this.#kernels.memory.buffer);
  }

  unsnap(bytes: Uint8Array, out: Uint8Array, size: number): boolean {
    const to = this.#put(bytes, size);
    if (this.#kernels.unsnap(this.#from, bytes.length, to, size) === 0) return false;
    out.set(this.#bytes.subarray(to, to + size));
    return true;
  }

  unpack(bytes: Uint8Array, bits: number, out: Uint32Array, count: number): number {
    const to = this.#put(bytes, 4 * count);
    const greatest = this.#kernels.unpack(this.#from, this.#from + bytes.length, bits, to, count);
    if (greatest >= 0) out.set(new Uint32Array(this.#bytes.buffer, to, count));
    return greatest;
  }

  /** Puts bytes where the kernels read. @returns where they may write `room` bytes */
  #put(bytes: Uint8Array, room: number): number {
    const to = (this.#from + bytes.length + BEHIND + 15) & ~15;
    const most = to + room + BEHIND;
    if (most > this.#bytes.length) {
      this.#kernels.memory.grow(Math.ceil((most - this.#bytes.length) / PAGE));
      this.#bytes = new Uint8Array(this.#kernels.memory.buffer);
    }
    this.#bytes.set(bytes, this.#from);
    return to;
  }
}

let memory: PageMemory | null = null;

/**
 * Undoes Snappy's compression of one page.
 * @param out  its first `size` bytes are written
 * @throws RangeError for bytes that are not what makes exactly `size` bytes
 */
export function readSnappy(bytes: Uint8Array, out: Uint8Array, size: number): void {
  memory ??= new PageMemory();
  if (size > out.length || !memory.unsnap(bytes, out, size)) throw new RangeError('no page that Snappy made');
}

/**
 * Reads `count` values of `bits` bits of Parquet's hybrid of run lengths and packed bits, from `at` to `end` of the bytes, into `out`.
 * @returns the greatest value
 * @throws RangeError when the bytes end before the values do, or a run has more values than there are
 */
export function readHybrid(
  bytes: Uint8Array,
  at: number,
  end: number,
  bits: number,
  out: Uint32Array,
  count: number,
): number {
  if (bits > MOST_BITS || !(at <= end && end <= bytes.length)) throw new RangeError('values of too many bits');
  if (bits === 0) {
    out.fill(0, 0, count);
    return 0;
  }
  if (count === 0) return 0;
  memory ??= new PageMemory();
  const greatest = memory.unpack(bytes.subarray(at, end), bits, out, count);
  if (greatest < 0) throw new RangeError('values that do not fit');
  return greatest;
}
