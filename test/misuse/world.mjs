/*
 * One engine whose whole memory is watched: who owns which bytes, and which bytes a call has changed.
 *
 * Memory that nobody has holds a canary, a pattern that is another one in every world: a byte that was read from it makes
 * the results of two engines differ, and a byte that was written is found by comparing the memory with a copy.
 */
import { numbers, random, Thrown } from './values.mjs';

/** The heap may grow to that many bytes: small, so that it fills up and is quick to compare. */
const LIMIT = 4 * 65536;
/** memory that is free from the start, so that blocks lie between bytes with a canary */
const PLAYGROUND = 24576;

export class World {
  constructor(library, name, canary, base = 0) {
    this.library = library;
    this.name = name;
    this.engine = library.pickEngine(name);
    this.heap = this.engine.heap;
    this.canary = canary;
    /** of blocks in use: whose they are */
    this.owners = new Map();
    this.entries = [];
    /** what can be done to arrays that were lent */
    this.loose = [];
    this.frames = [];
    this.counts = { calls: 0, done: 0, refused: {}, thrown: 0, calledBack: 0 };
    this.#hook();
    this.heap.limit = LIMIT;
    // both engines have the same addresses, and so the same gaps and the same end
    if (base) this.heap.allocate(base - 16, 'the start');
    const first = this.heap.allocate(16, 'the guard');
    this.base = first.address + 16;
    const playground = this.heap.allocate(PLAYGROUND, 'the playground');
    this.heap.allocate(16, 'the end of the playground');
    this.heap.release(playground);
    this.baseline = this.engine.bytesInUse;
    this.#fillGaps();
    this.#keep();
  }

