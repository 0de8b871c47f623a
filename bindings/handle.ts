import { LogoddsError } from './errors.ts';
import type { Block, Heap } from './heap.ts';

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
  interface Disposable {
    [Symbol.dispose](): void;
  }
}

/** What has memory of an engine. After `free()` it refuses; `using` frees it at the end of a block of code. */
export abstract class Handle implements Disposable {
  /** null: freed */
  #heap: Heap | null;
  readonly #name: string;
  readonly #blocks: Block[] = [];

  /** @param name  what it is, for messages */
  constructor(heap: Heap, name: string) {
    this.#heap = heap;
    this.#name = name;
    heap.watch(this, this.#blocks);
    // for `using` as compilers write it
    if (!Symbol.dispose) Object.assign(this, { [Symbol.for('Symbol.dispose')]: this.free });
  }

  /** Where a handle of that name has its memory; null when it was freed, undefined of anything else. @internal */
  static heapOf(value: Handle, name: string): Heap | null | undefined {
    return #name in Object(value) && value.#name === name ? value.#heap : undefined;
  }

  /** @throws ERR_ENGINE when it was freed @internal */
  get heap(): Heap {
    return this.#heap ?? refuseFreed(this.#name);
  }

  /** Memory that goes with the handle; its address. @internal */
  protected allocate(bytes: number, what: string, clear?: boolean): number {
    const block = this.heap.allocate(bytes, what, clear);
    this.#blocks.push(block);
    return block.address;
  }

  /** Takes over memory that was allocated before. @internal */
  protected keep(blocks: readonly Block[]): void {
    this.#blocks.push(...blocks);
  }

  /** Gives the memory back to the engine. **Every later use throws ERR_ENGINE;** a second call does nothing. */
  free(): void {
    for (const block of this.#blocks) this.#heap!.release(block);
    this.#blocks.length = 0;
    this.#heap = null;
  }

  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void {
    this.free();
  }
}

/** @internal */
export function refuseFreed(name: string): never {
  throw new LogoddsError('ERR_ENGINE', `${name}: expected one in use, got one that was freed; make a new one`);
}
