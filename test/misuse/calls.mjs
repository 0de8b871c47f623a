/*
 * The calls of the public API, with arguments that are right most of the time. Each is a function of a world and of random numbers; a
 * handle that it may write to is told to the world by `act`.
 */
import { JUNK, KINDS, numbers, options, orJunk, outputs, random, Thrown } from './values.mjs';

const PRECISIONS = ['f64', 'f64', 'f32'];
const BATCHES = ['rows', 'columns', 'sparse'];

/** A count, now and then one that is none. */
const count = (r, most, least = 0) => orJunk(r, least + r.int(most - least + 1));
const precision = (r) => orJunk(r, r.pick(PRECISIONS), 0.03);

/** A handle that is there, or a new one. */
function some(w, r, ...kinds) {
  const found = w.entries.filter(({ kind, freed }) => kinds.includes(kind) && !freed);
  if (found.length > 0 && r.chance(0.9)) return r.pick(found);
  return make(w, r, r.pick(kinds));
}

/** One that is right, made in the midst of a call as a call of its own. */
function make(w, r, kind) {
  const before = w.entries.length;
  const frame = w.call(`new ${kind}`, (world) => MAKERS[kind](world, r), r);
  const made = w.entries[before];
  // the memory is full
  return (
    frame.actor ??
    (made?.kind === kind ? made : null) ?? {
      kind,
      handle: null,
      freed: true,
      rows: 0,
      slots: 0,
      parameters: 0,
      length: 0,
    }
  );
}

const smallSpecs = (r) =>
  Array.from({ length: r.int(4) }, () =>
    r.chance(0.4) ? { kind: 'numeric' } : { kind: 'coded', slots: r.pick([1, 2, 3, 5, 300]) },
  );

const MAKERS = {
  vector: (w, r) => addVector(w, w.engine.vector(1 + r.int(40), r.pick(PRECISIONS))),
  rows: (w, r) => addBatch(w, 'rows', w.engine.rows(1 + r.int(10), r.int(7), r.pick(PRECISIONS))),
  columns: (w, r) => addBatch(w, 'columns', w.engine.columns(1 + r.int(10), smallSpecs(r), r.pick(PRECISIONS))),
  sparse: (w, r) => addBatch(w, 'sparse', w.engine.sparse(sparseRows(r, 5), 5, r.pick(PRECISIONS))),
  weights: (w, r) => {
    const batch = some(w, r, ...BATCHES);
    return w.add('weights', w.engine.weights(batch.handle, 1 + r.int(3)));
  },
  likelihood: (w, r) => {
    const batch = some(w, r, ...BATCHES);
    const rows = batch.handle?.rows ?? 1;
    return addLikelihood(w, w.engine.likelihood(batch.handle, { y: Array.from({ length: rows }, (_, i) => i % 2) }));
  },
  ftrl: (w, r) => {
    const batch = some(w, r, 'columns', 'sparse');
    return w.add('ftrl', new w.library.Ftrl(w.engine, { slots: batch.handle?.slots ?? 1 }));
  },
  learner: (w) =>
    w.add('learner', w.library.OnlineLearner.start(plainTable(20, 1), { target: 'y', offset: 'o', engine: w.engine })),
  scorer: (w, r) =>
    w.add('scorer', r.pick(w.models).scorer(w.engine, { reuse: r.chance(0.5), capacity: r.pick([1, 3, 8]) })),
};

const addVector = (w, handle) => w.add('vector', handle);
const addBatch = (w, kind, handle) => {
  // a user fills it: no zeros, so that a byte of another is seen
  const entry = w.add(kind, handle);
  return entry;
};
const addLikelihood = (w, handle) => w.add('likelihood', handle);

function sparseRows(r, columns) {
  const rowPtr = [0];
  const colIdx = [];
  for (let i = 0; i < 1 + r.int(6); i++) {
    for (let e = 0; e < r.int(4); e++) colIdx.push(r.int(columns));
    rowPtr.push(colIdx.length);
  }
  return { rowPtr, colIdx, values: r.chance(0.5) ? colIdx.map((c) => c - 1.5) : null };
}

/** What stands where a handle of that kind is expected. */
function imposter(w, r, kind, right) {
  const entry = some(w, r, kind);
  const { handle } = entry;
  const others = ['vector', 'rows', 'columns', 'sparse', 'weights', 'likelihood', 'ftrl', 'scorer', 'learner'];
  const other = r.pick(others.filter((one) => !right.includes(one)));
  return r.pick([
    () => r.pick(JUNK)(),
    () => w.strangers[kind] ?? null,
    () => w.strangers[kind] ?? null,
    () => some(w, r, other).handle,
    () => w.entries.find((one) => one.kind === kind && one.freed)?.handle ?? null,
    () => w.entries.find((one) => one.kind === kind && one.freed)?.handle ?? null,
    () => Promise.resolve(handle),
    () => ({ ...handle }),
    () => handle && Object.create(handle),
    () => handle && Object.setPrototypeOf({ ...handle }, Object.getPrototypeOf(handle)),
    () => handle && new Proxy(handle, {}),
    () =>
      handle &&
      new Proxy(handle, {
        get: (target, key) => {
          w.meddle(random(7));
          return Reflect.get(target, key, target);
        },
      }),
    () => [handle],
    () => handle?.address,
  ])();
}

