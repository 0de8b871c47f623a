import { LogoddsError } from './errors.ts';
import type { Precision } from './layout.ts';

/** The memory of a heap: `WebAssembly.Memory`, or the same shape over a plain ArrayBuffer. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** Allocated memory. It belongs to the holder of this object: an address may be allocated again, but a block object is unique. */
export interface Block {
  readonly address: number;
  readonly size: number;
}

const PAGE = 65536;
/** 4 GiB but for the last 16 bytes: a kernel whose data ended at 2³² would compute an end address of 0 */
const ADDRESS_SPACE = 2 ** 32 - 16;
const ALIGN = 16;

/**
 * Allocation in linear memory with explicit lifetime: 16-byte aligned blocks, each in the smallest gap that holds it.
 * Its bookkeeping is in JavaScript, so a kernel that writes past its block cannot damage it.
 */
export class Heap {
  readonly memory: LinearMemory;
  readonly #base: number;
  /** blocks by address; the gaps between them are free */
  readonly #live: Block[] = [];
  /** refuses to grow past this many bytes of linear memory, and past 4 GiB */
  limit = ADDRESS_SPACE;
  /** false while a caller makes handles that it always frees: watching costs more than a small batch */
  watching = true;
  /** storage types that the kernels on it have */
  precisions: readonly Precision[] = ['f64'];
  /** memory from here on was never allocated and is zero */
  #fresh = 0;
  /** view of the whole memory, renewed when it grows; only the heap makes it grow */
  f32!: Float32Array;
  f64!: Float64Array;
  u8!: Uint8Array;
  u16!: Uint16Array;
  u32!: Uint32Array;

  /** frees lost blocks; a host may lack this registry */
  readonly #lost =
    globalThis.FinalizationRegistry &&
    new FinalizationRegistry<readonly Block[]>((blocks) => {
      // warn once: a program that loses one object loses many
      if (blocks.length > 0 && !warned) {
        warned = true;
        globalThis.console?.warn('logodds: a batch or vector was lost; call its free()');
      }
      for (const block of blocks) this.release(block);
    });

  constructor(memory: LinearMemory, base: number) {
    this.memory = memory;
    this.#base = roundUp(base);
    this.#renew();
  }

  /** bytes allocated and not yet released */
  get bytesInUse(): number {
    return this.#live.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * A block of at least `bytes` bytes, 16-byte aligned.
   * @param what names the thing in the error
   * @param clear  false leaves old values, for callers that write everything they read
   * @throws ERR_MEMORY when the address space (4 GiB) or the limit would be passed, or the host refuses
   */
  allocate(bytes: number, what: string, clear = true): Block {
    const live = this.#live;
    const size = roundUp(Math.max(bytes, ALIGN));
    // the lowest of several equal gaps; after all blocks if no gap fits
    let least = ADDRESS_SPACE;
    let before = live.length;
    let address = 0;
    let end = this.#base;
    live.forEach((block, i) => {
      const gap = block.address - end;
      if (gap >= size && gap < least) {
        least = gap;
        before = i;
        address = end;
      }
      end = block.address + block.size;
    });
    address ||= end;
    this.#reserve(address + size, what, bytes);
    if (clear) this.u8.fill(0, address, Math.min(address + size, this.#fresh));
    this.#fresh = Math.max(this.#fresh, address + size);
    const block = { address, size };
    live.splice(before, 0, block);
    return block;
  }

  /** Releases a block. A block that was released before is ignored, whoever has its memory now. */
  release(block: Block): void {
    const at = this.#live.indexOf(block);
    if (at >= 0) this.#live.splice(at, 1);
  }

  /** Stops reuse of released memory, because a lost thread may still write to it. */
  keep(): void {
    this.release = () => {};
  }

  /** Releases `blocks` when their owner is garbage-collected. */
  watch(owner: object, blocks: readonly Block[]): void {
    if (this.watching) this.#lost?.register(owner, blocks);
  }

  #reserve(end: number, what: string, bytes: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= Math.min(have, ADDRESS_SPACE)) return;
    const limit = Math.min(this.limit, ADDRESS_SPACE);
    let past = limit === ADDRESS_SPACE ? 'the 4 GiB of WebAssembly' : `the limit of ${limit} bytes`;
    let cause: unknown;
    if (end <= limit) {
      past = 'what this host allows';
      // grow by an eighth at least if the host allows it, so that many small batches do not copy the memory each time
      for (const wanted of [Math.min(limit, Math.max(end, have * 1.125)), end]) {
        try {
          this.memory.grow(Math.ceil((wanted - have) / PAGE));
          this.#renew();
          return;
        } catch (error) {
          cause = error;
        }
      }
    }
    throw new LogoddsError(
      'ERR_MEMORY',
      `${what}: needs ${bytes} more bytes, past ${past}; use smaller batches or free those that are done`,
      { cause },
    );
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

let warned = false;

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

/** Linear memory for the JavaScript engine: an ArrayBuffer that is replaced by a larger copy when it grows. */
export class PlainMemory implements LinearMemory {
  buffer: ArrayBuffer = new ArrayBuffer(PAGE);

  grow(pages: number): number {
    const before = this.buffer.byteLength;
    const larger = new ArrayBuffer(before + pages * PAGE);
    new Uint8Array(larger).set(new Uint8Array(this.buffer));
    // as in WebAssembly, older views become empty
    structuredClone(this.buffer, { transfer: [this.buffer] });
    this.buffer = larger;
    return before / PAGE;
  }
}
