import { size, start, Text } from './abi';

/*
 * The plugin configuration, which pack.mjs writes and the filter reads where it lies. Little-endian; a text or a table is
 * an offset from the start and a length or count.
 *
 *   header   0 "LGDG"   4 format   8 length   12 FNV-1a of the bytes from 16 on
 *           16 fields  20 columns  24 slots   28 fields at   32 weights at (f64)   36 nodes   40 nodes at
 *           44 action  48 policy   52 greatest body   56 intercept f64   64 threshold f64
 *           72 positive label   80 negative label   88 route header   96 route when positive   104 route when negative
 *   field    0 kind     4 source    8 name   16 key (header or pointer)   24 flags   32 mean f64   40 missing code
 *           44 levels  48 levels at   52 number levels   56 number levels at
 *            (an offset is the last field)
 *   level    0 text     8 code            sorted by bytes
 *   number   0 f64      8 code            sorted; levels that are how JavaScript writes a number
 *   node     0 key      8 field or −1   12 first child   16 children   the body's fields as a tree; node 0 is the root,
 *                                        children lie together, after their parent, sorted by bytes
 */
const MAGIC: u32 = 0x4744474c;
const FORMAT: u32 = 1;
const HEADER: usize = 112;

export const FIELD: usize = 64;
export const LEVEL: usize = 12;
export const NUMBER_LEVEL: usize = 16;
export const NODE: usize = 20;
const NONE: u32 = 0xffffffff;

export const NUMERIC: u32 = 0;
export const CATEGORICAL: u32 = 1;
export const OFFSET: u32 = 2;

export const FROM_HEADER: u32 = 0;
export const FROM_BODY: u32 = 1;

export const TAG: u32 = 0;
export const REJECT: u32 = 1;
export const ROUTE: u32 = 2;

const INDICATOR: u32 = 1;
const STRICT: u32 = 2;

/** longest name, key, label or route; a sentence with two of them fits the writer */
const LONGEST: u32 = 256;
const MOST_FIELDS: u32 = 1 << 16;
const MOST_SLOTS: u32 = 1 << 24;

let c: usize = 0;
let length: u32 = 0;

/** From now on, the functions below speak of this configuration. */
export function select(config: usize): void {
  c = config;
  length = load<u32>(config, 8);
}

export function fields(): u32 { return load<u32>(c, 16); }
export function columns(): u32 { return load<u32>(c, 20); }
export function slots(): u32 { return load<u32>(c, 24); }
export function field(i: u32): usize { return c + load<u32>(c, 28) + (<usize>i) * FIELD; }
export function weights(): usize { return c + load<u32>(c, 32); }
export function nodes(): u32 { return load<u32>(c, 36); }
export function node(i: u32): usize { return c + load<u32>(c, 40) + (<usize>i) * NODE; }
export function action(): u32 { return load<u32>(c, 44); }
export function passesUnscored(): bool { return load<u32>(c, 48) != 0; }
export function greatestBody(): u32 { return load<u32>(c, 52); }
export function intercept(): usize { return c + 56; }
export function threshold(): f64 { return load<f64>(c, 64); }
export function label(positive: bool): Text { return textAt(c + (positive ? 72 : 80)); }
export function routeHeader(): Text { return textAt(c + 88); }
export function route(positive: bool): Text { return textAt(c + (positive ? 96 : 104)); }

export function kindOf(f: usize): u32 { return load<u32>(f); }
export function sourceOf(f: usize): u32 { return load<u32>(f, 4); }
export function nameOf(f: usize): Text { return textAt(f + 8); }
export function keyOf(f: usize): Text { return textAt(f + 16); }
export function hasIndicator(f: usize): bool { return kindOf(f) == NUMERIC && (load<u32>(f, 24) & INDICATOR) != 0; }
export function isStrict(f: usize): bool { return (load<u32>(f, 24) & STRICT) != 0; }
export function meanOf(f: usize): f64 { return load<f64>(f, 32); }
export function missingOf(f: usize): u32 { return load<u32>(f, 40); }
export function levelsOf(f: usize): u32 { return load<u32>(f, 44); }

/** the code of a level by its text; −1 when it was not seen in training */
export function levelCode(f: usize, key: Text): i32 {
  const at = find(c + load<u32>(f, 48), levelsOf(f), LEVEL, key);
  return at ? <i32>load<u32>(at, 8) : -1;
}

