import { expect, test } from 'vitest';
import { LearningCurve } from '../../cli/src/jobs/learningCurve.ts';

test('an endless stream has a bounded curve at multiples of a number of rows that doubles, with the last state behind', () => {
  const curve = new LearningCurve();
  const rows = 1_000_000;
  for (let at = 0; at < rows; ) {
    at = Math.min(rows, curve.next(at));
    curve.add({ rows: at, logLoss: 1 / at });
  }
  const [step] = curve.rows;
  expect(step).toBe(128 * 2 ** 4);
  expect(curve.rows).toEqual(Array.from({ length: Math.floor(rows / step) }, (_, k) => (k + 1) * step));
  expect(curve.rows.length).toBeLessThanOrEqual(512);
  curve.finish({ rows, logLoss: 7 });
  curve.finish({ rows, logLoss: 8 });
  expect([curve.rows.at(-1), curve.logLoss.at(-1)]).toEqual([rows, 7]);
  expect(curve.logLoss[0]).toBe(1 / step);
});

test('nothing is known before a row of positive weight', () => {
  const curve = new LearningCurve();
  curve.add({ rows: 128, logLoss: null });
  curve.finish({ rows: 130, logLoss: null });
  expect(curve.rows).toEqual([]);
});
