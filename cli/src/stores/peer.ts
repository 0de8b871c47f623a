/** SDKs that the command does not bring: most users need none of them, and each is as large as a fifth of the command. */
import { commandError } from '../errors.ts';

/**
 * Loads a package that the user installs beside the command.
 * @throws ERR_STORE when it is not there
 */
export async function loadPeer<T>(name: string, address: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw commandError(
      'ERR_STORE',
      `${address}: expected the package ${name}, which speaks to this store, got none beside the command; npm install ${name} where @logodds/cli is installed (-g if it is so)`,
      { cause: error },
    );
  }
}
