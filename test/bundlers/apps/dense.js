// A plain dense scorer: rows, weights, logits, probabilities.
import { pickEngine } from 'logodds/score';

export function answer() {
  const engine = pickEngine();
  const batch = engine.rows(5, 7, 'f64');
  const weights = engine.weights(batch);
  const z = engine.vector(5);
  const p = engine.vector(5);
  batch.view.forEach((_, i, view) => {
    if (i % batch.stride < 7) view[i] = Math.fround(Math.sqrt(i + 1) - 3);
  });
  weights.set(
    0,
    Float64Array.from({ length: 8 }, (_, j) => 1 / (j - 3.5)),
  );
  engine.logits(batch, weights, z);
  engine.sigmoid(z, p);
  return { engine: engine.name, why: engine.why, logits: [...z.view], probabilities: [...p.view] };
}
