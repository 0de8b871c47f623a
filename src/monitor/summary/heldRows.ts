/** Rows that are held. */
export const HELD = 1024;

/**
 * Encoded rows that wait to be counted column by column, which takes a fraction of the time: a record then costs little more than the copy of its cells. Their memory
 * is given back when somebody looks.
 */
export class HeldRows {
  /** rows that are held */
  count = 0;
  readonly #width: number;
  /** of each column the cells that are not there */
  readonly gaps: Int32Array;
  #cells: Float64Array | null = null;
  #bytes: Uint8Array | null = null;
  #column: Float64Array | null = null;

  readonly #wide: Int32Array;
  readonly #narrow: Int32Array;

  /**
   * @param width  cells of a row
   * @param wide  columns that are held as numbers
   * @param narrow  columns of codes that are bytes
   */
  constructor(width: number, wide: Int32Array, narrow: Int32Array) {
    this.#width = width;
    this.#wide = wide;
    this.#narrow = narrow;
    this.gaps = new Int32Array(width);
  }

  get isFull(): boolean {
    return this.count === HELD;
  }

  /** Column after column, of `HELD` cells each; one that is not there is NaN. */
  get cells(): Float64Array {
    this.#cells ??= new Float64Array(HELD * this.#width);
    return this.#cells;
  }

  /** Codes of a byte, in columns as `cells`. */
  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(HELD * this.#width);
    return this.#bytes;
  }

  /** Puts a row behind the others; `count` is raised by the caller. */
  put(row: Float64Array): void {
    const wide = this.#wide;
    const narrow = this.#narrow;
    const cells = this.cells;
    const bytes = this.bytes;
    const at = this.count;
    for (let i = 0; i < wide.length; i++) cells[wide[i] * HELD + at] = row[wide[i]];
    for (let i = 0; i < narrow.length; i++) bytes[narrow[i] * HELD + at] = row[narrow[i]];
  }

  /** The codes of a column. */
  codes(k: number): Uint8Array {
    return this.bytes.subarray(k * HELD, k * HELD + this.count);
  }

  /** The numbers of a column that are there; valid until the next call. */
  column(k: number): Float64Array {
    const cells = this.cells.subarray(k * HELD, k * HELD + this.count);
    if (this.gaps[k] === 0) return cells;
    this.#column ??= new Float64Array(HELD);
    const column = this.#column;
    let n = 0;
    for (let i = 0; i < cells.length; i++) {
      const x = cells[i];
      column[n] = x;
      n += Number.isNaN(x) ? 0 : 1;
    }
    return column.subarray(0, n);
  }

  /** Lets the rows go. @param isOver  and their memory */
  clear(isOver: boolean): void {
    this.count = 0;
    this.gaps.fill(0);
    if (isOver) [this.#cells, this.#bytes, this.#column] = [null, null, null];
  }
}
