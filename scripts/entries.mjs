// The entries of the library: what package.json exports as code.
import { readFileSync } from 'node:fs';

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Their names, as those of the files in src/ and dist/. */
export const ENTRIES = Object.values(exports).flatMap(
  (entry) => /^\.\/dist\/(\w+)\.js$/.exec(entry.default ?? '')?.[1] ?? [],
);
