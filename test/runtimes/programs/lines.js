// On runtimes with a command line: does the orders of standard input, one JSON value a line, until it ends.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { obey, worker } from './work.js';

const work = worker(JSON.parse(await readFile(new URL('sets.json', import.meta.url), 'utf8')));
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(obey(work, JSON.parse(line)))}\n`);
}
