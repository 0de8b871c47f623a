import { LogoddsError } from './errors.ts';

/** What a heap lies on: `WebAssembly.Memory`, or the same shape over a plain ArrayBuffer. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** addresses start .. end */
interface Block {
  start: number;
  end: number;
}

const PAGE = 65536;
/** 4 GiB but for the last 16 bytes: a kernel whose data ended at 2³² would compute an end address of 0 */
const ADDRESS_SPACE = 2 ** 32 - 16;
const ALIGN = 16;

/**
 * Allocation in linear memory with explicit lifetime: 16-byte aligned blocks, best fit, neighbours merged on release.
 * Its books are kept in JavaScript, so a kernel that wrote past its block could not damage them.
 */
export class Heap {
  readonly memory: LinearMemory;
  /** free blocks below the top, ascending and never adjacent */
  #free: Block[] = [];
  readonly #sizes = new Map<number, number>();
  #top: number;
  #limit = ADDRESS_SPACE;
  /** the whole memory, renewed when it grows: only the heap makes it grow */
  f32!: Float32Array;
  f64!: Float64Array;
  u8!: Uint8Array;
  u16!: Uint16Array;
  u32!: Uint32Array;

  constructor(memory: LinearMemory, base: number) {
    this.memory = memory;
    this.#top = roundUp(base);
    this.#renew();
  }

  /** bytes handed out and not yet released */
  get bytesInUse(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  /** Refuses to grow past `bytes` of linear memory (at most 4 GiB). */
  set limit(bytes: number) {
    this.#limit = Math.min(bytes, ADDRESS_SPACE);
  }

  /**
   * A block of at least `bytes` bytes, 16-byte aligned, not cleared.
   * @param what names the thing in the error
   * @throws ERR_MEMORY when the address space (4 GiB) or the limit would be passed, or the host refuses
   */
  allocate(bytes: number, what: string): number {
    const size = roundUp(Math.max(bytes, ALIGN));
    // of several that fit as well the lowest
    const [best] = this.#free.filter((block) => room(block) >= size).sort((one, other) => room(one) - room(other));
    let address = this.#top;
    if (best) {
      address = best.start;
      best.start += size;
      this.#free = this.#free.filter(room);
    } else {
      this.#reserve(address + size, what, bytes);
      this.#top += size;
    }
    this.#sizes.set(address, size);
    return address;
  }

  /** Gives a block back; an address that was not handed out (or already given back) is ignored. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    const freed = { start: address, end: address + size };
    this.#free = this.#free.filter(({ start, end }) => {
      if (end === freed.start) freed.start = start;
      else if (start === freed.end) freed.end = end;
      else return true;
      return false;
    });
    if (freed.end === this.#top) this.#top = freed.start;
    else this.#free = [...this.#free, freed].sort((one, other) => one.start - other.start);
  }

  #reserve(end: number, what: string, bytes: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= Math.min(have, ADDRESS_SPACE)) return;
    if (!(end <= this.#limit)) {
      const limit =
        this.#limit === ADDRESS_SPACE
          ? 'the 4 GiB address space of 32-bit WebAssembly'
          : `the limit of ${this.#limit} bytes`;
      throw outOfMemory(what, bytes, limit);
    }
    let cause: unknown;
    // by an eighth at least where the host allows it, so that many small batches do not copy the memory each time
    for (const wanted of [Math.min(this.#limit, Math.max(end, have + have / 8)), end]) {
      try {
        this.memory.grow(Math.ceil((wanted - have) / PAGE));
        this.#renew();
        return;
      } catch (error) {
        cause = error;
      }
    }
    throw outOfMemory(what, bytes, 'what this host allows', cause);
  }

  #renew(): void {
    const buffer = this.memory.buffer as ArrayBuffer;
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
  }
}

const room = ({ start, end }: Block): number => end - start;

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

function outOfMemory(what: string, bytes: number, limit: string, cause?: unknown): LogoddsError {
  return new LogoddsError(
    'ERR_MEMORY',
    `${what}: needs ${bytes} more bytes, past ${limit}; score in smaller batches or free those that are done`,
    { cause },
  );
}

/** Linear memory for the JavaScript engine: an ArrayBuffer that is replaced by a larger copy when it grows. */
export class PlainMemory implements LinearMemory {
  buffer: ArrayBuffer = new ArrayBuffer(PAGE);

  grow(pages: number): number {
    const before = this.buffer.byteLength;
    const larger = new ArrayBuffer(before + pages * PAGE);
    new Uint8Array(larger).set(new Uint8Array(this.buffer));
    this.buffer = larger;
    return before / PAGE;
  }
}
