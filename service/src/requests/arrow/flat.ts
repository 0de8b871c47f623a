/** Tables of FlatBuffers from anywhere: each read stays within the bytes, and their number is bounded. */

/** Tables that are read of one buffer at most: they may refer to one another. */
const MOST_TABLES = 100_000;

/** What is read of a buffer. */
interface Source {
  readonly view: DataView;
  tables: number;
}

/** A table. Fields are named by their place in the schema; each has a default where it is absent. */
export class Flat {
  readonly #source: Source;
  readonly #at: number;
  readonly #fields: number;
  readonly #end: number;

  private constructor(source: Source, at: number) {
    if (++source.tables > MOST_TABLES) throw new RangeError('too many tables');
    this.#source = source;
    this.#at = at;
    this.#fields = at - source.view.getInt32(at, true);
    this.#end = this.#fields + source.view.getUint16(this.#fields, true);
  }

  /** The table at the root of a buffer. @throws RangeError, as all that reads, for what leads out of it */
  static root(bytes: Uint8Array): Flat {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new Flat({ view, tables: 0 }, view.getUint32(0, true));
  }

  /** Where a field is; 0: it is absent. */
  #place(field: number): number {
    const entry = this.#fields + 4 + 2 * field;
    if (entry + 2 > this.#end) return 0;
    const offset = this.#source.view.getUint16(entry, true);
    return offset === 0 ? 0 : this.#at + offset;
  }

  #target(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : at + this.#source.view.getUint32(at, true);
  }

  byte(field: number, or = 0): number {
    const at = this.#place(field);
    return at === 0 ? or : this.#source.view.getUint8(at);
  }

  short(field: number, or = 0): number {
    const at = this.#place(field);
    return at === 0 ? or : this.#source.view.getInt16(at, true);
  }

  int(field: number, or = 0): number {
    const at = this.#place(field);
    return at === 0 ? or : this.#source.view.getInt32(at, true);
  }

  /** A whole number of 64 bits that is a length or a count. */
  long(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : count(this.#source.view, at);
  }

  text(field: number): string {
    const at = this.#target(field);
    if (at === 0) return '';
    const { view } = this.#source;
    const length = view.getUint32(at, true);
    if (at + 4 + length > view.byteLength) throw new RangeError('text');
    return new TextDecoder('utf-8', { fatal: true }).decode(
      new Uint8Array(view.buffer, view.byteOffset + at + 4, length),
    );
  }

  table(field: number): Flat | null {
    const at = this.#target(field);
    return at === 0 ? null : new Flat(this.#source, at);
  }

  tables(field: number): Flat[] {
    const at = this.#vector(field, 4);
    if (at === 0) return [];
    const { view } = this.#source;
    return Array.from({ length: view.getUint32(at, true) }, (_, i) => {
      const place = at + 4 + 4 * i;
      return new Flat(this.#source, place + view.getUint32(place, true));
    });
  }

  /** Pairs of whole numbers of 64 bits that are lengths, counts or places. */
  pairs(field: number): (readonly [number, number])[] {
    const at = this.#vector(field, 16);
    if (at === 0) return [];
    const { view } = this.#source;
    const from = at + 4;
    return Array.from({ length: view.getUint32(at, true) }, (_, i) => [
      count(view, from + 16 * i),
      count(view, from + 16 * i + 8),
    ]);
  }

  /** Whole numbers of 64 bits that are counts. */
  longs(field: number): number[] {
    const at = this.#vector(field, 8);
    if (at === 0) return [];
    const { view } = this.#source;
    return Array.from({ length: view.getUint32(at, true) }, (_, i) => count(view, at + 4 + 8 * i));
  }

  /** Where a vector is of which all elements are within the bytes; 0: it is absent. */
  #vector(field: number, size: number): number {
    const at = this.#target(field);
    const { view } = this.#source;
    if (at !== 0 && at + 4 + view.getUint32(at, true) * size > view.byteLength) throw new RangeError('vector');
    return at;
  }
}

function count(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true));
  if (!(value >= 0 && Number.isSafeInteger(value))) throw new RangeError('count');
  return value;
}
