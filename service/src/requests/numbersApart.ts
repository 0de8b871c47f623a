import type { JsonScan, NumberArray } from 'logodds/bytes';

/** JSON whose arrays of numbers below a key stand apart. Their views are valid until the next split. */
export interface NumbersApart {
  /** JSON that is parsed in their stead */
  readonly rest: Uint8Array;
  /** The array that was where `rest` has a value; null: the value is what it was. */
  of(value: unknown): NumberArray | null;
}

const BACKSLASH = 0x5c;

/** Takes the arrays of numbers below a key out of JSON; null where there are none, or where a key with escapes might be that one too. */
export function numbersApart(scan: JsonScan, bytes: Uint8Array, key: string): NumbersApart | null {
  const split = scan.split(bytes, key);
  if (!split || hasEscapedAscii(split.rest)) return null;
  const { rest, arrays } = split;
  // what is left of arrays below the key has something else in it
  const of = (value: unknown) =>
    Array.isArray(value) && value.length === 1 && typeof value[0] === 'number' ? arrays[value[0]] : null;
  return { rest, of };
}

/** Whether JSON may have \u00… for a letter, as no writer has it: a key may then be ours, and an array below it what it looks like. */
function hasEscapedAscii(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(BACKSLASH); at >= 0; at = bytes.indexOf(BACKSLASH, at + 1))
    if (bytes[at + 1] === 0x75 && bytes[at + 2] === 0x30 && bytes[at + 3] === 0x30 && bytes[at + 4] < 0x38) return true;
  return false;
}
