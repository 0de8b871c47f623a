import { readFileSync } from 'node:fs';

/** Of the package; read beside the built file. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
