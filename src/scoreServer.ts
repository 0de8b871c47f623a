/**
 * `logodds/score` on servers, where the first score counts: Node, Deno, Bun, Workers, edge runtimes. It is as elsewhere (score.ts), but a kernel
 * computes the digest of a model file. In a page that would be too many bytes.
 * @module
 */
import { digest } from './model/digest.ts';
import { loadWith, type ModelBytes } from './model/file.ts';
import { Model } from './model/model.ts';
import type { Stages } from './model/stages.ts';

export { pickLoadingEngine as pickEngine } from '../bindings/pickLoading.ts';
export * from './scoring.ts';

/** As `loadModel` of model/file.ts. */
export function loadModel(bytes: ModelBytes, stages?: Stages): Model {
  return loadWith(bytes, stages, Model, digest);
}
