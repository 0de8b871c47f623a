import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, start, write, path, names } = workspace();
const ROWS = Array.from({ length: 60 }, (_, i) => `${(i * 7919) % 13},${(i * 31) % 7 > 2 ? 1 : 0}`);
const CSV = `x,y\n${ROWS.join('\n')}\n`;
write('d.csv', CSV);
json(['train', 'd.csv', '--target', 'y', '--out', 'm.st']);

/** A folder for temporaries, and what the command leaves or makes there. */
function temporaries(name: string) {
  rmSync(path(name), { recursive: true, force: true });
  mkdirSync(path(name));
  return { TMPDIR: path(name), list: () => readdirSync(path(name)) };
}

const until = async (done: () => boolean) => {
  for (let tries = 0; tries < 4000 && !done(); tries++) await setTimeout(5);
  expect(done()).toBe(true);
};
const mode = (file: string) => statSync(file).mode & 0o777;

/** Text of a module that runs before the command. */
const before = (module: string) => ['--import', `data:text/javascript,${encodeURIComponent(module)}`];
const replaceFs = (body: string) =>
  before(
    `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; ${body}; syncBuiltinESMExports();`,
  );

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));

/** A run that waits for its standard input, of which half has come. */
async function waiting(env: { TMPDIR: string }, list: () => string[], out: string) {
  const child = start(['score', 'm.st', '-', '--out', out], env);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.stdin.write(CSV.slice(0, 100));
  const spooled = () => files(env.TMPDIR).some((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  await until(() => list().length === 1 && spooled());
  return { child, ended, folder: join(env.TMPDIR, list()[0]) };
}

describe('temporary files', () => {
  it('are in one folder of the run that its user alone can enter; nothing is left', async () => {
    const { list, ...env } = temporaries('t1');
    const { child, ended, folder } = await waiting(env, list, 'o1.csv');
    expect(folder).toMatch(/logodds-[0-9a-f]{8}-\d+-[0-9a-f]{12}$/);
    expect(mode(folder)).toBe(0o700);
    for (const file of files(folder)) expect(mode(file), file).toBe(statSync(file).isFile() ? 0o600 : 0o700);
    child.stdin.end(CSV.slice(100));
    expect(await ended).toBe(0);
    expect(list()).toEqual([]);
    expect(readFileSync(path('o1.csv'), 'utf8').split('\n')).toHaveLength(62);
  });

  it('of the rows that do not fit into memory as well', () => {
    const { list, ...env } = temporaries('t2');
    const seen =
      'fs.openSync = (p, f, m) => { if (/rows$/.test(p)) process.stderr.write([f, m.toString(8), p].join(" ") + "\\n"); return open(p, f, m); }';
    const node = replaceFs(`const open = fs.openSync; ${seen}`);
    const { status, stderr } = run(
      ['train', oracle('lbw.csv'), '--target', 'low', '--memory', '200MB', '--out', 'big.st'],
      { env, node },
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^wx\+ 600 \S+\/t2\/logodds-[0-9a-f]{8}-\d+-[0-9a-f]{12}\/\d+\/spill\.rows$/m);
    expect(list()).toEqual([]);
  });

  it('of a killed run are removed by the next one; those of a living process and of others stay', async () => {
    const { list, ...env } = temporaries('t3');
    const { child, ended, folder } = await waiting(env, list, 'o3.csv');
    child.kill('SIGKILL');
    await ended;
    const dead = list()[0];
    expect(names().filter((name) => name.startsWith('.o3.csv.'))).toHaveLength(1);
    const [, host, , random] = dead.split('-');
    const kept = [
      `logodds-${host}-1-${random}`,
      `logodds-00000000-${child.pid}-${random}`,
      'logodds-',
      `logodds-${host}-${child.pid}-${random}-x`,
    ];
    for (const name of kept) mkdirSync(path(`t3/${name}`));
    writeFileSync(path('precious'), 'precious');
    symlinkSync(path('precious'), path(`t3/logodds-${host}-${child.pid}-link`));
    expect(run(['score', 'm.st', '-', '--out', 'o3.csv'], { env, stdin: CSV }).status).toBe(0);
    expect(statSync(folder, { throwIfNoEntry: false })).toBeUndefined();
    expect(list().sort()).toEqual(kept.sort());
    expect(readFileSync(path('precious'), 'utf8')).toBe('precious');
    expect(names().filter((name) => name.startsWith('.o3.csv.'))).toEqual([]);
  });

  it('of a process that may not be asked about stay', async () => {
    const { list, ...env } = temporaries('t4');
    const { child, ended } = await waiting(env, list, 'o4.csv');
    child.kill('SIGKILL');
    await ended;
    const [dead] = list();
    const node = before(
      `process.kill = () => { throw Object.assign(new Error('kill EPERM'), { code: 'EPERM', syscall: 'kill' }) };`,
    );
    expect(run(['score', 'm.st', '-', '--out', 'o4.csv'], { env, node, stdin: CSV }).status).toBe(0);
    expect(list()).toEqual([dead]);
  });

  it('that cannot be removed are named, and neither hide an error nor make one', () => {
    const { list: _, ...env } = temporaries('t5');
    const node = replaceFs(
      `fs.rmSync = fs.rmdirSync = () => { throw Object.assign(new Error('EPERM: operation not permitted, rm'), { code: 'EPERM' }) }`,
    );
    const good = run(['score', 'm.st', '-', '--out', 'o5.csv'], { env, node, stdin: CSV });
    expect(good.status).toBe(0);
    expect(good.stderr).toMatch(
      /^note: \S+\/t5\/logodds-\S+: a temporary file cannot be removed \(operation not permitted\); remove it by hand$/m,
    );
    const bad = run(['score', 'm.st', 'absent.csv', '--out', 'o5.csv'], { env, node });
    expect(bad.status).toBe(1);
    expect(bad.stderr).toMatch(/^ERR_DATA absent\.csv: expected a file/m);
    expect(bad.stderr).not.toMatch(/ERR_INTERNAL|\n {4}at /);
  });

  it('need a place', () => {
    const { status, stderr } = run(['score', 'm.st', '-', '--out', 'o6.csv'], {
      env: { TMPDIR: path('no') },
      stdin: CSV,
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_OUTPUT \S+\/no: expected a place for temporary files, .*set TMPDIR/);
  });
});

describe('an output', () => {
  const outputs: [string, string[], string][] = [
    ['scores in CSV', ['score', 'm.st', 'd.csv', '--out', 'out.csv'], 'out.csv'],
    ['scores in JSON lines', ['score', 'm.st', 'd.csv', '--out', 'out.jsonl'], 'out.jsonl'],
    ['scores in Parquet', ['score', 'm.st', 'd.csv', '--out', 'out.parquet'], 'out.parquet'],
    ['a model', ['train', 'd.csv', '--target', 'y', '--out', 'out.st'], 'out.st'],
    ['a report', ['eval', 'm.st', 'd.csv', '--target', 'y', '--report', 'out.html'], 'out.html'],
    ['a schema', ['schema', 'd.csv', '--target', 'y', '--out', 'out.json'], 'out.json'],
    [
      'a checkpoint',
      ['train', 'd.csv', '--target', 'y', '--online', '--checkpoint', 'out.ck', '--out', 'online.st'],
      'out.ck',
    ],
  ];

  it.each(outputs)('of %s has the mode of the file that it replaces, or that of a new file', (_, args, out) => {
    rmSync(path(out), { force: true });
    expect(run(args, { shell: 'umask 027' }).status).toBe(0);
    expect(mode(path(out))).toBe(0o640);
    for (const kept of [0o600, 0o664]) {
      chmodSync(path(out), kept);
      expect(run(args, { shell: 'umask 022' }).status).toBe(0);
      expect(mode(path(out))).toBe(kept);
    }
  });

  it('is private while it is written', async () => {
    const { list, ...env } = temporaries('t7');
    const hidden = () => names().filter((name) => name.startsWith('.hidden.parquet.'));
    const { child, ended } = await waiting(env, list, 'hidden.parquet');
    await until(() => hidden().length === 1);
    expect(mode(path(hidden()[0]))).toBe(0o600);
    child.stdin.end(CSV.slice(100));
    expect(await ended).toBe(0);
    expect(hidden()).toEqual([]);
  });

  it.each(['trap.csv', 'trap.parquet'])('follows no link that waits under its temporary name: %s', (out) => {
    writeFileSync(path('victim'), 'untouched');
    const plant = `fs.symlinkSync(${JSON.stringify(path('victim'))}, p)`;
    const node = replaceFs(
      `const open = fs.openSync; fs.openSync = (p, f, m) => { if (/\\.tmp$/.test(p)) ${plant}; return open(p, f, m); }`,
    );
    const { status, stderr } = run(['score', 'm.st', 'd.csv', '--out', out], { node });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_OUTPUT trap\.\w+: cannot be written \(file already exists\)/);
    expect(readFileSync(path('victim'), 'utf8')).toBe('untouched');
    const planted = names().filter((name) => name.startsWith('.trap.'));
    // what this run did not make it does not remove
    expect(planted).toHaveLength(1);
    rmSync(path(planted[0]));
  });

  it('of a long name has a temporary one that is not longer', () => {
    const out = `${'n'.repeat(251)}.csv`;
    expect(run(['score', 'm.st', 'd.csv', '--out', out]).status).toBe(0);
    renameSync(path(out), path('short.csv'));
  });
});

it('the command makes temporary files in the folder of its run only, and writes outputs in one way only', () => {
  const code = (file: string) => readFileSync(join('cli/src', file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const all = readdirSync('cli/src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const isLog = (file: string) =>
    file.startsWith(join('serve', 'observation')) || file === join('jobs', 'retrain', 'journal.ts');
  const sources = all.filter((file) => !isLog(file));
  const using = (pattern: RegExp) => sources.filter((file) => pattern.test(code(file)));
  expect(using(/tmpdir\(|mkdtemp|renameSync/)).toEqual([join('write', 'temporary.ts')]);
  expect(using(/writeFile|appendFile|copyFile|cpSync/)).toEqual([]);
  for (const file of using(/import [^;]*\bcreateWriteStream\b[^;]*'node:fs'/))
    expect(code(file)).toMatch(/createWriteStream\([^)]*'wx', mode: 0o600/);
  for (const file of using(/openSync\([^)]*'[aw]/)) expect(code(file), file).toMatch(/'wx\+?', 0o600/);
  // logs of a service grow where they are, and are read by its group: files of the log that are full or whole get their name
  const logs = all.filter(isLog);
  for (const file of logs)
    for (const [, flags] of code(file).matchAll(/openSync\([^)]*('[aw][^)]*)\)/g))
      expect(flags, file).toMatch(/^'(a\+|wx)', 0o640$/);
  expect(logs.filter((file) => /renameSync\(/.test(code(file))).map((file) => basename(file))).toEqual([
    'auditFile.ts',
    'fileLock.ts',
    'predictionFiles.ts',
    'stateFile.ts',
  ]);
});
