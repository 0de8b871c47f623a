/** Files that are read whole: models, JSON. */
import { readFileSync } from 'node:fs';
import { checkDeclaration, type Declaration, LogoddsError, loadModel, type Model } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** @throws ERR_DATA when it cannot be read, ERR_FORMAT when it is not a complete model of this format */
export const readModel = (path: string): Model => readModelFile(path).model;

/** A model and its file. @throws as `readModel` */
export function readModelFile(path: string): { readonly bytes: Uint8Array; readonly model: Model } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a model file, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
  try {
    return { bytes, model: loadModel(bytes) };
  } catch (error) {
    if (error instanceof LogoddsError)
      throw new LogoddsError(error.code, `${path}: ${error.message}`, { cause: error, reason: error.reason });
    throw error;
  }
}

/** The value in a JSON file that an option names. @throws ERR_DATA */
export function readJson(path: string, what: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const next = error instanceof SyntaxError ? 'correct it' : 'check the path';
    throw new LogoddsError(
      'ERR_DATA',
      `${what} ${path}: expected a JSON file, got an error (${reason(error)}); ${next}`,
      { cause: error },
    );
  }
}

/**
 * Reads a schema file. Whether it fits the columns is checked when the data are known.
 * @throws ERR_DATA when it cannot be read, ERR_SCHEMA when it is not a declaration
 */
export const readSchema = (path: string | undefined): Declaration | undefined => {
  if (path === undefined) return undefined;
  const declaration = readJson(path, '--schema');
  checkDeclaration(declaration);
  return declaration;
};
