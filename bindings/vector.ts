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
 * A vector of numbers in linear memory. `engine.vector` makes one. **It holds memory of the engine until `free`.**
 * @example
 * const z = engine.vector(3);
 * z.view.set([-1, 0, 1]);
 * engine.sigmoid(z, z);
 * z.view; // [0.2689, 0.5, 0.7311]
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

  /**
   * The numbers, without a copy. Take the view anew after any call that may allocate. A view taken before `free()` is not guarded: afterwards it
   * shows whatever lies there.
   * @throws ERR_ENGINE when the vector was freed
   */
  get view(): NumbersOf<P> {
    return this.#window();
  }
}
