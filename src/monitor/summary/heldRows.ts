/** Rows that are held. */
const ROWS = 512;

/**
 * Encoded rows that wait to be counted column by column, which takes a fraction of the time: a record then costs little more than the copy of its cells. Their memory
 * is given back when somebody looks.
 */
export class HeldRows {
  /** rows that are held */
  count = 0;
  readonly #width: number;
  #cells: Float64Array | null = null;
  #column: Float64Array | null = null;

  /** @param width  cells of a row */
  constructor(width: number) {
    this.#width = width;
  }

  get isFull(): boolean {
    return this.count === ROWS;
  }

  /** Row after row. */
  get cells(): Float64Array {
    this.#cells ??= new Float64Array(ROWS * this.#width);
    return this.#cells;
  }

  /** The numbers of a column that are there, without those that are NaN; valid until the next call. */
  column(k: number): Float64Array {
    this.#column ??= new Float64Array(ROWS);
    const [width, cells, column] = [this.#width, this.cells, this.#column];
    let n = 0;
    for (let i = 0, at = k; i < this.count; i++, at += width) {
      const x = cells[at];
      column[n] = x;
      n += Number.isNaN(x) ? 0 : 1;
    }
    return column.subarray(0, n);
  }

  /** Lets the rows go. @param isOver  and their memory */
  clear(isOver: boolean): void {
    this.count = 0;
    if (isOver) [this.#cells, this.#column] = [null, null];
  }
}
