/** Models by what names them. */
import { loadModel, type Model } from '../../../../src/index.ts';
import { readModelFile } from '../../read/files.ts';

/** A model, and the file that it comes from. */
export interface ResolvedModel {
  /** what named it */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly model: Model;
}

/**
 * Finds the model that a text names: the path of a file, models:/NAME@ALIAS or models:/NAME/VERSION.
 * @param registry  absent: LOGODDS_REGISTRY, else ./registry
 * @throws ERR_DATA when it cannot be read, ERR_FORMAT when it is not a complete model of this format; ERR_REGISTRY, ERR_STORE
 */
export async function resolveModel(text: string, registry?: string): Promise<ResolvedModel> {
  if (!text.startsWith('models:/')) return { text, ...readModelFile(text) };
  // what only references need is loaded with the first of them
  const { fetchModel } = await import('../registry/fetch.ts');
  const { bytes } = await fetchModel(text, registry);
  return { text, bytes, model: loadModel(bytes as Uint8Array<ArrayBuffer>) };
}
