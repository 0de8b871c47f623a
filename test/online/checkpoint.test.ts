import { describe, expect, it } from 'vitest';
import { LogoddsError, OnlineLearner, pickEngine, saveModel, tableFromRecords } from '../../src/index.ts';
import { seal } from '../../src/model/file.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const records = Array.from({ length: 200 }, (_, i) => ({
  x: ((i * 37) % 19) - 9,
  c: 'abc'[(i * 5) % 3],
  w: 1 + (i % 2),
  y: (i * 31) % 7 > 3 ? 'yes' : 'no',
}));
const table = tableFromRecords(records);
const engine = pickEngine();
const learner = OnlineLearner.start(table, { target: 'y', weight: 'w', l1: 0.01, engine });
learner.partialFit(table);
const { metadata, tensors } = decodeSafetensors(learner.checkpoint());
const stored = [...tensors()].map(([name, tensor]) => [name, { shape: tensor.shape, values: tensor.read() }] as const);
const content = (): { [key: string]: Json } => JSON.parse(metadata['checkpoint'] as string);

/** A sealed checkpoint of this content. */
const checkpointOf = (value: Json): Uint8Array =>
  seal(encodeSafetensors({ sha256: '0'.repeat(64), checkpoint: JSON.stringify(value) }, Object.fromEntries(stored)));

/** Every place in a value, as keys from its root. */
const placesOf = (value: Json, at: readonly string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...placesOf(inner, [...at, key])])
    : [];

function changed(place: readonly string[], value: Json | undefined): { [key: string]: Json } {
  const whole = content();
  let holder = whole;
  for (const key of place.slice(0, -1)) holder = holder[key] as { [key: string]: Json };
  if (value === undefined) delete holder[place.at(-1)!];
  else holder[place.at(-1)!] = value;
  return whole;
}

function resume(bytes: Uint8Array): OnlineLearner | LogoddsError {
  try {
    return OnlineLearner.resume(bytes, engine);
  } catch (error) {
    if (error instanceof LogoddsError) return error;
    throw error;
  }
}

describe('a forged checkpoint', () => {
  it.each<[place: string, value: Json]>([
    ['sums.rows', '5'],
    ['sums.rows', 1.5],
    ['sums.rows', 1e300],
    ['sums.rows', -1],
    ['sums.totalWeight', '7'],
    ['sums.loss', [1]],
    ['sums.baseline', null],
    ['sums.baseline.z', '0'],
    ['settings.rates.alpha', '0.1'],
    ['settings.rates.l2', null],
    ['settings.target', 3],
    ['settings.positive', null],
    ['settings.weight', 7],
    ['settings.classes', ['no', 'yes', 'maybe']],
  ])('is refused by the name of the field: %s = %j', (place, value) => {
    const error = resume(checkpointOf(changed(place.split('.'), value)));
    expect(error).toBeInstanceOf(LogoddsError);
    expect(error).toMatchObject({ code: 'ERR_FORMAT' });
    expect((error as LogoddsError).message).toMatch(`checkpoint: expected a valid checkpoint.${place}`);
  });

  it('is refused, or resumes as what it says, whatever stands at any place', () => {
    const values: (Json | undefined)[] = [
      undefined,
      null,
      true,
      0,
      1,
      -1,
      0.5,
      1e300,
      2 ** 53,
      '',
      '5',
      'x',
      '__proto__',
      'constructor',
      [],
      {},
      [[]],
      [null],
      { length: 3 },
    ];
    const ends = { refused: 0, resumed: 0 };
    for (const place of placesOf(content())) {
      for (const value of values) {
        const whole = changed(place, value);
        const what = `${place.join('.')} = ${JSON.stringify(value)}`;
        const before = engine.bytesInUse;
        const end = resume(checkpointOf(whole));
        if (end instanceof LogoddsError) {
          expect(end.code, `${what}: ${end.message}`).toBe('ERR_FORMAT');
          expect(engine.bytesInUse, what).toBe(before);
          ends.refused++;
          continue;
        }
        // the state is what the file says, in the types it has, and it learns on or refuses a row by name
        const { settings, sums } = whole as { settings: { [key: string]: Json }; sums: { [key: string]: Json } };
        const again = decodeSafetensors(end.checkpoint()).metadata['checkpoint'] as string;
        // n is kept as its root
        const { baseline } = sums as unknown as { baseline: { n: number } };
        expect(JSON.parse(again).sums, what).toEqual({
          ...sums,
          baseline: { ...baseline, n: Math.sqrt(baseline.n) ** 2 },
        });
        expect({ ...JSON.parse(again).settings, classes: null }, what).toEqual({ ...settings, classes: null });
        try {
          expect(end.partialFit(table).rows).toBe(200);
          saveModel(end.model());
        } catch (error) {
          expect(error, `${what}: ${(error as Error).message}`).toBeInstanceOf(LogoddsError);
        }
        end.free();
        ends.resumed++;
      }
    }
    expect(ends.refused).toBeGreaterThan(300);
    expect(ends.resumed).toBeGreaterThan(30);
  });
});
