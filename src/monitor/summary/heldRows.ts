/** Rows that are held. A column's beginning is no multiple of a large power of two from the next one's: a processor would keep few of them in its nearest cache. */
const ROWS = 520;

/**
 * Rows of numbers that wait to be counted column by column, which takes a fraction of the time: a record costs little more than the copy of its cells. Their
 * memory is given back when somebody looks.
 */
export class HeldRows {
  /** rows that are held */
  count = 0;
  /** column after column */
  #cells: Float64Array | null = null;
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  get isFull(): boolean {
    return this.count === ROWS;
  }

  /** Where cell 0 of the next row is put; the others are `step` behind one another. */
  get cells(): Float64Array {
    this.#cells ??= new Float64Array(ROWS * this.#columns);
    return this.#cells;
  }

  readonly step = ROWS;

  /** The cells of a column. */
  column(k: number): Float64Array {
    return this.cells.subarray(k * ROWS, k * ROWS + this.count);
  }

  /** Lets the rows go. @param isOver  and their memory */
  clear(isOver: boolean): void {
    this.count = 0;
    if (isOver) this.#cells = null;
  }
}
