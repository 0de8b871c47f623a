/** Answers that hold for a while, at most so many: the oldest goes for a new one. */
export class Recent<T> {
  readonly #most: number;
  readonly #answers = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @param now  of the same clock as `until` */
  get(key: string, now: number): T | undefined {
    const found = this.#answers.get(key);
    if (!found) return undefined;
    if (now < found.until) return found.value;
    this.#answers.delete(key);
    return undefined;
  }

  set(key: string, value: T, until: number): void {
    this.#answers.delete(key);
    if (this.#answers.size >= this.#most) this.#answers.delete(this.#answers.keys().next().value!);
    this.#answers.set(key, { value, until });
  }

  delete(key: string): void {
    this.#answers.delete(key);
  }
}
