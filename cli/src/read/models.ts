import { loadModel, type Model } from '../../../src/index.ts';
import { readModel } from './files.ts';

/** Where references are looked up. */
export interface ModelPlace {
  /** absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
}

/**
 * The model that a MODEL of the command line names: a file, or models:/NAME@ALIAS or models:/NAME/VERSION of a registry, whose digest is checked.
 * @throws ERR_DATA, ERR_FORMAT as `readModel`; ERR_REGISTRY where the registry has no such model; ERR_STORE where it cannot be read
 */
export async function findModel(given: string, { registry }: ModelPlace = {}): Promise<Model> {
  if (!given.startsWith('models:/')) return readModel(given);
  // what only references need is loaded with the first of them
  const { fetchModel } = await import('../jobs/registry/fetch.ts');
  return loadModel((await fetchModel(given, registry)).bytes);
}
