/** An array that is the only member of an object of JSON. */
export interface Enclosed {
  readonly name: string;
  /** the array, if the whole is JSON: that is not looked at here */
  readonly bytes: Uint8Array;
  /** whether its first element is an object, where it has one */
  readonly isOfRecords: boolean;
}

const [QUOTE, COLON, OPEN, CLOSE, BEGIN, END] = Array.from('":{}[]', (c) => c.charCodeAt(0));

/** Returns the array of {"name": […]} without reading it; null for what looks otherwise. */
export function enclosedArray(bytes: Uint8Array, names: readonly string[]): Enclosed | null {
  const nameAt = after(bytes, QUOTE, after(bytes, OPEN, 0));
  const nameEnd = nameAt < 0 ? -1 : bytes.indexOf(QUOTE, nameAt);
  const name = names.find((one) => one.length === nameEnd - nameAt && isAt(bytes, nameAt, one));
  if (name === undefined) return null;
  const behind = after(bytes, BEGIN, after(bytes, COLON, nameEnd + 1));
  const last = before(bytes, END, before(bytes, CLOSE, bytes.length));
  if (behind < 0 || last < behind) return null;
  return { name, bytes: bytes.subarray(behind - 1, last + 1), isOfRecords: after(bytes, BEGIN, behind) < 0 };
}

/** Where JSON begins; -1: there is none. */
export const beginOf = (bytes: Uint8Array): number => bytes.findIndex((byte) => !isBlank(byte));

/** JSON's: another one is refused by who parses the whole. */
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Where it goes on behind a byte that may have blanks before it; -1: another byte is there, or `from` was -1. */
function after(bytes: Uint8Array, byte: number, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at++;
  return bytes[at] === byte ? at + 1 : -1;
}

/** Where a byte is that may have blanks behind it; -1: another byte is there, or `end` was -1. */
function before(bytes: Uint8Array, byte: number, end: number): number {
  let at = end - 1;
  while (isBlank(bytes[at])) at--;
  return bytes[at] === byte ? at : -1;
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
