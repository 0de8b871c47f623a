import { expect } from 'vitest';
import { LogoddsError } from '../../bindings/errors.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';

/** what a call throws; the test fails when it throws nothing, or not on purpose */
export function thrown(call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof LogoddsError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('expected a LogoddsError, nothing was thrown');
}

/** logits of three rows worked by hand: the proof that an engine is alive and undamaged */
export function expectWorking(engine: ScoringEngine): void {
  const before = engine.bytesInUse;
  const batch = engine.rows(3, 2);
  batch.set([1, 2, 3, -1, 0, 4]);
  const weights = engine.weights(batch);
  weights.set(0, [10, 1, 0.5]);
  const out = engine.vector(3);
  engine.logits(batch, weights, out);
  expect([...out.view]).toEqual([12.5, 29.5, 4.5]);
  for (const part of [batch, weights, out]) part.free();
  expect(engine.bytesInUse).toBe(before);
}

/** equal up to `tolerance` of the largest entry */
export function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i]), `entry ${i}`).toBeLessThanOrEqual(tolerance * scale);
  }
}

/** the sum of n terms in another order differs by a few roundings of the largest partial sum, far below this */
export const REORDERED = 1e-12;
