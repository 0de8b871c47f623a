import { type Engine, type Manifest, Model, type ModelParts } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { Served } from '../models/served.ts';
import type { DefaultAnswer } from './route.ts';

/** The version of what is answered when no model can. */
export const DEFAULT = 'default';

/**
 * A model that answers one probability to every record, by every protocol.
 * @param like  the model whose fields and labels it has; null: it takes any record, and has the labels of the answer
 * @returns null where its labels are not known, or are more than two
 */
export function constant(
  name: string,
  { probability, classes }: DefaultAnswer,
  like: Served | null,
  engine: Engine,
): Served | null {
  const known = like?.model.manifest;
  if (!classes && known?.positive == null) return null;
  const [negative, positive] = classes ?? [
    known!.classes.find((label) => label !== known!.positive)!,
    known!.positive!,
  ];
  const isAlike = known !== undefined && known.positive === positive && known.classes.includes(negative);
  const manifest: Manifest = isAlike
    ? { ...known, calibration: null, offset: null }
    : ({ ...EMPTY, classes: [negative, positive], positive } as unknown as Manifest);
  const slots = isAlike ? like!.model.weights.length : 0;
  const model = new Made({
    manifest,
    weights: new Float64Array(slots),
    intercept: Float64Array.of(Math.log(probability / (1 - probability))),
    covariance: null,
    stages: allStages,
  });
  return new Served(name, DEFAULT, model, engine);
}

/** Models are read from files; this one has none. */
const Made = Model as unknown as new (parts: ModelParts) => Model;

const EMPTY = {
  multiclass: null,
  reference: null,
  target: '',
  schema: { features: [] },
  objective: { lambda: 0, l1Ratio: 0, C: null, standardize: false },
  decision: { threshold: 0.5 },
  offset: null,
  weight: null,
  aliased: [],
  warnings: [],
};
