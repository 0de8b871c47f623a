import { readFileSync } from 'node:fs';

/** The version of the package, read from the file beside the build. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
