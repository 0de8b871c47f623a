import { expect, it } from 'vitest';
import { calibrate } from '../../src/train/calibrated.ts';
import { fit } from '../../src/train/fit.ts';

const rows = Array.from({ length: 90 }, (_, i) => ({
  y: (i * 7 + (i % 4)) % 3,
  two: (i * 7) % 11 > 5 ? 'yes' : 'no',
  x: (i * 13) % 17,
  z: (i * 5) % 7,
}));

it('a threshold to choose for three classes is refused before the work of the fit', () => {
  const phases: string[] = [];
  const onPhase = (phase: string) => phases.push(phase);
  const options = { target: 'y', exclude: ['two'], decide: { by: 'fbeta', beta: 1 }, onPhase } as const;
  expect(() => fit(rows, options)).toThrow('threshold: expected a model of two classes, got 3 ("0", "1", "2")');
  expect(phases).toEqual([]);
});

it('rows of a holdout may be records', () => {
  const options = { target: 'two', exclude: ['y'] };
  const held = rows.slice(0, 40);
  const { model } = fit(rows.slice(40), { ...options, calibrate: { method: 'platt', holdout: held } });
  const { model: plain } = fit(rows.slice(40), options);
  expect(calibrate(plain, held, { method: 'platt' }).manifest.calibration).toEqual(model.manifest.calibration);
  expect(model.manifest.calibration?.method).toBe('platt');
});