/** A handle, now and then an imposter or one that was freed. */
function given(w, r, ...kinds) {
  if (r.chance(0.05)) return { handle: imposter(w, r, r.pick(kinds), kinds), kind: 'imposter' };
  return some(w, r, ...kinds);
}

/** One that the call writes to. */
function written(w, r, ...kinds) {
  const entry = given(w, r, ...kinds);
  if (entry.kind !== 'imposter' && entry.handle) w.act(entry);
  return entry;
}

const sizeOf = (handle, name) => {
  try {
    const value = handle?.[name];
    return Number.isInteger(value) ? value : 2;
  } catch {
    return 2;
  }
};

function target(w, r, batch, classes = 0) {
  const rows = sizeOf(batch, 'rows');
  return options(w, r, ['y', 'weight', 'offset', 'classes'], {
    y: numbers(w, r, rows, (i) => (classes ? i % classes : r.pick([0, 1, 1, 0.25]))),
    ...(r.chance(0.4) && { weight: numbers(w, r, rows, () => r.pick([0, 1, 2, 0.5])) }),
    ...(!classes && r.chance(0.3) && { offset: numbers(w, r, rows) }),
    ...(classes && { classes: orJunk(r, classes, 0.04) }),
  });
}

/** A batch of rows as an encoder makes it, of a call of its own. */
function encodedBatch(w, r, encoder) {
  const rows = 1 + r.int(9);
  const source = plainTable(rows, r.int(1000));
  const fill = (world) => {
    const { handle } = addBatch(world, 'columns', world.engine.columns(rows, encoder.specs));
    encoder.encode(source, handle, { standardize: false });
  };
  return w.call('new encoded batch', fill, r).actor?.handle ?? null;
}

/** Batch, weights and a vector that fit together, in most cases. */
function trio(w, r) {
  const batch = given(w, r, ...BATCHES);
  const fits = w.entries.filter(
    ({ kind, freed, handle }) =>
      kind === 'weights' &&
      !freed &&
      handle.layout === batch.handle?.layout &&
      handle.slots === batch.handle?.slots &&
      handle.precision === batch.handle?.precision,
  );
  let weights = fits.length > 0 && r.chance(0.9) ? r.pick(fits) : given(w, r, 'weights');
  if (fits.length === 0 && BATCHES.includes(batch.kind) && batch.handle && r.chance(0.8)) {
    const frame = w.call(
      'new weights',
      (world) => world.add('weights', world.engine.weights(batch.handle, 1 + r.int(2))),
      r,
    );
    weights = frame.actor ?? weights;
  }
  const wanted = w.entries.filter(
    ({ kind, freed, handle }) =>
      kind === 'vector' &&
      !freed &&
      handle.precision === batch.handle?.precision &&
      handle.length >= sizeOf(batch.handle, 'rows'),
  );
  const out = wanted.length > 0 && r.chance(0.9) ? r.pick(wanted) : given(w, r, 'vector');
  return { batch, weights, out };
}

/** A point of a likelihood, in most cases the last one; the call acts for the likelihood. */
function pointOf(w, r, entry) {
  w.act(entry);
  const { points } = entry;
  if (points) return r.chance(0.85) ? points.at(-1) : r.pick(points);
  const { handle } = entry;
  const point = handle?.at(new Float64Array(handle.parameters), new Float64Array(handle.parameters));
  if (point) entry.points = [point];
  return point;
}

const parametersOf = (entry) => Math.min(sizeOf(entry.handle, 'parameters'), 2000);

/**
 * What a vector holds after planes of results were written to it. Kernels may write the values up to the next multiple of four: they are
 * cleared, and so is all of it when the work was refused halfway.
 * @param work  returns the rows of a plane, and how many planes there are
 */
function settled(w, entry, work) {
  const vector = entry.handle;
  try {
    const [rows, planes] = work();
    const plane = Math.ceil(rows / 4) * 4;
    for (let j = 0; j < planes; j++) vector.view.fill(0, j * plane + rows, (j + 1) * plane);
    return vector.view;
  } catch (error) {
    if (w.frame.writable.includes(entry) && !entry.freed) vector.view.fill(0);
    throw error;
  }
}

// tables

const LEVELS = ['north', 'south', 'east'];

function plainTable(rows, seed, classes = 2) {
  const r = random(seed);
  const values = () => Float64Array.from({ length: rows }, () => Math.round(r.next() * 64 - 32) / 8);
  return {
    rows,
    columns: [
      { name: 'x', kind: 'numeric', values: values() },
      { name: 'o', kind: 'numeric', values: values() },
      { name: 'c', kind: 'coded', codes: Uint8Array.from({ length: rows }, () => r.int(3)), levels: [...LEVELS] },
      {
        name: 'y',
        kind: 'coded',
        codes: Uint8Array.from({ length: rows }, (_, i) => (i + r.int(2)) % classes),
        levels: ['a', 'b', 'd'].slice(0, classes),
      },
    ],
  };
}

