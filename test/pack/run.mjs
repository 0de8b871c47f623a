// node test/pack/run.mjs
// All packages as npm packs them, installed together in an empty folder: the command trains and scores a small CSV there,
// and a program imports the library. Dependencies of the command come from the registry or npm's cache.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { check, tally } from '../examples/harness.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const step = (sentence) => console.log(`pack: ${sentence} ...`);
/** Runs a program of npm, which is a .cmd file on Windows. @returns what it prints */
const run = (command, args, cwd) =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A probability that depends on the distance and on the origin; the same rows at every run. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const distance = 200 + ((i * 379) % 2000);
  const origin = ['ATL', 'LAS', 'MCI'][i % 3];
  const late = distance + (origin === 'LAS' ? 600 : 0) + ((i * 733) % 900) > 1500 ? 'yes' : 'no';
  return { distance, origin, late };
});
const csv = (columns) =>
  `${[columns, ...rows.map((row) => columns.map((name) => row[name]))].map((cells) => cells.join(',')).join('\n')}\n`;

const PROGRAM = `
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as library from 'logodds';
import { chooseThreshold } from 'logodds/decide';
import { sigmoid } from 'logodds/kernels';
import { accuracy } from 'logodds/metrics';
import { loadModel, pickEngine } from 'logodds/score';
import { allStages, explain } from 'logodds/stages';

const bytes = readFileSync('flights.safetensors');
const record = { distance: 600, origin: 'LAS' };
const one = library.loadModel(bytes).score(record);
const model = loadModel(bytes, allStages);
assert.deepEqual(model.score(record), one);
const { base, contributions } = explain(model, record);
const logit = contributions.reduce((sum, { contribution }) => sum + contribution, base);
assert.ok(Math.abs(logit - one.logit) < 1e-12);
const table = library.tableFromRecords([record]);
assert.equal(model.scorer(pickEngine()).score(table).probabilities[0], one.probability);
const { model: again } = library.fit(library.tableFromRecords(JSON.parse(readFileSync('rows.json', 'utf8'))), { target: 'late' });
assert.equal(typeof again.score(record).label, 'string');
assert.equal(sigmoid(one.logit), one.probability);
assert.deepEqual([typeof chooseThreshold, typeof accuracy], ['function', 'function']);
console.log(JSON.stringify(one));
`;

const CLIENT = `
import { InferenceClient, ScoringClient } from '@logodds/client';

const baseUrl = process.argv[2];
const client = new ScoringClient({ baseUrl });
const { score } = await client.score('flights', { distance: 600, origin: 'LAS' });
const inputs = [{ name: 'distance', data: [600] }, { name: 'origin', data: ['LAS'] }];
const result = await new InferenceClient({ baseUrl }).infer('flights', inputs, { binary: true });
const error = await client.score('flights', { distance: 600 }).catch((error) => error);
console.log(score.label, result.output('label').data[0], error.code);
`;

const SERVICE = `
import { readFileSync } from 'node:fs';
import { loadModel } from 'logodds';
import { service } from './service.mjs';

const record = { distance: 600, origin: 'LAS' };
const ask = (type, body) =>
  service.fetch(new Request('http://x/models/flights/score', { method: 'POST', body, headers: { 'content-type': type } }));
const { scores } = await (await ask('application/json', JSON.stringify(record))).json();
// what is loaded with the first request that needs it
if ((await ask('application/vnd.apache.arrow.stream', 'none')).status !== 400) throw new Error('Arrow');
if (!(await (await service.fetch(new Request('http://x/openapi.json'))).json()).openapi) throw new Error('OpenAPI');
console.log(scores[0].probability, loadModel(readFileSync('flights.safetensors')).score(record).probability);
`;

