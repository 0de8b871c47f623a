import { TextMemory } from '../../../src/text.ts';

/** Writes rows of text as bytes, numbers without a string for each. */
export class Lines {
  readonly #memory: TextMemory | null;
  readonly #bytes: Buffer;
  readonly #full: (bytes: Uint8Array) => void;
  #at = 0;

  /** @param full  takes the bytes so far; they are valid during the call */
  constructor(full: (bytes: Uint8Array) => void) {
    this.#memory = TextMemory.make();
    const { buffer, byteOffset } = this.#memory?.bytes ?? Buffer.alloc(SIZE);
    this.#bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, SIZE);
    this.#full = full;
  }

  /** Passes the bytes on. */
  flush(): void {
    if (this.#at > 0) this.#full(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length > SIZE - this.#at) {
      this.flush();
      if (bytes.length > SIZE) {
        this.#full(bytes);
        return;
      }
    }
    let at = this.#at;
    for (let i = 0; i < bytes.length; i++) this.#bytes[at++] = bytes[i];
    this.#at = at;
  }

  text(text: string): void {
    if (3 * text.length > SIZE - this.#at) {
      this.bytes(Buffer.from(text));
      return;
    }
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** A whole number from 0 to 2⁵³. */
  whole(value: number): void {
    if (value >= TEN_8) {
      const high = Math.floor(value / TEN_8);
      this.whole(high);
      this.#digits(value - high * TEN_8, 8);
      return;
    }
    let length = 1;
    for (let limit = 10; value >= limit; limit *= 10) length++;
    this.#digits(value, length);
  }

  /** A number of type f64, with the shortest digits that read back as the same bits. */
  number(value: number): void {
    if (SIZE - this.#at < MOST) this.flush();
    const end = this.#memory?.number(this.#at, value) ?? 0;
    if (end > 0) this.#at = end;
    else this.text(String(value));
  }

  /** So many digits of a whole number. */
  #digits(value: number, count: number): void {
    if (SIZE - this.#at < MOST) this.flush();
    const end = this.#at + count;
    let rest = value;
    for (let at = end - 1; at >= this.#at; at--) {
      this.#bytes[at] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    this.#at = end;
  }
}

/** Bytes collected before they are passed on. */
const SIZE = 1 << 16;
/** Most bytes of a number. */
const MOST = 32;
const ZERO = 0x30;
const TEN_8 = 1e8;
