import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine, packages, SEED, settings, sink } from './harness.ts';
import { Lab, type Peers } from './lab.ts';
import { Peer } from './peer.ts';
import * as auc from './suites/auc.ts';
import * as bytes from './suites/bytes.ts';
import * as columns from './suites/columns.ts';
import * as elementwise from './suites/elementwise.ts';
import * as gradient from './suites/gradient.ts';
import * as hessian from './suites/hessian.ts';
import * as monitor from './suites/monitor.ts';
import * as pipeline from './suites/pipeline.ts';
import * as record from './suites/record.ts';
import * as rows from './suites/rows.ts';
import * as scoreFile from './suites/scoreFile.ts';
import * as service from './suites/service.ts';
import * as sparse from './suites/sparse.ts';
import * as start from './suites/start.ts';
import * as stream from './suites/stream.ts';
import * as threads from './suites/threads.ts';
import * as trainDense from './suites/trainDense.ts';
import * as trainFile from './suites/trainFile.ts';
import * as trainFlights from './suites/trainFlights.ts';
import * as trainInference from './suites/trainInference.ts';
import * as trainL1Path from './suites/trainL1Path.ts';
import * as trainMemory from './suites/trainMemory.ts';
import * as trainMultinomial from './suites/trainMultinomial.ts';
import * as trainOnline from './suites/trainOnline.ts';
import * as trainSparse from './suites/trainSparse.ts';
import * as trainWide from './suites/trainWide.ts';
import { listing, load, markdown, short, writeReadme } from './table.ts';
import type { Results } from './timings.ts';

interface Suite {
  run(lab: Lab): Promise<void>;
  readonly notes: readonly string[];
}

const suites: Record<string, Suite> = {
  record,
  start,
  pipeline,
  bytes,
  elementwise,
  rows,
  columns,
  sparse,
  gradient,
  hessian,
  threads,
  auc,
  'train-dense': trainDense,
  'train-flights': trainFlights,
  'train-wide': trainWide,
  'train-sparse': trainSparse,
  'train-l1-path': trainL1Path,
  'train-multinomial': trainMultinomial,
  'train-inference': trainInference,
  'train-online': trainOnline,
  'score-file': scoreFile,
  'train-file': trainFile,
  'train-memory': trainMemory,
  monitor,
  service,
  stream,
};

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
  const peers: Peers = { python: await Peer.python(), r: await Peer.r(), rust: await Peer.rust() };
  const rivals = { ...packages(), ...peers.python?.versions, ...peers.r?.versions, ...peers.rust?.versions };
  console.error(
    Object.entries(rivals)
      .map((pair) => pair.join(' '))
      .join(', '),
  );
  if (!peers.python) console.error('bench: the Python rivals are left out');
  if (!peers.r) {
    console.error(
      'bench: the R rivals (glmnet, glm) are left out; they need Rscript, glmnet and jsonlite: apt-get install r-base-core r-cran-glmnet r-cran-jsonlite',
    );
  }
  for (const name of positionals.length ? positionals : Object.keys(suites)) {
    const begin = performance.now();
    console.error(`${name}${how.quick ? ' (quick: not for figures)' : ''}`);
    const on = machine();
    const lab = await Lab.open(how, peers);
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
  for (const peer of Object.values(peers)) peer?.end();
  console.error(`sink ${sink}`);
}

if (!how.quick) console.log(`\n${markdown(values.table ? load(folder) : taken)}`);
if (values.readme) writeReadme('bench/results', 'docs/BENCHMARKS.md');
// a small run says nothing of the floors
if (values.check && !how.quick) {
  const failed = short(values.table ? load(folder) : taken);
  for (const sentence of failed) console.error(`short: ${sentence}`);
  if (failed.length) process.exitCode = 1;
}