const folder = mkdtempSync(join(tmpdir(), 'logodds-pack-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const logodds = (...args) => run('npx', ['--no-install', 'logodds', ...args], folder);
try {
  step('packing all packages');
  for (const from of [root, join(root, 'cli'), join(root, 'client'), join(root, 'service')])
    run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], from);
  const archives = ['logodds', 'logodds-cli', 'logodds-client', 'logodds-service'].map(
    (name) => `./${name}-${version}.tgz`,
  );
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  step(`installing ${archives.join(', ')} in an empty folder`);
  // no scripts: neither the packages nor their dependencies need any
  run('npm', ['install', ...archives, '--ignore-scripts', '--prefer-offline', ...QUIET], folder);

  console.log('installed');
  await check('the library and the client bring no dependency, the command not the library', () => {
    const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    const { dependencies: ofLibrary = {} } = packages['node_modules/logodds'];
    const { dependencies: ofCommand } = packages['node_modules/@logodds/cli'];
    assert.deepEqual(ofLibrary, {});
    assert.ok(!('dependencies' in packages['node_modules/@logodds/client']));
    assert.ok(!('logodds' in ofCommand));
    // of one version, so that there is one copy of the library
    assert.equal(packages['node_modules/@logodds/service'].dependencies.logodds, version);
    assert.ok(!('node_modules/@logodds/service/node_modules/logodds' in packages));
  });
  await check('all have README, LICENSE and CHANGELOG', () => {
    for (const name of ['logodds', '@logodds/cli', '@logodds/client', '@logodds/service'])
      for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md'])
        assert.ok(existsSync(join(folder, 'node_modules', name, file)), `${name}: ${file}`);
  });

  console.log('command');
  await check(`npx logodds --version says ${version}`, () => assert.equal(logodds('--version').trim(), version));
  writeFileSync(join(folder, 'flights.csv'), csv(['distance', 'origin', 'late']));
  writeFileSync(join(folder, 'new.csv'), csv(['distance', 'origin']));
  writeFileSync(join(folder, 'rows.json'), JSON.stringify(rows));
  await check('train fits a CSV', () => {
    const out = logodds('train', 'flights.csv', '--target', 'late', '--out', 'flights.safetensors', '--json');
    assert.equal(JSON.parse(out).fit.converged, true);
  });
  await check('score writes a probability for each row', () => {
    logodds('score', 'flights.safetensors', 'new.csv', '--out', 'scores.csv');
    const [header, ...lines] = readFileSync(join(folder, 'scores.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(header, 'row,p_no,p_yes,label');
    assert.equal(lines.length, rows.length);
    const right = lines.filter((line, i) => line.split(',')[3] === rows[i].late).length;
    assert.ok(right > 0.75 * rows.length, `${right} of ${rows.length} labels are right`);
  });
  await check('a report is drawn, a query read', () => {
    const query = ['--query', "select * from 'flights.csv'"].map((word) =>
      process.platform === 'win32' ? `"${word}"` : word,
    );
    logodds('train', ...query, '--target', 'late', '--out', 'q.safetensors', '--report', 'report.html');
    assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /<svg /);
  });

  await check('npx @logodds/cli runs the command', () => {
    assert.equal(run('npx', ['--no-install', '@logodds/cli', '--version'], folder).trim(), version);
  });
  await check('npm install -g gives the command logodds', () => {
    const prefix = join(folder, 'global');
    const options = ['--prefix', prefix, '--ignore-scripts', '--prefer-offline', ...QUIET];
    run('npm', ['install', '-g', archives[1], ...options], folder);
    const bin = process.platform === 'win32' ? join(prefix, 'logodds.cmd') : join(prefix, 'bin/logodds');
    assert.equal(run(bin, ['--version'], folder).trim(), version);
  });

  console.log('client');
  await check('a program asks the service that the command starts', async () => {
    const child = spawn(
      process.execPath,
      [
        'node_modules/@logodds/cli/bin/logodds.js',
        'serve',
        'flights.safetensors',
        '--port',
        '0',
        '--no-grpc',
        '--json',
      ],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const [line] = await once(createInterface(child.stdout), 'line');
      writeFileSync(join(folder, 'client.mjs'), CLIENT);
      const said = run(process.execPath, ['client.mjs', JSON.parse(line).url], folder);
      assert.match(said, /^(yes|no) (yes|no) ERR_SCHEMA\n$/);
    } finally {
      child.kill();
    }
  });

  console.log('service');
  await check('the program of its README answers as the library does', () => {
    const readme = readFileSync(join(folder, 'node_modules/@logodds/service/README.md'), 'utf8');
    const [, program] = /```js\n\/\/ service\.mjs\n([\s\S]*?)```/.exec(readme);
    writeFileSync(join(folder, 'service.mjs'), program);
    writeFileSync(join(folder, 'ask.mjs'), SERVICE);
    const [served, own] = run(process.execPath, ['ask.mjs'], folder).trim().split(' ');
    assert.ok(Number(own) > 0);
    assert.equal(served, own);
  });

  console.log('library');
  await check('the example of its README prints what its comments say', () => {
    const readme = readFileSync(join(folder, 'node_modules/logodds/README.md'), 'utf8');
    const program = /```js\n([\s\S]*?)```/.exec(readme)[1];
    const said = [...program.matchAll(/^\/\/ (.*\n)/gm)].map(([, line]) => line).join('');
    writeFileSync(join(folder, 'readme.mjs'), program);
    cpSync(join(root, 'node_modules/vega-datasets'), join(folder, 'node_modules/vega-datasets'), { recursive: true });
    assert.match(said, /^converged /);
    assert.equal(run(process.execPath, ['readme.mjs'], folder), said);
  });
  await check('a program imports logodds and its other entries; they agree', () => {
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    const { probability } = JSON.parse(run(process.execPath, ['program.mjs'], folder));
    assert.ok(probability > 0 && probability < 1);
  });
  await check('every entry can be imported, and names its declarations', () => {
    const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules/logodds/package.json'), 'utf8'));
    const entries = Object.entries(exports).filter(([, target]) => target.default?.endsWith('.js'));
    assert.ok(entries.length >= 9);
    for (const [entry, { types }] of entries) {
      assert.ok(existsSync(join(folder, 'node_modules/logodds', types)), types);
      writeFileSync(join(folder, 'entry.mjs'), `await import('${join('logodds', entry).replaceAll('\\', '/')}');\n`);
      run(process.execPath, ['entry.mjs'], folder);
    }
  });
} catch (error) {
  tally.failed++;
  console.log(`  FAIL  pack broke off\n${error?.stderr ?? ''}${error?.stack ?? error}`);
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);
