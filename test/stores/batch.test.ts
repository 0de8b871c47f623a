import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { FileLock } from '../../cli/src/serve/observation/fileLock.ts';
import { workspace } from '../cli/run.ts';
import { sweep } from '../full.ts';
import { csv, random } from './data.ts';

/*
 * Folders of scores: a part for each file, and jobs that go on where they were.
 */

const space = workspace();
const { run, json, path, write, names } = space;
const PARTS = 6;

beforeAll(() => {
  write('train.csv', csv(400, 1, true));
  expect(run(['train', 'train.csv', '--target', 'y', '--out', 'm.safetensors']).status).toBe(0);
  mkdirSync(path('in/dt=1'), { recursive: true });
  mkdirSync(path('in/dt=2'), { recursive: true });
  for (let i = 0; i < PARTS; i++) write(`in/dt=${1 + (i % 2)}/p${i}.csv`, csv(300 + i, 10 + i));
});

const score = (out: string, ...more: string[]) => run(['score', 'm.safetensors', 'in/**/*.csv', '--out', out, ...more]);
const parts = Array.from({ length: PARTS }, (_, i) => `dt=${1 + (i % 2)}/p${i}.csv`);
const contents = (out: string) => parts.map((name) => readFileSync(path(out + name), 'utf8'));

test('each file becomes a part that scores it alone', () => {
  const result = json(['score', 'm.safetensors', 'in/**/*.csv', '--out', 'a/']);
  expect(result).toMatchObject({
    out: 'a/',
    manifest: 'a/_logodds.json',
    parts: { total: PARTS, made: PARTS, kept: 0, refused: 0 },
    rows: 6 * 300 + 15,
    rowsTotal: 6 * 300 + 15,
    refused: [],
  });
  for (const name of parts) {
    run(['score', 'm.safetensors', `in/${name}`, '--out', 'alone.csv']);
    expect(readFileSync(path(`a/${name}`), 'utf8')).toBe(readFileSync(path('alone.csv'), 'utf8'));
  }
  expect(json(['inspect', 'm.safetensors']).sha256).toBe(result.modelSha256);
});

test('counts of strangers and defaults are those of all rows at once', () => {
  mkdirSync(path('odd'));
  write('odd/1.csv', 'a,b,c\n1,2,x\n99,2,q\n');
  write('odd/2.csv', 'a,b,c\n,2,x\n-99,2,y\n1,1,z\n');
  const split = json(['score', 'm.safetensors', 'odd/*.csv', '--out', 'odds/']);
  const whole = json(['score', 'm.safetensors', 'odd/*.csv', '--out', 'odd.csv']);
  expect(split.unseen).toEqual(whole.unseen);
  expect(split.defaulted).toBeCloseTo(whole.defaulted, 15);
});

test('--resume of a job that is done does nothing and ends with 0', () => {
  score('b/');
  const before = contents('b/');
  const { status, stdout } = score('b/', '--resume');
  expect([status, stdout]).toEqual([0, 'nothing to do: all 6 parts are done: b/\n']);
  expect(contents('b/')).toEqual(before);
});

test('without --resume a folder with a manifest is refused; --restart makes all anew', () => {
  score('c/');
  expect(score('c/')).toMatchObject({
    status: 1,
    stderr:
      'ERR_OUTPUT c/: expected a folder without scores, got the manifest of 6 parts; go on by --resume, or make all anew by --restart\n',
  });
  expect(JSON.parse(score('c/', '--restart', '--json').stdout).parts.made).toBe(PARTS);
});

