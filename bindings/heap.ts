import { LogoddsError } from './errors.ts';
import type { Precision } from './layout.ts';

/** What a heap lies on: `WebAssembly.Memory`, or the same shape over a plain ArrayBuffer. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** Memory that was handed out. It belongs to whoever holds this very object: an address may be handed out again, a block never is. */
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
 * Its books are kept in JavaScript, so a kernel that wrote past its block could not damage them.
 */
export class Heap {
  readonly memory: LinearMemory;
  readonly #base: number;
  /** by address; what lies between them is free */
  readonly #live: Block[] = [];
  /** refuses to grow past so many bytes of linear memory, and past 4 GiB */
  limit = ADDRESS_SPACE;
  /** false while somebody makes handles that are freed in any case: watching costs more than a small batch */
  watching = true;
  /** storage types that the kernels on it have */
  precisions: readonly Precision[] = ['f64'];
  /** memory from here on was never handed out, and is zero */
  #fresh = 0;
  /** the whole memory, renewed when it grows: only the heap makes it grow */
  f32!: Float32Array;
  f64!: Float64Array;
  u8!: Uint8Array;
  u16!: Uint16Array;
  u32!: Uint32Array;

  /** frees what was lost; a host may have no such registry */
  readonly #lost =
    globalThis.FinalizationRegistry &&
    new FinalizationRegistry<readonly Block[]>((blocks) => {
      // once: a program that loses one thing loses many
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

  /** bytes handed out and not yet released */
  get bytesInUse(): number {
    return this.#live.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * A block of at least `bytes` bytes, 16-byte aligned.
   * @param what names the thing in the error
   * @param clear  false leaves what others left in it, for those who write all they read
   * @throws ERR_MEMORY when the address space (4 GiB) or the limit would be passed, or the host refuses
   */
  allocate(bytes: number, what: string, clear = true): Block {
    const live = this.#live;
    const size = roundUp(Math.max(bytes, ALIGN));
    // of several gaps that fit as well the lowest; behind all blocks where none does
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

  /** Gives a block back. One that was given back already is ignored, whoever has its memory now. */
  release(block: Block): void {
    const at = this.#live.indexOf(block);
    if (at >= 0) this.#live.splice(at, 1);
  }

  /** From now on nothing that is given back is handed out again: a thread that was lost may still write to it. */
  keep(): void {
    this.release = () => {};
  }

  /** Gives `blocks` back when the program has lost their owner. */
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
      // by an eighth at least where the host allows it, so that many small batches do not copy the memory each time
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
    // as WebAssembly does: a view of before has nothing any more
    structuredClone(this.buffer, { transfer: [this.buffer] });
    this.buffer = larger;
    return before / PAGE;
  }
}
