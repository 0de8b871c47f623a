import { among, index, numbersOf, precisionOf, size } from './check.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { type BatchShape, BYTES, type Layout, type Precision, planeStride } from './layout.ts';

/**
 * Weight vectors with their intercepts in linear memory, in the precision of the batches they score. `engine.weights` makes them. **They hold
 * memory of the engine until `free`.**
 * @example
 * const batch = engine.rows(2, 2);
 * batch.set([1, 2, 3, 4]);
 * const weights = engine.weights(batch);
 * weights.set(0, [1, 0.5, 10]);
 * const z = engine.vector(2);
 * engine.logits(batch, weights, z);
 * z.view; // [12, 15]
 */
export class Weights extends Handle {
  /** number of weight vectors */
  readonly count: number;
  readonly slots: number;
  readonly precision: Precision;
  readonly layout: Layout;
  readonly #stride: number;
  /** @internal */
  readonly address: number;
  /** @internal address of the k intercepts, behind the weights */
  readonly intercept: number;

  constructor(heap: Heap, shape: BatchShape, count: number) {
    super(heap, 'weights');
    const { layout, slots, precision } = shape ?? {};
    this.count = size('weight vectors', count);
    this.layout = among('layout', layout, 'rows', 'columns', 'sparse');
    this.slots = index('slots', slots, 2 ** 53 - 1);
    this.precision = precisionOf(heap, precision);
    this.#stride = layout === 'rows' ? planeStride(slots) : slots;
    const length = count * (this.#stride + 1);
    const bytes = BYTES[precision];
    this.address = this.allocate(length * bytes, `${count} weight vectors of ${slots}`);
    this.intercept = this.address + count * this.#stride * bytes;
    Object.freeze(this);
  }

  /**
   * Sets weight vector j.
   * @param params  `slots` weights, then the intercept
   * @throws ERR_SHAPE another length; ERR_RANGE no such vector; ERR_ENGINE when the weights were freed
   */
  set(j: number, params: ArrayLike<number>): void {
    index('weight vector', j, this.count - 1);
    const numbers = numbersOf('weights and intercept', params, this.slots + 1);
    const view = this.heap[this.precision];
    const bytes = BYTES[this.precision];
    const at = this.address / bytes + j * this.#stride;
    for (let i = 0; i < this.slots; i++) view[at + i] = numbers[i];
    view[this.intercept / bytes + j] = numbers[this.slots];
  }
}