test('inputs that were written since, and scores that are gone, are named and made anew', () => {
  score('d/');
  utimesSync(path('in/dt=1/p0.csv'), 1e9, 1e9);
  rmSync(path('d/dt=2/p1.csv'));
  appendFileSync(path('d/dt=1/p2.csv'), 'x');
  const { stdout, stderr } = score('d/', '--resume', '--json');
  expect(stderr).toContain('note: 1 part made anew, whose inputs were written since: "in/dt=1/p0.csv"');
  expect(stderr).toMatch(/note: 2 parts made anew, whose scores are gone or of another size: "dt=(1\/p2|2\/p1).csv"/);
  expect(JSON.parse(stdout).parts).toEqual({ total: PARTS, made: 3, kept: 3, refused: 0, others: 0 });
  expect(contents('d/')).toEqual(contents('a/'));
});

test('another model and other options are refused, and named', () => {
  score('e/');
  run(['train', 'train.csv', '--target', 'y', '--C', '0.1', '--out', 'other.safetensors']);
  const other = run(['score', 'other.safetensors', 'in/**/*.csv', '--out', 'e/', '--resume']);
  expect(other.stderr).toMatch(
    /ERR_OUTPUT e\/: expected scores of this model \(sha256 \w{12}\), got those of another \(\w{12}\); choose/,
  );
  expect(score('e/', '--resume', '--precision', 'f32').stderr).toContain(
    'expected scores made with precision "f32", got those with "f64"',
  );
  expect(contents('e/')).toEqual(contents('a/'));
});

test('before anything is written the columns of every part are checked', () => {
  mkdirSync(path('bad'));
  write('bad/1.csv', csv(10, 1));
  write('bad/2.csv', 'a,b\n1,2\n');
  const failed = run(['score', 'm.safetensors', 'bad/*.csv', '--out', 'f/']);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toMatch(/^ERR_SCHEMA bad\/2\.csv: expected column "c" of the model/);
  expect(names()).not.toContain('f/1.csv');
  const going = run(['score', 'm.safetensors', 'bad/*.csv', '--out', 'f/', '--keep-going', '--json']);
  expect(going.status).toBe(3);
  expect(JSON.parse(going.stdout)).toMatchObject({
    parts: { total: 2, made: 1, refused: 1 },
    refused: [{ input: 'bad/2.csv' }],
  });
  write('bad/2.csv', csv(10, 2));
  expect(
    JSON.parse(run(['score', 'm.safetensors', 'bad/*.csv', '--out', 'f/', '--resume', '--json']).stdout).parts,
  ).toEqual({
    ...{ total: 2, made: 1, kept: 1, refused: 0, others: 0 },
  });
});

test('a cell that cannot be used names part and line, and the parts before it are kept', () => {
  mkdirSync(path('cell'));
  write('cell/1.csv', csv(10, 1));
  write('cell/2.csv', 'a,b,c\n1,2,x\n1,two,x\n');
  const failed = run(['score', 'm.safetensors', 'cell/*.csv', '--out', 'g/']);
  expect(failed.stderr).toMatch(
    /^ERR_RECORD cell\/2\.csv, line 3, row 1 .*; 1 of 2 parts are written; --resume goes on$/m,
  );
  expect(failed.status).toBe(1);
  write('cell/2.csv', csv(10, 2));
  expect(
    JSON.parse(run(['score', 'm.safetensors', 'cell/*.csv', '--out', 'g/', '--resume', '--json']).stdout).parts.kept,
  ).toBe(1);
});

test('two files of one name for their scores are refused', () => {
  mkdirSync(path('twin'));
  write('twin/1.csv', csv(5, 1));
  write('twin/1.tsv', 'a\tb\tc\n1\t2\tx\n');
  expect(run(['score', 'm.safetensors', 'twin/1.*', '--out', 'h/', '--format', 'jsonl']).stderr).toMatch(
    /^ERR_OUTPUT --out: expected a name for each part, got "1\.jsonl" for twin\/1\.csv and twin\/1\.tsv/,
  );
});

