/**
 * What is measured, on any runtime. Every function does its work `count` times and gives back what the caller compares.
 */
import { pickEngine } from 'logodds';
import { loadModel } from 'logodds/score';
import { tableOf } from './conform.js';

const ROWS = 1024;
const FEATURES = 32;

/** @param sets  as in conform.js */
export function worker(sets) {
  const { model: base64, rows } = sets.find(({ name }) => name === 'categorical');
  const engine = pickEngine();
  const model = loadModel(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  const scorer = model.scorer(engine);
  const table = tableOf(rows, 4);

  const batch = engine.rows(ROWS, FEATURES, 'f32');
  batch.set(Float32Array.from({ length: ROWS * FEATURES }, (_, i) => ((i * 7919) % 1000) / 500 - 1));
  const weights = engine.weights(batch);
  weights.set(
    0,
    Float64Array.from({ length: FEATURES + 1 }, (_, j) => ((j * 31) % 17) / 17 - 0.5),
  );
  const z = engine.vector(ROWS, 'f32');
  const p = engine.vector(ROWS, 'f32');
  /** bytes of the whole linear memory */
  const memory = () => z.view.buffer.byteLength;

  return {
    /** logits and sigmoid of 1024 × 32 f32 */
    throughput(count) {
      for (let i = 0; i < count; i++) {
        engine.logits(batch, weights, z);
        engine.sigmoid(z, p);
      }
      return { engine: engine.name, value: p.view[17] };
    },

    /** records one by one, each a new object as a request brings it */
    records(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += model.score({ ...rows[i % rows.length] }).probability;
      return { memory: memory(), value: sum };
    },

    /** tables, `count` rows in all */
    batches(count) {
      let sum = 0;
      for (let done = 0; done < count; done += table.rows) sum += scorer.score(table).probabilities[0];
      return { memory: memory(), value: sum };
    },
  };
}

/** Does one order: { work: a name of `worker`, count }. `ms` means nothing where the clock stands still during work. */
export function obey(work, { work: name, count }) {
  const begin = performance.now();
  const result = work[name](count);
  return { ...result, ms: performance.now() - begin };
}
