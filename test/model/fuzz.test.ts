import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { saveModel } from '../../src/model/file.ts';
import * as library from '../../src/score.ts';
import { allStages } from '../../src/stages.ts';
import { sweep } from '../full.ts';
import { classModel } from './parts.ts';

const load = (name: string) => import(new URL(`../fuzz/${name}.mjs`, import.meta.url).href);
const { examiner } = await load('examine');
const { mutant, putTogether, seal, seedsOf } = await load('mutate');
const { HOSTILE } = await load('hostile');

const seeds = seedsOf([
  ...['numeric', 'categorical', 'offset', 'treatment', 'wide', 'policies'].map((name) =>
    readFileSync(new URL(`../conformance/${name}.safetensors`, import.meta.url)),
  ),
  ...['rich', 'costs'].map((name) => readFileSync(new URL(`../fuzz/${name}.safetensors`, import.meta.url))),
  ...[classModel({ reference: 'bus' }), classModel({ multiclass: 'ovr' })].map((model) =>
    Buffer.from(saveModel(model)),
  ),
]);
const examine: (bytes: Uint8Array) => string = examiner(library, allStages);

const MUTANTS = sweep(600, 3000);

test(`${MUTANTS} mutants of model files are refused by name, or load and score the same alone and in a table`, () => {
  let loaded = 0;
  const ends = new Set<string>();
  for (let index = 0; index < MUTANTS; index++) {
    const { kind, bytes } = mutant(seeds, 20261122, index);
    try {
      const end = examine(bytes);
      ends.add(end);
      if (end === 'loaded') loaded++;
    } catch (error) {
      throw new Error(`mutant ${index} (${kind}): ${(error as Error).message}`);
    }
  }
  // the mutants reach what they are made for: most checks, and the scores behind them
  expect(loaded).toBeGreaterThan(MUTANTS / 10);
  expect(ends.size).toBeGreaterThan(25);
});

test('a mutant depends on its number alone', () => {
  expect(mutant(seeds, 7, 41)).toEqual(mutant(seeds, 7, 41));
  expect(mutant(seeds, 7, 41).bytes).not.toEqual(mutant(seeds, 8, 41).bytes);
});

test.each(Object.keys(HOSTILE))('in time and memory of its size: %s', (name) => {
  const bytes = HOSTILE[name]();
  const begin = process.cpuUsage();
  examine(bytes);
  // twenty times what it takes here, of the processor: only what is not linear passes it
  expect(process.cpuUsage(begin).user).toBeLessThan(6e6);
});

describe('names that every object has', () => {
  const offset = seeds.find((parts: string) => parts.includes('"name":"density"'));
  const rename = (parts: string, from: string, to: string) =>
    parts.replaceAll(`"name":${JSON.stringify(from)}`, `"name":${JSON.stringify(to)}`);

  test.each(['__proto__', 'constructor', 'toString'])('a feature named %s is one like any other', (name) => {
    const model = library.loadModel(seal(putTogether(JSON.parse(rename(offset, 'density', name)))));
    const record = (value: number) => JSON.parse(`{"region":"n","exposure":0,${JSON.stringify(name)}:${value}}`);
    expect(model.score(record(2)).logit).not.toBe(model.score(record(1)).logit);
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'a feature of kind %s is refused with stages and without',
    (kind) => {
      const parts = offset.replace('"kind":"numeric"', `"kind":${JSON.stringify(kind)}`);
      for (const stages of [undefined, allStages]) {
        expect(() => library.loadModel(seal(putTogether(JSON.parse(parts))), stages)).toThrow(
          expect.objectContaining({ code: 'ERR_FORMAT' }),
        );
      }
    },
  );
});
