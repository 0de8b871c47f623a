/** JSON as JSON.parse has it, without making values of it. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const OPEN = { 123: 0x7d, 91: 0x5d } as Readonly<Record<number, number>>;
const WORDS = ['true', 'false', 'null'].map((word) => new TextEncoder().encode(word));

const isBlank = (byte: number): boolean => byte === 0x20 || byte === LF || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number): boolean => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

/** Behind blanks, at most `end`. */
export function skipBlanks(bytes: Uint8Array, at: number, end = bytes.length): number {
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

/** Where bytes stop to be JSON. */
class Stop extends Error {
  readonly at: number;
  constructor(at: number) {
    super('stop');
    this.at = at;
  }
}

/** Behind a text. @param at  behind its first quote @throws Stop */
function endOfText(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) throw new Stop(at);
    if (byte !== BACKSLASH) continue;
    at++;
    if (at < end && bytes[at] === 0x75) {
      for (let k = 0; k < 4; k++) if (++at >= end || !isHex(bytes[at])) throw new Stop(Math.min(at, end));
    } else if (at >= end || !'"\\/bfnrt'.includes(String.fromCharCode(bytes[at]))) throw new Stop(Math.min(at, end));
  }
  throw new Stop(end);
}

/** Behind digits, at least one. @throws Stop */
function endOfDigits(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  while (at < end && isDigit(bytes[at])) at++;
  if (at === start) throw new Stop(at);
  return at;
}

function endOfNumber(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === MINUS) at++;
  at = at < end && bytes[at] === 0x30 ? at + 1 : endOfDigits(bytes, at, end);
  if (at < end && bytes[at] === 0x2e) at = endOfDigits(bytes, at + 1, end);
  if (at < end && (bytes[at] | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
    at = endOfDigits(bytes, at, end);
  }
  return at;
}

function endOfWord(bytes: Uint8Array, at: number, end: number): number {
  const word = WORDS.find(([first]) => first === bytes[at]);
  if (!word) throw new Stop(at);
  for (let k = 0; k < word.length; k++) if (at + k >= end || bytes[at + k] !== word[k]) throw new Stop(at + k);
  return at + word.length;
}

/** A place behind a value, or where the bytes stop to be one. */
export interface JsonEnd {
  readonly at: number;
  readonly valid: boolean;
}

/** The end of the value that begins at `from`, blanks before it skipped. Nesting is limited by memory alone. */
export function endOfJson(bytes: Uint8Array, from: number, end = bytes.length): JsonEnd {
  /** what closes the brackets that are open */
  const open: number[] = [];
  let at = from;
  const key = (): void => {
    at = skipBlanks(bytes, at, end);
    if (at >= end || bytes[at] !== QUOTE) throw new Stop(at);
    at = skipBlanks(bytes, endOfText(bytes, at + 1, end), end);
    if (at >= end || bytes[at] !== 0x3a) throw new Stop(at);
    at++;
  };
  try {
    for (;;) {
      at = skipBlanks(bytes, at, end);
      if (at >= end) throw new Stop(end);
      const byte = bytes[at];
      const close = OPEN[byte];
      if (close) {
        at = skipBlanks(bytes, at + 1, end);
        if (at < end && bytes[at] === close) at++;
        else {
          open.push(close);
          if (close === 0x7d) key();
          continue;
        }
      } else if (byte === QUOTE) at = endOfText(bytes, at + 1, end);
      else if (byte === MINUS || isDigit(byte)) at = endOfNumber(bytes, at, end);
      else at = endOfWord(bytes, at, end);
      for (;;) {
        if (open.length === 0) return { at, valid: true };
        at = skipBlanks(bytes, at, end);
        const close = open[open.length - 1];
        if (at < end && bytes[at] === COMMA) {
          at++;
          if (close === 0x7d) key();
          break;
        }
        if (at >= end || bytes[at] !== close) throw new Stop(at);
        open.pop();
        at++;
      }
    }
  } catch (error) {
    if (error instanceof Stop) return { at: error.at, valid: false };
    throw error;
  }
}

/** The first byte that is not UTF-8, or −1. */
export function notUtf8(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at];
    const more = byte < 0x80 ? 0 : byte < 0xc2 ? -1 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : byte < 0xf5 ? 3 : -1;
    if (more < 0) return at;
    for (let k = 1; k <= more; k++) {
      const next = bytes[at + k];
      // no overlong forms, no surrogates, nothing above U+10FFFF
      const least = k === 1 ? (byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80) : 0x80;
      const most = k === 1 ? (byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf) : 0xbf;
      if (!(next >= least && next <= most)) return at;
    }
    at += more + 1;
  }
  return -1;
}
