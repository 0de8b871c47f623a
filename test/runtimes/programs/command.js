// On runtimes with a command line (Node, Deno, Bun): runs the programs that its arguments name, prints their results as JSON.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { run } from './run.js';

const sets = JSON.parse(await readFile(new URL('sets.json', import.meta.url), 'utf8'));
const module = await readFile(new URL(import.meta.resolve('logodds/wasm')));
const programs = process.argv.slice(2).map((name) => [name, async () => (await import(`./${name}.js`)).default]);
process.stdout.write(JSON.stringify(await run(Object.fromEntries(programs), sets, module)));
