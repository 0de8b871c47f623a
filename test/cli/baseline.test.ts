import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inspectJson, inspectReport } from '../../cli/src/commands/inspect.ts';
import { onlineCommand } from '../../cli/src/jobs/online.ts';
import { cvCommand } from '../../cli/src/jobs/path.ts';
import { stackCommand } from '../../cli/src/jobs/stack/stack.ts';
import { trainCommand } from '../../cli/src/jobs/train.ts';
import type { TrainOptions } from '../../cli/src/jobs/trainOptions.ts';
import { RowSample } from '../../cli/src/read/rowSample.ts';
import { loadModel, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { baselineOf, drift } from '../../src/monitor.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-baseline-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const random = splitmix32(3);
const rows = Array.from({ length: 1200 }, () => {
  const [x, w] = [4 * random() - 2, 4 * random() - 2];
  const kind = ['a', 'b', 'c'][Math.floor(3 * random())];
  return { x, w, kind, y: random() < 1 / (1 + Math.exp(-x - 0.5 * w)) ? 'yes' : 'no' };
});
const csv = (name: string, list: readonly object[]): string => {
  writeFileSync(
    at(name),
    `${[Object.keys(list[0]).join(), ...list.map((row) => Object.values(row).join())].join('\n')}\n`,
  );
  return at(name);
};
const data = csv('rows.csv', rows);
const train = (options: Partial<TrainOptions> = {}) => trainCommand({ data, target: 'y', out: at('m.st'), ...options });
const saved = () => loadModel(readFileSync(at('m.st')));
const notes = ({ warnings }: { readonly warnings: readonly { code: string; message: string }[] }) =>
  warnings.flatMap(({ code, message }) => (code === 'BASELINE' ? [message] : []));

describe('train writes the distribution of the fitted rows', () => {
  test('by class, with the scores of the model as it is, calibrated and decided', async () => {
    const result = await train({ calibrate: 'platt', costs: { fp: 1, fn: 4 } as never });
    const { whole, classes, isCurrent, of } = baselineOf(saved());
    expect([whole.rows, of, isCurrent]).toEqual([result.rows.train, result.rows.train, true]);
    expect([...classes].map(([label, one]) => [label, one.rows])).toEqual(
      saved().manifest.classes.map((label) => [label, expect.any(Number)]),
    );
    expect(notes(result)).toEqual([]);
    expect(drift(saved(), rows).score.drifted).toBe(false);
    expect(whole.planes[1].mean).toBeCloseTo(
      saved()
        .scoreTable(rows)
        .probabilities.reduce((a, b) => a + b) / 1200,
      1,
    );
  });

  test('not where it is left out, and then the model is the same otherwise', async () => {
    await train();
    const { manifest, weights } = saved();
    await train({ baseline: false });
    const bare = saved();
    expect(bare.manifest.baseline).toBeUndefined();
    const { baseline: _, ...others } = manifest;
    const seconds = (one: object) => JSON.stringify(one, (key, value) => (key === 'seconds' ? null : value));
    expect(seconds(bare.manifest)).toBe(seconds(others));
    expect(bare.weights).toEqual(weights);
  });

  test('of rows that stay in a file: a sample of the same rows', async () => {
    await train({ memory: 130e6 });
    const limited = baselineOf(saved());
    await train();
    const all = baselineOf(saved());
    // all fit into the sample, in the same order
    expect(limited.whole.toJSON().columns).toEqual(all.whole.toJSON().columns);
    expect([...limited.classes.keys()]).toEqual([...all.classes.keys()]);
  });

  test('a weight, classes without weight, and counts of successes are said', async () => {
    const weighted = csv(
      'weighted.csv',
      rows.map((row, i) => ({ ...row, weight: 1 + (i % 3) })),
    );
    expect(notes(await train({ data: weighted, weight: 'weight' }))[0]).toContain('whatever their weight says');
    const three = csv(
      'three.csv',
      rows.map((row, i) => ({ ...row, y: i % 10 === 0 ? 'maybe' : row.y })),
    );
    const without = await train({ data: three, classWeight: { yes: 1, no: 1, maybe: 0 } as never, holdout: false });
    if (!without.model.manifest.classes.includes('maybe')) {
      expect(notes(without)[0]).toContain('without 120 rows of classes that the model does not have');
      expect(baselineOf(saved()).whole.rows).toBe(1080);
    } else expect(baselineOf(saved()).whole.rows).toBe(1200);
    const counts = csv(
      'counts.csv',
      rows.map(({ x, w }, i) => ({ x, w, hits: i % 4, tries: 5 })),
    );
    const counted = await train({ data: counts, target: 'hits', trials: 'tries', holdout: false });
    expect(notes(counted)[0]).toContain('the target counts successes');
    expect(baselineOf(saved())).toMatchObject({ of: 1200, classes: new Map() });
  });
});

test('cv, stack and online write one', async () => {
  await cvCommand({ data, target: 'y', out: at('m.st'), lambdas: [0.1, 0.01] } as never);
  expect(baselineOf(saved()).whole.rows).toBe(1200);
  await stackCommand({
    data,
    target: 'y',
    out: at('m.st'),
    fits: { one: { features: ['x'], fit: {} }, two: { features: ['w', 'kind'], fit: {} } },
  });
  expect(baselineOf(saved()).whole.rows).toBe(960);
  expect(drift(saved(), rows).features.some(({ drifted }) => drifted)).toBe(false);
  await onlineCommand({ data, target: 'y', out: at('m.st'), warmup: 300 });
  expect(baselineOf(saved()).whole.rows).toBe(1200);
  expect(drift(saved(), rows).features.some(({ drifted }) => drifted)).toBe(false);
});

test('a stream that goes on from its checkpoint has the baseline of all its rows', async () => {
  const options = { target: 'y', warmup: 300, checkpoint: at('c') };
  await onlineCommand({ ...options, data: csv('first.csv', rows.slice(0, 700)), out: at('a.st') });
  await onlineCommand({ ...options, data, out: at('a.st') });
  await onlineCommand({ target: 'y', warmup: 300, data, out: at('m.st') });
  const [went, whole] = [readFileSync(at('a.st')), readFileSync(at('m.st'))];
  expect(went.equals(whole)).toBe(true);
});

test('inspect shows rows, features, classes and bytes', async () => {
  await train({ holdout: false });
  const text = JSON.stringify(saved().manifest.baseline);
  expect(inspectJson(saved())).toMatchObject({
    baseline: { rows: 1200, of: 1200, features: 3, without: [], classes: ['no', 'yes'], isCurrent: true },
  });
  const { bytes } = (inspectJson(saved()) as { baseline: { bytes: number } }).baseline;
  expect(bytes).toBeGreaterThan(text.length);
  await train({ holdout: false, baseline: false });
  const small = readFileSync(at('m.st')).length;
  expect(inspectReport(saved())).toContain('none: drift and monitor need the training rows');
  await train({ holdout: false });
  expect(Math.abs(readFileSync(at('m.st')).length - small - bytes)).toBeLessThan(64);
});

test('a sample of rows is the same however they are cut, and every row is as likely', () => {
  const table = tableFromRecords(rows.map(({ x, kind }, i) => ({ i, x, kind })));
  const sampled = (parts: number, most: number, seed = 1) => {
    const sample = new RowSample(most, seed);
    const size = Math.ceil(1200 / parts);
    for (let from = 0; from < 1200; from += size)
      sample.add(tableFromRecords(rows.slice(from, from + size).map(({ x, kind }, k) => ({ i: from + k, x, kind }))));
    return sample.finish()!;
  };
  const labels = ({ table: { columns } }: ReturnType<typeof sampled>) => {
    const [, , kind] = columns as unknown as readonly { codes: Uint32Array; levels: string[] }[];
    return Array.from(kind.codes, (code) => kind.levels[code]);
  };
  for (const most of [1, 100, 500, 1199, 1200, 2000]) {
    const [one, many] = [sampled(1, most), sampled(37, most)];
    expect([...many.numbers]).toEqual([...one.numbers]);
    expect(many.table.rows).toBe(Math.min(most, 1200));
    expect(labels(many)).toEqual([...many.numbers].map((i) => rows[i].kind));
    const [i, x] = many.table.columns as unknown as readonly { values: Float64Array }[];
    expect([...i.values]).toEqual([...many.numbers]);
    expect([...x.values]).toEqual([...many.numbers].map((row) => rows[row].x));
  }
  expect(table.rows).toBe(1200);
  // 400 samples of 120 of 1,200 rows: how often a row is in one is binomial, mean 40, deviation 6
  const times = new Float64Array(1200);
  for (let seed = 0; seed < 400; seed++) for (const row of sampled(1, 120, seed).numbers) times[row]++;
  expect(Math.max(...times)).toBeLessThan(40 + 5 * 6);
  expect(Math.min(...times)).toBeGreaterThan(40 - 5 * 6);
});
