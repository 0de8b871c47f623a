import { describe, expect, test } from 'vitest';
import type { ColumnSpec } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import { Ftrl } from '../../bindings/ftrl.ts';
import type { LikelihoodPoint } from '../../bindings/likelihood.ts';
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
  const [own, point] = [likelihood, part].map((one) => one.at(three, three.slice()));
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
        at: () => likelihood.at(three, three.slice()),
        'hessian of a point': () => own.hessian(new Float64Array(9)),
        'classHessian of a point': () => own.classHessian(0, new Float64Array(9)),
        'hessianVector of a point': () => own.hessianVector(three, three.slice()),
        gram: () => likelihood.gram(three, new Float64Array(9)),
        transpose: () => likelihood.transpose(three, new Float64Array(9)),
        squares: () => likelihood.squares(three, new Float64Array(9)),
        logits: () => likelihood.logits(three, three.slice()),
        select: () => likelihood.select(Int32Array.of(0)),
      },
    ],
    'batch of a likelihood': [
      other,
      {
        loss: () => part.loss(three),
        at: () => part.at(three, three.slice()),
        'hessian of a point': () => point.hessian(new Float64Array(9)),
        'classHessian of a point': () => point.classHessian(0, new Float64Array(9)),
        'hessianVector of a point': () => point.hessianVector(three, three.slice()),
        gram: () => part.gram(three, new Float64Array(9)),
        transpose: () => part.transpose(three, new Float64Array(9)),
        squares: () => part.squares(three, new Float64Array(9)),
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

  describe.each(['binomial', 'multinomial'])('a point of the %s likelihood', (kind) => {
    const open = () => {
      const engine = make();
      const batch = engine.rows(3, 2);
      batch.set([1, 2, -1, 0.5, 3, -2]);
      const likelihood =
        kind === 'binomial'
          ? engine.likelihood(batch, { y: [0, 1, 1], weight: [1, 2, 3] })
          : engine.multinomial(batch, { y: [0, 1, 2], classes: 3, weight: [1, 2, 3] });
      const { parameters, classes } = likelihood;
      const here = Float64Array.from({ length: parameters }, (_, j) => (j + 1) / 10);
      const there = here.map((value) => -2 * value);
      /** all that a point gives */
      const derivatives = (point: LikelihoodPoint) => {
        const [h, product] = [new Float64Array(parameters ** 2), new Float64Array(parameters)];
        point.hessian(h);
        point.hessianVector(there, product);
        return [point.loss, ...h, ...product];
      };
      return { likelihood, parameters, classes, here, there, derivatives };
    };

    test('refuses once the likelihood was evaluated elsewhere, or there again', () => {
      const { likelihood, parameters, here, there, derivatives } = open();
      const gradient = new Float64Array(parameters);
      const first = likelihood.at(here, gradient);
      const before = derivatives(first);
      for (const next of [there, here]) {
        const point = likelihood.at(next, gradient);
        for (const use of [
          () => first.hessian(new Float64Array(parameters ** 2)),
          () => first.hessianVector(there, gradient),
        ]) {
          expect(thrown(use)).toEqual({
            code: 'ERR_RANGE',
            message: 'Hessian: expected the point of the last evaluation, got an earlier one; call `at` again',
          });
        }
        // which harms neither the new point nor the loss of the old one
        if (next === here) expect(derivatives(point)).toEqual(before);
        else expect(derivatives(point)).not.toEqual(before);
        expect(first.loss).toBe(before[0]);
      }
    });

    test('is left as it is by losses, logits, matrices, selections and calls that are refused', () => {
      const { likelihood, parameters, classes, here, there, derivatives } = open();
      const point = likelihood.at(here, new Float64Array(parameters));
      const before = derivatives(point);
      const between: Record<string, () => unknown> = {
        loss: () => likelihood.loss(there),
        logits: () => likelihood.logits(there, new Float64Array(3 * classes)),
        gram: () => likelihood.gram(Float64Array.of(1, -2, 3), new Float64Array(9)),
        transpose: () => likelihood.transpose(Float64Array.of(1, -2, 3), new Float64Array(3)),
        squares: () => likelihood.squares(Float64Array.of(1, -2, 3), new Float64Array(3)),
        'the point of a selection': () => {
          const { likelihood: part } = likelihood.select(Int32Array.of(1));
          part.at(there.subarray(0, part.parameters), new Float64Array(part.parameters));
          part.free();
        },
        'parameters of another length': () =>
          thrown(() => likelihood.at(Float64Array.of(1), new Float64Array(parameters))),
        'a gradient that is too short': () => thrown(() => likelihood.at(there, new Float64Array(parameters - 1))),
      };
      for (const [what, use] of Object.entries(between)) {
        use();
        expect([what, ...derivatives(point)]).toEqual([what, ...before]);
      }
    });
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
