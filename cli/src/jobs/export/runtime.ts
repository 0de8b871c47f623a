import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What every export of a language has inside: a file of `cli/export`. */
export const runtimeText = (file: string): string =>
  readFileSync(
    fileURLToPath(
      new URL(`${import.meta.url.endsWith('.ts') ? '../../../export/' : '../export/'}${file}`, import.meta.url),
    ),
    'utf8',
  ).trimEnd();
