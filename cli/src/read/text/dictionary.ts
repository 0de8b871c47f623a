/** Texts by their bytes, numbered in the order of their first occurrence. */
export class Dictionary {
  size = 0;
  #table = new Int32Array(1024).fill(-1);
  #starts = new Float64Array(512);
  #lengths = new Int32Array(512);
  #hashes = new Int32Array(512);
  #kinds = new Uint8Array(512);
  #bytes = Buffer.allocUnsafe(8192);
  #used = 0;

  /**
   * @param kind  texts of different kinds are different
   * @returns the number of the text; for a new text it is `size − 1`, and `isNew` is set
   */
  find(bytes: Buffer, start: number, end: number, kind: number): number {
    let hash = kind;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    hash ^= hash >>> 15;
    const table = this.#table;
    const mask = table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at];
      if (entry < 0) return this.#add(bytes, start, end, kind, hash, at);
      if (this.#hashes[entry] === hash && this.#lengths[entry] === end - start && this.#kinds[entry] === kind) {
        const own = this.#bytes;
        let p = this.#starts[entry];
        let i = start;
        while (i < end && own[p] === bytes[i]) {
          p++;
          i++;
        }
        if (i === end) return entry;
      }
    }
  }

  text(entry: number): string {
    return this.#bytes.toString('utf8', this.#starts[entry], this.#starts[entry] + this.#lengths[entry]);
  }

  kind(entry: number): number {
    return this.#kinds[entry];
  }

  clear(): void {
    this.size = 0;
    this.#used = 0;
    this.#table.fill(-1);
  }

  #add(bytes: Buffer, start: number, end: number, kind: number, hash: number, at: number): number {
    const entry = this.size++;
    if (entry === this.#lengths.length) {
      this.#starts = grown(this.#starts, entry);
      this.#lengths = grown(this.#lengths, entry);
      this.#hashes = grown(this.#hashes, entry);
      this.#kinds = grown(this.#kinds, entry);
    }
    const length = end - start;
    if (this.#used + length > this.#bytes.length) {
      const more = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#used + length));
      this.#bytes.copy(more, 0, 0, this.#used);
      this.#bytes = more;
    }
    bytes.copy(this.#bytes, this.#used, start, end);
    this.#starts[entry] = this.#used;
    this.#lengths[entry] = length;
    this.#hashes[entry] = hash;
    this.#kinds[entry] = kind;
    this.#used += length;
    this.#table[at] = entry;
    if (2 * this.size > this.#table.length) this.#rehash();
    return entry;
  }

  #rehash(): void {
    const table = new Int32Array(4 * this.#table.length).fill(-1);
    const mask = table.length - 1;
    for (let entry = 0; entry < this.size; entry++) {
      let at = this.#hashes[entry] & mask;
      while (table[at] >= 0) at = (at + 1) & mask;
      table[at] = entry;
    }
    this.#table = table;
  }
}

function grown<T extends Float64Array | Int32Array | Uint32Array | Uint8Array>(array: T, length: number): T {
  const more = new (array.constructor as new (length: number) => T)(2 * length);
  more.set(array);
  return more;
}
