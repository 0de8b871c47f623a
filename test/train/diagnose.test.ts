import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { profileSlots } from '../../src/train/problem/slotProfile.ts';
import { separatesAllRows } from '../../src/train/solve/untold.ts';

/** One numeric and one coded column (three slots) of six rows. */
function profile(x: number[], codes: number[], y: number[], weight: number[] | null = null) {
  const batch = pickEngine('js').columns(6, [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }], 'f64');
  batch.numeric(0).set(x);
  batch.codes(1).set(codes);
  const found = profileSlots(batch, Float64Array.from(y), weight && Float64Array.from(weight));
  batch.free();
  return { square: [...found.square], constant: [...found.constant], separates: [...found.separates] };
}

describe('profileSlots', () => {
  it('sums squares by slot, with weights', () => {
    expect(profile([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1])).toEqual({
      square: [91, 3, 3, 0],
      constant: [0, 0, 0, 1],
      separates: [0, 0, 0, 0],
    });
    expect(profile([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1], [1, 2, 0, 0, 0, 0.5]).square).toEqual([
      1 + 8 + 18,
      3.5,
      0,
      0,
    ]);
  });

  it.each([
    // 2: completely
    ['apart', [1, 2, 3, 4, 5, 6], 2],
    ['the other way', [6, 5, 4, 3, 2, 1], 2],
    ['touching', [1, 2, 3, 3, 4, 5], 1],
    ['overlapping', [1, 2, 4, 3, 4, 5], 0],
    ['constant', [2, 2, 2, 2, 2, 2], 0],
  ])('a number whose classes are %s', (_, x, separates) => {
    expect(profile(x, [0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]).separates[0]).toBe(separates);
  });

  it('rows of weight 0 do not count', () => {
    const found = profile([9, 2, 3, 4, 5, 1], [2, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 0]);
    expect(found.separates).toEqual([2, 0, 0, 0]);
    expect(found.constant).toEqual([0, 0, 0, 1]);
  });

  it('a level that one class has alone separates', () => {
    expect(profile([3, 2, 1, 2, 1, 2], [0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 0, 1]).separates).toEqual([0, 0, 1, 0]);
  });
});

describe('separatesAllRows', () => {
  const y = Float64Array.of(0, 1, 1);
  it.each<[string, number[], number[] | null, number[] | null, boolean]>([
    ['all signs right', [-0.5, 1, 2], null, null, true],
    ['one wrong', [0.5, 1, 2], null, null, false],
    ['one at 0', [-0.5, 0, 2], null, null, false],
    ['the wrong one without weight', [0.5, 1, 2], [0, 1, 1], null, true],
    ['right only by the offset', [-0.5, 1, 2], null, [0, 1.5, 0], false],
    ['wrong only by the offset', [0.5, 1, 2], null, [1, 0, 0], true],
  ])('%s', (_, z, weight, offset, expected) => {
    const array = (cells: number[] | null) => cells && Float64Array.from(cells);
    expect(separatesAllRows(Float64Array.from(z), y, array(weight), array(offset))).toBe(expected);
  });
});
