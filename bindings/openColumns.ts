import { among, index, size, told } from './check.ts';
import { type ColumnSpec, ColumnsBatch } from './columnsBatch.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import type { Kernels, ScoringKernels } from './kernels.ts';
import { COLUMN_ENTRY_BYTES, type NumbersOf, type Precision } from './layout.ts';
import { owners, type Vector } from './vector.ts';
import type { Weights } from './weights.ts';

/** number of rows whose codes are checked and then read */
const CHECKED_ROWS = 2 ** 20;

/** A `columns` batch that its caller fills: its codes are checked by whatever computes with them. */
export class OpenColumns<P extends Precision = Precision> extends ColumnsBatch<P> {
  /** @throws ERR_RANGE, ERR_SHAPE, ERR_MEMORY */
  constructor(heap: Heap, rows: number, specs: readonly ColumnSpec[], precision: P) {
    super(heap, rows, specsOf(specs), precision, true);
    Object.freeze(this.offsets);
    this.specs.forEach((spec, j) => {
      if (spec.kind === 'coded') heap.u32[(this.table + j * COLUMN_ENTRY_BYTES) / 4 + 3] = spec.slots - 1;
    });
  }

  override setRows(rows: number): void {
    void this.heap;
    super.setRows(index('rows (at most the capacity)', rows, this.capacity));
  }

  override numeric(j: number): NumbersOf<P> {
    this.#expect(j, 'numeric');
    return this.#kept(super.numeric(j));
  }

  override codes(j: number): Uint8Array | Uint16Array | Uint32Array {
    this.#expect(j, 'coded');
    return this.#kept(super.codes(j));
  }

  /** A view keeps its batch alive. */
  #kept<V extends object>(view: V): V {
    owners.set(view, this);
    return view;
  }

  #expect(j: number, wanted: ColumnSpec['kind']): void {
    // refuse a freed batch first, whatever the column
    void this.heap;
    const found = (told(j) === j && this.specs[j]?.kind) || 'absent';
    if (found !== wanted)
      throw new LogoddsError('ERR_SHAPE', `column ${told(j)}: expected a ${wanted} one, got ${found}`);
  }

  override check(kernels: ScoringKernels, count: number, first = 0): void {
    // only engines with training have such batches
    const { exceeds } = kernels as Kernels;
    if (!exceeds(this.table, this.specs.length, first, count)) return;
    this.specs.forEach((spec, j) => {
      if (spec.kind === 'numeric') return;
      const codes = this.cells(j, first + count);
      const row = codes.findIndex((code) => code >= spec.slots);
      if (row < 0) return;
      throw new LogoddsError(
        'ERR_RANGE',
        `codes of column ${j}: expected whole numbers below ${spec.slots} (its slots), got ${codes[row]} at row ${row}`,
      );
    });
  }

  override logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    let first = 0;
    do {
      // checked codes are still in the caches when they are read
      const count = Math.min(CHECKED_ROWS, this.rows - first);
      this.check(kernels, count, first);
      super.logits(kernels, weights, out, first, count);
      first += count;
    } while (first < this.rows);
  }
}

/** A copy, which nobody changes afterwards. @throws ERR_RANGE */
function specsOf(specs: readonly ColumnSpec[]): readonly ColumnSpec[] {
  const one = (_: unknown, j: number): ColumnSpec => {
    const { kind, slots } = Object(specs[j]) as { readonly kind: ColumnSpec['kind']; readonly slots: number };
    among(`kind of column ${j}`, kind, 'numeric', 'coded');
    return Object.freeze(kind === 'numeric' ? { kind } : { kind, slots: size(`slots of column ${j}`, slots, 1) });
  };
  return Object.freeze(Array.from({ length: size('columns', specs?.length) }, one));
}
