import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as command from '../../cli/src/main.ts';
import { coefficients, Model } from '../../src/index.ts';
import { sweep } from '../full.ts';

const load = (name: string) => import(new URL(`../fuzz/${name}.mjs`, import.meta.url).href);
const { describer } = await load('describe');
const { mutant, putTogether, seal, seedsOf } = await load('mutate');

const file = (name: string) => readFileSync(new URL(`../fuzz/${name}.safetensors`, import.meta.url));
const { texts, page } = describer(command);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Change = readonly [path: string, value: Json | undefined];

/** The parts of the model that reports all that a file can, changed; undefined: the field is gone. As a whole file. */
const [parts] = seedsOf([file('report')]);
const changed = (...changes: readonly Change[]): Uint8Array => {
  const own = JSON.parse(parts);
  for (const [path, value] of changes) {
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.reduce((inner, key) => inner[key], own.manifest);
    holder[last] = value;
  }
  return seal(putTogether(own));
};

describe('a model file whose report is forged', () => {
  it.each<[name: string, ...Change]>([
    ['fit.solver', 'fit', {}],
    ['fit.rows', 'fit.rows', null],
    ['fit.choice', 'fit.choice', 7],
    ['objective.lambda', 'objective', {}],
    ['objective.lambda', 'objective.lambda', 'x'],
    ['inference', 'inference', 'x'],
    ['inference.covariance', 'inference.covariance', {}],
    ['inference.covariance', 'inference.covariance', ''],
    ['inference.cluster.column', 'inference.cluster', { count: 1 }],
    ['inference.statistics.likelihoodRatio', 'inference.statistics.likelihoodRatio', undefined],
    ['inference.tests.0.feature', 'inference.tests.0.feature', undefined],
    ['inference.profile', 'inference.profile', 'x'],
    ['inference.profile.0.parameter', 'inference.profile.0.parameter', 1e6],
    ['inference.bootstrap.intervals', 'inference.bootstrap.intervals', {}],
    ['decision.chosen.by', 'decision.chosen.by', 'constructor'],
    ['decision.chosen.range', 'decision.chosen.range', [1]],
    ['decision.chosen.value', 'decision.chosen.value', '1'],
    ['aliased.0', 'aliased', [99_999]],
    ['warnings.0.code', 'warnings', [{}]],
    ['warnings.0.severity', 'warnings.0.severity', 'toString'],
    ['calibration.by', 'calibration', { method: 'none', calibrators: [], shift: [], by: 3 }],
  ])('is refused by the name of the field: %s by %s = %j', (name, ...change) => {
    const bytes = changed(change);
    expect(() => command.loadModel(bytes)).toThrow(
      expect.objectContaining({
        code: 'ERR_FORMAT',
        reason: 'invalid',
        message: expect.stringMatching(new RegExp(`expected a valid manifest\\.${name.replaceAll('.', '\\.')},`)),
      }),
    );
    expect(texts(bytes)).toBe('refused');
  });

  it('is described where it is as it must be', async () => {
    expect(await page(changed())).toBe('described');
    // a figure that does not exist is null
    const figures = ['gradNorm', 'objective', 'logLik', 'nullLogLik', 'totalWeight'].map((key) => `fit.${key}`);
    const more = ['inference.statistics.mcFadden', 'inference.statistics.aic', 'decision.chosen.stdError'];
    const bare = changed(...[...figures, ...more].map((path): Change => [path, null]));
    expect(await page(bare)).toBe('described');
    // a threshold beyond every probability
    for (const threshold of [1e308, -1e308]) {
      expect(await page(changed(['decision.threshold', threshold]))).toBe('described');
    }
  });
});

it('all classes list the same coefficients where one alone has a weight of a bucket', () => {
  const model = command.loadModel(file('costs'));
  const { slots } = model.encoder;
  for (let k = 0; k < 3; k++) {
    const weights = new Float64Array(model.weights.length).fill(1, k * slots, (k + 1) * slots);
    const lines = coefficients(new Model({ ...model, weights, covariance: null }));
    const counts = model.manifest.classes.map((name) => lines.filter((line) => line.class === name).length);
    expect(new Set(counts).size).toBe(1);
  }
});

const MUTANTS = sweep(600, 3000);

it(`${MUTANTS} mutants of model files are refused or described, on the terminal, as JSON and as a page`, async () => {
  const seeds = seedsOf(['report', 'rich', 'costs'].map(file));
  const ends: Record<string, number> = { refused: 0, described: 0 };
  for (let index = 0; index < MUTANTS; index++) {
    const { kind, bytes } = mutant(seeds, 20261129, index);
    try {
      const end = index % 100 === 0 ? await page(bytes) : texts(bytes);
      ends[end]++;
    } catch (error) {
      throw new Error(`mutant ${index} (${kind}): ${(error as Error).message}`);
    }
  }
  expect(ends['described']).toBeGreaterThan(MUTANTS / 10);
  expect(ends['refused']).toBeGreaterThan(MUTANTS / 10);
});
