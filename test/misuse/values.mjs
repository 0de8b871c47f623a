/*
 * Arguments, right and wrong, drawn by numbers of a seed: the same seed gives both engines equal arguments.
 */

/** A small generator of numbers that is the same everywhere. */
export function random(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (n) => Math.floor(next() * n);
  return {
    next,
    /** 0 to n − 1 */
    int,
    chance: (share) => next() < share,
    pick: (list) => list[int(list.length)],
    /** a seed for what must not depend on how many numbers others draw */
    fork: () => int(2 ** 32),
  };
}

/** What hostile getters throw: the only error that may come out besides the library's. */
export class Thrown extends Error {}

const boom = () => {
  throw new Thrown('a getter threw');
};

/** Nothing that a count, a name, an array or an option can be. */
export const JUNK = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => -1,
  () => -0,
  () => 0.5,
  () => 5,
  () => 60000,
  () => 1e9,
  () => 2 ** 32,
  () => 2 ** 53,
  () => Number.POSITIVE_INFINITY,
  () => '3',
  () => '',
  () => 'u8',
  () => 'gpu',
  () => '__proto__',
  () => true,
  () => false,
  () => 2n,
  () => Symbol('a symbol'),
  () => ({}),
  () => Object.create(null),
  () => [],
  () => [3],
  () => () => 3,
  () => Promise.resolve(3),
  () => new Date(3),
  () => new Map([[0, 1]]),
  () => ({ valueOf: () => 2 }),
  () => ({ valueOf: boom, toString: boom, [Symbol.toPrimitive]: boom }),
  () => new Proxy({}, { get: boom, has: boom, ownKeys: boom, getOwnPropertyDescriptor: boom }),
  () => ({ length: 3 }),
  () => ({ length: -1 }),
  () => ({ length: 1e9 }),
  () => ({ length: 2n }),
  () => ({ length: Symbol('length') }),
  () => new Float64Array(3),
  () => new BigInt64Array(2),
  () => new BigInt64Array(0),
  () => new DataView(new ArrayBuffer(16)),
];

/** `right` most of the time, else junk. */
export const orJunk = (r, right, share = 0.06) => (r.chance(share) ? r.pick(JUNK)() : right);

/** Options: some of them, now and then one that is wrong, misspelt, or asked for by a getter. */
export function options(w, r, names, right) {
  if (r.chance(0.03)) return r.pick(JUNK)();
  const out = { ...right };
  for (const name of names) if (r.chance(0.05)) out[name] = r.pick(JUNK)();
  if (r.chance(0.03)) out[`${r.pick(names)}s`] = 1;
  if (r.chance(0.05)) {
    const name = r.pick(names);
    const value = out[name];
    const seed = r.fork();
    // once: V8 reads what a rest pattern leaves out as well, the first time
    let asked = false;
    Object.defineProperty(out, name, {
      enumerable: true,
      get: () => {
        if (!asked) {
          asked = true;
          w.meddle(random(seed));
        }
        return value;
      },
    });
  }
  return out;
}

export const KINDS = [
  Float64Array,
  Float64Array,
  Float64Array,
  Float32Array,
  Int32Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  ...(globalThis.Float16Array ? [globalThis.Float16Array] : []),
];

/** Typed arrays that say something else of themselves than they are. */
class Liar extends Float64Array {
  get length() {
    return this.said;
  }
  subarray() {
    return new Float64Array(999).fill(7);
  }
  slice() {
    return new Float64Array(999).fill(7);
  }
  set() {}
  fill() {
    return this;
  }
  [Symbol.iterator]() {
    return [1, 2, 3][Symbol.iterator]();
  }
  static get [Symbol.species]() {
    return Array;
  }
}

function liar(values, really) {
  const lie = new Liar(really);
  lie.said = values.length;
  for (let i = 0; i < really; i++) lie[i] = values[i % (values.length || 1)] ?? 7;
  return lie;
}

function detached(kind, n) {
  const gone = new kind(n);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  return gone;
}

/** Numbers over memory that whoever meddles may grow and shrink. */
function resizable(w, kind, values) {
  const size = values.length * kind.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(size, { maxByteLength: 4 * size + 4096 });
  const view = new kind(buffer);
  view.set(values);
  w.loose.push((r) => buffer.resize(r.pick([0, size, size + 800, 2 * size + 8 * 100])));
  return view;
}

