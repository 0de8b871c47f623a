import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { transform } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { loadModel, type Model, saveModel } from '../../src/index.ts';
import { sweep } from '../full.ts';
import { smallModel } from '../model/parts.ts';
import { load, outcomeOf, recordMaker } from './differ.ts';
import { category, hand, models, numeric } from './models.ts';

const RECORDS = sweep(800, 4_000);

describe('a compiled model scores as the model does', () => {
  it.each(models())('%s', async (_, model) => {
    const compiled = await load(compile(model));
    const make = recordMaker(model);
    for (let seed = 1; seed <= RECORDS; seed++) {
      const record = make(seed);
      const [own, theirs, lean] = [record(), record(), record()];
      const expected = outcomeOf(() => model.score(own.record as object));
      const actual = outcomeOf(() => compiled.score(theirs.record as object));
      // `expect` of every record would take most of the time
      if (!isDeepStrictEqual(actual, expected)) expect(actual, `record ${seed}`).toEqual(expected);
      const probability = outcomeOf(() => compiled.probability(lean.record as object));
      const wanted = (expected as { probability?: number }).probability ?? expected;
      if (!isDeepStrictEqual(probability, wanted)) expect(probability, `record ${seed}`).toEqual(wanted);
      if (!isDeepStrictEqual(theirs.log, own.log)) expect(theirs.log, `reads of record ${seed}`).toEqual(own.log);
    }
  });
});

const folder = mkdtempSync(join(tmpdir(), 'logodds-compile-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The path of a file with this text. */
function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const record = { age: 30, city: 'Köln' };

describe('the source', () => {
  it('is the same for the same model, whose digest and names it has', async () => {
    const bytes = saveModel(smallModel());
    const [one, two] = [loadModel(bytes), loadModel(bytes)];
    expect(compile(one)).toBe(compile(two));
    const { sha256, classes, features } = await load(compile(one));
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect({ sha256, classes, features }).toEqual({
      sha256: one.sha256,
      classes: ['no', 'yes'],
      features: ['age', 'city'],
    });
    expect((await load(compile(smallModel()))).sha256).toBeNull();
  });

  it('passes the check of Node, whatever a model calls its fields', () => {
    const hostile = models().filter(([name]) => name.startsWith('hostile'));
    expect(hostile).toHaveLength(4);
    for (const [i, [, model]] of hostile.entries()) {
      execFileSync(process.execPath, ['--check', written(`hostile${i}.mjs`, compile(model))]);
    }
  });

  it('imports nothing, evaluates no text and asks the host for nothing', () => {
    const [, rich] = models().find(([name]) => name === 'fuzz/rich.safetensors')!;
    for (const model of [smallModel(), rich]) {
      expect(compile(model)).not.toMatch(
        /\b(import|require|eval|Function|process|globalThis|fetch|WebAssembly|setTimeout)\b/,
      );
    }
  });

  it('scores in a worker', async () => {
    const path = written('model.mjs', compile(smallModel()));
    const program = `import { parentPort } from 'node:worker_threads';
      import { score } from ${JSON.stringify(pathToFileURL(path))};
      parentPort.postMessage(score(${JSON.stringify(record)}));`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    const score = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    expect(score).toEqual(smallModel().score(record));
  });

  it('in TypeScript is the same code', async () => {
    const source = compile(smallModel(), { format: 'ts' });
    const { code } = await transform(source, { loader: 'ts' });
    const { score, probability, features } = await load(code);
    expect([score(record), probability(record), features]).toEqual([
      smallModel().score(record),
      smallModel().score(record).probability,
      ['age', 'city'],
    ]);
    expect(source).toContain('export function score(record: object): Score {');
  });

  it('has at most 8.4 kB beside what a model brings, 360 bytes a number and 640 a category of two levels', () => {
    const sources = [
      hand([]),
      hand(Array.from({ length: 100 }, (_, i) => numeric(`number_${i}`, { min: 0.123, max: 9.876 }))),
      hand(Array.from({ length: 100 }, (_, i) => category(`category_${i}`, ['left', 'right']))),
    ];
    const [none, numbers, categories] = sources.map((model) => compile(model).length);
    expect(none).toBeLessThan(8400);
    expect((numbers - none) / 100).toBeLessThan(360);
    expect((categories - none) / 100).toBeLessThan(640);
  });
});

describe('a compiled model', () => {
  it('may be asked by a getter of the record that it scores', async () => {
    const { score } = await load(compile(smallModel()));
    const nested = {
      city: 'Köln',
      get age() {
        return (score({ age: 20, city: 'Bonn' }) as { defaulted: number }).defaulted + 30;
      },
    };
    expect(score(nested)).toEqual(smallModel().score(record));
  });

  it('scores after a refusal as before', async () => {
    const { score } = await load(compile(smallModel()));
    const before = score(record);
    expect(() => score({ age: 'x', city: 'Köln' })).toThrow('field "age": expected a finite number, got text');
    expect(score(record)).toEqual(before);
  });
});

it.each([
  [{}, {}, /^compile: expected a model, got a value of type object; load one with loadModel$/],
  [undefined, {}, /^compile: expected a model, got nothing/],
  [smallModel(), { format: 'd.ts' }, /^format: expected js or ts, got "d.ts"$/],
  [smallModel(), { format: 'toString' }, /^format: expected js or ts/],
  [smallModel(), { types: true }, /^compile: expected the option format, got "types"; leave it out$/],
])('%s with options %o is refused', (model, options, message) => {
  expect(() => compile(model as Model, options as never)).toThrow(message);
});
