import { type ColumnSpec, ColumnsBatch } from './columnsBatch.ts';
import type { Heap } from './heap.ts';
import { COLUMN_ENTRY_BYTES, DICTIONARY } from './layout.ts';

/** Numbers of a dictionary column: that of row i is values[places[i]]. */
export interface Dictionary {
  readonly places: Uint16Array;
  readonly values: Float64Array;
}

/** Largest number of values of a dictionary column. */
export const MOST_VALUES = 65535;

/**
 * A `columns` batch of f64 in which numbers of few values are u16 places in a dictionary: 2 bytes a row in place of 8. A likelihood decodes
 * blocks of its rows, so its sums have the bits of a batch of the numbers. It is not scored.
 */
export class DictionaryColumns extends ColumnsBatch<'f64'> {
  /** of each column its dictionary; null: it has none */
  readonly #dictionaries: (Float64Array | null)[];

  /**
   * @param chosen  for each column whether it has a dictionary
   * @throws ERR_RANGE, ERR_SHAPE, ERR_MEMORY
   */
  constructor(heap: Heap, rows: number, specs: readonly ColumnSpec[], chosen: readonly boolean[]) {
    super(
      heap,
      rows,
      specs.map((spec, j) => (chosen[j] ? ({ kind: 'numeric', store: 'u16' } as const) : spec)),
      'f64',
    );
    this.#dictionaries = chosen.map((has) => (has ? new Float64Array(0) : null));
  }

  /** number of dictionary columns @internal */
  get dictionaries(): number {
    return this.#dictionaries.filter(Boolean).length;
  }

  /** The places of column j, a view to fill before its values are set. */
  places(j: number): Uint16Array {
    return this.cells(j) as Uint16Array;
  }

  /** Sets the values that the places of column j point to. @throws ERR_MEMORY */
  setValues(j: number, values: Float64Array): void {
    const address = this.allocate(values.length * 8, `a dictionary of ${values.length} numbers`, false);
    const { f64, u16, u32 } = this.heap;
    f64.set(values, address / 8);
    const entry = (this.table + j * COLUMN_ENTRY_BYTES) / 4;
    u32[entry + 1] = DICTIONARY;
    u32[entry + 3] = address;
    // places are read in pairs; an odd number of rows has padding behind it
    if (this.rows % 2) u16[u32[entry] / 2 + this.rows] = 0;
    this.#dictionaries[j] = values;
  }

  /** The dictionary of column j, its places a view; null: the column has none. */
  dictionary(j: number): Dictionary | null {
    const values = this.#dictionaries[j];
    return values && { places: this.places(j), values };
  }

  /** Of a dictionary column a copy of its numbers. */
  override numeric(j: number): Float64Array {
    const found = this.dictionary(j);
    if (!found) return super.numeric(j);
    const { places, values } = found;
    const out = new Float64Array(places.length);
    for (let i = 0; i < out.length; i++) out[i] = values[places[i]];
    return out;
  }
}

/** The dictionary of a column of any batch; null: the column has none. */
export const dictionaryOf = (batch: ColumnsBatch, j: number): Dictionary | null =>
  batch instanceof DictionaryColumns ? batch.dictionary(j) : null;