test('the scores of another input are not taken for those of one of the same name', () => {
  for (const of of ['left', 'right']) mkdirSync(path(of));
  write('left/1.csv', csv(5, 1));
  write('right/1.csv', csv(6, 2));
  const from = (data: string, ...more: string[]) => run(['score', 'm.safetensors', data, '--out', 'i/', ...more]);
  expect(from('left/*.csv').status).toBe(0);
  expect(from('right/*.csv', '--resume')).toMatchObject({
    status: 1,
    stderr:
      'ERR_OUTPUT i/1.csv: expected the scores of right/1.csv, got those of left/1.csv; name both by one pattern, choose another --out, or make all parts anew by --restart\n',
  });
  // by whatever way it is the same
  symlinkSync('left', path('link'));
  for (const way of [path('left/*.csv'), './left//*.csv', 'right/../left/*.csv', 'link/1.csv'])
    expect([way, from(way, '--resume').stdout]).toEqual([way, 'nothing to do: the one part is done: i/\n']);
  // others stay, and are named
  write('left/2.csv', csv(4, 3));
  expect(from('left/2.csv', '--resume', '--json')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('1 part left alone, whose inputs this run does not have: 1.csv'),
    stdout: expect.stringContaining('"others":1'),
  });
  // --restart would leave them without a manifest
  expect(from('left/2.csv', '--restart').stderr).toMatch(
    /^ERR_OUTPUT i\/: expected that all its parts are made anew, got 1 part that this run does not have: 1\.csv; remove/,
  );
});

test('files that no job has made are not replaced', () => {
  mkdirSync(path('j/dt=1'), { recursive: true });
  write('j/dt=1/p0.csv', 'mine');
  expect(score('j/').stderr).toMatch(/^ERR_OUTPUT j\/: expected a folder without "dt=1\/p0\.csv", got files of these/);
  expect(readFileSync(path('j/dt=1/p0.csv'), 'utf8')).toBe('mine');
  const inputs = contents('in/');
  expect(score('in/').stderr).toMatch(
    /^ERR_OUTPUT in\/dt=\d\/p\d\.csv: expected a path that the run does not use otherwise, got its input in\/dt=/,
  );
  expect(contents('in/')).toEqual(inputs);
});

test('what is no file, or has gone, is a fault of its part', () => {
  mkdirSync(path('gone'));
  write('gone/1.csv', csv(10, 1));
  symlinkSync('nowhere', path('gone/2.csv'));
  execFileSync('mkfifo', [path('gone/3.csv')]);
  const { status, stdout } = run(['score', 'm.safetensors', 'gone/*.csv', '--out', 'k/', '--keep-going', '--json']);
  expect(status).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    parts: { total: 3, made: 1, refused: 2 },
    refused: [
      { input: 'gone/2.csv', error: 'ERR_DATA gone/2.csv: expected a file, got none; check the path' },
      { input: 'gone/3.csv', error: expect.stringContaining('got a pipe or device, which may never end') },
    ],
  });
});

test('a signal ends a job once, with what it has written', async () => {
  mkdirSync(path('many'));
  const rows = csv(3000, 1);
  for (let i = 0; i < 200; i++) write(`many/${i}.csv`, rows);
  const child = space.start(['score', 'm.safetensors', 'many/*.csv', '--out', 'l/']);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  while (!existsSync(path('l/0.csv'))) await setTimeout(2);
  child.kill('SIGTERM');
  expect((await ended)[1]).toBe('SIGTERM');
  expect(stderr).toMatch(
    /^ERR_INTERRUPTED stopped by SIGTERM before the end; \d+ of 200 parts are written; --resume goes on\n$/,
  );
  expect(names()).not.toContain('l/_logodds.json.lock');
  const rest = run(['score', 'm.safetensors', 'many/*.csv', '--out', 'l/', '--resume', '--json']);
  expect([rest.stderr, JSON.parse(rest.stdout).rowsTotal]).toEqual(['', 200 * 3000]);
});

test('flags of a folder are refused without one', () => {
  expect(run(['score', 'm.safetensors', 'in/**/*.csv', '--out', 'x.csv', '--keep-going'])).toMatchObject({ status: 2 });
});