/** The models that are scored in all worlds. */
export function models({ fit }) {
  return [
    fit(plainTable(60, 5), { target: 'y' }).model,
    fit(plainTable(60, 6), { target: 'y', offset: 'o', coding: 'treatment' }).model,
    fit(plainTable(60, 7, 3), { target: 'y' }).model,
    fit(plainTable(60, 8, 3), { target: 'y', multiclass: 'ovr' }).model,
  ];
}

const TABLE_WRONGS = [
  (t, r) => ({ ...t, rows: r.pick(JUNK)() }),
  (t, r) => ({ ...t, rows: t.rows + 1 + r.int(3) }),
  (t) => ({ ...t, rows: t.rows - 1 }),
  (t, r) => ({ ...t, columns: r.pick(JUNK)() }),
  (t, r) => ({ ...t, columns: t.columns.with(r.int(t.columns.length), r.pick(JUNK)()) }),
  (t, r) => change(t, r, (c) => ({ ...c, name: r.pick(JUNK)() })),
  (t, r) => change(t, r, (c) => ({ ...c, kind: r.pick(['numeric', 'coded', 'text', undefined]) })),
  (t, r) => change(t, r, (c) => ({ ...c, levels: r.pick([r.pick(JUNK)(), ['north', 3, null], [], ['a', 'a', 'a']]) })),
  (t, r) =>
    change(t, r, (c) => ({
      ...c,
      missing: r.pick([r.pick(JUNK)(), new Uint8Array(t.rows).fill(1), new Uint8Array(1), new BigInt64Array(t.rows)]),
    })),
  (t, r) =>
    change(t, r, (c) => ({
      ...c,
      codes: Float64Array.from({ length: t.rows }, () => r.pick([0, 1, Number.NaN, -1, 0.5, 60000])),
    })),
  (t, r) => change(t, r, (c) => ({ ...c, codes: Int32Array.from({ length: t.rows }, () => r.pick([0, 1, 2, -1])) })),
  (t, r) =>
    change(t, r, (c) => ({ ...c, codes: Uint16Array.from({ length: t.rows }, () => r.pick([0, 1, 2, 60000])) })),
  (t, r) =>
    change(t, r, (c) => ({
      ...c,
      values: Float64Array.from({ length: t.rows }, () => r.pick([0, 1, Number.NaN, 1e300, Number.NEGATIVE_INFINITY])),
    })),
  (t, r, w) => change(t, r, (c) => ({ ...c, [c.values ? 'values' : 'codes']: numbers(w, r, t.rows, (i) => i % 3, 1) })),
  (t) => ({ ...t, columns: [...t.columns, t.columns[0]] }),
  (t) => ({ ...t, columns: t.columns.slice(1) }),
  (t) => Promise.resolve(t),
  (t) => new Proxy(t, {}),
  (_, r) => r.pick(JUNK)(),
];

function change(t, r, how) {
  const at = r.int(t.columns.length);
  return { ...t, columns: t.columns.map((column, j) => (j === at ? how(column) : column)) };
}

/** A getter in the place of a field, which meddles and may change what was checked. */
function asked(w, r, object, name, after = () => {}) {
  const value = object[name];
  const seed = r.fork();
  let times = 0;
  return Object.defineProperty({ ...object }, name, {
    enumerable: true,
    get() {
      if (times++ < 3) {
        w.meddle(random(seed + times));
        after();
      }
      return value;
    },
  });
}

function table(w, r, classes = 2, wrong = 0.15) {
  const t = plainTable(r.pick([0, 1, 2, 5, 9]), r.int(1000), classes);
  if (r.chance(wrong)) return r.pick(TABLE_WRONGS)(t, r, w);
  if (r.chance(0.15)) {
    const coded = t.columns[2];
    const [, x] = t.columns;
    return r.pick([
      () => asked(w, r, t, 'columns'),
      () => asked(w, r, t, 'rows'),
      () => change(t, r, (c) => asked(w, r, c, c.values ? 'values' : 'codes')),
      () => change(t, r, (c) => asked(w, r, c, 'missing', () => coded.levels.push('west'))),
      () => change(t, r, (c) => asked(w, r, c, 'name', () => coded.codes.fill(200))),
      () => change(t, r, (c) => asked(w, r, c, 'kind', () => coded.levels.splice(1, 2))),
      () =>
        change(t, r, (c) =>
          asked(
            w,
            r,
            c,
            'name',
            () => x.values.buffer.byteLength && structuredClone(x.values.buffer, { transfer: [x.values.buffer] }),
          ),
        ),
    ])();
  }
  return t;
}

