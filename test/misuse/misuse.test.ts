import { describe, expect, test } from 'vitest';
import * as whole from '../../src/index.ts';
import { Ftrl } from '../../src/kernels.ts';
import { threadedEngine } from '../../src/threads.ts';
import { simd } from '../engine/kernels.ts';
import { sweep } from '../full.ts';

const load = (name: string) => import(new URL(`./${name}.mjs`, import.meta.url).href);
const { misuser } = await load('sequence');
const { World } = await load('world');
const library = { ...whole, Ftrl, threadedEngine };

describe.runIf(simd)('right and wrong calls, freed and foreign handles, getters that call back', () => {
  test('no foreign byte, one behaviour of both engines, only errors of the library, all memory given back', () => {
    const run = misuser(library);
    const codes = new Set<string>();
    let calls = 0;
    let calledBack = 0;
    const sequences = sweep(10, 25);
    for (let index = 0; index < sequences; index++) {
      const { counts, failure } = run(20261129, index);
      expect(`sequence ${index}: ${failure}`).toBe(`sequence ${index}: null`);
      for (const code of Object.keys(counts[0].refused)) codes.add(code);
      calls += counts[0].calls;
      calledBack += counts[0].calledBack;
    }
    // they reach what they are made for
    expect(calls).toBeGreaterThan(120 * sequences);
    expect(calledBack).toBeGreaterThan(4 * sequences);
    for (const code of ['ERR_SHAPE', 'ERR_RANGE', 'ERR_ENGINE', 'ERR_MEMORY', 'ERR_RECORD'])
      expect(codes).toContain(code);
  });

  test('a sequence depends on its number alone', () => {
    const run = misuser(library);
    const counts = () => run(7, 3, 60).counts;
    expect(counts()).toEqual(counts());
  });

  describe('the watch over the memory sees', () => {
    const world = (name: 'js' | 'wasm') => {
      const made = new World(library, name, 0xde);
      made.call('vector', (w: never) => (w as typeof made).add('vector', made.engine.vector(8)));
      return made;
    };

    test.each(['js', 'wasm'] as const)('a byte of another handle, %s', (name) => {
      const w = world(name);
      const [{ handle }] = w.entries;
      const { failures } = w.call('poke', () => {
        handle.view[3] = 1;
      });
      expect(failures).toEqual([
        expect.stringMatching(/^poke wrote a foreign byte at \d+ \(vector's block \d+ of 64\)/),
      ]);
    });

    test.each(['js', 'wasm'] as const)('a byte of free memory, %s', (name) => {
      const w = world(name);
      const { failures } = w.call('poke', () => {
        w.heap.u8[w.high - 17] = 1;
      });
      expect(failures).toEqual([expect.stringMatching(/^poke wrote a foreign byte at \d+ \(free memory\)/)]);
    });

    test('what is kept by nobody, and what is no error of the library', () => {
      const w = world('js');
      const kept = w.call('keep', () => {
        w.heap.allocate(64, 'a leak');
        throw new RangeError('raw');
      });
      expect(kept.failures).toEqual([
        expect.stringMatching(/^keep: RangeError: raw/),
        expect.stringMatching(/^keep keeps 1 blocks of nobody/),
      ]);
      expect(w.close()).toMatch(/^64 bytes are still in use after all was freed/);
    });
  });
});
