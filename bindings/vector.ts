import { precisionOf, size } from './check.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { BYTES, type NumbersOf, type Precision } from './layout.ts';

/** A view of a block of memory, made once and again only after the memory grew. */
export function windowOf<P extends Precision>(
  handle: Handle,
  kind: P,
  address: number,
  length: number,
): () => NumbersOf<P> {
  const start = address / BYTES[kind];
  let memory: Float32Array | Float64Array;
  let view: Float32Array | Float64Array;
  return () => {
    const now = handle.heap[kind];
    if (now !== memory) {
      memory = now;
      view = memory.subarray(start, start + length);
      owners.set(view, handle);
    }
    return view as NumbersOf<P>;
  };
}

/** owner of each view, kept alive while the view is in use */
export const owners = /* @__PURE__ */ new WeakMap<object, Handle>();

/**
 * A vector of numbers in linear memory.
 * `view` is zero-copy and renewed after the memory grew: take it anew after any call that may allocate.
 */
export class Vector<P extends Precision = Precision> extends Handle {
  readonly length: number;
  readonly precision: P;
  readonly #window: () => NumbersOf<P>;
  /** @internal */
  readonly address: number;

  constructor(heap: Heap, length: number, precision: P) {
    super(heap, 'vector');
    this.length = size('vector length', length);
    this.precision = precisionOf(heap, precision);
    this.address = this.allocate(length * BYTES[precision], `a vector of ${length} ${precision}`);
    this.#window = windowOf(this, precision, this.address, length);
    Object.freeze(this);
  }

  /** Its numbers. A view that was taken before `free()` is not guarded: it then shows whatever lies there. @throws ERR_ENGINE when it was freed */
  get view(): NumbersOf<P> {
    return this.#window();
  }
}
