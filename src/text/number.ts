/**
 * The numbers of a text file: optional sign, digits with at most one decimal point, optional exponent.
 *
 *   1   -2.50   +.5   5.   1e-3
 *
 * `1_000`, `0x1F`, `inf`, `nan`, `1,5` are not numbers. A number whose whole part has a leading zero (02139, 007) is marked: unless its column is
 * called numeric, it is a code whose zeros count.
 */
export interface NumberStyle {
  /** "." or "," */
  readonly decimal: string;
  /** between groups of three digits; null: none */
  readonly thousands: string | null;
}

export const PLAIN_NUMBERS: NumberStyle = { decimal: '.', thousands: null };

/** The results of `NumberReader.read`. */
export const NUMBER = { none: 0, plain: 1, zeros: 2 } as const;

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const MINUS = 45;
const PLUS = 43;
const ZERO = 48;
const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });
/** Bytes up to which one call is faster than a decoder. */
const SHORT = 64;

/** Bytes of UTF-8 as text. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = '';
    let at = start;
    while (at < end && bytes[at] < 0x80) text += String.fromCharCode(bytes[at++]);
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** Reads numbers of one style from bytes. */
export class NumberReader {
  /** of the last number that was read */
  value = 0;
  /** whether it was a whole number beyond 2⁵³, which loses digits */
  beyond = false;
  readonly style: NumberStyle;
  readonly #point: number;
  readonly #grouped: RegExp | null;

  constructor(style: NumberStyle) {
    this.style = style;
    this.#point = style.decimal.charCodeAt(0);
    const quoted = (text: string) => text.replace(/[^\w\s]/g, '\\$&');
    this.#grouped =
      style.thousands === null
        ? null
        : new RegExp(
            `^[-+]?\\d{1,3}(${quoted(style.thousands)}\\d{3})+(${quoted(style.decimal)}\\d*)?(e[-+]?\\d+)?$`,
            'i',
          );
  }

  /** @returns one of NUMBER; sets `value` and `beyond` */
  read(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    let end = to;
    // inside quotes there may be blanks around it
    while (start < end && bytes[start] === 32) start++;
    while (end > start && bytes[end - 1] === 32) end--;
    let i = start;
    let byte = bytes[i];
    const negative = byte === MINUS;
    if (negative || byte === PLUS) byte = bytes[++i];
    const first = i;
    let mantissa = 0;
    let digits = 0;
    while (i < end && byte >= ZERO && byte <= 57) {
      mantissa = mantissa * 10 + (byte - ZERO);
      digits++;
      byte = bytes[++i];
    }
    const whole = digits;
    if (i < end && byte === this.#point) {
      byte = bytes[++i];
      while (i < end && byte >= ZERO && byte <= 57) {
        mantissa = mantissa * 10 + (byte - ZERO);
        digits++;
        byte = bytes[++i];
      }
    }
    if (digits === 0) return NUMBER.none;
    const fraction = digits - whole;
    let simple = digits <= 15 && fraction <= 22;
    if (i < end) {
      if (byte !== 101 && byte !== 69) return this.#grouped ? this.#readGrouped(bytes, start, end) : NUMBER.none;
      byte = bytes[++i];
      if (byte === MINUS || byte === PLUS) byte = bytes[++i];
      if (i >= end) return NUMBER.none;
      for (; i < end; i++) if (bytes[i] < ZERO || bytes[i] > 57) return NUMBER.none;
      simple = false;
    }
    if (simple) {
      const size = fraction === 0 ? mantissa : mantissa / POWERS[fraction];
      this.value = negative ? -size : size;
      this.beyond = false;
    } else this.#readSlowly(textOf(bytes, start, end));
    return whole > 1 && bytes[first] === ZERO ? NUMBER.zeros : NUMBER.plain;
  }

  #readSlowly(text: string): void {
    this.value = Number(this.style.decimal === '.' ? text : text.replace(this.style.decimal, '.'));
    this.beyond = Math.abs(this.value) >= 2 ** 53 && /^[-+]?\d+$/.test(text);
  }

  #readGrouped(bytes: Uint8Array, start: number, end: number): number {
    const text = textOf(bytes, start, end);
    if (!this.#grouped!.test(text)) return NUMBER.none;
    const digits = text.replaceAll(this.style.thousands!, '');
    this.#readSlowly(digits);
    return /^[-+]?0\d/.test(digits) ? NUMBER.zeros : NUMBER.plain;
  }

  /** @returns one of NUMBER, for a text */
  readText(text: string): number {
    const bytes = encoder.encode(text);
    return bytes.length === 0 ? NUMBER.none : this.read(bytes, 0, bytes.length);
  }
}
