/**
 * Writes rows of text as bytes. Probabilities are written without a string for each: with the shortest digits that read back as the same bits,
 * as String(value) has them.
 */
export class Lines {
  readonly #bytes: Buffer;
  readonly #full: (bytes: Uint8Array) => void;
  readonly #four = fourDigits();
  #at = 0;

  /** @param full  takes the bytes so far; they are valid during the call */
  constructor(full: (bytes: Uint8Array) => void) {
    this.#bytes = Buffer.allocUnsafe(SIZE);
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

  /**
   * A number of type f64. From 10⁻⁶ to 1 the digits are found as follows; other numbers, and those that lie on a boundary, are left to String.
   *
   * With a power 10ˢ such that half of the distance to the next number, h = 10ˢ·ulp/2, is from 0.555 to 5.55, value·10ˢ is a sum of two
   * numbers, without error. Every number within h of it reads back as the value. If these have multiples of 10, the shortest is the multiple of
   * 100, of which there is at most one, or else the nearest multiple of 10. If not, it is the nearest whole number.
   */
  number(value: number): void {
    if (!(value >= LEAST && value < 1)) {
      this.text(String(value));
      return;
    }
    NUMBER[0] = value;
    const exponent = WORDS[1] >>> 20;
    const scale = SCALES[exponent - FIRST];
    const half = HALVES[exponent - FIRST];
    // value · scale = high + low (Dekker 1971)
    const high = value * scale;
    const split = value * SPLITTER;
    const front = split - (split - value);
    const back = value - front;
    const scaleFront = SCALE_FRONTS[exponent - FIRST];
    const scaleBack = scale - scaleFront;
    const low = back * scaleBack - (high - front * scaleFront - back * scaleFront - front * scaleBack);
    // = 10⁸ · upper + lower + part, all whole but part, which is in [0, 1)
    let upper = (high / TEN_8) | 0;
    const whole = Math.floor(low);
    let lower = (high - upper * TEN_8 + whole) | 0;
    const part = low - whole;
    const last = ((lower % 10) + 10) % 10;
    const below = last + part;
    const above = 10 - below;
    if (below < half || above < half) {
      const hundred = (((lower - last) % 100) + 100) % 100;
      const down = below < half && (above >= half || hundred === 0 || (hundred !== 90 && below < above));
      if (below === above || below === half || above === half) {
        this.text(String(value));
        return;
      }
      lower += down ? -last : 10 - last;
    } else {
      if (part === 0.5 || below === half || above === half) {
        this.text(String(value));
        return;
      }
      if (part > 0.5) lower++;
    }
    if (lower < 0) {
      lower += TEN_8;
      upper--;
    } else if (lower >= TEN_8) {
      lower -= TEN_8;
      upper++;
    }
    this.#fraction(upper, lower, PLACES[exponent - FIRST]);
  }

  /** 10⁸ · upper + lower, which has 18 digits at most, over 10^places, without zeros at the end. */
  #fraction(upper: number, lower: number, places: number): void {
    if (SIZE - this.#at < MOST) this.flush();
    const bytes = this.#bytes;
    const start = this.#at;
    const end = start + 2 + places;
    for (let at = start + 2; at < end - 18; at++) bytes[at] = ZERO;
    const first = (upper / TEN_8) | 0;
    bytes[end - 18] = ZERO + ((first / 10) | 0);
    bytes[end - 17] = ZERO + (first % 10);
    this.#eight(end - 16, upper % TEN_8);
    this.#eight(end - 8, lower);
    bytes[start] = ZERO;
    bytes[start + 1] = POINT;
    let at = end;
    while (bytes[at - 1] === ZERO) at--;
    this.#at = at;
  }

  /** The eight digits of a whole number below 10⁸. */
  #eight(at: number, value: number): void {
    const bytes = this.#bytes;
    const four = this.#four;
    const high = (value / 10_000) | 0;
    const low = 4 * (value - 10_000 * high);
    const from = 4 * high;
    bytes[at] = four[from];
    bytes[at + 1] = four[from + 1];
    bytes[at + 2] = four[from + 2];
    bytes[at + 3] = four[from + 3];
    bytes[at + 4] = four[low];
    bytes[at + 5] = four[low + 1];
    bytes[at + 6] = four[low + 2];
    bytes[at + 7] = four[low + 3];
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

/** The digits of 0000 to 9999. */
function fourDigits(): Uint8Array {
  const digits = new Uint8Array(40_000);
  for (let value = 0; value < 10_000; value++)
    for (let place = 3, rest = value; place >= 0; place--, rest = (rest / 10) | 0)
      digits[4 * value + place] = ZERO + (rest % 10);
  return digits;
}

/** Bytes collected before they are passed on. */
const SIZE = 1 << 16;
/** Most bytes of a number. */
const MOST = 32;
const ZERO = 0x30;
const POINT = 0x2e;
const TEN_8 = 1e8;
/** Smaller numbers have an exponent. */
const LEAST = 1e-6;
/** 2²⁷ + 1, which halves the digits of a number */
const SPLITTER = 134217729;

const NUMBER = new Float64Array(1);
/** little-endian, as every host of Node is */
const WORDS = new Uint32Array(NUMBER.buffer);

/** By exponent as it is stored, from that of 10⁻⁶ to that of 1/2: the power of ten, its front half, its exponent, and h. */
const FIRST = 1023 - 20;
const EXPONENTS = Array.from({ length: 20 }, (_, i) => FIRST + i);
const ulp = (exponent: number) => 2 ** (exponent - 1023 - 52);
const PLACES = EXPONENTS.map((exponent) => Math.ceil(Math.log10(1.11 / ulp(exponent))));
const SCALES = Float64Array.from(PLACES, (places) => Number(`1e${places}`));
const SCALE_FRONTS = SCALES.map((scale) => {
  const split = scale * SPLITTER;
  return split - (split - scale);
});
const HALVES = SCALES.map((scale, i) => (scale * ulp(EXPONENTS[i])) / 2);
