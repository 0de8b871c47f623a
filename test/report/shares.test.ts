import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateHeldOut, ruledOut } from '../../cli/src/jobs/heldOut.ts';
import { fit as fitTable, type Model, type Table } from '../../src/index.ts';
import { sigmoid } from '../../src/kernels.ts';
import { trueFactors } from '../../src/train/decided.ts';

/** A model that says 1 in 5 rows are positive, of rows of which half are. */
function modelWithPrior(): Model {
  const values = Float64Array.from({ length: 40 }, (_, i) => (i % 10) - 4.5);
  const codes = Uint8Array.from(values, (x, i) => (x + ((i * 7) % 5) - 2 > 0 ? 1 : 0));
  const columns: Table['columns'] = [
    { name: 'x', kind: 'numeric', values },
    { name: 'y', kind: 'coded', codes, levels: ['no', 'yes'] },
  ];
  const { model } = fitTable({ rows: 40, columns }, { target: 'y' });
  const calibration = { method: 'none', calibrators: [], shift: [0], by: null, prior: [0.8, 0.2] };
  Object.assign(model.manifest, { calibration });
  return model;
}

interface Row {
  readonly z: number;
  readonly code: number;
  readonly weight: number;
}

function judge(model: Model, rows: readonly Row[]) {
  const z = Float64Array.from(rows, (row) => row.z);
  const probabilities = z.map((one) => sigmoid(one));
  const table: Table = {
    rows: rows.length,
    columns: [
      { name: 'y', kind: 'coded', codes: Uint8Array.from(rows, ({ code }) => code), levels: ['no', 'yes'] },
      { name: 's', kind: 'numeric', values: Float64Array.from(rows, ({ weight }) => weight) },
    ],
  };
  const labels = Uint8Array.from(probabilities, (p) => (p > 0.5 ? 1 : 0));
  const scores = { logits: [z], probabilities: [probabilities], labels };
  return evaluateHeldOut(model, scores, table, { weight: 's' });
}

const row = fc.record({
  z: fc.integer({ min: -30, max: 30 }).map((value) => value / 8),
  code: fc.integer({ min: 0, max: 1 }),
  weight: fc.integer({ min: 0, max: 3 }),
});
const someRows = fc
  .array(row, { minLength: 4, maxLength: 30 })
  .filter((list) => [0, 1].every((code) => list.some((one) => one.code === code && one.weight > 0)));
const model = modelWithPrior();

describe('held-out rows of a model with a prior', () => {
  it('figures are those of rows in which each class is repeated until it has its share', () => {
    fc.assert(
      fc.property(someRows, (list) => {
        const many = list.flatMap((one) => Array.from({ length: one.weight }, () => ({ ...one, weight: 1 })));
        const negatives = many.filter(({ code }) => code === 0);
        const positives = many.filter(({ code }) => code === 1);
        // four of one for one of the other
        const repeated = [
          ...negatives.flatMap((one) => Array.from({ length: 4 * positives.length }, () => one)),
          ...positives.flatMap((one) => Array.from({ length: negatives.length }, () => one)),
        ];
        const plain = { ...model, manifest: { ...model.manifest, calibration: { ...model.manifest.calibration } } };
        delete (plain.manifest.calibration as { prior?: unknown }).prior;
        const { metrics, scored } = judge(model, list);
        const expected = judge(plain as unknown as Model, repeated).metrics!;
        for (const [name, value] of Object.entries(metrics!)) {
          expect(Math.abs(value - expected[name as keyof typeof expected]!), name).toBeLessThanOrEqual(1e-9);
        }
        // the rows weigh as much as they did
        const total = scored!.weight!.reduce((sum, one) => sum + one, 0);
        expect(Math.abs(total - many.length)).toBeLessThanOrEqual(1e-9 * many.length);
      }),
      { numRuns: 60 },
    );
  });

  it('factors by hand; a class that does not occur takes no weight from the others', () => {
    expect(trueFactors([50, 50], [0.9, 0.1])).toEqual([expect.closeTo(1.8, 12), expect.closeTo(0.2, 12)]);
    const [first, second, third] = trueFactors([10, 0, 30], [0.25, 0.5, 0.25]);
    expect([first, second, third]).toEqual([expect.closeTo(2, 12), 1, expect.closeTo(2 / 3, 12)]);
  });

  it('counts the rows whose class has no probability', () => {
    const probabilities = [Float64Array.of(0, 1, 0, 1, 0.5)];
    const rows = { logits: probabilities, probabilities, labels: [0, 0, 0, 0, 0], codes: [1, 0, 0, 1, 1] };
    expect(ruledOut(model, rows)).toBe(2);
    expect(ruledOut(model, { ...rows, weight: Float64Array.of(1, 0, 1, 1, 1) })).toBe(1);
  });
});
