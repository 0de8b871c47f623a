import { readFileSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** The text of a file that an option names. @param flag  with its dashes @throws ERR_DATA where it cannot be read */
export function optionFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${flag} ${path}: expected a file that can be read, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
}
