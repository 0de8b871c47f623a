import { size, start, Text, text } from './abi';
import { childOf, fieldOf, isLeaf, node, nodes } from './config';
import { scanNumber } from './decimal';

/*
 * Values as requests carry them: a kind, and the text of those that have one. The body is read once, checked to its last
 * byte by JSON's grammar, and only what the tree of wanted fields names is kept. Strings are unescaped where they lie.
 */
export const MISSING: u32 = 0;
/** the value of a header, as it is */
export const PLAIN: u32 = 1;
export const NUMBER: u32 = 2;
export const STRING: u32 = 3;
export const TRUE: u32 = 4;
export const FALSE: u32 = 5;
export const OBJECT: u32 = 6;
export const ARRAY: u32 = 7;
/** a key on the way to the value stands twice in one object: which one counts differs between programs */
export const TWICE: u32 = 8;
/** something else than an object lies on the way to the value */
export const ASTRAY: u32 = 9;

/** deeper than any record, and a small part of the stack */
const DEEPEST = 64;

const UNWANTED: i32 = -1;

/** a value is 16 bytes: kind u32, and the text at 8 */
export const VALUE: usize = 16;
let values: usize = 0;
/** a byte a node: whether its key was met */
let met: usize = 0;
let at: usize = 0;
let end: usize = 0;
let tooDeep = false;

export const VALID: u32 = 0;
export const NOT_JSON: u32 = 1;
export const TOO_DEEP: u32 = 2;
export const NOT_OBJECT: u32 = 3;

export function setValue(to: usize, index: u32, kind: u32, t: Text): void {
  store<u32>(to + (<usize>index) * VALUE, kind);
  store<u64>(to + (<usize>index) * VALUE, t, 8);
}

/**
 * Reads a body into the values of the wanted fields; those it lacks keep what they are. The body is changed: its strings
 * are unescaped in place.
 * @param marks  one byte for each node of the tree
 */
export function readBody(body: Text, into: usize, marks: usize): u32 {
  values = into;
  met = marks;
  memory.fill(met, 0, nodes());
  at = start(body);
  end = at + size(body);
  tooDeep = false;
  if (!isUtf8(at, end)) return NOT_JSON;
  skipSpace();
  const isObject = at < end && load<u8>(at) == 0x7b;
  const valid = readValue(isObject ? 0 : UNWANTED, 0);
  skipSpace();
  if (tooDeep) return TOO_DEEP;
  if (!valid || at != end) return NOT_JSON;
  return isObject ? VALID : NOT_OBJECT;
}

/** Whether bytes are UTF-8 as the standard has it: no longer forms, no surrogates, nothing beyond U+10FFFF. What others read must be what is scored. */
function isUtf8(from: usize, to: usize): bool {
  let i = from;
  while (i < to) {
    if (i + 8 <= to && (load<u64>(i) & 0x8080808080808080) == 0) {
      i += 8;
      continue;
    }
    const c = load<u8>(i++);
    if (c < 0x80) continue;
    if (c < 0xc2 || c > 0xf4) return false;
    const more: usize = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (more > to - i) return false;
    const next = load<u8>(i);
    if (next < (c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80)) return false;
    if (next > (c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf)) return false;
    for (let k: usize = 1; k < more; k++) if ((load<u8>(i + k) & 0xc0) != 0x80) return false;
    i += more;
  }
  return true;
}

function readValue(wanted: i32, depth: i32): bool {
  if (at >= end) return false;
  const c = load<u8>(at);
  if (c == 0x7b || c == 0x5b) {
    if (depth == DEEPEST) {
      tooDeep = true;
      return false;
    }
    at++;
    if (c == 0x5b) {
      keep(wanted, ARRAY, 0);
      return readArray(depth);
    }
    if (wanted != UNWANTED && isLeaf(node(wanted))) {
      keep(wanted, OBJECT, 0);
      wanted = UNWANTED;
    }
    return readObject(wanted, depth);
  }
  if (c == 0x22) {
    const string = readString();
    if (!string) return false;
    keep(wanted, STRING, string);
    return true;
  }
  if (c == 0x74) return readWord(wanted, TRUE, 0x65757274, 4);
  if (c == 0x66) return readWord(wanted, FALSE, 0x736c6166, 5);
  if (c == 0x6e) return readWord(wanted, MISSING, 0x6c6c756e, 4);
  const after = scanNumber(at, end);
  if (!after) return false;
  keep(wanted, NUMBER, text(at, after - at));
  at = after;
  return true;
}

/** a scalar belongs to a leaf; at a node between it is in the way of all below, unless it is null */
function keep(wanted: i32, kind: u32, t: Text): void {
  if (wanted == UNWANTED) return;
  const n = node(wanted);
  if (isLeaf(n)) setFirst(fieldOf(n), kind, t);
  else if (kind != MISSING) setFirst(fieldOf(n), ASTRAY, 0);
}

