import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, start, write, path, names } = workspace();

const ROWS = 400_000;
const lines = Array.from(
  { length: ROWS },
  (_, i) => `${i % 977},${['a', 'b', 'c'][i % 3]},${(i * 7919) % 5 > 2 ? 1 : 0}`,
);
write('rows.csv', `x,g,y\n${lines.join('\n')}\n`);
json(['train', 'rows.csv', '--target', 'y', '--out', 'model.safetensors']);

describe('an output that cannot be written', () => {
  it.each([
    ['a folder that does not exist', 'absent/out.csv'],
    ['a folder', 'folder.csv'],
    ['below a file', 'rows.csv/out.csv'],
    ['an ending that names no format', 'out.xyz'],
  ])('%s is refused before the work', (_, out) => {
    if (out === 'folder.csv') mkdirSync(path(out));
    const before = names();
    // The data file does not exist either: the output is looked at first.
    const { status, stderr } = run(['score', 'model.safetensors', 'absent.csv', '--out', out]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_OUTPUT .*\n$/);
    expect(names()).toEqual(before);
  });

  it('train looks at it before it reads, too', () => {
    const { status, stderr } = run(['train', 'absent.csv', '--target', 'y', '--out', 'absent/model.safetensors']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_OUTPUT absent\/model\.safetensors: /);
  });

  it.each([
    ['a report over its model', ['train', 'small.csv', '--target', 'y', '--out', 'o', '--report', 'o']],
    ['a model over its data', ['train', 'small.csv', '--target', 'y', '--out', 'link.csv']],
    ['a report over the model it is of', ['eval', 'm.st', 'small.csv', '--target', 'y', '--report', './m.st']],
    ['scores over the rows', ['score', 'm.st', 'small.csv', '--out', 'small.csv']],
    ['a model over its data, by folds', ['cv', 'small.csv', '--target', 'y', '--out', 'small.csv']],
    ['a schema over the data', ['schema', 'small.csv', '--target', 'y', '--out', 'small.csv']],
    ['a model over its schema', ['train', 'small.csv', '--target', 'y', '--schema', 's.json', '--out', 's.json']],
    [
      'a page over its schema',
      ['train', 'small.csv', '--target', 'y', '--schema', 's.json', '--out', 'o', '--report', 's.json'],
    ],
    [
      'a model over its schema, by folds',
      ['cv', 'small.csv', '--target', 'y', '--schema', 's.json', '--out', 's.json'],
    ],
    ['a model over its costs', ['train', 'small.csv', '--target', 'y', '--costs', 'c.json', '--out', 'c.json']],
    [
      'a page over its costs',
      ['train', 'small.csv', '--target', 'y', '--costs', 'c.json', '--out', 'o', '--report', 'c.json'],
    ],
    [
      'a model over its checkpoint',
      ['train', 'small.csv', '--target', 'y', '--online', '--checkpoint', 'c', '--out', 'c'],
    ],
  ])('%s is refused, and nothing is replaced', (_, args) => {
    const rows = write(
      'small.csv',
      `x,y\n${lines
        .slice(0, 90)
        .join('\n')
        .replaceAll(/,[abc],/g, ',')}\n`,
    );
    rmSync(path('link.csv'), { force: true });
    symlinkSync(path(rows), path('link.csv'));
    write('m.st', readFileSync(path('model.safetensors')));
    write('s.json', '{"features":[{"name":"x","kind":"numeric"}]}');
    write('c.json', '[[0,1],[5,0]]');
    const before = names();
    const { status, stderr } = run(args);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ERR_OUTPUT \S+: expected a path that the run does not use otherwise, .*choose another path\n$/,
    );
    expect(names()).toEqual(before);
    expect(readFileSync(path('m.st'))).toEqual(readFileSync(path('model.safetensors')));
    expect(readFileSync(path('small.csv'), 'utf8')).toMatch(/^x,y\n/);
  });
});

describe('a full disk leaves nothing behind', () => {
  // Writes beyond 512 kB fail with EFBIG, as they fail with ENOSPC when the disk is full.
  const shell = "trap '' XFSZ; ulimit -f 512";

  it.each(['out.csv', 'out.tsv', 'out.jsonl', 'out.parquet'])('score into %s', (out) => {
    const before = names();
    const { status, stderr } = run(['score', 'model.safetensors', 'rows.csv', '--out', out], { shell });
    expect(status).toBe(1);
    expect(
      stderr
        .split('\n')
        .filter((line) => !line.startsWith('note:'))
        .join(''),
    ).toMatch(/^ERR_OUTPUT out\.\w+: cannot be written \(.*file too large/i);
    expect(names()).toEqual(before);
  });

  it('a device that is full', () => {
    const { status, stderr } = run(['score', 'model.safetensors', 'rows.csv', '--out', '/dev/full']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_OUTPUT \/dev\/full: cannot be written \(no space left on device\)/);
  });

  it('train', () => {
    const before = names();
    const { status, stderr } = run(['train', oracle('lbw.csv'), '--target', 'low', '--out', 'm.safetensors'], {
      shell: "trap '' XFSZ; ulimit -f 1",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_OUTPUT m\.safetensors: cannot be written/);
    expect(names()).toEqual(before);
  });

  it('what stood under the name before stays', () => {
    writeFileSync(path('old.csv'), 'old');
    run(['score', 'model.safetensors', 'rows.csv', '--out', 'old.csv'], { shell });
    expect(readFileSync(path('old.csv'), 'utf8')).toBe('old');
  });
});

describe('a signal in the middle leaves no half-written file', () => {
  it.each([
    ['SIGINT', 'half.csv'],
    ['SIGINT', 'half.parquet'],
    ['SIGTERM', 'half.jsonl'],
  ] as const)('%s while %s is written', async (signal, out) => {
    const before = names();
    const child = start(['score', 'model.safetensors', 'rows.csv', '--out', out]);
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, by) => resolve(by)));
    for (let tries = 0; tries < 1000 && names().length === before.length; tries++) await setTimeout(5);
    expect(names().length).toBeGreaterThan(before.length);
    child.kill(signal);
    // Ended by the signal itself, so that a shell sees 128 + its number.
    expect(await ended).toBe(signal);
    expect(names()).toEqual(before);
  });

  it('SIGINT while train works', async () => {
    const before = names();
    const child = start(['train', 'rows.csv', '--target', 'y', '--out', 'half.safetensors']);
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, by) => resolve(by)));
    await setTimeout(600);
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
    expect(names()).toEqual(before);
  });
});