function record(w, r) {
  const right = { x: r.next(), o: r.next(), c: r.pick([...LEVELS, 'west', null]) };
  if (r.chance(0.2)) right[r.pick(['x', 'o', 'c'])] = r.pick(JUNK)();
  if (r.chance(0.1)) delete right[r.pick(['x', 'o', 'c'])];
  if (r.chance(0.1)) return asked(w, r, right, r.pick(['x', 'o', 'c']));
  return orJunk(r, right, 0.03);
}

const DATA = [
  'target',
  'positive',
  'trials',
  'multiclass',
  'schema',
  'features',
  'exclude',
  'categorical',
  'weight',
  'weightKind',
  'offset',
  'coding',
  'references',
  'classWeight',
  'engine',
  'unseen',
  'missing',
];
const SOLVER = ['penalty', 'l1Ratio', 'standardize', 'solver', 'tol', 'maxIter', 'onIteration'];
const FIT = [
  ...DATA,
  ...SOLVER,
  'C',
  'lambda',
  'start',
  'inference',
  'calibrate',
  'prior',
  'decide',
  'review',
  'folding',
  'diagnose',
  'onPhase',
];
const FTRL = ['slots', 'alpha', 'beta', 'l1', 'l2'];

/** An engine, now and then something else. */
const engine = (w, r) =>
  r.chance(0.95)
    ? w.engine
    : r.pick([
        () => 'gpu',
        () => null,
        () => r.pick(JUNK)(),
        () => ({ heap: {} }),
        () => ({ heap: w.heap }),
        () => ({ ...w.engine }),
        () => w.engine.constructor,
        () => Promise.resolve(w.engine),
      ])();

const model = ({ weights, intercept, baseline, manifest }) => ({
  weights,
  intercept,
  baseline,
  fit: { ...manifest.fit },
});

