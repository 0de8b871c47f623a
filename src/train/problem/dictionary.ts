import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { DictionaryColumns, MOST_VALUES } from '../../../bindings/dictionaryColumns.ts';
import type { Engine } from '../../../bindings/engine.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import type { Encoder } from '../../encode/encoder.ts';
import type { NumericFeature } from '../../encode/schema.ts';
import type { NumericColumn } from '../../encode/table.ts';

/** Least number of rows of a table whose numbers may get dictionaries: of fewer rows nobody counts the bytes. */
const ROWS = 131072;
/** Rows, evenly spaced, that show whether a column has few values. */
const SHOWN = 16384;
/** Most values among these rows: the dictionaries of a block of rows stay in the first-level cache. */
const FEW = 2048;
/** Cells that are looked up at a time. */
const CELLS = 4096;

/**
 * Encodes a table as `Encoder.encode` does, standardised, with numbers of few values as places in a dictionary (`DictionaryColumns`).
 * @returns null where no column has few values, or where a cell is wrong, which `Encoder.encode` then says
 */
export function encodeWithDictionaries(engine: Engine, encoder: Encoder, table: CheckedTable): ColumnsBatch | null {
  const { rows } = table;
  const { turns, fields, crosses, specs } = encoder;
  if (rows < ROWS || crosses.length > 0) return null;
  const chosen = specs.map(() => false);
  const found = turns.map(({ feature, field, at }) => {
    const column = feature.kind === 'numeric' ? table.column(field) : null;
    if (column?.kind !== 'numeric' || !hasFewValues(column.values, rows)) return null;
    chosen[at] = true;
    return column;
  });
  if (!chosen.includes(true)) return null;
  const { heap } = engine;
  const batch = new DictionaryColumns(heap, rows, specs, chosen);
  let done = false;
  try {
    // the same encoder without the features that are written here
    const others: Encoder = Object.create(encoder, {
      turns: { value: turns.filter((_, i) => !found[i]) },
      fields: { value: fields.filter((_, i) => !found[i]) },
    });
    const memory = heap.u8;
    others.encode(table, batch, { standardize: true });
    const written = found.map((column, i) => {
      const { feature, at } = turns[i];
      return column && writeFeature(column, rows, feature as NumericFeature, batch, at);
    });
    // rows would be lost if a getter of the table made the memory grow meanwhile
    done = heap.u8 === memory && written.every((values, i) => values || !found[i]);
    for (const [i, values] of written.entries()) if (done && values) batch.setValues(turns[i].at, values);
  } catch {
    done = false;
  } finally {
    if (!done) batch.free();
  }
  return done ? batch : null;
}

/** Writes the places and flags of a feature. @returns the values of the places; null when there are too many, or one is not finite */
function writeFeature(
  { values, missing }: NumericColumn,
  rows: number,
  feature: NumericFeature,
  batch: DictionaryColumns,
  at: number,
): Float64Array | null {
  const flags = feature.indicator ? batch.codes(at + 1) : null;
  if (flags) for (let row = 0; row < rows; row++) flags[row] = missing?.[row] ? 1 : 0;
  return writePlaces(values, missing, rows, feature, batch.places(at));
}

type Numbers = NumericColumn['values'];

/** Whether evenly spaced rows have few values. */
function hasFewValues(values: Numbers, rows: number): boolean {
  const seen = new Set<number>();
  const step = rows / SHOWN;
  for (let k = 0; k < SHOWN && seen.size <= FEW; k++) seen.add(values[Math.floor(k * step)]);
  return seen.size <= FEW;
}

/**
 * Writes for each row the place of its number among the values of the column, in the order in which they appear.
 * @returns the values, standardised; null when there are too many, or one is not finite
 */
function writePlaces(
  values: Numbers,
  missing: Uint8Array | null | undefined,
  rows: number,
  { mean, scale }: NumericFeature,
  places: Uint16Array,
): Float64Array | null {
  const met = new Met();
  const cells = new Float64Array(CELLS);
  for (let first = 0; first < rows; first += CELLS) {
    const some = Math.min(CELLS, rows - first);
    cells.set(values.subarray(first, first + some));
    if (missing) for (let i = 0; i < some; i++) if (missing[first + i]) cells[i] = mean;
    for (let i = met.look(cells, 0, some, places, first); i < some; i = met.look(cells, i, some, places, first)) {
      const x = cells[i];
      if (!Number.isFinite((x - mean) / scale) || !met.add(x)) return null;
    }
  }
  return met.values().map((x) => (x - mean) / scale);
}

/** Numbers that were met, and their places by hash. */
class Met {
  /** by place */
  readonly #numbers = new Float64Array(MOST_VALUES);
  #count = 0;
  /** the number by hash; NaN, which nothing equals: free. At most a quarter are taken */
  #keys = new Float64Array(2 ** 14).fill(Number.NaN);
  /** its place */
  #spots = new Uint16Array(2 ** 14);
  /** most columns have runs of one number */
  #last = Number.NaN;
  #lastPlace = 0;

  /**
   * Writes the places of cells from `from` on, those of cell i at first + i.
   * @returns the first cell that was not met before, or `to`
   */
  look(cells: Float64Array, from: number, to: number, places: Uint16Array, first: number): number {
    const words = new Uint32Array(cells.buffer, cells.byteOffset);
    const keys = this.#keys;
    const mask = keys.length - 1;
    let last = this.#last;
    let place = this.#lastPlace;
    let i = from;
    for (; i < to; i++) {
      const x = cells[i];
      if (x !== last) {
        let at = hashOf(words[2 * i], words[2 * i + 1]) & mask;
        let key = keys[at];
        while (key !== x && !Number.isNaN(key)) {
          at = (at + 1) & mask;
          key = keys[at];
        }
        if (key !== x) break;
        last = x;
        place = this.#spots[at];
      }
      places[first + i] = place;
    }
    this.#last = last;
    this.#lastPlace = place;
    return i;
  }

  /** Adds a number that was not met. @returns whether there was room for it */
  add(x: number): boolean {
    if (this.#count === MOST_VALUES) return false;
    this.#numbers[this.#count++] = x;
    if (4 * this.#count > this.#keys.length) {
      const { length } = this.#keys;
      this.#keys = new Float64Array(4 * length).fill(Number.NaN);
      this.#spots = new Uint16Array(4 * length);
      for (let place = 0; place < this.#count - 1; place++) this.#put(place);
    }
    this.#put(this.#count - 1);
    return true;
  }

  #put(place: number): void {
    const keys = this.#keys;
    const [low, high] = new Uint32Array(this.#numbers.buffer, 8 * place, 2);
    let at = hashOf(low, high) & (keys.length - 1);
    while (!Number.isNaN(keys[at])) at = (at + 1) & (keys.length - 1);
    keys[at] = this.#numbers[place];
    this.#spots[at] = place;
  }

  /** The numbers, by place. */
  values(): Float64Array {
    return this.#numbers.slice(0, this.#count);
  }
}

function hashOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
