import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine, packages, type Results, SEED, settings, sink } from './harness.ts';
import { Lab } from './lab.ts';
import { Python } from './python.ts';
import * as columns from './suites/columns.ts';
import * as elementwise from './suites/elementwise.ts';
import * as gradient from './suites/gradient.ts';
import * as hessian from './suites/hessian.ts';
import * as record from './suites/record.ts';
import * as rows from './suites/rows.ts';
import * as sparse from './suites/sparse.ts';
import * as threads from './suites/threads.ts';
import { listing, load, markdown, short, writeReadme } from './table.ts';

interface Suite {
  run(lab: Lab): Promise<void>;
  readonly notes: readonly string[];
}

const suites: Record<string, Suite> = { record, elementwise, rows, columns, sparse, gradient, hessian, threads };

const notes = [
  'Rivals of a case are timed in turn within each round; the figure is the median over rounds of the ratio within a round.',
  'Memory was written, with a fixed seed, before any timing; dense data repeat a block of 2²⁰ numbers.',
  'Before timing, outputs were compared with those of the engine: to the tolerance of the case; the JavaScript engine, bit for bit.',
  'Left out: compiling and loading, filling the batch. Each rival writes its result where its own interface puts it.',
  'One thread, unless a name says more. read ×k: WebAssembly SIMD loads, k places at once; the fastest is the read rate.',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !(name in suites));
if (unknown.length) {
  console.error(`bench: no suite ${unknown.join(', ')}; there are: ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}

const how = settings(values.quick);
const folder = how.quick ? 'bench/build/quick' : 'bench/results';
mkdirSync(folder, { recursive: true });

const taken: Record<string, Results> = {};
if (!values.table) {
  const python = how.quick ? null : await Python.start();
  const rivals = { ...packages(), ...python?.versions };
  console.error(
    Object.entries(rivals)
      .map((pair) => pair.join(' '))
      .join(', '),
  );
  if (!python && !how.quick) console.error('bench: the Python rivals are left out');
  for (const name of positionals.length ? positionals : Object.keys(suites)) {
    const begin = performance.now();
    console.error(`${name}${how.quick ? ' (quick: not for figures)' : ''}`);
    const on = machine();
    const lab = await Lab.open(how, python);
    await suites[name].run(lab);
    const results: Results = {
      suite: name,
      machine: on,
      rivals,
      settings: { ...how, seed: SEED },
      notes: [...notes, ...suites[name].notes],
      cases: lab.cases,
    };
    taken[name] = results;
    const short = (_: string, v: unknown) => (typeof v === 'number' ? Number(v.toPrecision(6)) : v);
    writeFileSync(`${folder}/${name}.json`, `${JSON.stringify(results, short, 1)}\n`);
    console.log(`${listing(results)}\n`);
    console.error(`${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  }
  python?.end();
  console.error(`sink ${sink}`);
}

if (!how.quick) console.log(`\n${markdown(values.table ? load(folder) : taken)}`);
if (values.readme) writeReadme('bench/results', 'README.md');
// a small run says nothing of the floors
if (values.check && !how.quick) {
  const failed = short(values.table ? load(folder) : taken);
  for (const sentence of failed) console.error(`short: ${sentence}`);
  if (failed.length) process.exitCode = 1;
}
