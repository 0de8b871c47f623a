// Reads messy files with the command's readers and with a slow one: node test/files/run.mjs [--count 100000] [--seed 1] [--only SEED]
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const outfile = fileURLToPath(new URL('build/fuzz.mjs', import.meta.url));
await build({
  entryPoints: [fileURLToPath(new URL('fuzz.ts', import.meta.url))],
  absWorkingDir: root,
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
await import(outfile);
