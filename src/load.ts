import { loadWith, type ModelBytes } from './model/file.ts';
import { FittedModel } from './model/fittedModel.ts';
import { checkReported } from './model/reported.ts';
import { sha256 } from './model/sha256.ts';
import { allStages } from './stages.ts';

/**
 * Returns the model in the bytes of a file, with all stages.
 *
 * Digest, structure and format are checked before anything is allocated. A flipped bit or a missing or additional byte anywhere is refused, and
 * so is a malformed report of the fit.
 * @throws ERR_FORMAT bytes that are no model file, are damaged or incomplete, or have another format; `reason` says which
 * @example
 * loadModel(bytes).score(flight).probability; // 0.9114
 * loadModel(bytes.slice(1)); // throws ERR_FORMAT
 */
export function loadModel(bytes: ModelBytes): FittedModel {
  return checkReported(loadWith(bytes, allStages, FittedModel, sha256));
}
