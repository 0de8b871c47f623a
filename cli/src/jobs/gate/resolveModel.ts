/** Models by what names them. */
import { LogoddsError, type Model } from '../../../../src/index.ts';
import { readModelFile } from '../../read/files.ts';

/** A model, and the file that it comes from. */
export interface ResolvedModel {
  /** what named it */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly model: Model;
}

/**
 * Finds the model that a text names: the path of a file.
 * @throws ERR_DATA when it cannot be read, ERR_FORMAT when it is not a complete model of this format
 */
export async function resolveModel(text: string): Promise<ResolvedModel> {
  if (text.startsWith('models:/'))
    throw new LogoddsError('ERR_DATA', `${text}: expected the path of a file, got a name of a registry; pull it first`);
  return { text, ...readModelFile(text) };
}
