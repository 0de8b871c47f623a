import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';
import { longSentences } from './sentences.ts';

// plain JavaScript, without declarations
const { differences, stepsOf } = await import(new URL('../../scripts/guide.mjs', import.meta.url).href);

const readme = readFileSync('README.md', 'utf8');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { folder, run } = workspace();

test('the example and the commands of the README print what they are shown to print', () => {
  expect(stepsOf(readme).map(({ kind }: { kind: string }) => kind)).toEqual(['sh', 'sh', 'js', 'console', 'sh', 'sh']);
  expect(differences(readme, folder, run)).toEqual([]);
});

test('the lines that install name packages, a repository, scripts and a command that exist', () => {
  const lines: string[] = stepsOf(readme)
    .slice(0, 2)
    .flatMap(({ source }: { source: string[] }) => source)
    .map((line: string) => line.replace(/\s+#.*$/, ''));
  const [library, command] = [read('package.json'), read('cli/package.json')];
  const url = library.repository.url.replace(/^git\+|\.git$/g, '');
  expect(lines).toEqual([
    `npm install ${library.name}`,
    `npm install -g ${command.name}`,
    `git clone ${url} && cd ${url.split('/').at(-1)}`,
    'npm start',
    'npm test',
    'node cli/bin/logodds.js --help',
  ]);
  expect(readme).toContain(`npx ${command.name} runs it`);
  expect(library.scripts).toHaveProperty('start');
  expect(library.scripts).toHaveProperty('test');
  expect(command.bin).toEqual({ logodds: 'bin/logodds.js' });
  expect(execFileSync(process.execPath, ['cli/bin/logodds.js', '--help'], { encoding: 'utf8' })).toContain(
    'Usage: logodds',
  );
  const node = /Node ([\d.]+) or newer/.exec(readme)?.[1];
  expect(library.engines.node).toBe(`>=${node}`);
});

test('every figure of the README stands where its link leads', () => {
  const bench = readFileSync('docs/BENCHMARKS.md', 'utf8');
  const table = bench.split('<!-- bench -->')[1].split('<!-- /bench -->')[0];
  const rows = table.split('\n').filter((row) => /\*\*(more than )?[\d.e+]+×?\*\*/.test(row));
  const ratio = (work: string) =>
    rows.filter((row) => row.startsWith(`| ${work} |`)).map((row) => /\*\*(.+?)\*\*/.exec(row)?.[1]);
  const said = readme.replaceAll(/\s+/g, ' ');
  for (const [work, sentence] of [
    ['fit, dense f32, 200k × 100, L2, against scikit-learn', 'RATIO as fast as scikit-learn'],
    ['JSON lines of 20 fields to calibrated probabilities, against JSON.parse alone', 'RATIO as fast as `JSON.parse`'],
    ['probabilities f32, 1M × 32, against numpy', 'probabilities of 1M × 32 have RATIO the speed of numpy'],
    [
      "loss and gradient, rows f32, 1 GiB, against numpy's two passes",
      'loss and gradient of a gigabyte have RATIO of it',
    ],
  ]) {
    const [value] = ratio(work);
    expect(value, work).toBeDefined();
    expect(said).toContain(sentence.replace('RATIO', value!));
  }
  const short = rows.filter((row) => row.includes('(short)'));
  expect(said).toContain(`all ${rows.length} figures, the ${short.length} that miss their goal`);
  const runtimes = /RUNTIMES = \{([\s\S]*?)\n\};/.exec(readFileSync('test/runtimes/runtimes.mjs', 'utf8'))?.[1];
  expect(runtimes?.match(/^ {2}\w+:/gm)?.length).toBe(10);
  expect(said).toContain('Ten runtimes');
  const bytes = /^\| `logodds\/score` \|.*\| ([\d.]+ kB) \|$/m.exec(readFileSync('docs/SIZES.md', 'utf8'))?.[1];
  expect(said).toContain(`\`logodds/score\` is ${bytes} after gzip`);
  const codes = /FINDING_CODES = \[([\s\S]*?)\]/.exec(readFileSync('src/diagnose/finding.ts', 'utf8'))?.[1];
  expect(codes?.match(/'/g)?.length).toBe(2 * 15);
  expect(said).toContain('[Fifteen findings]');
  const { calls, failed } = read('test/misuse/result.json');
  expect(failed).toBe(0);
  expect(said).toContain(`${calls.toLocaleString('en-US')} right and wrong calls`);
});

test('the entries in the README are those of the package', () => {
  const entries = Object.keys(read('package.json').exports).map((entry) => entry.replace(/^\./, 'logodds'));
  const table = readme.split('## Entries')[1].split('### Sizes')[0];
  const others = ['logodds/wasm', 'logodds/schema.json', 'logodds/package.json'];
  expect(
    [...table.matchAll(/`(logodds[\w./]*)`(?=[^|]*\| )/g)]
      .map(([, entry]) => entry)
      .filter((entry, i, all) => all.indexOf(entry) === i)
      .sort(),
  ).toEqual(entries.filter((entry) => !others.includes(entry)).sort());
});

test('the README has no link that a reader of the package cannot follow', () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
  expect(links.filter((link) => !/^(https:|#)/.test(link))).toEqual([]);
  const here = 'https://github.com/logodds/logodds/';
  const paths = links
    .filter((link) => link.startsWith(here))
    .map((link) => link.slice(here.length).replace(/^(blob|tree)\/main\//, ''));
  expect(paths.length).toBeGreaterThan(5);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test('the README is read in a minute: under 150 lines, no sentence of more than 30 words', () => {
  expect(readme.split('\n').length).toBeLessThan(150);
  expect(longSentences(readme, 30)).toEqual([]);
});