  #hook() {
    const { heap, owners } = this;
    const { allocate, release } = Object.getPrototypeOf(heap);
    heap.allocate = (...args) => {
      const block = allocate.apply(heap, args);
      owners.set(block, null);
      this.frame?.allocated.push(block);
      return block;
    };
    heap.release = (block) => {
      // what a call gives back at its end it may have written to
      const owner = owners.get(block);
      if (owner && this.frame?.writable.includes(owner)) this.frame.allocated.push(block);
      release.call(heap, block);
      if (owners.delete(block)) this.released = true;
    };
  }

  get frame() {
    return this.frames[this.frames.length - 1];
  }

  /** The canary in all memory that was handed out once and is free. */
  #fillGaps() {
    const ranges = [...this.owners.keys()]
      .map(({ address, size }) => [address, address + size])
      .sort((a, b) => a[0] - b[0]);
    this.high = Math.max(this.high ?? 0, ranges[ranges.length - 1][1]);
    let at = this.base;
    for (const [start, end] of [...ranges, [this.high, this.high]]) {
      if (start > at) this.heap.u8.fill(this.canary, at, start);
      at = Math.max(at, end);
    }
    this.released = false;
  }

  #keep() {
    const { u8 } = this.heap;
    if (this.copy?.length !== u8.length) this.copy = Buffer.alloc(u8.length);
    this.copy.set(u8);
  }

  /** Refuses bytes that changed since the last look and are not the frame's: neither allocated in it nor of what it may write to. */
  #verify(frame) {
    const { u8 } = this.heap;
    const now = Buffer.from(u8.buffer, 0, u8.length);
    const allowed = [];
    const writable = new Set(frame.writable);
    for (const [block, owner] of this.owners) if (owner && writable.has(owner)) allowed.push(block);
    allowed.push(...frame.allocated);
    allowed.sort((a, b) => a.address - b.address);
    let at = 0;
    const equal = (start, end) => {
      if (start >= end) return;
      const known = Math.min(end, this.copy.length);
      const same =
        (start >= known || now.compare(this.copy, start, known, start, known) === 0) &&
        (end <= known || now.subarray(Math.max(start, known), end).every((byte) => byte === 0));
      if (same) return;
      let first = start;
      while (now[first] === (this.copy[first] ?? 0)) first++;
      const [block, owner] =
        [...this.owners].find(([{ address, size }]) => address <= first && first < address + size) ?? [];
      const whose = block ? `${owner?.kind ?? 'nobody'}'s block ${block.address} of ${block.size}` : 'free memory';
      frame.failures.push(`${frame.name} wrote a foreign byte at ${first} (${whose}), ${this.name}`);
    };
    for (const { address, size } of allowed) {
      equal(at, address);
      at = Math.max(at, address + size);
    }
    equal(at, now.length);
    const end = allowed.reduce((most, { address, size }) => Math.max(most, address + size), 0);
    this.high = Math.max(this.high, end);
  }

  /**
   * Makes one call, alone or in the midst of another.
   * @returns what it gave: `done …`, `refused CODE sentence` or `thrown`
   */
  call(name, work, r) {
    const outer = this.frame;
    if (outer) {
      this.#attribute(outer);
      this.#verify(outer);
      this.#keep();
    }
    const frame = {
      name: outer ? `${name} within ${outer.name}` : name,
      allocated: [],
      writable: [],
      failures: outer?.failures ?? [],
      log: outer?.log ?? [],
      actor: null,
    };
    this.frames.push(frame);
    this.counts.calls++;
    let end;
    try {
      end = `done ${text(work(this, r))}`;
      this.counts.done++;
    } catch (error) {
      end = this.#judge(frame, error);
    }
    this.#verify(frame);
    const left = this.#attribute(frame);
    if (left.length > 0 && !frame.actor)
      frame.failures.push(`${frame.name} keeps ${left.length} blocks of nobody: ${end}`);
    this.frames.pop();
    if (this.released) this.#fillGaps();
    this.#keep();
    frame.log.push(`${name}: ${end}`);
    return frame;
  }

  /** What a call has allocated and not given back belongs to the handle that it acts for. */
  #attribute(frame) {
    const left = frame.allocated.filter((block) => this.owners.get(block) === null);
    for (const block of left) this.owners.set(block, frame.actor);
    return left;
  }

  #judge(frame, error) {
    if (error instanceof Thrown) {
      this.counts.thrown++;
      return 'thrown';
    }
    const { LogoddsError } = this.library;
    if (!(error instanceof LogoddsError) || !CODES.includes(error.code)) {
      const where = String(error?.stack)
        .split('\n')
        .slice(1, 4)
        .map((line) => line.trim().replace(/file:\/\/\S*\//, ''))
        .join(' < ');
      frame.failures.push(`${frame.name}: ${String(error)} ${where}, ${this.name}`);
      return `${error?.name}`;
    }
    if (!SENTENCE.test(error.message)) frame.failures.push(`${frame.name}: no sentence of ours: ${error.message}`);
    this.counts.refused[error.code] = (this.counts.refused[error.code] ?? 0) + 1;
    return `refused ${error.code} ${error.message}`;
  }

  /** What a getter does in the midst of a call. */
  meddle(r) {
    this.counts.calledBack++;
    if (this.loose.length > 0 && r.chance(0.3)) r.pick(this.loose.slice(-6))(r);
    else if (this.frames.length < 3) this.step(r, true);
  }

  /** What was made: it belongs to the call that made it. */
  add(kind, handle, meta = {}) {
    const entry = { kind, handle, freed: false, ...meta };
    this.entries.push(entry);
    this.frame.actor = entry;
    return entry;
  }

  /** The call acts for this one, which may keep what is allocated, and may write to its memory. */
  act(entry) {
    this.frame.actor ??= entry;
    this.frame.writable.push(entry);
    return entry.handle;
  }

  /** Marks as freed whatever has no memory any more, and forgets some of it. */
  free(entry) {
    entry.freed = true;
    const dead = this.entries.filter(({ freed }) => freed);
    if (dead.length > 12) this.entries.splice(this.entries.indexOf(dead[0]), 1);
  }

  /** At the end of a sequence: everything is freed, and what was in use is what was in use at the start. */
  close() {
    for (const entry of [...this.entries].reverse()) entry.handle.free?.();
    const left = this.engine.bytesInUse - this.baseline;
    return left === 0 ? null : `${left} bytes are still in use after all was freed, ${this.name}`;
  }
}

export const CODES = [
  'ERR_SHAPE',
  'ERR_RANGE',
  'ERR_MEMORY',
  'ERR_ENGINE',
  'ERR_SCHEMA',
  'ERR_RECORD',
  'ERR_TARGET',
  'ERR_FORMAT',
  'ERR_DATA',
];

/** *what*: expected *rule*, got *value*; or that of memory */
const SENTENCE = /: expected .+, got |: needs [\d.e+]+ more bytes, past /s;

/** A result as text: equal text, equal bits (but for NaN, which is one value). */
export function text(value, depth = 0) {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `${value}`;
  if (typeof value === 'function') return 'function';
  if (value === null || typeof value !== 'object') return String(value);
  if (ArrayBuffer.isView(value)) return `[${Array.from({ length: value.length }, (_, i) => text(value[i])).join()}]`;
  if (Array.isArray(value)) return depth > 6 ? '…' : `[${value.map((v) => text(v, depth + 1)).join()}]`;
  const proto = Object.getPrototypeOf(value);
  if ((proto !== Object.prototype && proto !== null) || depth > 6) return proto?.constructor?.name ?? 'object';
  return `{${Object.keys(value)
    .map((key) => `${key}:${text(value[key], depth + 1)}`)
    .join()}}`;
}

export { numbers, random };
