import { describe, expect, test } from 'vitest';
import type { ColumnSpec } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import { Ftrl } from '../../bindings/ftrl.ts';
import { thrown } from './checks.ts';
import { engines } from './engines.ts';

const SPECS: readonly ColumnSpec[] = [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }];
const SPARSE = { rowPtr: [0, 1, 2], colIdx: [0, 1], values: [1, 2] };

/** what there is to free, and everything that each can be asked */
const handles = (engine: Engine) => {
  const columns = engine.columns(2, SPECS);
  const weights = engine.weights(columns);
  const out = engine.vector(2);
  const sparse = engine.sparse(SPARSE, 2);
  const rows = engine.rows(2, 2);
  const other = engine.rows(2, 2);
  const likelihood = engine.likelihood(other, { y: [0, 1] });
  const ftrl = new Ftrl(engine, { slots: columns.slots });
  const ofColumns = new Ftrl(engine, { slots: columns.slots });
  const ofSparse = new Ftrl(engine, { slots: 2 });
  const three = new Float64Array(3);
  const part = engine.likelihood(other, { y: [0, 1] });
  part.lossGradient(three, three.slice());
  return {
    vector: [
      out,
      {
        view: () => out.view,
        logits: () => engine.logits(columns, weights, out),
        sigmoid: () => engine.sigmoid(out, out),
        softmax: () => engine.softmax(out, 1, 1),
        exp: () => engine.exp(out, out),
        softplus: () => engine.softplus(out, out),
      },
    ],
    'batch of rows': [
      rows,
      {
        view: () => rows.view,
        set: () => rows.set([1, 2]),
        logits: () => engine.logits(rows, weights, out),
        likelihood: () => engine.likelihood(rows, { y: [0, 1] }),
        multinomial: () => engine.multinomial(rows, { y: [0, 1], classes: 2 }),
        moments: () => engine.moments(rows, null),
        scale: () => engine.scale(rows, new Float64Array(2), new Float64Array(2)),
      },
    ],
    'batch of columns': [
      columns,
      {
        numeric: () => columns.numeric(0),
        codes: () => columns.codes(1),
        setRows: () => columns.setRows(1),
        logits: () => engine.logits(columns, weights, out),
        likelihood: () => engine.likelihood(columns, { y: [0, 1] }),
        learn: () => ofColumns.learn(columns, [0, 1]),
      },
    ],
    'sparse batch': [
      sparse,
      {
        rowPtr: () => sparse.rowPtr,
        colIdx: () => sparse.colIdx,
        values: () => sparse.values,
        logits: () => engine.logits(sparse, weights, out),
        likelihood: () => engine.likelihood(sparse, { y: [0, 1] }),
        learn: () => ofSparse.learn(sparse, [0, 1]),
      },
    ],
    weights: [
      weights,
      { set: () => weights.set(0, [1, 2, 3, 4, 5]), logits: () => engine.logits(columns, weights, out) },
    ],
    likelihood: [
      likelihood,
      {
        loss: () => likelihood.loss(three),
        lossGradient: () => likelihood.lossGradient(three, three.slice()),
        gram: () => likelihood.gram(three, new Float64Array(9)),
        logits: () => likelihood.logits(three, three.slice()),
        select: () => likelihood.select(Int32Array.of(0)),
      },
    ],
    'batch of a likelihood': [
      other,
      {
        loss: () => part.loss(three),
        lossGradient: () => part.lossGradient(three, three.slice()),
        hessian: () => part.hessian(new Float64Array(9)),
        hessianVector: () => part.hessianVector(three, three.slice()),
        gram: () => part.gram(three, new Float64Array(9)),
        logits: () => part.logits(three, three.slice()),
        select: () => part.select(Int32Array.of(0)),
      },
    ],
    FTRL: [
      ftrl,
      {
        learn: () => ftrl.learn(columns, [0, 1]),
        weights: () => ftrl.weights(),
        state: () => ftrl.state(),
        restore: () =>
          ftrl.restore({ z: new Float64Array(5), n: new Float64Array(5), rows: 0, totalWeight: 0, loss: 0 }),
      },
    ],
  } satisfies Record<string, [{ free(): void; [Symbol.dispose](): void }, Record<string, () => unknown>]>;
};

