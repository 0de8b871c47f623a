import { LogoddsError } from 'logodds';

/**
 * Records of several requests in one batch of an engine: encoded one by one, scored together, the bits of `model.score`.
 * With an engine on several threads the batch lies in shared memory, and the threads read and write it where it is.
 * @param {import('logodds').Model} model
 * @param {import('logodds').Engine} engine
 * @param {number} capacity  records it takes
 * @throws LogoddsError ERR_RANGE for a model of more than two classes, a calibrated one, or one with a band for review
 */
export function recordBatch(model, engine, capacity) {
  const { encoder, manifest } = model;
  const { specs, slots } = encoder;
  const { offset, positive, decision } = manifest;
  if (positive === null || manifest.calibration || decision.abstain) {
    const message = `model: expected two classes and plain probabilities, got others; score its records with model.score`;
    throw new LogoddsError('ERR_RANGE', message);
  }
  const negative = manifest.classes.find((name) => name !== positive);

  const batch = engine.columns(capacity, specs);
  const weights = engine.weights(batch);
  const parameters = new Float64Array(slots + 1);
  parameters.set(model.weights);
  parameters[slots] = model.intercept[0];
  weights.set(0, parameters);
  const logits = engine.vector(capacity);
  const probabilities = engine.vector(capacity);
  const offsets = new Float64Array(capacity);
  const defaulted = new Float64Array(capacity);
  const outOfRange = new Float64Array(capacity);
  // one more than the entries: how many numbers lie outside the range of training
  const row = new Float64Array(specs.length + 1);
  const sources = encoder.sources || 1;
  let rows = 0;

  return {
    /**
     * Encodes records behind those that are in it already.
     * @throws LogoddsError ERR_SCHEMA, ERR_RECORD naming record and field; then none of these records is in it
     */
    add(records) {
      batch.setRows(rows + records.length);
      const cells = specs.map(({ kind }, j) => (kind === 'numeric' ? batch.numeric(j) : batch.codes(j)));
      records.forEach((record, i) => {
        try {
          defaulted[rows + i] = encoder.encodeRecord(record, row) / sources;
          outOfRange[rows + i] = row[specs.length] / sources;
          if (offset !== null) offsets[rows + i] = numberOf(record, offset);
        } catch (error) {
          if (!(error instanceof LogoddsError)) throw error;
          throw new LogoddsError(error.code, error.message.replace(/^record/, `record ${i} (from 0)`), {
            cause: error,
          });
        }
        for (let j = 0; j < specs.length; j++) cells[j][rows + i] = row[j];
      });
      rows += records.length;
    },

    /** Scores of all that was added, in order; the batch is empty then. */
    score() {
      batch.setRows(rows); // the last records may have been refused
      engine.logits(batch, weights, logits);
      const z = logits.view;
      if (offset !== null) for (let i = 0; i < rows; i++) z[i] += offsets[i];
      engine.sigmoid(logits, probabilities, rows);
      const p = probabilities.view;
      const scores = Array.from({ length: rows }, (_, i) => ({
        logit: z[i],
        probability: p[i],
        label: p[i] > decision.threshold ? positive : negative,
        defaulted: defaulted[i],
        outOfRange: outOfRange[i],
      }));
      rows = 0;
      return scores;
    },
  };
}

function numberOf(record, name) {
  const value = record[name];
  if (Number.isFinite(value)) return value;
  const got = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const code = name in record ? 'ERR_RECORD' : 'ERR_SCHEMA';
  throw new LogoddsError(code, `record, field "${name}": expected a finite number, got ${got}; correct it`);
}
