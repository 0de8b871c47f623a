/** Counts names, at most so many of them; what comes later under another name is counted under `others`. */
export class Tally {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  #others = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(name: string, count = 1): void {
    const known = this.#counts.get(name);
    if (known !== undefined) this.#counts.set(name, known + count);
    else if (this.#counts.size < this.#most) this.#counts.set(name, count);
    else this.#others += count;
  }

  /** by name; `others` where there were more names than are kept */
  get counts(): Readonly<Record<string, number>> {
    const named = Object.fromEntries(this.#counts);
    return this.#others > 0 ? { ...named, others: (named['others'] ?? 0) + this.#others } : named;
  }

  /** Adds counts by name, as `counts` has them. */
  addAll(counts: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(counts).sort()) this.add(name, counts[name]);
  }
}