const names = Object.keys(handles(engines[0][1]()) as object) as (keyof ReturnType<typeof handles>)[];

describe.each(engines)('%s', (_, make) => {
  test.each(names)('%s: refuses what it is asked after free()', (name) => {
    const [handle, uses] = handles(make())[name];
    handle.free();
    for (const [what, use] of Object.entries(uses)) {
      const { code, message } = thrown(use);
      expect([what, code]).toEqual([what, 'ERR_ENGINE']);
      expect(message).toMatch(/: expected one in use, got one that was freed; make a new one$/);
    }
  });

  test.each(names)('%s: freed twice takes nothing from who has its memory now', (name) => {
    const engine = make();
    const [handle] = handles(engine)[name];
    handle.free();
    const inUse = engine.bytesInUse;
    const next = Array.from({ length: 20 }, (_, i) => {
      const vector = engine.vector(1 + i);
      vector.view.fill(i);
      return vector;
    });
    const own = engine.bytesInUse - inUse;
    expect(own).toBeGreaterThan(0);
    handle.free();
    handle[Symbol.dispose]();
    expect(engine.bytesInUse - inUse).toBe(own);
    const more = engine.vector(4);
    more.view.fill(-1);
    next.forEach((vector, i) => {
      expect(vector.view.every((value) => value === i)).toBe(true);
    });
  });

  test.each(names)('%s: Symbol.dispose frees it', (name) => {
    const engine = make();
    const [handle, uses] = handles(engine)[name];
    const before = engine.bytesInUse;
    handle[Symbol.dispose]();
    expect(engine.bytesInUse).toBeLessThan(before);
    for (const use of Object.values(uses)) expect(thrown(use).code).toBe('ERR_ENGINE');
  });

  test('memory that others had reads as zeros', () => {
    const engine = make();
    const dirty = engine.vector(1000);
    dirty.view.fill(Number.NaN);
    dirty.free();
    for (const view of [engine.vector(3).view, engine.rows(3, 5).view, engine.columns(9, SPECS).numeric(0)]) {
      expect([...view]).toEqual(new Array(view.length).fill(0));
    }
  });

  test('no Hessian before there is a point', () => {
    const engine = make();
    const likelihood = engine.likelihood(engine.rows(2, 2), { y: [0, 1] });
    const three = new Float64Array(3);
    likelihood.loss(three);
    for (const use of [
      () => likelihood.hessian(new Float64Array(9)),
      () => likelihood.hessianVector(three, three.slice()),
    ]) {
      expect(thrown(use)).toEqual({
        code: 'ERR_RANGE',
        message: 'Hessian: expected a point, got none; call lossGradient first',
      });
    }
  });

  test('shapes cannot be written over', () => {
    const engine = make();
    const specs: ColumnSpec[] = [{ kind: 'coded', slots: 3 }];
    const batch = engine.columns(2, specs);
    specs.push({ kind: 'numeric' });
    (specs[0] as { slots: number }).slots = 1;
    expect(batch.specs).toEqual([{ kind: 'coded', slots: 3 }]);
    const out = engine.vector(2);
    for (const [thing, name] of [
      [batch, 'slots'],
      [batch.specs[0], 'slots'],
      [batch.offsets, 0],
      [out, 'length'],
      [engine.rows(1, 1), 'stride'],
      [engine.weights(batch), 'count'],
      [engine.sparse(SPARSE, 2), 'rows'],
      [new Ftrl(engine, { slots: 3 }), 'slots'],
    ] as [Record<string, unknown>, string][]) {
      expect(() => {
        thing[name] = 1e6;
      }).toThrow(TypeError);
    }
  });
});