function ownedBuffer(w, kind, values) {
  const view = kind.from(values);
  w.loose.push(() => view.byteLength && structuredClone(view.buffer, { transfer: [view.buffer] }));
  return view;
}

/** An array-like whose places are getters: one of them meddles. */
function asking(w, r, values) {
  const at = r.int(values.length + 1);
  const seed = r.fork();
  const throws = r.chance(0.1);
  const target = { length: values.length };
  let asked = 0;
  values.forEach((value, i) => {
    Object.defineProperty(target, i, {
      enumerable: true,
      get() {
        if (i === at && asked++ < 2) {
          w.meddle(random(seed + asked));
          if (throws) boom();
        }
        return value;
      },
    });
  });
  return target;
}

const CELLS = [Number.NaN, -1, 5, 0.5, 60000, Number.POSITIVE_INFINITY, 1e300, -1e61];
const ODD_CELLS = [() => '1', () => null, () => undefined, () => 1n, () => Symbol('cell'), () => ({}), () => true];

/**
 * `n` numbers in one of the forms that people have them in; now and then wrong ones, or what is no array at all.
 * @param value  of place i
 */
export function numbers(w, r, n, value = () => Math.round((r.next() * 4 - 2) * 8) / 8, wrong = 0.12) {
  if (r.chance(0.02)) return r.pick(JUNK)();
  // a batch may say that it has a billion rows
  const length = Math.min(n, 4096) || 0;
  const values = Array.from({ length }, (_, i) => value(i));
  const kind = r.pick(KINDS);
  if (r.chance(wrong)) return wrongNumbers(r, values, kind);
  return r.pick([
    () => values,
    () => values,
    () => Float64Array.from(values),
    () => Float64Array.from(values),
    () => kind.from(values),
    () => new Float64Array(new SharedArrayBuffer(8 * length)).map((_, i) => values[i]),
    () => asking(w, r, values),
    () => resizable(w, Float64Array, values),
    () => ownedBuffer(w, Float64Array, values),
  ])();
}

function wrongNumbers(r, values, kind) {
  const n = values.length;
  const at = r.int(n || 1);
  return r.pick([
    () => values.slice(1),
    () => [...values, 1],
    () => kind.from([...values, 1]),
    () => (n ? values.with(at, r.pick(CELLS)) : [1]),
    () => kind.from(n ? values.with(at, r.pick(CELLS)) : []),
    () => Float64Array.from(n ? values.with(at, r.pick(CELLS)) : []),
    () => values.map((v, i) => (i === at ? r.pick(ODD_CELLS)() : v)),
    () => new BigInt64Array(n),
    () => new BigUint64Array(n).fill(3n),
    () => new DataView(new ArrayBuffer(8 * n)),
    () => Object.assign(new DataView(new ArrayBuffer(8 * n)), { length: n }),
    () => detached(kind, n),
    () => liar(values, n),
    () => liar(values, 2 * n + 50),
    () => liar(values, Math.floor(n / 2)),
    () => Object.defineProperty(Float64Array.from([...values, ...values, 9, 9, 9, 9]), 'length', { value: n }),
    () => ({ length: n }),
    () => ({ length: n + 0.5 }),
    () => new Proxy(Float64Array.from(values), { get: (target, key) => Reflect.get(target, key, target) }),
    () => new Proxy(values, {}),
    () => Promise.resolve(values),
    () => new Set(values),
    () => '1'.repeat(n),
    () => new Array(n),
  ])();
}

/** A Float64Array to write to, of `n` or more; now and then what is none. */
export function outputs(w, r, n) {
  const length = Math.min(n, 4096) || 0;
  if (r.chance(0.9)) return new Float64Array(length + r.pick([0, 0, 0, 1, 7]));
  if (r.chance(0.1)) return r.pick(JUNK)();
  return r.pick([
    () => new Float64Array(Math.max(0, length - 1)),
    () => new Float32Array(length),
    () => new Array(length).fill(0),
    () => liar(new Array(length).fill(0), length),
    () => liar(new Array(length).fill(0), Math.floor(length / 2)),
    () => Object.defineProperty(new Float64Array(Math.floor(length / 2)), 'length', { value: length }),
    () => new Proxy(new Float64Array(length), {}),
    () => Object.create(new Float64Array(length)),
    () => detached(Float64Array, length),
    () => new BigInt64Array(length),
    () => resizable(w, Float64Array, new Array(length).fill(0)),
    () => new Float64Array(new SharedArrayBuffer(8 * length)),
  ])();
}
