import { describe, expect, test } from 'vitest';
import { slotNames } from '../../src/encode/slots.ts';
import {
  type Column,
  coefficients,
  inferSchema,
  LogoddsError,
  loadModel,
  OnlineLearner,
  type StartOptions,
  saveModel,
  sliceTable,
  type Table,
} from '../../src/index.ts';
import { engines, numbers } from '../engine/engines.ts';

/** rows of a known model, with gaps in x, levels a to d, weights 0 to 3 and an offset */
function sample(seed: number, rows: number, levels = ['a', 'b', 'c', 'd']): Table {
  const next = numbers(seed);
  const values = () => Float64Array.from({ length: rows }, next);
  const x = values();
  const gap = Uint8Array.from({ length: rows }, () => (next() > 0.8 ? 1 : 0));
  const codes = Uint8Array.from({ length: rows }, () => Math.floor(((next() + 1) / 2) * levels.length));
  const offset = values();
  const weight = Float64Array.from({ length: rows }, () => Math.floor((next() + 1) * 2));
  const label = Uint8Array.from({ length: rows }, (_, i) => {
    const logit = (gap[i] ? 1 : 3 * x[i]) + codes[i] - 1.5 + offset[i];
    return (next() + 1) / 2 < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
  });
  const columns: Column[] = [
    { name: 'x', kind: 'numeric', values: x.map((v) => 100 + 10 * v), missing: gap },
    { name: 'kind', kind: 'coded', codes, levels },
    { name: 'offset', kind: 'numeric', values: offset },
    { name: 'weight', kind: 'numeric', values: weight },
    { name: 'late', kind: 'coded', codes: label, levels: ['no', 'yes'] },
  ];
  return { rows, columns };
}

const replaced = (table: Table, column: Column): Table => ({
  ...table,
  columns: table.columns.map((one) => (one.name === column.name ? column : one)),
});

const OPTIONS: StartOptions = { target: 'late', weight: 'weight', offset: 'offset', l1: 0.1, l2: 0.2 };
const table = sample(1, 2000);

const caught = (run: () => unknown): LogoddsError => {
  try {
    run();
  } catch (error) {
    if (error instanceof LogoddsError) return error;
    throw error;
  }
  throw new Error('expected an error');
};

