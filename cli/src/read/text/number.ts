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
  read(bytes: Buffer, from: number, to: number): number {
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
    } else this.#readSlowly(bytes.toString('latin1', start, end));
    return whole > 1 && bytes[first] === ZERO ? NUMBER.zeros : NUMBER.plain;
  }

  #readSlowly(text: string): void {
    this.value = Number(this.style.decimal === '.' ? text : text.replace(this.style.decimal, '.'));
    this.beyond = Math.abs(this.value) >= 2 ** 53 && /^[-+]?\d+$/.test(text);
  }

  #readGrouped(bytes: Buffer, start: number, end: number): number {
    const text = bytes.toString('utf8', start, end);
    if (!this.#grouped!.test(text)) return NUMBER.none;
    const digits = text.replaceAll(this.style.thousands!, '');
    this.#readSlowly(digits);
    return /^[-+]?0\d/.test(digits) ? NUMBER.zeros : NUMBER.plain;
  }

  /** @returns one of NUMBER, for a text */
  readText(text: string): number {
    const bytes = Buffer.from(text);
    return bytes.length === 0 ? NUMBER.none : this.read(bytes, 0, bytes.length);
  }
}

const GROUPED = /^\d{1,3}(?:[.,'’_\u00a0\u202f ]\d{3})+(?:[.,]\d+)?$/;
const COMMA = /^\d+,\d+(?:e[-+]?\d+)?$/i;
const UNDERSCORES = /^\d+(?:_\d+)+(?:\.\d+)?$/;
const PLAIN = /^(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const MONEY = /^[$€£¥₹]\s?|\s?[$€£¥₹]$/;

/**
 * Recognises a number in another notation and returns the next step: "1,5", "1.234,5", "$1,200", "12%", "(30)".
 * @returns null for any other text
 */
export function otherNotation(text: string, column: string): string | null {
  if (text.length > 60 || !/\d/.test(text)) return null;
  const plain = (next: string) => `${next}, or say --categorical ${column}`;
  let rest = text.trim();
  const paid = MONEY.test(rest);
  rest = rest.replace(MONEY, '');
  const percent = /\s?%$/.test(rest);
  rest = rest.replace(/\s?%$/, '');
  const bracket = /^\(.*\)$/.test(rest);
  if (bracket) rest = rest.slice(1, -1);
  const dash = /^\s*[−–]/.test(rest);
  rest = rest.replace(/^\s*[-+−–]\s?/, '');
  // the currency sign may follow the sign of the number
  const paidAfter = MONEY.test(rest);
  rest = rest.replace(MONEY, '');
  const grouped = GROUPED.test(rest);
  const comma = COMMA.test(rest);
  const underscores = UNDERSCORES.test(rest);
  if (!(PLAIN.test(rest) || grouped || comma || underscores)) return null;
  if (paid || paidAfter) return plain('write the amount without its currency');
  if (percent) return plain('write the number without the per cent sign');
  if (bracket || dash) return plain('write the number with a minus sign (-) before it');
  if (comma && grouped)
    return plain('say --thousands "," when it is a thousand and more, or --decimal "," when it is a fraction');
  if (comma) return plain('say --decimal ","');
  if (underscores) return plain('say --thousands _');
  if (!grouped) return null;
  const mark = /[^\d]/.exec(rest)![0];
  const point = /[.,](?=\d+$)/.exec(rest)?.[0];
  const decimal = point === ',' && mark !== ',' ? ' and --decimal ","' : '';
  const quoted = /[\s',]/.test(mark) ? JSON.stringify(mark) : mark;
  return plain(`say --thousands ${quoted}${decimal}`);
}
