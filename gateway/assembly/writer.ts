import { size, start, Text, text } from './abi';

/*
 * One sentence at a time, in a fixed buffer: header values, messages of the log, bodies of responses. Configuration bounds
 * the names that go in, and `shown` the values of a request, so nothing is ever cut.
 */
const CAPACITY: usize = 8192;
const AT = memory.data(8192);
let length: usize = 0;

/** Starts a new text; the one before is gone. */
export function begin(): void {
  length = 0;
}

export function done(): Text {
  return text(AT, length);
}

export function byte(c: u8): void {
  if (length < CAPACITY) store<u8>(AT + length++, c);
}

/** a literal of ASCII */
export function write(literal: string): void {
  for (let i = 0; i < literal.length; i++) byte(<u8>literal.charCodeAt(i));
}

export function bytes(t: Text): void {
  for (let p = start(t), end = p + size(t); p < end; p++) byte(load<u8>(p));
}

export function number(value: u32): void {
  if (value >= 10) number(value / 10);
  byte(<u8>(0x30 + (value % 10)));
}

const HEX = '0123456789abcdef';

export function hex(value: u64): void {
  for (let shift: u64 = 60; ; shift -= 4) {
    byte(<u8>HEX.charCodeAt(<i32>((value >> shift) & 15)));
    if (!shift) break;
  }
}

/** UTF-8 as the inside of a JSON string */
export function escaped(t: Text): void {
  for (let p = start(t), end = p + size(t); p < end; p++) {
    const c = load<u8>(p);
    if (c < 0x20) {
      write('\\u00');
      byte(<u8>HEX.charCodeAt(c >> 4));
      byte(<u8>HEX.charCodeAt(c & 15));
    } else {
      if (c == 0x22 || c == 0x5c) byte(0x5c);
      byte(c);
    }
  }
}

/** What a request sent, for a message inside JSON: at most 40 bytes, printable ASCII, everything else as a question mark. */
export function shown(t: Text): void {
  for (let p = start(t), end = p + min<usize>(40, size(t)); p < end; p++) {
    const c = load<u8>(p);
    byte(c < 0x20 || c > 0x7e || c == 0x22 || c == 0x5c ? 0x3f : c);
  }
  if (size(t) > 40) write('...');
}