/** name → [how often, what] */
export const CALLS = {
  vector: [5, (w, r) => addVector(w, w.engine.vector(count(r, 40), precision(r)))],
  rows: [
    4,
    (w, r) => {
      const rows = count(r, 10);
      return addBatch(w, 'rows', w.engine.rows(rows, rows === 1e9 ? 3 : count(r, 6), precision(r)));
    },
  ],
  columns: [
    4,
    (w, r) => {
      const specs = smallSpecs(r);
      if (r.chance(0.1))
        specs.push(
          r.pick([
            r.pick(JUNK)(),
            { kind: 'coded', slots: r.pick(JUNK)() },
            { kind: r.pick(JUNK)() },
            { kind: 'coded', slots: 0 },
            { kind: 'coded', slots: 70000 },
          ]),
        );
      if (r.chance(0.05) && specs.length > 0)
        specs[0] = asked(w, r, { ...specs[0] }, 'kind', () => specs.push({ kind: 'numeric' }));
      const rows = count(r, 10);
      return addBatch(w, 'columns', w.engine.columns(rows === 1e9 ? 3 : rows, orJunk(r, specs, 0.04), precision(r)));
    },
  ],
  sparse: [
    4,
    (w, r) => {
      const right = sparseRows(r, 5);
      const { colIdx, rowPtr, values } = right;
      const data = options(w, r, ['rowPtr', 'colIdx', 'values'], {
        rowPtr: r.chance(0.7) ? rowPtr : numbers(w, r, rowPtr.length, (i) => rowPtr[i], 0.4),
        colIdx: r.chance(0.7) ? colIdx : numbers(w, r, colIdx.length, (i) => colIdx[i], 0.4),
        ...(values && { values: numbers(w, r, values.length, (i) => values[i]) }),
      });
      const entry = addBatch(w, 'sparse', w.engine.sparse(data, orJunk(r, 5, 0.04), precision(r)));
      // it is a copy: what a caller still holds says nothing
      for (const array of [rowPtr, colIdx]) array.fill(60000);
      return entry;
    },
  ],
  weights: [
    4,
    (w, r) => {
      const { handle } = given(w, r, ...BATCHES);
      const shape = r.chance(0.85)
        ? handle
        : options(w, r, ['layout', 'slots', 'precision'], {
            layout: r.pick(BATCHES),
            slots: r.int(6),
            precision: 'f64',
          });
      return w.add('weights', w.engine.weights(shape, count(r, 3, 1)));
    },
  ],
  'vector.view': [
    4,
    (w, r) => {
      const view = w.act(some(w, r, 'vector'))?.view;
      if (view?.length > 0) view[r.int(view.length)] = r.pick([1, -2, Number.NaN, 700, 0.5]);
      return view;
    },
  ],
  'vector fill': [
    5,
    (w, r) => {
      const view = w.act(some(w, r, 'vector'))?.view;
      for (let i = 0; i < view?.length; i++) view[i] = r.int(64) / 8 - 4;
    },
  ],
  'rows.set': [
    6,
    (w, r) => {
      const entry = some(w, r, 'rows');
      const handle = w.act(entry);
      const { slots = 2, rows = 2 } = handle ?? {};
      const first = r.chance(0.6) ? 0 : r.int(rows + 1);
      const many = r.chance(0.7) ? rows - first : r.int(rows + 2);
      return handle?.set(numbers(w, r, many * slots), orJunk(r, first));
    },
  ],
  'rows.view': [2, (w, r) => w.act(some(w, r, 'rows'))?.view],
  'columns.setRows': [
    3,
    (w, r) => {
      const handle = w.act(some(w, r, 'columns'));
      return handle?.setRows(count(r, Math.min(handle.capacity, 50)));
    },
  ],
  'columns.numeric': [
    4,
    (w, r) => {
      const handle = w.act(some(w, r, 'columns'));
      const view = handle?.numeric(count(r, 3));
      view?.fill(r.int(16) / 4 - 2);
      return view;
    },
  ],
  'columns.codes': [
    7,
    (w, r) => {
      const handle = w.act(some(w, r, 'columns'));
      const j = r.chance(0.8) ? handle?.specs.findIndex(({ kind }) => kind === 'coded') : count(r, 3);
      const view = handle?.codes(j);
      const { slots } = handle?.specs[j] ?? {};
      const wrong = r.chance(0.15);
      for (let i = 0; i < view?.length; i++) view[i] = r.int(slots);
      if (wrong && view?.length > 0) view[r.int(view.length)] = r.pick([-1, Number.NaN, 0.5, 60000, slots, 4e9]);
      return view;
    },
  ],
  'weights.set': [
    7,
    (w, r) => {
      const handle = w.act(some(w, r, 'weights'));
      return handle?.set(
        r.chance(0.9) ? r.int(handle.count) : r.pick(JUNK)(),
        numbers(w, r, Math.min(handle.slots, 2000) + 1),
      );
    },
  ],
  'sparse arrays': [
    2,
    (w, r) => {
      const { handle } = some(w, r, 'sparse');
      const copies = handle ? [handle.rowPtr, handle.colIdx, handle.values] : [];
      const seen = copies.map((copy) => copy && [...copy]);
      for (const copy of copies) copy?.fill(60000);
      return seen;
    },
  ],
  logits: [
    14,
    (w, r) => {
      const { batch, weights, out } = trio(w, r);
      if (out.kind === 'vector' && out.handle) w.act(out);
      return settled(w, out, () => {
        w.engine.logits(batch.handle, weights.handle, out.handle);
        return [batch.handle.rows, weights.handle.count];
      });
    },
  ],
  ...Object.fromEntries(
    ['sigmoid', 'exp', 'softplus'].map((name) => [
      name,
      [
        3,
        (w, r) => {
          const z = given(w, r, 'vector');
          const out = r.chance(0.4) && z.kind === 'vector' ? z : given(w, r, 'vector');
          if (out.kind === 'vector' && out.handle) w.act(out);
          return settled(w, out, () => {
            const some = r.chance(0.5) ? [] : [count(r, 40)];
            w.engine[name](z.handle, out.handle, ...some);
            return [some[0] ?? z.handle.length, 1];
          });
        },
      ],
    ]),
  ),
  softmax: [
    4,
    (w, r) => {
      const z = written(w, r, 'vector');
      return settled(w, z, () => {
        const shape = [count(r, 9), count(r, 4)];
        w.engine.softmax(z.handle, ...shape);
        return shape;
      });
    },
  ],
  moments: [
    4,
    (w, r) => {
      const batch = given(w, r, 'rows', 'rows', 'rows', 'columns');
      return w.engine.moments(
        batch.handle,
        r.chance(0.5) ? null : numbers(w, r, sizeOf(batch.handle, 'rows'), () => r.int(3)),
      );
    },
  ],
  scale: [
    4,
    (w, r) => {
      const batch = written(w, r, 'rows', 'rows', 'rows', 'sparse');
      const n = sizeOf(batch.handle, 'slots');
      w.engine.scale(batch.handle, numbers(w, r, n), numbers(w, r, n));
      return batch.handle.view;
    },
  ],
  likelihood: [
    7,
    (w, r) => {
      const { handle } = given(w, r, ...BATCHES);
      return addLikelihood(w, w.engine.likelihood(handle, target(w, r, handle)));
    },
  ],
  multinomial: [
    4,
    (w, r) => {
      const { handle } = given(w, r, ...BATCHES);
      return addLikelihood(w, w.engine.multinomial(handle, target(w, r, handle, 2 + r.int(2))));
    },
  ],
  'likelihood.loss': [
    6,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      return w.act(entry)?.loss(numbers(w, r, parametersOf(entry)));
    },
  ],
  'likelihood.at': [
    8,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      const out = outputs(w, r, parametersOf(entry));
      const point = w.act(entry)?.at(numbers(w, r, parametersOf(entry)), out);
      if (point) entry.points = [...(entry.points ?? []), point].slice(-3);
      return [point, out];
    },
  ],
  'point.hessian': [
    5,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      const p = parametersOf(entry);
      const out = outputs(w, r, p > 60 ? 0 : p * p);
      const point = pointOf(w, r, entry);
      return [point?.hessian(out, ...(r.chance(0.7) ? [] : [orJunk(r, 1 + r.int(9))])), out];
    },
  ],
  'point.hessianVector': [
    5,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      const out = outputs(w, r, parametersOf(entry));
      const point = pointOf(w, r, entry);
      return [point?.hessianVector(numbers(w, r, parametersOf(entry)), out), out];
    },
  ],
  'likelihood.gram': [
    5,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      const p = parametersOf(entry) / (entry.handle?.classes ?? 1);
      const out = outputs(w, r, p > 60 ? 0 : p * p);
      return [w.act(entry)?.gram(numbers(w, r, sizeOf(entry.handle, 'rows')), out), out];
    },
  ],
  'likelihood.logits': [
    5,
    (w, r) => {
      const entry = some(w, r, 'likelihood');
      const out = outputs(w, r, sizeOf(entry.handle, 'rows') * sizeOf(entry.handle, 'classes'));
      return [w.act(entry)?.logits(numbers(w, r, parametersOf(entry)), out), out];
    },
  ],
  'likelihood.select': [
    4,
    (w, r) => {
      const { handle } = some(w, r, 'likelihood');
      const slots = handle ? handle.parameters / handle.classes - 1 : 2;
      const wanted = Array.from({ length: Math.min(slots, 8) }, (_, k) => k).filter(() => r.chance(0.6));
      const asked = r.chance(0.6) ? Int32Array.from(wanted) : numbers(w, r, wanted.length, (i) => wanted[i]);
      const { likelihood, from } = handle?.select(orJunk(r, asked, 0.05)) ?? {};
      if (likelihood) addLikelihood(w, likelihood);
      return from;
    },
  ],
  'new Ftrl': [
    3,
    (w, r) => {
      const { handle } = given(w, r, 'columns', 'sparse');
      const right = { slots: sizeOf(handle, 'slots'), ...(r.chance(0.5) && { alpha: 0.3, l1: 0.1 }) };
      return w.add('ftrl', new w.library.Ftrl(engine(w, r), options(w, r, FTRL, right)));
    },
  ],
  'ftrl.learn': [
    9,
    (w, r) => {
      const batch = given(w, r, 'columns', 'sparse', 'sparse');
      const fits = w.entries.filter(
        ({ kind, freed, handle }) => kind === 'ftrl' && !freed && handle.slots === batch.handle?.slots,
      );
      const entry = fits.length > 0 ? r.pick(fits) : some(w, r, 'ftrl');
      const rows = sizeOf(batch.handle, 'rows');
      const y = numbers(w, r, rows, () => r.int(2));
      const weight = r.chance(0.6) ? undefined : numbers(w, r, rows, () => r.int(3));
      const offset = r.chance(0.7) ? undefined : numbers(w, r, rows);
      return w.act(entry)?.learn(batch.handle, y, weight, offset);
    },
  ],
  'ftrl.weights': [3, (w, r) => some(w, r, 'ftrl').handle?.weights()],
  'ftrl.restore': [
    3,
    (w, r) => {
      const handle = w.act(some(w, r, 'ftrl'));
      const state = handle?.state() ?? {};
      const n = state.z?.length ?? 0;
      if (n > 2000) return state.rows;
      return [
        handle?.restore(
          options(w, r, ['z', 'n', 'rows', 'totalWeight', 'loss'], {
            ...state,
            z: numbers(w, r, n, (i) => state.z[i]),
            n: numbers(w, r, n, (i) => state.n[i]),
          }),
        ),
        state,
      ];
    },
  ],
  'learner.start': [
    0.5,
    (w, r) => {
      const right = { target: 'y', ...(r.chance(0.4) && { offset: 'o' }), engine: engine(w, r) };
      if (right.engine === undefined) right.engine = null;
      const names = [
        'target',
        'classes',
        'positive',
        'weight',
        'offset',
        'alpha',
        'features',
        'exclude',
        'categorical',
      ];
      return w.add(
        'learner',
        w.library.OnlineLearner.start(
          r.chance(0.6) ? plainTable(9, r.int(9)) : table(w, r),
          options(w, r, names, right),
        ),
      );
    },
  ],
  'learner.partialFit': [3, (w, r) => w.act(some(w, r, 'learner'))?.partialFit(table(w, r))],
  'learner.model': [
    1,
    (w, r) => {
      const { handle } = some(w, r, 'learner');
      return handle && [handle.progress, model(handle.model())];
    },
  ],
  'learner.checkpoint': [
    1,
    (w, r) => {
      const { handle } = some(w, r, 'learner');
      if (!handle) return null;
      const bytes = handle.checkpoint();
      if (r.chance(0.3)) bytes[r.int(bytes.length)] ^= 1;
      const used = engine(w, r);
      w.add('learner', w.library.OnlineLearner.resume(orJunk(r, bytes), used === undefined ? null : used));
      return bytes.length;
    },
  ],
  'model.score': [5, (w, r) => r.pick(w.models).score(record(w, r))],
  'model.scorer': [
    3,
    (w, r) => {
      const right = {
        reuse: r.chance(0.5),
        capacity: r.pick([1, 3, 8, 8192]),
        ...(r.chance(0.3) && { precision: 'f32' }),
      };
      return w.add(
        'scorer',
        r.pick(w.models).scorer(engine(w, r), options(w, r, ['reuse', 'capacity', 'precision'], right)),
      );
    },
  ],
  scoreBatch: [
    4,
    (w, r) => {
      const model = r.pick(w.models);
      const { encoder, manifest } = model;
      const batch = r.chance(0.3) ? given(w, r, ...BATCHES).handle : encodedBatch(w, r, encoder);
      const offsets = (manifest.offset !== null) === r.chance(0.95) ? numbers(w, r, sizeOf(batch, 'rows')) : undefined;
      return w.library.scoreBatch(model, engine(w, r), batch, offsets);
    },
  ],
  'model.with': [
    1,
    (w, r) => {
      const right = { decision: { threshold: r.next() }, ...(r.chance(0.5) && { review: { low: 0.2, high: 0.4 } }) };
      const other = r.pick(w.models).with(options(w, r, ['calibration', 'decision', 'review'], right));
      return other.score({ x: 1, o: 0.5, c: 'north' });
    },
  ],
  'scorer.score': [
    9,
    (w, r) => w.act(some(w, r, 'scorer'))?.score(table(w, r, 2), ...(r.chance(0.9) ? [] : [r.pick(JUNK)()])),
  ],
  scoreTable: [
    2,
    (w, r) =>
      r
        .pick(w.models)
        .scoreTable(table(w, r), options(w, r, ['capacity', 'precision', 'engine'], { engine: w.engine })),
  ],
  fit: [
    0.4,
    (w, r) => {
      const right = {
        target: 'y',
        engine: engine(w, r),
        ...(r.chance(0.5) && { C: 2 }),
        ...(r.chance(0.2) && { inference: true, penalty: 'none', C: undefined }),
        ...(r.chance(0.1) && { calibrate: 'platt', review: { share: 0.2 }, folding: { folds: 2 } }),
      };
      const t = r.chance(0.7) ? plainTable(20, r.int(20), 2 + r.int(2)) : table(w, r);
      return model(w.library.fit(t, options(w, r, FIT, right)).model);
    },
  ],
  fitPath: [
    0.3,
    (w, r) => {
      const right = { target: 'y', engine: engine(w, r), count: 3, ...(r.chance(0.5) && { l1Ratio: 0.5 }) };
      const t = r.chance(0.7) ? plainTable(20, r.int(20), 2 + r.int(2)) : table(w, r);
      const path = w.library.fitPath(t, options(w, r, [...DATA, ...SOLVER, 'lambdas', 'count', 'ratio'], right));
      w.add('path', { path, steps: path.steps.length });
      return path.steps;
    },
  ],
  'path.model': [
    1,
    (w, r) => {
      const found = w.entries.filter(({ kind }) => kind === 'path');
      return found.length === 0 ? null : model(r.pick(found).handle.path.model(orJunk(r, r.int(3), 0.2)));
    },
  ],
  fitMatrix: [
    0.6,
    (w, r) => {
      const batch = given(w, r, 'rows', 'sparse', 'columns');
      const rows = r.chance(0.5) ? 12 : sizeOf(batch.handle, 'rows');
      const dense = options(w, r, ['layout', 'rows', 'columns', 'values'], {
        layout: 'rows',
        rows,
        columns: 2,
        values: r.chance(0.7)
          ? Float64Array.from({ length: 2 * rows }, (_, i) => (i * 7) % 5)
          : numbers(w, r, 2 * rows),
      });
      const sparse = sparseRows(r, 4);
      const csr = options(w, r, ['layout', 'rows', 'columns', 'rowPtr', 'colIdx', 'values'], {
        layout: 'sparse',
        rows: sparse.rowPtr.length - 1,
        columns: 4,
        rowPtr: Uint32Array.from(sparse.rowPtr),
        colIdx: Uint32Array.from(sparse.colIdx),
        values: null,
      });
      const x = r.pick([batch.handle, dense, dense, csr]);
      const n = r.chance(0.95) ? sizeOf(x, 'rows') : rows;
      const classes = r.chance(0.7) ? 2 : 3;
      const right = {
        engine: engine(w, r),
        classes,
        ...(r.chance(0.3) && { weight: numbers(w, r, n, () => 1 + r.int(2)) }),
        ...(r.chance(0.2) && { offset: numbers(w, r, n) }),
      };
      const { weights, intercept } = w.library.fitMatrix(
        x,
        numbers(w, r, n, (i) => i % classes),
        options(
          w,
          r,
          [
            'C',
            'lambda',
            'l1Ratio',
            'classes',
            'weight',
            'weightKind',
            'offset',
            'penalty',
            'names',
            'start',
            'solver',
            'maxIter',
            'engine',
          ],
          right,
        ),
      );
      return { weights, intercept };
    },
  ],
  pickEngine: [
    0.2,
    (w, r) => {
      const wanted = r.pick(JUNK)();
      // "auto" is another engine in each world
      return wanted === undefined ? null : w.library.pickEngine(wanted).name;
    },
  ],
  threadedEngine: [
    0.2,
    (w, r) => {
      const wanted = r.pick(JUNK)();
      const threads = wanted === 5 ? 1 : wanted;
      return w.library.threadedEngine(
        ...r.pick([[], [wanted === 5 ? null : wanted], [{ threads }], [{ threads: 1, spawns: 1 }]]),
      ).threads;
    },
  ],
  bytesInUse: [0.5, (w) => w.engine.bytesInUse - w.baseline],
  free: [
    9,
    (w, r) => {
      const held = w.entries.filter(({ kind, freed }) => kind !== 'path' && !freed);
      const entry = held.length > 14 || r.chance(0.5) ? r.pick(held) : null;
      if (!entry) return null;
      entry.handle[r.chance(0.5) ? 'free' : (Symbol.dispose ?? Symbol.for('Symbol.dispose'))]();
      w.free(entry);
    },
  ],
  'free again': [
    3,
    (w, r) => {
      const dead = w.entries.filter(({ freed }) => freed);
      if (dead.length > 0) r.pick(dead).handle?.free?.();
    },
  ],
  'use after free': [
    6,
    (w, r) => {
      const dead = w.entries.filter(({ freed, kind, handle }) => freed && handle && kind !== 'path');
      if (dead.length === 0) return null;
      const entry = r.pick(dead);
      return r.pick(USES[entry.kind])(entry.handle, w, entry);
    },
  ],
  'lent arrays': [
    3,
    (w, r) => {
      if (w.loose.length > 0) r.pick(w.loose.slice(-8))(r);
    },
  ],
};

