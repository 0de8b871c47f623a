import { Encoder } from '../../src/encode/encoder.ts';
import { encoders } from '../../src/encode/kinds/index.ts';
import type { Schema } from '../../src/encode/schema.ts';
import { slotNames } from '../../src/encode/slots.ts';
import { splitmix32 } from '../../src/math/random.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { Model, type ModelParts } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';
import { CLASSES, manifestOf } from '../model/parts.ts';

const coded = { coding: 'onehot', reference: null, missing: 'slot', unseen: 'slot' } as const;

/** Two features of one column, bins of another, a category, a cross of these, a target encoding. */
export const RICH: Schema = {
  features: [
    { name: 'age', kind: 'numeric', mean: 40, scale: 10, min: 20, max: 60, indicator: true },
    {
      name: 'age curve',
      kind: 'curve',
      column: 'age',
      transform: null,
      knots: [25, 40, 55],
      low: null,
      high: null,
      range: 'clip',
      missing: 'baseline',
      fill: 40,
      min: 20,
      max: 60,
      means: [40, 3],
      scales: [10, 2],
      units: [1, 1],
    },
    {
      name: 'income bins',
      kind: 'binned',
      column: 'income',
      edges: [0, 10, 20, 50],
      levels: ['0 to 10', '10 to 20', '20 to 50'],
      counts: [10, 20, 30, 5],
      range: 'clip',
      ...coded,
      reason: 'income of {value} $& thousand',
    },
    { name: 'city', kind: 'categorical', levels: ['Bonn', 'Köln'], counts: [60, 40, 0], ...coded },
    {
      name: 'city by income',
      kind: 'cross',
      of: ['city', 'income bins'],
      levels: ['Bonn × 0 to 10', 'Köln × 10 to 20'],
      counts: [5, 6, 0],
      ...coded,
    },
  ],
};

/** A model of a schema with weights, covariance and baseline from a seed; with `classes` of three classes. */
export function seededModel(
  schema: Schema,
  seed: number,
  { classes = false, ...parts }: Partial<ModelParts> & { classes?: boolean } = {},
  changes: Partial<Manifest> = {},
): Model {
  const random = splitmix32(seed);
  const stages = { ...allStages, ...parts.stages };
  const k = classes ? 3 : 1;
  const manifest = manifestOf(schema, { ...(classes ? CLASSES : {}), ...changes });
  const encoder = new Encoder(schema, encoders);
  const { slots } = encoder;
  const names = slotNames(encoder);
  const numbers = (length: number, size: number) => Float64Array.from({ length }, () => size * (2 * random() - 1));
  return new Model({
    manifest,
    // numbers are some tens
    weights: numbers(k * slots, 2).map((weight, i) => (names[i % slots].role === 'number' ? weight / 40 : weight)),
    intercept: numbers(k, 1),
    covariance: null,
    baseline: numbers(slots, 1).map(Math.abs),
    ...parts,
    stages,
  });
}
