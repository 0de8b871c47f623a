import { describe, expect, it } from 'vitest';
import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { Table } from '../../src/encode/table.ts';
import { loadModel } from '../../src/load.ts';
import { saveModel } from '../../src/model/file.ts';
import type { FittedModel } from '../../src/model/fittedModel.ts';
import { scoreBatch } from '../../src/model/scoreBatch.ts';
import type { Scores } from '../../src/model/scores.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { engines } from '../engine/engines.ts';
import { coded, numeric, random, table, values, withColumns } from '../train/oracles.ts';

const next = random(31);
const rows = 203;
const signal = Array.from({ length: rows }, () => 2 * next() - 1);
const data = table(
  numeric('x', signal),
  numeric(
    'age',
    signal.map(() => 20 + 60 * next()),
    [3, 8, 21],
  ),
  coded(
    'city',
    signal.map(() => ['Bonn', 'Köln', 'Trier', null][Math.floor(4 * next())]),
  ),
  numeric(
    'o',
    signal.map(() => next() - 0.5),
  ),
  coded(
    'y',
    signal.map((x) => (next() < 1 / (1 + Math.exp(-2 * x)) ? 'yes' : 'no')),
  ),
  coded(
    'k',
    signal.map((x) => ['a', 'b', 'c'][Math.min(2, Math.floor(1.5 * (x + 1) + next() / 2))]),
  ),
);

const two = { target: 'y', exclude: ['k', 'o'] } satisfies FitOptions;
const three = { target: 'k', exclude: ['y', 'o'] } satisfies FitOptions;
const costs = [
  [0, 2, 4],
  [1, 0, 1],
  [9, 3, 0],
];
const MODELS: [string, FitOptions][] = [
  ['two classes', two],
  ['the first class positive', { ...two, positive: 'no' }],
  ['an offset', { target: 'y', exclude: ['k'], offset: 'o' }],
  ['a threshold', { ...two, decide: { threshold: 0.7 } }],
  ['Platt, a prior, a band for review', { ...two, calibrate: 'platt', prior: 0.2, review: { low: 0.1, high: 0.3 } }],
  ['isotonic, costs', { ...two, calibrate: 'isotonic', decide: { by: 'cost', costs: { fp: 1, fn: 3 } } }],
  [
    'curves, bins, tags',
    {
      ...two,
      schema: {
        features: [
          { name: 'age', kind: 'numeric', spline: 3, missing: 'slot' },
          { name: 'years', column: 'age', kind: 'numeric', bins: 4 },
          { name: 'city', kind: 'tags' },
          { name: 'town', column: 'city', kind: 'categorical', encoding: 'target' },
          { kind: 'cross', of: ['years', 'x'], buckets: 4 },
          { name: 'x', kind: 'numeric', bins: 3 },
        ],
      },
    },
  ],
  ['three classes', three],
  ['three classes, one against the rest', { ...three, multiclass: 'ovr' }],
  ['three classes, temperature', { ...three, calibrate: 'temperature', review: { share: 0.2 } }],
  ['three classes, costs', { ...three, decide: { by: 'cost', costs } }],
];
const NUMBERS: [string, FitOptions][] = [
  ['two classes', { target: 'y', features: ['x', 'o'] }],
  ['an offset', { target: 'y', features: ['x'], offset: 'o' }],
  ['three classes', { target: 'k', features: ['x', 'o'] }],
];

/** the parts of scores that a batch has */
const partsOf = ({ rows: count, logits, probabilities, labels, review }: Scores) => ({
  ...{ count, logits, probabilities, labels, review },
});

function encoded(model: FittedModel, engine: Engine, precision: Precision, of: Table = data): ColumnsBatch {
  const batch = engine.columns(of.rows, model.encoder.specs, precision);
  model.encoder.encode(of, batch, { standardize: false });
  return batch;
}

const offsetsOf = (model: FittedModel) => (model.manifest.offset === null ? undefined : values(data, 'o'));

