/**
 * Scoring alone: engine, encoder, model file. Nothing of training, saving or metrics is reachable from here;
 * test/package/size.test.ts holds its size.
 */
import { digestByKernel } from '../bindings/digest.ts';
import { type ModelBytes, readModel } from './model/file.ts';
import type { Model } from './model/model.ts';
import type { Stages } from './model/stages.ts';

export { pickScoringEngine as pickEngine } from '../bindings/pickScoring.ts';
export * from './scoring.ts';

/**
 * The model in the bytes of a file. Digest, structure and format are checked before anything is allocated: a flipped bit,
 * a missing or an additional byte anywhere is refused.
 * @param stages  what the model may need beyond plain features, the sigmoid and a threshold; from `logodds/stages`
 * @throws ERR_FORMAT not a model file; damaged or incomplete; written in another format; a stage that it needs is not there
 */
export function loadModel(bytes: ModelBytes, stages?: Stages): Model {
  // a start that nobody notices: the digest is what takes time
  return readModel(bytes, stages, digestByKernel);
}