/** TWICE stays */
function setFirst(index: u32, kind: u32, t: Text): void {
  if (load<u32>(values + (<usize>index) * VALUE) != TWICE) setValue(values, index, kind, t);
}

function readObject(wanted: i32, depth: i32): bool {
  skipSpace();
  if (at < end && load<u8>(at) == 0x7d) {
    at++;
    return true;
  }
  while (true) {
    if (at >= end || load<u8>(at) != 0x22) return false;
    const key = readString();
    if (!key) return false;
    skipSpace();
    if (at >= end || load<u8>(at++) != 0x3a) return false;
    skipSpace();
    let child = UNWANTED;
    if (wanted != UNWANTED) {
      child = childOf(node(wanted), key);
      if (child != UNWANTED) {
        if (load<u8>(met + child)) setValue(values, fieldOf(node(child)), TWICE, 0);
        store<u8>(met + child, 1);
      }
    }
    if (!readValue(child, depth + 1)) return false;
    skipSpace();
    if (at >= end) return false;
    const c = load<u8>(at++);
    if (c == 0x7d) return true;
    if (c != 0x2c) return false;
    skipSpace();
  }
}

function readArray(depth: i32): bool {
  skipSpace();
  if (at < end && load<u8>(at) == 0x5d) {
    at++;
    return true;
  }
  while (true) {
    if (!readValue(UNWANTED, depth + 1)) return false;
    skipSpace();
    if (at >= end) return false;
    const c = load<u8>(at++);
    if (c == 0x5d) return true;
    if (c != 0x2c) return false;
    skipSpace();
  }
}

function readWord(wanted: i32, kind: u32, first4: u32, length: usize): bool {
  if (end - at < length || load<u32>(at) != first4 || (length == 5 && load<u8>(at, 4) != 0x65)) return false;
  at += length;
  keep(wanted, kind, 0);
  return true;
}

/** the string at `at`, unescaped in place; 0 when it is not one */
function readString(): Text {
  const first = ++at;
  while (at < end && load<u8>(at) != 0x22 && load<u8>(at) != 0x5c) {
    if (load<u8>(at) < 0x20) return 0;
    at++;
  }
  let to = at;
  while (at < end) {
    const c = load<u8>(at++);
    if (c == 0x22) return text(first, to - first);
    if (c < 0x20) return 0;
    if (c != 0x5c) {
      store<u8>(to++, c);
    } else {
      to = unescape(to);
      if (!to) return 0;
    }
  }
  return 0;
}

/** writes what the escape at `at` stands for, which is never longer; returns where it ends, or 0 */
function unescape(to: usize): usize {
  if (at >= end) return 0;
  const c = load<u8>(at++);
  if (c != 0x75) {
    const plain = unescaped(c);
    if (plain) store<u8>(to, plain);
    return plain ? to + 1 : 0;
  }
  let point = readHex();
  if (point < 0) return 0;
  if ((point & 0xfc00) == 0xd800 && end - at >= 6 && load<u16>(at) == 0x755c) {
    const back = at;
    at += 2;
    const low = readHex();
    if (low < 0) return 0;
    if ((low & 0xfc00) == 0xdc00) point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
    else at = back;
  }
  // a surrogate without its other half gives three bytes that are not UTF-8, and so no level
  if (point < 0x80) {
    store<u8>(to++, <u8>point);
    return to;
  }
  if (point < 0x800) {
    store<u8>(to++, <u8>(0xc0 | (point >> 6)));
  } else {
    if (point < 0x10000) {
      store<u8>(to++, <u8>(0xe0 | (point >> 12)));
    } else {
      store<u8>(to++, <u8>(0xf0 | (point >> 18)));
      store<u8>(to++, <u8>(0x80 | ((point >> 12) & 63)));
    }
    store<u8>(to++, <u8>(0x80 | ((point >> 6) & 63)));
  }
  store<u8>(to++, <u8>(0x80 | (point & 63)));
  return to;
}

function unescaped(c: u8): u8 {
  switch (c) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return c;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return 0;
  }
}

/** four hexadecimal digits at `at`; −1 when they are not */
function readHex(): i32 {
  if (end - at < 4) return -1;
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const c = load<u8>(at++);
    const letter = <u8>((c | 0x20) - 0x61);
    if (<u8>(c - 0x30) < 10) value = (value << 4) | (c - 0x30);
    else if (letter < 6) value = (value << 4) | (letter + 10);
    else return -1;
  }
  return value;
}

function skipSpace(): void {
  while (at < end) {
    const c = load<u8>(at);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return;
    at++;
  }
}