/** the code of the level that is how JavaScript writes this number; −1 when there is none */
export function numberCode(f: usize, value: f64): i32 {
  const table = c + load<u32>(f, 56);
  let low: u32 = 0;
  let high = load<u32>(f, 52);
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = table + (<usize>middle) * NUMBER_LEVEL;
    if (load<f64>(at) == value) return <i32>load<u32>(at, 8);
    if (load<f64>(at) < value) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** the child of a node by its key; −1 when nothing below that key is wanted */
export function childOf(n: usize, key: Text): i32 {
  const first = load<u32>(n, 12);
  const at = find(node(first), load<u32>(n, 16), NODE, key);
  return at ? <i32>first + <i32>((at - node(first)) / NODE) : -1;
}

/** the field of a node; of one between, that of its first leaf */
export function fieldOf(n: usize): u32 {
  while (load<u32>(n, 16)) n = node(load<u32>(n, 12));
  return load<u32>(n, 8);
}

export function isLeaf(n: usize): bool {
  return !load<u32>(n, 16);
}

/** the entry with this text among sorted entries that start with one; 0 when there is none */
function find(table: usize, entries: u32, entrySize: usize, key: Text): usize {
  let low: u32 = 0;
  let high = entries;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = table + (<usize>middle) * entrySize;
    const order = compare(textAt(at), key);
    if (!order) return at;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return 0;
}

function compare(a: Text, b: Text): i32 {
  const order = memory.compare(start(a), start(b), min(size(a), size(b)));
  return order ? order : <i32>size(a) - <i32>size(b);
}

function textAt(at: usize): Text {
  return load<u64>(at) + <u64>c;
}

/**
 * What is wrong with a configuration of `bytes` bytes; '' when nothing is. Whatever passes can be read without leaving it:
 * every offset, count and code is checked, so that even a forged one does no harm.
 */
export function problemOf(config: usize, bytes: usize): string {
  if (bytes < HEADER || load<u32>(config) != MAGIC) return 'expected the output of pack.mjs, got something else';
  if (load<u32>(config, 4) != FORMAT) return 'expected format 1, got another; pack the model with the pack.mjs of this filter';
  if (load<u32>(config, 8) != <u32>bytes) return 'expected as many bytes as it says, got another number: it was cut short or added to';
  if (load<u32>(config, 12) != digest(config + 16, config + bytes)) {
    return 'expected the check sum it says, got another: it was damaged or altered';
  }
  select(config);
  return isSound() ? '' : 'expected tables within it, got one that is not; pack the model again';
}

/** FNV-1a over 32 bits */
function digest(p: usize, end: usize): u32 {
  let h: u32 = 0x811c9dc5;
  for (; p < end; p++) h = (h ^ load<u8>(p)) * 0x01000193;
  return h;
}

function isSound(): bool {
  if (fields() < 1 || fields() > MOST_FIELDS || slots() > MOST_SLOTS || action() > ROUTE) return false;
  if (!isTable(28, fields(), FIELD) || !isTable(32, slots(), 8) || !isTable(40, nodes(), NODE)) return false;
  for (let at: usize = 72; at <= 104; at += 8) if (!isText(c + at, LONGEST)) return false;
  let columnsSeen: u64 = 0;
  // level tables may overlap, so that their sizes add up to more than the configuration holds
  let slotsSeen: u64 = 0;
  for (let i: u32 = 0; i < fields(); i++) {
    const f = field(i);
    if (kindOf(f) > OFFSET || sourceOf(f) > FROM_BODY || !isText(f + 8, LONGEST) || !isText(f + 16, LONGEST)) return false;
    if (kindOf(f) == OFFSET) {
      if (i != fields() - 1) return false;
      continue;
    }
    columnsSeen++;
    if (kindOf(f) == NUMERIC) {
      slotsSeen += hasIndicator(f) ? 3 : 1;
      columnsSeen += hasIndicator(f) ? 1 : 0;
    } else {
      if (!areLevels(f)) return false;
      slotsSeen += <u64>levelsOf(f) + 2;
    }
  }
  if (columnsSeen != columns() || slotsSeen != slots()) return false;
  for (let i: u32 = 0; i < nodes(); i++) {
    const n = node(i);
    const first = load<u32>(n, 12);
    const children = load<u32>(n, 16);
    if (!isText(n, LONGEST)) return false;
    // after their parent: so there is no way round in circles
    if (children) {
      if (first <= i || first >= nodes() || children > nodes() - first) return false;
    } else if (load<u32>(n, 8) >= fields()) {
      return false;
    }
  }
  return true;
}

function areLevels(f: usize): bool {
  const levels = levelsOf(f);
  const at = load<u32>(f, 48);
  const numbers = load<u32>(f, 52);
  const numbersAt = load<u32>(f, 56);
  if (levels > MOST_SLOTS || missingOf(f) > levels) return false;
  if (!isWithin(at, levels, LEVEL) || !isWithin(numbersAt, numbers, NUMBER_LEVEL)) return false;
  for (let i: u32 = 0; i < levels; i++) {
    const level = c + at + (<usize>i) * LEVEL;
    if (!isText(level, length) || load<u32>(level, 8) >= levels) return false;
  }
  for (let i: u32 = 0; i < numbers; i++) if (load<u32>(c + numbersAt + (<usize>i) * NUMBER_LEVEL, 8) >= levels) return false;
  return true;
}

function isTable(header: usize, entries: u32, entrySize: usize): bool {
  return isWithin(load<u32>(c + header), entries, entrySize);
}

function isWithin(at: u32, entries: u32, entrySize: usize): bool {
  return <u64>at + <u64>entries * <u64>entrySize <= <u64>length;
}

function isText(at: usize, longest: u32): bool {
  return load<u32>(at, 4) <= longest && isWithin(load<u32>(at), load<u32>(at, 4), 1);
}
