// Measures what each entry of the built package weighs in a bundle, and writes the table of docs/SIZES.md and the figure of the README.
//   node scripts/sizes.mjs [--check]     --check: fails when they say something else
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** What a program ships: its script, and the modules it imports where the host takes them as files. */
async function weigh(contents, conditions = []) {
  const modules = new Map();
  const files = {
    name: 'modules',
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => {
        modules.set(path, readFileSync(`dist/${path.replace('../', '').replace('?module', '')}`));
        return { path, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.', loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    conditions,
    plugins: [files],
    write: false,
  });
  const parts = [outputFiles[0].contents, ...modules.values()];
  return { minified: sum(parts, (part) => part.length), gzip: sum(parts, gzip) };
}
/** What it adds to a program that ships `logodds/score`. */
async function beside(contents) {
  const score = `export * from 'logodds/score';`;
  const [alone, both] = [await weigh(score), await weigh(score + contents)];
  return { minified: both.minified - alone.minified, gzip: both.gzip - alone.gzip };
}
const sum = (list, size) => list.reduce((total, item) => total + size(item), 0);
const file = (path) => {
  const bytes = readFileSync(path);
  return { minified: bytes.length, gzip: gzip(bytes) };
};

const DENSE = `import { pickEngine } from 'logodds/score';
const engine = pickEngine();
export const score = (rows, n, d, w) => {
  const batch = engine.rows(n, d);
  const weights = engine.weights(batch);
  const z = engine.vector(n);
  batch.set(rows);
  weights.set(0, w);
  engine.logits(batch, weights, z);
  engine.sigmoid(z, z);
  return z.view;
};`;

const ROWS = [
  ['`logodds`', 'training, explaining, scoring, both engines', await weigh(`export * from 'logodds';`)],
  ['`logodds/metrics`', 'how good scores are', await weigh(`export * from 'logodds/metrics';`)],
  ['`logodds/decide`', 'calibrators, thresholds, bands for review', await weigh(`export * from 'logodds/decide';`)],
  [
    '`logodds/kernels`',
    'parts of the engine, for programs of their own; `logodds` beside it shares most of this',
    await weigh(`export * from 'logodds/kernels';`),
  ],
  [
    '`logodds/score`',
    'scoring: encoder, model loader, both engines, the kernels inlined',
    await weigh(`export * from 'logodds/score';`),
  ],
  [
    '`logodds/score`, on Workers',
    'the same, the kernels as a module of their own',
    await weigh(`export * from 'logodds/score';`, ['workerd']),
  ],
  [
    '`logodds/score`, dense rows only',
    '`pickEngine`, `rows`, `weights`, `vector`, `logits`, `sigmoid`',
    await weigh(DENSE),
  ],
  [
    '`logodds`, one record at a time',
    '`loadModel(bytes).score(record)`',
    await weigh(
      `import { loadModel } from 'logodds'; export const score = (bytes, record) => loadModel(bytes).score(record);`,
    ),
  ],
  ...(await Promise.all(
    [
      ['encoders', 'features beyond numbers and categories'],
      ['outcomes', 'several classes, calibrated probabilities, labels by cost, a band for review'],
      ['explain, reasons', 'contributions and reason codes'],
      ['whatIf', 'what would flip a decision'],
      ['interval', 'intervals of a probability'],
    ].map(async ([names, inside]) => [
      `\`${names}\` of \`logodds/stages\``,
      `${inside}, beside \`logodds/score\``,
      await beside(`export { ${names} } from 'logodds/stages';`),
    ]),
  )),
  [
    '`logodds/bytes`',
    'scoring from the bytes of JSON and CSV; `logodds/score` beside it shares most of this',
    await weigh(`export * from 'logodds/bytes';`),
  ],
  [
    '`logodds/compile`',
    'writes modules ahead of time; it ships in none',
    await weigh(`export * from 'logodds/compile';`),
  ],
  ['`logodds/slim`', 'scoring without kernels: the module is yours', await weigh(`export * from 'logodds/slim';`)],
  ['`logodds/js`', 'scoring in JavaScript alone', await weigh(`export * from 'logodds/js';`)],
  [
    '`logodds/threads`',
    'an engine over shared memory; `logodds` beside it shares most of this',
    await weigh(`export * from 'logodds/threads';`),
  ],
  ['`kernels.wasm`', 'the scoring kernels (`logodds/wasm`)', file('dist/kernels.wasm')],
  ['`scanner.wasm`', 'readers of JSON and CSV (`logodds/scanner.wasm`)', file('dist/scanner.wasm')],
  ['`training.wasm`', 'all kernels (`logodds/training.wasm`)', file('dist/training.wasm')],
];

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const table = [
  '| import | inside | minified | gzip |',
  '|---|---|---:|---:|',
  ...ROWS.map(
    ([name, inside, { minified, gzip: packed }]) => `| ${name} | ${inside} | ${kB(minified)} | ${kB(packed)} |`,
  ),
].join('\n');

const TABLE = 'docs/SIZES.md';
const sizes = readFileSync(TABLE, 'utf8');
const [BEGIN, END] = ['<!-- sizes -->\n', '\n<!-- /sizes -->'];
const [begin, end] = [sizes.indexOf(BEGIN), sizes.indexOf(END)];
if (begin < 0 || end < begin) {
  console.error(
    `${TABLE}: expected the lines "<!-- sizes -->" and "<!-- /sizes -->" around the table, got none; add them`,
  );
  process.exit(1);
}
const score = kB(ROWS.find(([name]) => name === '`logodds/score`')[2].gzip);
const readme = readFileSync('README.md', 'utf8');
const files = [
  [TABLE, sizes, sizes.slice(0, begin + BEGIN.length) + table + sizes.slice(end)],
  ['README.md', readme, readme.replace(/(`logodds\/score` is )[\d.]+ kB/, `$1${score}`)],
];
console.log(table);
for (const [path, now, next] of files) {
  if (next === now) {
    console.log(`${path}: current`);
  } else if (process.argv.includes('--check')) {
    console.error(`${path}: expected the sizes of this build, got others; run npm run sizes`);
    process.exit(1);
  } else {
    writeFileSync(path, next);
    console.log(`${path}: written`);
  }
}
