import { among, index, numbersOf, precisionOf, size } from './check.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { type BatchShape, BYTES, type Layout, type Precision, planeStride } from './layout.ts';

/** k weight vectors with their intercepts, resident in linear memory in the precision of the batches they score. */
export class Weights extends Handle {
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
   * @param params  slots weights, then the intercept
   * @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE when they were freed
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
