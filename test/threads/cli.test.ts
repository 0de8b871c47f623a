import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { workspace } from '../cli/run.ts';
import { numbers } from '../engine/engines.ts';
import { bits } from '../engine/kernels.ts';
import { sweep } from '../full.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const { write, run, json, path } = workspace();

test('--threads: the same weights, covariance and scores to the byte, and what is no number of threads is wrong usage', () => {
  const next = numbers(3);
  // three blocks of the reduction
  const lines = ['x,city,late'];
  for (let i = 0; i < 140_000; i++) {
    const [x, city] = [next(), Math.floor((next() + 1) * 3)];
    lines.push(`${x},${'abcdef'[city]},${next() < x - city / 9 ? 'yes' : 'no'}`);
  }
  write('data.csv', lines.join('\n'));
  const common = ['data.csv', '--target', 'late', '--no-penalty', '--inference', '--no-holdout'];
  const fits = sweep(['1', '3'], ['1', '2', '3']).map((threads) => {
    const { fit } = json(['train', ...common, '--threads', threads, '--out', `${threads}.safetensors`]);
    const model = `${threads}.safetensors`;
    const { rows } = json(['score', model, 'data.csv', '--threads', threads, '--out', `${threads}.csv`]);
    expect(rows).toBe(140_000);
    const { weights, intercept, covariance } = loadModel(readFileSync(path(`${threads}.safetensors`)));
    return {
      fit: { ...fit, seconds: 0 },
      estimate: [weights, intercept, covariance!].map((values) => String(bits(values))),
      scores: sha256(readFileSync(path(`${threads}.csv`))),
    };
  });
  expect(fits[0].fit.converged).toBe(true);
  for (const fit of fits) expect(fit).toEqual(fits[0]);
  for (const threads of ['0', '1.5', '300', 'all']) {
    const { status, stderr } = run(['train', ...common, '--threads', threads, '--out', 'none.safetensors']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('integer from 1 to 256') });
  }
});