test('of two jobs on a folder the second says so', async () => {
  mkdirSync(path('two'));
  const lock = await FileLock.take(path('two/_logodds.json'));
  const { status, stderr } = score('two/');
  lock.release();
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^ERR_OUTPUT two\/: expected an output that no other job writes, got one of process \d+, since .*; wait until/,
  );
  expect(score('two/').status).toBe(0);
});

test('a job killed at any call to the file system goes on, and its parts are those of one run', () => {
  const whole = score('whole/');
  expect(whole.status).toBe(0);
  const next = random(7);
  let killed = 0;
  for (let i = 0; i < sweep(4, 20); i++) {
    const out = `kill${i}/`;
    const at = String(8 + Math.floor(next() * 90));
    const first = run(['score', 'm.safetensors', 'in/**/*.csv', '--out', out], {
      node: ['--import', fileURLToPath(new URL('killAt.mjs', import.meta.url))],
      env: { LOGODDS_KILL_AT: at },
    });
    if (first.status === null) killed++;
    for (const name of parts)
      if (statSync(path(out + name), { throwIfNoEntry: false }))
        expect(readFileSync(path(out + name), 'utf8')).toBe(readFileSync(path(`whole/${name}`), 'utf8'));
    const second = score(out, '--resume');
    expect([at, second.status, second.stderr]).toEqual([at, 0, expect.any(String)]);
    expect(contents(out)).toEqual(contents('whole/'));
    const { parts: listed } = JSON.parse(readFileSync(path(`${out}_logodds.json`), 'utf8'));
    expect(listed.map(({ output }: { output: string }) => output).sort()).toEqual([...parts].sort());
  }
  expect(killed).toBeGreaterThan(0);
});

test.each([
  ['', 'an empty file'],
  ['\n', 'an empty file'],
  ['{', 'something else'],
  ['{"format":1,"model":"a","options":{},"parts":[null]}', 'something else'],
  ['{"format":1,"model":"a","options":{},"parts":[{"input":"a"}]}', 'something else'],
])('a manifest that is %j is refused, and made anew by --restart', (text, got) => {
  const out = `broken${text.length}/`;
  score(out);
  const before = contents(out);
  write(`${out}_logodds.json`, text);
  for (const more of [[], ['--resume']])
    expect(score(out, ...more)).toMatchObject({
      status: 1,
      stderr: `ERR_OUTPUT ${out}_logodds.json: expected a manifest of format 1, got ${got}; make all parts anew by --restart, or choose another --out\n`,
    });
  expect(score(out, '--restart').status).toBe(0);
  expect(contents(out)).toEqual(before);
});

test('--json has the notes as warnings', () => {
  mkdirSync(path('notes'));
  write('notes/1.csv', 'a,b,c,zip\n1,2,x,9\n');
  write('notes/2.csv', 'a,b,c,zip\n1,2,x,9\n');
  const command = ['score', 'm.safetensors', 'notes/*.csv', '--out', 'noted/', '--json'];
  const notes = (...more: string[]) => {
    const { stdout, stderr } = run([...command, ...more]);
    const { warnings } = JSON.parse(stdout) as { warnings: { code: string; message: string; severity?: string }[] };
    const own = warnings.filter(({ code }) => code === 'NOTE');
    for (const { message, severity } of own) {
      expect(severity).toBe('info');
      expect(stderr).toContain(`note: ${message}\n`);
    }
    return own.map(({ message }) => message).join('\n');
  };
  expect(notes()).toContain('zip');
  write('notes/2.csv', 'a,b,c,zip\n1,2,y,10\n');
  expect(notes('--resume')).toContain('1 part made anew, whose inputs were written since');
  const alone = JSON.parse(run(['score', 'm.safetensors', 'notes/1.csv', '--out', 'noted.csv', '--json']).stdout);
  expect(alone.warnings.map(({ code }: { code: string }) => code)).toContain('NOTE');
});
