/*
 * Run by fallback.test.ts in a process of its own: scores and fits the same data whatever the engine, and prints which
 * engine was taken, why, and the bits of the results.
 */
import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import { numbers } from './engines.ts';
import { bits, simd } from './kernels.ts';

export function results() {
  const engine = pickEngine();
  const scoring = pickScoringEngine();
  const next = numbers(5);
  const rows = 1037;
  const params = Float64Array.from({ length: 14 }, () => 4 * next());
  const out: Record<string, string[]> = {};
  for (const precision of ['f32', 'f64'] as const) {
    const dense = engine.rows(rows, 13, precision);
    dense.set(Float64Array.from({ length: rows * 13 }, next));
    const columns = engine.columns(rows, [{ kind: 'numeric' }, { kind: 'coded', slots: 12 }], precision);
    columns.numeric(0).set(Float64Array.from({ length: rows }, next));
    columns.codes(1).set(Uint8Array.from({ length: rows }, () => (next() + 1) * 6));
    const y = Float64Array.from({ length: rows }, () => (next() > 0 ? 1 : 0));
    for (const batch of [dense, columns]) {
      const weights = engine.weights(batch);
      weights.set(0, params);
      const z = engine.vector(rows, precision);
      engine.logits(batch, weights, z);
      const gradient = new Float64Array(14);
      const hessian = new Float64Array(196);
      const likelihood = engine.likelihood(batch, { y });
      const point = likelihood.at(params, gradient);
      const loss = Float64Array.of(point.loss);
      point.hessian(hessian);
      const logits = bits(z.view);
      engine.sigmoid(z, z);
      out[`${batch.layout} ${precision}`] = [logits, z.view, loss, gradient, hessian].flatMap((values) =>
        Array.isArray(values) ? values : bits(values),
      );
    }
  }
  let refused = 'nothing';
  try {
    pickEngine('wasm');
  } catch (error) {
    refused = error instanceof LogoddsError ? `${error.code} ${error.message}` : String(error);
  }
  return { simd, names: [engine.name, scoring.name], reasons: [engine.why, scoring.why], refused, out };
}