describe.each(engines)('online learning from tables, %s', (_, make) => {
  test('rows, progressive log loss, and a model that predicts them', () => {
    const learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    expect(learner.progress).toEqual({ rows: 0, logLoss: null });
    const first = learner.partialFit(sliceTable(table, 0, 200));
    const rest = learner.partialFit(sliceTable(table, 200, 2000));
    expect([first.rows, rest.rows, learner.progress.rows]).toEqual([200, 1800, 2000]);
    expect(rest.logLoss!).toBeLessThan(first.logLoss!);
    const { fit, objective } = learner.model().manifest;
    const { logLoss } = learner.progress;
    expect(fit.objective).toBe(logLoss);
    expect(fit.logLik).toBe(-logLoss! * fit.totalWeight);
    expect(fit.logLik).toBeGreaterThan(fit.nullLogLik);
    expect([fit.solver, fit.reason, fit.converged, fit.rows, fit.gradNorm]).toEqual([
      'ftrl',
      'online',
      false,
      2000,
      null,
    ]);
    // λ₁ = λSα and λ₂ = λS(1 − α)
    expect(objective.lambda * objective.l1Ratio * fit.totalWeight).toBeCloseTo(0.1, 12);
    expect(objective.lambda * (1 - objective.l1Ratio) * fit.totalWeight).toBeCloseTo(0.2, 12);
    expect(learner.partialFit(sliceTable(table, 0, 0))).toEqual({ rows: 0, logLoss: null });
  });

  test('the model gives raw features the logits that the learner had for standardised ones', () => {
    const learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    learner.partialFit(table);
    const model = loadModel(saveModel(learner.model()));
    for (const x of [90, 100.5, null]) {
      // one more row with weight 1: its loss is that of the model before it
      const one: Table = {
        rows: 1,
        columns: [
          { name: 'x', kind: 'numeric', values: Float64Array.of(x ?? 0), missing: Uint8Array.of(x === null ? 1 : 0) },
          { name: 'kind', kind: 'coded', codes: Uint8Array.of(0), levels: ['c'] },
          { name: 'offset', kind: 'numeric', values: Float64Array.of(0.25) },
          { name: 'weight', kind: 'numeric', values: Float64Array.of(1) },
          { name: 'late', kind: 'coded', codes: Uint8Array.of(0), levels: ['yes'] },
        ],
      };
      const { probability } = OnlineLearner.resume(learner.checkpoint(), make())
        .model()
        .score({ x, kind: 'c', offset: 0.25 });
      expect(model.score({ x, kind: 'c', offset: 0.25 }).probability).toBe(probability);
      const copy = OnlineLearner.resume(learner.checkpoint(), make());
      // sums of some 2000 losses are subtracted, and weights are folded
      expect(copy.partialFit(one).logLoss).toBeCloseTo(-Math.log(probability), 9);
    }
  });

  test('a checkpoint goes on bit for bit, however the rows are cut', () => {
    const whole = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    whole.partialFit(table);
    let learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    for (const [from, to] of [
      [0, 1],
      [1, 700],
      [700, 1999],
      [1999, 2000],
    ]) {
      learner.partialFit(sliceTable(table, from, to));
      const bytes = learner.checkpoint();
      learner.free();
      learner = OnlineLearner.resume(bytes, make());
      expect(learner.checkpoint()).toEqual(bytes);
    }
    expect(learner.checkpoint()).toEqual(whole.checkpoint());
    expect(saveModel(learner.model())).toEqual(saveModel(whole.model()));
  });

  test('levels that the schema does not know learn the slot of unseen values', () => {
    const learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    const unseen = (model = learner.model()) =>
      model.weights[slotNames(model.encoder).findIndex(({ role }) => role === 'unseen')];
    learner.partialFit(table);
    expect(unseen()).toBe(0);
    learner.partialFit(sample(2, 500, ['w', 'x', 'y', 'z']));
    expect(unseen()).not.toBe(0);
    expect(learner.model().score({ x: 100, kind: 'never', offset: 0 })).toEqual(
      learner.model().score({ x: 100, kind: 'w', offset: 0 }),
    );
  });

  test('a bad cell is named by row of the stream and column, and nothing of its table is learnt', () => {
    const learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    learner.partialFit(sliceTable(table, 0, 100));
    const before = learner.checkpoint();
    const part = sliceTable(table, 100, 200);
    const bad = (name: string, value: number): Column => ({
      name,
      kind: 'numeric',
      values: Float64Array.from({ length: 100 }, (_, i) => (i === 7 ? value : 1)),
    });
    const gap = Uint8Array.from({ length: 100 }, (_, i) => (i === 7 ? 1 : 0));
    const label = part.columns[4] as Column & { kind: 'coded' };
    const cases: [Table, RegExp][] = [
      [replaced(part, bad('x', Number.NaN)), /^row 107 \(from 0\), column "x": expected a finite number/],
      [replaced(part, bad('weight', -1)), /^row 107 \(from 0\), column "weight": expected a weight >= 0, got -1/],
      [
        replaced(part, { ...bad('offset', 1), missing: gap }),
        /^row 107 \(from 0\), column "offset": expected a finite number/,
      ],
      [
        replaced(part, { ...label, missing: gap }),
        /^row 107 \(from 0\), column "late": expected a class \("no", "yes"\), got nothing/,
      ],
      [
        replaced(part, { ...label, levels: ['no', 'maybe'], codes: new Uint8Array(100).fill(1, 7) }),
        /^row 107 \(from 0\), column "late": expected a class \("no", "yes"\), got "maybe"/,
      ],
    ];
    for (const [input, message] of cases) {
      const error = caught(() => learner.partialFit(input));
      expect(error.code).toBe('ERR_RECORD');
      expect(error.detail).toMatch(message);
      expect(learner.checkpoint()).toEqual(before);
    }
    const absent = caught(() => learner.partialFit({ rows: 100, columns: part.columns.slice(1) }));
    expect([absent.code, absent.message]).toEqual(['ERR_SCHEMA', expect.stringMatching(/expected column "x"/)]);
  });

  test('a feature with gaps: the coefficients listed are all that act', () => {
    const learner = OnlineLearner.start(table, { target: 'late', features: ['x'], engine: make() });
    learner.partialFit(table);
    const model = learner.model();
    const of = (level: string | null, feature = 'x') =>
      coefficients(model).find((line) => line.feature === feature && line.level === level)!.value!;
    expect(model.score({ x: 95 }).logit).toBeCloseTo(of(null, '(intercept)') + 95 * of(null), 10);
    const mean = model.manifest.schema.features[0];
    expect(model.score({ x: null }).logit).toBeCloseTo(
      of(null, '(intercept)') + of('(missing)') + (mean.kind === 'numeric' ? mean.mean : 0) * of(null),
      10,
    );
  });
});

