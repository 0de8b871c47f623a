import { loadModel as loadWith, type ModelBytes } from './model/file.ts';
import { FittedModel } from './model/fittedModel.ts';
import { checkReported } from './model/reported.ts';
import { allStages } from './stages.ts';

/**
 * The model in the bytes of a file, with all stages. Digest, structure and format are checked before anything is allocated: a flipped bit, a
 * missing or an additional byte anywhere is refused, and so is a report of the fit that is not one.
 * @throws ERR_FORMAT not a model file; damaged or incomplete; written in another format
 */
export function loadModel(bytes: ModelBytes): FittedModel {
  return checkReported(loadWith(bytes, allStages, FittedModel));
}
