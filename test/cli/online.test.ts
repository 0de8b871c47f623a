import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryBeside } from '../../cli/src/write/temporary.ts';
import { loadModel } from '../../src/index.ts';
import { numbers } from '../engine/engines.ts';
import { workspace } from './run.ts';

const { run, json, write, path, names, start } = workspace();

const ROWS = 5000;
const next = numbers(11);
const records = Array.from({ length: ROWS }, (_, i) => {
  const x = Math.round(next() * 1000) / 8;
  const kind = 'abcd'[Math.floor((next() + 1) * 2)];
  const late = next() * 2 < x / 60 + (kind === 'a' ? 1 : -0.2) ? 'yes' : 'no';
  return { x: i % 50 === 3 ? null : x, kind: i > 3000 && i % 9 === 0 ? `new ${i % 4}` : kind, s: 1 + (i % 3), late };
});
const HEADER = 'x,kind,s,late\n';
const lines = records.map(({ x, kind, s, late }) => `${x ?? ''},"${kind}",${s},${late}\n`);
const CSV = HEADER + lines.join('');
write('rows.csv', CSV);
write('rows.jsonl', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
write('rows.csv.gz', gzipSync(CSV));

const FLAGS = ['--online', '--target', 'late', '--weight', 's', '--l1', '0.2', '--warmup', '400'];
const args = (data: string, out: string, ...more: string[]) => ['train', data, ...FLAGS, '--out', `${out}.st`, ...more];
const model = (out: string) => readFileSync(path(`${out}.st`));

/** with a checkpoint of this name every 500 rows */
const kept = (data: string, out: string, ...more: string[]) =>
  args(data, out, '--checkpoint', `${out}.ckpt`, '--checkpoint-every', '500', ...more);

/** the run without a stop that the others are held against */
const whole = json(kept('rows.csv', 'whole'));

const failure = (argv: readonly string[], stdin?: string): string => {
  const { status, stdout, stderr } = run(argv, { stdin });
  expect(stdout).toBe('');
  expect(status).toBe(1);
  return stderr;
};

const wait = async (until: () => boolean) => {
  for (let tries = 0; !until(); tries++) {
    if (tries > 1000) throw new Error('waited too long');
    await setTimeout(10);
  }
};

describe('train --online', () => {
  it('prints the object of train --json, with progressive figures', () => {
    expect(Object.keys(whole)).toEqual([
      ...[
        'model',
        'classes',
        'rows',
        'fit',
        'holdout',
        'holdoutShares',
        'evaluation',
        'defaulted',
        'unseen',
        'calibration',
        'decision',
        'warnings',
      ],
    ]);
    expect(whole.rows).toEqual({ train: ROWS, holdout: 0 });
    expect(whole.fit).toMatchObject({ converged: false, reason: 'online', iterations: ROWS, gradNorm: null });
    const { manifest } = loadModel(model('whole'));
    expect(whole.fit.objective).toBe(manifest.fit.objective);
    expect(whole.fit.seconds).toBeGreaterThan(0);
    // far better than the share of the classes alone
    expect(manifest.fit.logLik).toBeGreaterThan(manifest.fit.nullLogLik * 0.9);
    const [x] = manifest.schema.features;
    expect(x).toMatchObject({ name: 'x', kind: 'numeric', indicator: true });
  });

  it('gives a model that inspect, score and eval take, and a report on the terminal', () => {
    expect(run(args('rows.csv', 'report')).stdout).toMatch(
      /FTRL-Proximal, each row once in order \(alpha 0\.1, beta 1, l1 0\.2/,
    );
    expect(run(['inspect', 'whole.st']).stdout).toMatch(/kind = a/);
    const { metrics } = json(['eval', 'whole.st', 'rows.csv', '--target', 'late']);
    expect(metrics.auc).toBeGreaterThan(0.7);
    expect(run(['score', 'whole.st', 'rows.csv', '--out', 'scores.csv']).status).toBe(0);
  });

  it('the same bytes from a file, packed or not, standard input and JSON lines, with and without checkpoints', () => {
    for (const [data, stdin] of [
      ['rows.csv'],
      ['rows.csv.gz'],
      ['-', CSV],
      ['rows.jsonl'],
      ['-', `\n${readFileSync(path('rows.jsonl'))}`],
    ]) {
      json(args(data!, 'same'), { stdin });
      expect(model('same').equals(model('whole')), data).toBe(true);
    }
    json(args('-', 'same'), { stdin: `\uFEFF${CSV.replaceAll('\n', '\r\n').replaceAll(',', ';')}` });
    expect(model('same').equals(model('whole'))).toBe(true);
  });

  it('spells categories as train does: 2.0 is 2, TRUE is true', () => {
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${i % 2 ? '2.0' : i % 3 ? 2 : 3},${i % 4 ? 'TRUE' : 'false'},${i % 5 ? 0 : 1}`,
    );
    const data = write('spelling.csv', `size,flag,y\n${rows.join('\n')}\n`);
    json([
      'train',
      data,
      '--online',
      '--target',
      'y',
      '--categorical',
      'size',
      '--warmup',
      '30',
      '--out',
      'spelling.st',
    ]);
    const { manifest } = loadModel(model('spelling'));
    expect(manifest.schema.features).toMatchObject([{ levels: ['2', '3'] }, { levels: ['false', 'true'] }]);
    expect(manifest.classes).toEqual(['0', '1']);
    json(['train', data, '--online', '--target', 'y', '--drop', 'size', '--warmup', '30', '--out', 'spelling.st']);
    expect(loadModel(model('spelling')).manifest.schema.features.map(({ name }) => name)).toEqual(['flag']);
  });
});

describe('a run that ends early goes on from its checkpoint, nothing counted twice', () => {
  it('killed at any moment: model and checkpoint become those of a run without a stop', async () => {
    const child = start(kept('-', 'killed'));
    const ended = once(child, 'exit');
    child.stdin.write(HEADER + lines.slice(0, 2300).join(''));
    await wait(() => existsSync(path('killed.ckpt')) && existsSync(path('killed.st')));
    child.stdin.write(lines.slice(2300, 2600).join(''));
    child.kill('SIGKILL');
    await ended;
    // as a kill while it was being written leaves it
    write(temporaryBeside('killed.st', child.pid), 'half a model');
    const { rows } = loadModel(model('killed')).manifest.fit;
    expect(rows).toBeGreaterThanOrEqual(500);
    expect(rows).toBeLessThan(ROWS);
    expect(json(kept('-', 'killed'), { stdin: CSV }).rows.train).toBe(ROWS);
    expect(model('killed').equals(model('whole'))).toBe(true);
    expect(names().filter((name) => name.startsWith('.killed'))).toEqual([]);
    expect(readFileSync(path('killed.ckpt')).equals(readFileSync(path('whole.ckpt')))).toBe(true);
  });

  it.runIf(existsSync('/proc/self/io')).each([
    ['SIGTERM', lines[2000].slice(0, -2), 2000],
    ['SIGINT', lines[2000], 2001],
  ] as const)('%s: the rows that arrived are learnt, half a record is not, status 0', async (signal, last, rows) => {
    const out = `by-${signal}`;
    // the rows before are not given again, so the baselines would differ
    const bare = (...more: string[]) => kept('-', out, '--no-baseline', ...more);
    const child = start([...bare(), '--json']);
    let stdout = '';
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    const ended = once(child, 'close');
    child.stdin.write(HEADER + lines.slice(0, 2000).join(''));
    await wait(() => existsSync(path(`${out}.ckpt`)));
    // it has read what was written when its counter of bytes says so
    const read = () => Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))![1]);
    const before = read();
    child.stdin.write(last);
    await wait(() => read() >= before + last.length);
    child.kill(signal);
    expect((await ended)[0]).toBe(0);
    expect(JSON.parse(stdout).rows.train).toBe(rows);
    // a producer that goes on where the run ended says so
    const rest = HEADER + lines.slice(1900).join('');
    expect(json(bare('--first-row', '1900'), { stdin: rest }).rows.train).toBe(ROWS);
    json(kept('rows.csv', 'bare', '--no-baseline'));
    expect(model(out).equals(model('bare'))).toBe(true);
  });

  it('a bad cell is named by row and column; corrected, the same command goes on and has lost nothing', () => {
    const bad = [...lines];
    bad[4321] = '12,a,heavy,yes\n';
    write('mended.csv', HEADER + bad.join(''));
    // the next checkpoint is far: the error itself must keep what was learnt
    const command = args('mended.csv', 'mended', '--checkpoint', 'mended.ckpt');
    const stderr = failure(command);
    expect(stderr).toMatch(
      /ERR_RECORD mended\.csv, line 4323, row 4321 \(from 0\), column "s": expected a number, got "heavy"/,
    );
    const [, rows] = /note: the checkpoint holds the first ([\d,]+) rows?/.exec(stderr)!;
    expect(loadModel(model('mended')).manifest.fit.rows).toBe(Number(rows.replaceAll(',', '')));
    expect(Number(rows.replaceAll(',', ''))).toBeGreaterThanOrEqual(500);
    write('mended.csv', CSV);
    json(command);
    expect(model('mended').equals(model('whole'))).toBe(true);
  });

  it('run again at the end it learns nothing; rows that were added are learnt', () => {
    write('growing.csv', HEADER + lines.slice(0, 1000).join(''));
    expect(json(kept('growing.csv', 'growing')).rows.train).toBe(1000);
    const before = model('growing');
    expect(json(kept('growing.csv', 'growing')).rows.train).toBe(1000);
    expect(model('growing').equals(before)).toBe(true);
    write('growing.csv', CSV);
    expect(json(kept('growing.csv', 'growing')).rows.train).toBe(ROWS);
    expect(model('growing').equals(model('whole'))).toBe(true);
  });

  it('a stop during the warm-up writes nothing and says so', async () => {
    const child = start(args('-', 'early', '--warmup', '1000000'));
    let stderr = '';
    child.stderr.on('data', (piece) => {
      stderr += piece;
    });
    const ended = once(child, 'close');
    // more than a pipe holds: once it is written the command is reading
    await new Promise((done) => child.stdin.write(HEADER + lines.join('').repeat(20), done));
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(1);
    expect(stderr).toMatch(
      /^ERR_INTERRUPTED stopped in the warm-up, after \d+ of 1,000,000 rows; nothing was written\n$/,
    );
    expect(names().some((name) => name.startsWith('early') || name.startsWith('.early'))).toBe(false);
  });
});

describe('train --online names what is wrong', () => {
  it('a damaged checkpoint, one of other options, one of more rows than there are, one of other columns', () => {
    const bytes = readFileSync(path('whole.ckpt'));
    bytes[bytes.length >> 1] ^= 4;
    write('damaged.ckpt', bytes);
    const from = (ckpt: string, data: string, ...more: string[]) =>
      failure([...args(data, 'untouched', '--checkpoint', ckpt, ...more)]);
    expect(from('damaged.ckpt', 'rows.csv')).toMatch(/^ERR_FORMAT damaged\.ckpt: checkpoint: expected a whole file/);
    expect(from('whole.ckpt', 'rows.csv', '--alpha', '0.2')).toMatch(
      /^ERR_DATA whole\.ckpt: expected --alpha 0\.1 .* got 0\.2/,
    );
    const shorter = write('shorter.csv', HEADER + lines.slice(0, 100).join(''));
    expect(from('whole.ckpt', shorter)).toMatch(/^ERR_DATA shorter\.csv: expected the 5,000 rows .* got 100; /m);
    const other = write('other.csv', CSV.replace('kind', 'sort'));
    expect(from('whole.ckpt', other)).toMatch(/^ERR_SCHEMA other\.csv: expected column "kind", got no column/);
    expect(from('whole.ckpt', 'rows.csv', '--first-row', '5001')).toMatch(
      /^ERR_DATA --first-row: expected at most 5000/,
    );
    expect(names()).not.toContain('untouched.st');
  });

  it('input that cannot be read', () => {
    const of = (name: string, content: string) => failure(args(write(name, content), 'bad'));
    expect(failure(args('absent.csv', 'bad'))).toMatch(
      /^ERR_DATA absent\.csv: cannot be read \(no such file or directory\)/,
    );
    expect(failure(args('rows.parquet', 'bad'))).toMatch(
      /^ERR_DATA DATA with --online: expected - or a path that ends in/,
    );
    expect(failure(args('-', 'bad'), '')).toMatch(/^ERR_DATA standard input: expected rows, got nothing/);
    expect(of('header.csv', HEADER)).toMatch(/^ERR_DATA header\.csv: expected rows, got none/);
    expect(of('twice.csv', 'x,x\n1,2\n')).toMatch(
      /^ERR_SCHEMA twice\.csv: expected distinct column names, got "x" twice/,
    );
    expect(of('ragged.csv', `${HEADER}1,a,1,no\n2,b\n`)).toMatch(
      /^ERR_DATA ragged\.csv: cannot be read: line 3: expected 4 cells, got 2;/,
    );
    expect(of('broken.jsonl', '{"x":1,"kind":"a","s":1,"late":"no"}\n{"x":\n')).toMatch(
      /^ERR_DATA broken\.jsonl: cannot be read: line 2: expected a value, got the end of the line/,
    );
    expect(of('target.csv', CSV.replace('late', 'lade'))).toMatch(
      /^ERR_SCHEMA target\.csv: .*"late".* did you mean "lade"\?/,
    );
    expect(of('one.csv', `${HEADER}1,a,1,no\n2,b,1,no\n`)).toMatch(
      /^ERR_TARGET target "late": expected at least two classes, got 1/,
    );
    expect(of('mixed.csv', `${HEADER}1,a,1,no\n2,b,1,yes\nx?,b,1,yes\n`)).toMatch(
      /^ERR_RECORD mixed\.csv, line 4, row 2 \(from 0\), column "x": expected a number, got "x\?"/,
    );
    expect(of('label.csv', CSV.replace(/yes\n$/, 'perhaps\n').replace(/no\n$/, 'perhaps\n'))).toMatch(
      /ERR_RECORD label\.csv, line 5001, row 4999 \(from 0\), column "late": expected a class \("no", "yes"\), got "perhaps"/,
    );
    expect(names().filter((name) => name.startsWith('bad'))).toEqual([]);
  });

  it('wrong usage', () => {
    const usage = (...argv: string[]) => {
      const { status, stderr } = run(argv);
      expect(status).toBe(2);
      return stderr;
    };
    expect(usage(...args('rows.csv', 'bad', '--C', '2'))).toMatch(/option '--C' does not go with --online/);
    expect(usage(...args('rows.csv', 'bad', '--no-penalty'))).toMatch(
      /option '--no-penalty' does not go with --online/,
    );
    expect(usage(...args('rows.csv', 'bad', '--checkpoint-every', '5'))).toMatch(
      /'--checkpoint-every' needs --checkpoint/,
    );
    expect(usage('train', ...FLAGS, '--out', 'bad.st')).toMatch(/name DATA/);
    expect(usage('train', 'rows.csv', '--target', 'late', '--out', 'bad.st', '--l2', '1')).toMatch(
      /option '--l2' needs --online/,
    );
  });
});
