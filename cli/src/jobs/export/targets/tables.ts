/** Constants of a source, each written once. */
export class Tables {
  readonly #names = new Map<object, string>();
  readonly #lines: string[] = [];
  readonly #prefix: string;

  constructor(prefix = 'lr_t') {
    this.#prefix = prefix;
  }

  /** The name of a table, which is written where it is asked for the first time. */
  of(key: object, source: (name: string) => string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `${this.#prefix}${this.#names.size}`;
      this.#names.set(key, name);
      this.#lines.push(source(name));
    }
    return name;
  }

  add(line: string): void {
    this.#lines.push(line);
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}