const three = () => new Float64Array(9);

/** What a handle can be asked after it was freed. */
const USES = {
  vector: [(v) => v.view, (v, w) => w.engine.sigmoid(v, v, 1), (v, w) => w.engine.softmax(v, 1, 1)],
  rows: [
    (b) => b.view,
    (b) => b.set(new Float64Array(b.slots)),
    (b, w) => w.engine.moments(b, null),
    (b, w) => w.engine.likelihood(b, { y: new Float64Array(b.rows) }),
  ],
  columns: [(b) => b.numeric(0), (b) => b.codes(0), (b) => b.setRows(1)],
  sparse: [(b) => b.rowPtr, (b) => b.colIdx, (b) => b.values],
  weights: [
    (v) => v.set(0, new Float64Array(v.slots + 1)),
    (v, w) => w.engine.logits(some(w, random(3), 'rows').handle, v, some(w, random(3), 'vector').handle),
  ],
  likelihood: [
    (l) => l.loss(new Float64Array(l.parameters)),
    (l) => l.at(new Float64Array(l.parameters), new Float64Array(l.parameters)),
    (_l, _w, { points }) => points?.at(-1).hessian(three()),
    (l, _w, { points }) => points?.at(-1).hessianVector(new Float64Array(l.parameters), new Float64Array(l.parameters)),
    (l) => l.gram(new Float64Array(l.rows), three()),
    (l) => l.logits(new Float64Array(l.parameters), new Float64Array(l.rows * l.classes)),
    (l) => l.select(Int32Array.of()),
  ],
  ftrl: [
    (f) => f.weights(),
    (f) => f.state(),
    (f) => f.restore({ z: three(), n: three(), rows: 0, totalWeight: 0, loss: 0 }),
    (f, w) => f.learn(some(w, random(5), 'sparse').handle, [0]),
  ],
  learner: [(l) => l.partialFit(plainTable(3, 3)), (l) => l.model(), (l) => l.checkpoint()],
  scorer: [(s) => s.score(plainTable(3, 3))],
};

const NAMES = Object.keys(CALLS);
const TOTAL = NAMES.reduce((sum, name) => sum + CALLS[name][0], 0);

/** One of the calls. */
export function draw(r) {
  let at = r.next() * TOTAL;
  for (const name of NAMES) {
    at -= CALLS[name][0];
    if (at < 0) return name;
  }
  return NAMES[0];
}

/** Handles of another engine, one of each kind. */
export function strangers(library, name) {
  const engine = library.pickEngine(name);
  const columns = engine.columns(3, [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }]);
  const rows = engine.rows(3, 2);
  return {
    vector: engine.vector(40),
    rows,
    columns,
    sparse: engine.sparse({ rowPtr: [0, 1, 2], colIdx: [0, 1] }, 5),
    weights: engine.weights(columns),
    likelihood: engine.likelihood(rows, { y: [0, 1, 1] }),
    ftrl: new library.Ftrl(engine, { slots: 5 }),
  };
}

export { KINDS, Thrown };
