import type { Schema } from '../../src/encode/schema.ts';
import { FORMAT, type Manifest } from '../../src/model/manifest.ts';
import { Model, type ModelParts } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';

/** A manifest around a schema; what a test does not name is plausible and fixed. */
export function manifestOf(schema: Schema, changes: Partial<Manifest> = {}): Manifest {
  return {
    format: FORMAT,
    producer: 'logodds 0.1.0',
    classes: ['no', 'yes'],
    positive: 'yes',
    multiclass: null,
    reference: null,
    target: 'bought',
    schema,
    objective: { lambda: 0, l1Ratio: 0, C: null, standardize: true },
    decision: { threshold: 0.5 },
    offset: null,
    weight: null,
    fit: {
      solver: 'newton',
      choice: 'a small dense problem',
      converged: true,
      reason: 'converged',
      iterations: 5,
      gradNorm: 1e-12,
      objective: 0.4,
      logLik: -40,
      nullLogLik: -60,
      rows: 100,
      totalWeight: 100,
    },
    aliased: [],
    warnings: [],
    ...changes,
  };
}

/** One number with an indicator, one category of two levels: slots age, present, missing, Bonn, Köln, missing, unseen. */
export const smallSchema: Schema = {
  features: [
    { name: 'age', kind: 'numeric', mean: 40, scale: 10, min: 20, max: 60, indicator: true },
    {
      name: 'city',
      kind: 'categorical',
      levels: ['Bonn', 'Köln'],
      counts: [60, 40, 0],
      coding: 'treatment',
      reference: 0,
      missing: 'slot',
      unseen: 'slot',
    },
  ],
};

export function smallModel(changes: Partial<Manifest> = {}, parts: Partial<ModelParts> = {}): Model {
  return new Model({
    manifest: manifestOf(smallSchema, changes),
    weights: Float64Array.of(0.25, 0, -1.5, 0, 2, 0, 0),
    intercept: Float64Array.of(-10),
    covariance: null,
    stages: allStages,
    ...parts,
  });
}

/** What differs where there are three classes. */
export const CLASSES: Partial<Manifest> = {
  classes: ['bike', 'bus', 'car'],
  positive: null,
  multiclass: 'multinomial',
  reference: null,
  target: 'mode',
};

/** Of each class the weights of age, present, missing, Bonn, Köln, missing, unseen. */
export function classModel(changes: Partial<Manifest> = {}, parts: Partial<ModelParts> = {}): Model {
  return new Model({
    manifest: manifestOf(smallSchema, { ...CLASSES, ...changes }),
    weights: Float64Array.of(
      ...[-0.25, 0, 0.5, 0, 1, 0, 0],
      ...[0.125, 0, -1.5, 0, -2, 0, 0],
      ...[0.25, 0, 1, 0, 0.5, 0, 0],
    ),
    intercept: Float64Array.of(9, -5, -10.5),
    covariance: null,
    stages: allStages,
    ...parts,
  });
}

/** 8 × 8 with variances on the diagonal; pinned parameters are 0 */
export function smallCovariance(): Float64Array {
  const covariance = new Float64Array(64);
  [0.01, 0, 0.25, 0, 1, 0, 0, 4].forEach((variance, i) => {
    covariance[9 * i] = variance;
  });
  return covariance;
}
