import { expect, test } from 'vitest';
import * as library from '../../service/src/index.ts';
import { sweep } from '../full.ts';

const { fuzzService } = await import(new URL('../fuzz/service.mjs', import.meta.url).href);

// a million of them: npm run fuzz -- service --count 1000000
test('mutated requests are answered or refused by JSON, good ones among them with the bits of model.score', async () => {
  expect(await fuzzService(library, { count: sweep(600, 10_000), seed: 11, only: null })).toBe(true);
});