test('the engines agree on every byte of a checkpoint', () => {
  const [first, ...others] = engines.map(([, make]) => {
    const learner = OnlineLearner.start(table, { ...OPTIONS, engine: make() });
    learner.partialFit(table);
    return learner.checkpoint();
  });
  for (const other of others) expect(other).toEqual(first);
});

test('a checkpoint with any byte changed, or cut short, is refused; so are a model, another format and no file at all', () => {
  const learner = OnlineLearner.start(table, OPTIONS);
  learner.partialFit(table);
  const bytes = learner.checkpoint();
  for (let at = 0; at < bytes.length; at += 97) {
    const damaged = bytes.slice();
    damaged[at] ^= 1;
    expect(caught(() => OnlineLearner.resume(damaged)).code, `byte ${at}`).toBe('ERR_FORMAT');
  }
  for (const part of [bytes.slice(0, -1), bytes.slice(0, 40), new Uint8Array(0)]) {
    expect(caught(() => OnlineLearner.resume(part)).message).toMatch(/^checkpoint: expected a whole file/);
  }
  expect(caught(() => OnlineLearner.resume(saveModel(learner.model()))).message).toMatch(
    /got a model, which cannot learn/,
  );
  expect(caught(() => loadModel(bytes)).code).toBe('ERR_FORMAT');
});

test('what a learner cannot start from is refused', () => {
  const one = replaced(table, { name: 'late', kind: 'coded', codes: new Uint8Array(2000), levels: ['no'] });
  expect(caught(() => OnlineLearner.start(one, OPTIONS)).message).toMatch(
    /at least two classes, got 1.*use more of them, or name both/,
  );
  const named = OnlineLearner.start(one, { ...OPTIONS, classes: ['yes', 'no'] });
  expect([named.classes, named.positive]).toEqual([['no', 'yes'], 'yes']);
  const three = replaced(table, {
    name: 'late',
    kind: 'coded',
    codes: Uint8Array.from({ length: 2000 }, (_, i) => i % 3),
    levels: ['a', 'b', 'c'],
  });
  expect(caught(() => OnlineLearner.start(three, OPTIONS)).message).toMatch(
    /expected two classes to learn online, got more/,
  );
  const treatment = inferSchema(table, { exclude: ['late', 'weight', 'offset'], coding: 'treatment' });
  const classes = ['no', 'yes'] as const;
  expect(caught(() => new OnlineLearner(treatment, { target: 'late', classes, positive: 'yes' })).code).toBe(
    'ERR_SCHEMA',
  );
  const onehot = inferSchema(table, { exclude: ['late', 'weight', 'offset'], coding: 'onehot' });
  expect(caught(() => new OnlineLearner(onehot, { target: 'late', classes, positive: 'maybe' })).code).toBe(
    'ERR_TARGET',
  );
  expect(caught(() => new OnlineLearner(onehot, { target: 'late', classes, positive: 'yes' }).model()).code).toBe(
    'ERR_DATA',
  );
});
