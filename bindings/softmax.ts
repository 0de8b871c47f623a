import { exp, softmax } from './js/math.ts';
import { planeStride } from './layout.ts';
import type { ScoringEngine } from './scoring.ts';
import type { Vector } from './vector.ts';

/**
 * Probabilities from the logits of k classes, in place: their softmax or, for `ovr`, σ over the sum of σ.
 * By the kernel where the module has it (the one with training), else in JavaScript with the same bits; f32 logits in f64
 * arithmetic. A function, so that what scores two classes ships without it.
 * @param z  of this engine, k planes as `logits` wrote them
 */
export function classProbabilities({ kernels }: ScoringEngine, z: Vector, rows: number, k: number, ovr: boolean): void {
  const plane = planeStride(rows);
  if (kernels.softmaxF64 && z.precision === 'f64' && !ovr) kernels.softmaxF64(z.address, plane, k, rows);
  else softmax(z.view, 0, plane, k, rows, exp, ovr);
}