describe.each(engines)('a batch has the bits of its table, %s', (_, makeEngine) => {
  it.each(MODELS)('%s', (_, options) => {
    const { model } = fitTable(data, options);
    for (const one of [model, loadModel(saveModel(model))])
      for (const precision of ['f64', 'f32'] as const) {
        const engine = makeEngine();
        const batch = encoded(one, engine, precision);
        const before = engine.bytesInUse;
        const found = scoreBatch(one, engine, batch, offsetsOf(one));
        expect(partsOf(found)).toEqual(partsOf(one.scoreTable(data, { engine, precision })));
        expect([...found.defaulted, ...found.outOfRange].every((value) => value === 0)).toBe(true);
        expect(engine.bytesInUse).toBe(before);
        batch.free();
        expect(engine.bytesInUse).toBe(0);
      }
  });

  it.each(NUMBERS)('rows of numbers: %s', (_, options) => {
    const { model } = fitTable(data, options);
    for (const precision of ['f64', 'f32'] as const) {
      const engine = makeEngine();
      const { features } = model.manifest.schema;
      const batch = engine.rows(rows, features.length, precision);
      const cells = features.map(({ name }) => values(data, name));
      batch.set(
        Float64Array.from(
          { length: rows * cells.length },
          (_, at) => cells[at % cells.length][Math.floor(at / cells.length)],
        ),
      );
      expect(partsOf(scoreBatch(model, engine, batch, offsetsOf(model)))).toEqual(
        partsOf(model.scoreTable(data, { engine, precision })),
      );
      batch.free();
    }
  });

  it('many rows, in parts', () => {
    const engine = makeEngine();
    const { model } = fitTable(data, { target: 'k', features: ['x', 'o'] });
    const many = 2 * 8192 + 5;
    const cells = Float64Array.from({ length: 2 * many }, (_, i) => Math.sin(i));
    const batch = engine.rows(many, 2);
    batch.set(cells);
    const column = (j: number) => Array.from({ length: many }, (_, i) => cells[2 * i + j]);
    const source = table(numeric('x', column(0)), numeric('o', column(1)));
    expect(partsOf(scoreBatch(model, engine, batch))).toEqual(partsOf(model.scoreTable(source, { engine })));
  });

  it('what does not fit is refused, and memory is given back', () => {
    const engine = makeEngine();
    const { model } = fitTable(data, two);
    const shifted = fitTable(data, { target: 'y', features: ['x'], offset: 'o' }).model;
    const batch = encoded(model, engine, 'f64');
    const numbers = engine.rows(rows, 1);
    numbers.set(Float64Array.from(signal));
    const one = engine.columns(rows, [{ kind: 'numeric' }]);
    one.numeric(0).set(signal);
    const few = engine.columns(
      rows,
      model.encoder.specs.map(({ kind }) => (kind === 'coded' ? { kind, slots: 9 } : { kind })),
    );
    const sparse = engine.sparse({ rowPtr: [0, 1], colIdx: [0], values: [1] }, 1);
    const freed = engine.rows(3, 1);
    freed.free();
    const other = makeEngine();
    const before = engine.bytesInUse;
    const offsets = values(data, 'o');
    const cases: [() => unknown, string, RegExp][] = [
      [
        () => scoreBatch(model, engine, one),
        'ERR_SHAPE',
        /batch: expected \d columns, got 1; make it with model.encoder.specs/,
      ],
      [
        () => scoreBatch(model, engine, few),
        'ERR_SHAPE',
        /batch: expected a category of \d slots in column \d, got a category of 9/,
      ],
      [
        () => scoreBatch(model, engine, numbers),
        'ERR_SHAPE',
        /batch: expected columns \(the model has categories\), got rows/,
      ],
      [() => scoreBatch(model, engine, sparse as never), 'ERR_SHAPE', /batch: expected a batch of columns or rows/],
      [() => scoreBatch(model, engine, null as never), 'ERR_ENGINE', /batch: expected/],
      [() => scoreBatch(model, engine, { layout: 'columns', rows } as never), 'ERR_ENGINE', /batch/],
      [
        () => scoreBatch(model, engine, { ...batch, layout: 'columns', specs: model.encoder.specs, rows } as never),
        'ERR_ENGINE',
        /batch/,
      ],
      [
        () => scoreBatch(model, undefined as never, batch),
        'ERR_ENGINE',
        /engine: expected one with training, got undefined/,
      ],
      [() => scoreBatch(model, {} as never, batch), 'ERR_ENGINE', /engine: expected one with training, got another/],
      [() => scoreBatch(model, other, batch), 'ERR_ENGINE', /engine/],
      [() => scoreBatch(shifted, engine, freed), 'ERR_ENGINE', /free/],
      [() => scoreBatch(model, engine, batch, offsets), 'ERR_SHAPE', /offsets: expected none, got some/],
      [() => scoreBatch(shifted, engine, one), 'ERR_SHAPE', /offsets: expected one a row \(o\), got none/],
      [() => scoreBatch(shifted, engine, one, offsets.slice(1)), 'ERR_SHAPE', /offsets: expected 203 numbers, got 202/],
      [
        () =>
          scoreBatch(
            shifted,
            engine,
            one,
            offsets.map((_, i) => (i === 7 ? Number.NaN : 0)),
          ),
        'ERR_RANGE',
        /offsets: expected .*got NaN at 7/,
      ],
      [
        () =>
          scoreBatch(
            shifted,
            engine,
            one,
            offsets.map(() => Number.POSITIVE_INFINITY),
          ),
        'ERR_RANGE',
        /offsets: expected/,
      ],
    ];
    for (const [run, code, message] of cases)
      expect(run).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    // a cell that is no number: its row and column
    one.numeric(0)[5] = Number.NaN;
    expect(() => scoreBatch(shifted, engine, one, offsets)).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD', message: expect.stringMatching(/^row 5 \(from 0\), column "x"/) }),
    );
    expect(engine.bytesInUse).toBe(before);
  });

  it('in f32 as far as it keeps the logits of cells as they are, and not beyond', () => {
    const engine = makeEngine();
    const far = withColumns(
      data,
      numeric(
        'far',
        signal.map((x) => 1e9 + x),
      ),
    );
    const { model } = fitTable(far, { target: 'y', features: ['far'] });
    const batch = encoded(model, engine, 'f32', far);
    expect(() => scoreBatch(model, engine, batch)).toThrow(
      expect.objectContaining({
        code: 'ERR_RANGE',
        message: expect.stringMatching(/^batch: expected "f64", got "f32"/),
      }),
    );
    batch.free();
    expect(engine.bytesInUse).toBe(0);
  });
});
