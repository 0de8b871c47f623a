import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { printable } from '../../cli/src/terminal/print.ts';
import { loadModel, OnlineLearner } from '../../src/index.ts';
import { saveModel, seal } from '../../src/model/file.ts';
import { Model } from '../../src/model/model.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();

/** Sets the title, clears the screen, colours (C1), reverses the line, breaks it, goes back to its beginning. */
const EVIL = '\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202egnp\u2066\u200f\u2028\u2029\u007f\u0085\u061c\b';
const named = (text: string) => `${text}${EVIL}`;
/** What no terminal may get: all of these but the line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNFIT = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
const levels = ['a', named('b'), named('c')];
const labels = [named('no'), named('yes')];
const header = ['x', named('city'), 'unused', named('unused'), 'y'].map(cell).join(',');
const line = (i: number) =>
  [`${(i * 37) % 19}`, cell(levels[(i * 5) % 3]), `${i}`, '1', cell(labels[Number((i * 31) % 7 > 3)])].join(',');
const CSV = `${header}\n${Array.from({ length: 120 }, (_, i) => line(i)).join('\n')}\n`;

const data = write('d.csv', CSV);
const record = JSON.stringify({ x: 3, [named('city')]: 'a' });
const DROP = ['--drop', `unused,${named('unused')}`];
const POSITIVE = ['--positive', labels[1]];

const quiet = (args: readonly string[], stdin = '') => {
  const result = run(args, { stdin });
  for (const text of [result.stdout, result.stderr]) expect(UNFIT.exec(text), JSON.stringify(text)).toBeNull();
  expect(result.stderr).not.toMatch(/ERR_INTERNAL/);
  return result;
};
const works = (args: readonly string[], stdin = '') => {
  const result = quiet(args, stdin);
  expect(result.status, result.stderr).toBe(0);
  return result;
};
const fails = (args: readonly string[]) => {
  const result = quiet(args);
  expect(result.status).not.toBe(0);
  return result.stderr;
};
const train = ['train', data, '--target', 'y', ...POSITIVE, ...DROP];
works([...train, '--out', 'm.st']);
works(['train', data, '--target', named('city'), ...DROP, '--out', 'm3.st']);
works([...train, '--online', '--checkpoint', 'ck', '--out', 'm4.st']);

describe('names, levels and labels that would drive a terminal are shown escaped', () => {
  it.each<[string, string[]]>([
    ['train', [...train, '--out', 'm2.st', '--no-penalty', '--inference']],
    ['train, the classes of several', ['train', data, '--target', named('city'), ...DROP, '--out', 'm6.st']],
    ['train --report', [...train, '--out', 'm2.st', '--report', 'r.html']],
    ['train --online', [...train, '--online', '--checkpoint', 'ck2', '--out', 'm7.st']],
    ['score', ['score', 'm.st', data, '--out', 's.csv', '--explain', '2']],
    ['eval', ['eval', 'm.st', data, '--target', 'y']],
    ['inspect', ['inspect', 'm.st']],
    ['inspect of several classes', ['inspect', 'm3.st']],
    ['schema', ['schema', data, '--target', 'y']],
    ['schema --out', ['schema', data, '--target', 'y', '--out', `s${EVIL.replaceAll('/', '')}.json`]],
    ['doctor', ['doctor', data, '--target', 'y', ...POSITIVE]],
    ['explain', ['explain', 'm.st', '--record', record]],
    ['path', ['path', data, '--target', 'y', ...POSITIVE, ...DROP]],
    ['cv', ['cv', data, '--target', 'y', ...POSITIVE, ...DROP, '--folds', '3', '--out', 'cv.st']],
  ])('%s', (_, args) => {
    works(args);
  });

  it.each<[string, string[]]>([
    ['train', [...train, '--out', 'm5.st']],
    ['score', ['score', 'm.st', data, '--out', 's.csv']],
    ['eval', ['eval', 'm.st', data, '--target', 'y']],
    ['inspect', ['inspect', 'm.st']],
    ['doctor', ['doctor', data, '--target', 'y', ...POSITIVE]],
    ['explain', ['explain', 'm.st', '--record', record]],
  ])('%s --json is JSON, and its names are those of the data', (_, args) => {
    const object = JSON.parse(works([...args, '--json']).stdout);
    if (object.classes) expect(object.classes).toEqual(labels);
    if (object.coefficients) {
      const found = object.coefficients.map(({ level }: { level: string }) => level);
      for (const level of levels) expect(found).toContain(level);
    }
  });

  it('a schema on standard output as well', () => {
    const names = JSON.parse(works(['schema', data, '--target', 'y']).stdout).features.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toContain(named('city'));
  });
});

describe('errors quote them escaped', () => {
  const plain = write('plain.csv', 'x,y\n1,0\n2,1\n');
  const short = write('short.csv', `${header}\n1,2\n`);
  it.each<[string, string[]]>([
    ['a target that is not there', ['train', data, '--target', 'nope', '--out', 'q']],
    ['columns that are not there', ['score', 'm.st', plain, '--out', 'q.csv']],
    ['a label that is not there', ['train', data, '--target', 'y', '--positive', EVIL, '--out', 'q']],
    ['a target that is given', ['train', plain, '--target', EVIL, '--out', 'q']],
    ['a file that is not there', ['train', `${EVIL.replaceAll('/', '')}.csv`, '--target', 'y', '--out', 'q']],
    ['a file of no format', ['train', `${EVIL}`, '--target', 'y', '--out', 'q']],
    ['an output that cannot be', ['score', 'm.st', data, '--out', `no/${EVIL}.csv`]],
    ['an output of no format', ['score', 'm.st', data, '--out', EVIL]],
    ['a model that is none', ['inspect', data]],
    ['a model that is not there', ['inspect', EVIL]],
    ['a row that is short', ['train', short, '--target', 'y', '--out', 'q']],
    ['a row that is short, online', ['train', short, '--target', 'y', '--online', '--out', 'q']],
    ['a flag that is none', ['train', data, `--${EVIL}`]],
    ['a command that is none', [EVIL]],
    ['a record that is none', ['explain', 'm.st', '--record', `{${EVIL}`]],
    ['a record without its columns', ['explain', 'm.st', '--record', `{${JSON.stringify(EVIL)}:1}`]],
    ['a query that is none', ['score', 'm.st', '--query', `select ${EVIL}`, '--out', 'q.csv']],
    ['a schema that is none', ['train', data, '--target', 'y', '--schema', plain, '--out', 'q']],
    ['a cell that is none', ['eval', 'm.st', write('cell.csv', CSV.replace('\n0,', `\n${EVIL},`)), '--target', 'y']],
  ])('%s', (_, args) => {
    expect(fails(args).trim()).not.toBe('');
  });

  it('in one line of some thousand characters', () => {
    const long = write('long.csv', `${'n'.repeat(20_000)},x\n1,2\n`);
    const { stderr } = run(['train', long, '--target', 'y', '--out', 'q']);
    expect(stderr.length).toBeLessThan(5000);
    expect(stderr.split('\n')).toHaveLength(2);
  });
});

describe('forged files', () => {
  const model = loadModel(readFileSync(path('m.st')));
  const forged = (change: (manifest: Record<string, unknown>) => void) => {
    const manifest = structuredClone(model.manifest) as unknown as Record<string, unknown>;
    change(manifest);
    return saveModel(new Model({ ...model, manifest: manifest as never }));
  };

  it.each<[string, (manifest: Record<string, unknown>) => void]>([
    ['producer', (m) => Object.assign(m, { producer: EVIL })],
    ['target', (m) => Object.assign(m, { target: EVIL })],
    [
      'how it was fitted',
      (m) => Object.assign(m['fit'] as object, { solver: EVIL, choice: EVIL, reason: EVIL, gradNorm: null }),
    ],
    ['why it ended', (m) => Object.assign(m['fit'] as object, { converged: false, reason: EVIL })],
    [
      'warnings',
      (m) => Object.assign(m, { warnings: [{ code: EVIL, message: `${EVIL}\nfit  all is well`, features: [EVIL] }] }),
    ],
    [
      'column of clusters',
      (m) =>
        Object.assign(m, {
          inference: {
            covariance: 'cluster',
            cluster: { column: EVIL, count: 3 },
            reason: EVIL,
            statistics: null,
            tests: [{ feature: EVIL, chi2: 1, df: 1, p: 0.5 }],
            profile: null,
            bootstrap: { replicates: 9, failed: 0, seed: 1, cluster: EVIL, intervals: [] },
          },
        }),
    ],
  ])('a model whose %s would drive the terminal', (_, change) => {
    write('forged.st', forged(change));
    for (const args of [
      ['inspect', 'forged.st'],
      ['eval', 'forged.st', data, '--target', 'y', '--report', 'forged.html'],
      ['score', 'forged.st', data, '--out', 'forged.csv'],
      ['explain', 'forged.st', '--record', record],
    ]) {
      works(args);
    }
    JSON.parse(works(['inspect', 'forged.st', '--json']).stdout);
    expect(run(['inspect', 'forged.st']).stdout).not.toMatch(/^fit {2}all is well/m);
    expect(readFileSync(path('forged.html'), 'utf8')).not.toMatch(UNFIT.source.replace('\\u0009', '\\u0008'));
  });

  it('a model in another format, written by who knows', () => {
    const { metadata, tensors } = decodeSafetensors(forged((m) => Object.assign(m, { producer: EVIL })));
    const stored = [...tensors()].map(([name, { shape, read }]) => [name, { shape, values: read() }] as const);
    const logodds = (metadata['logodds'] as string).replace('"format":1', '"format":99');
    write('newer.st', seal(encodeSafetensors({ sha256: '0'.repeat(64), logodds }, Object.fromEntries(stored))));
    expect(fails(['inspect', 'newer.st'])).toMatch(/format 99/);
  });

  it('a checkpoint', () => {
    const learner = OnlineLearner.resume(readFileSync(path('ck')));
    const { metadata, tensors } = decodeSafetensors(learner.checkpoint());
    const stored = [...tensors()].map(([name, { shape, read }]) => [name, { shape, values: read() }] as const);
    for (const [from, to] of [
      ['"target":"y"', `"target":${JSON.stringify(EVIL)}`],
      ['"format":1', '"format":9'],
    ]) {
      const checkpoint = (metadata['checkpoint'] as string)
        .replace(from, to)
        .replace(/"producer":"[^"]*"/, `"producer":${JSON.stringify(EVIL)}`);
      write('forged.ck', seal(encodeSafetensors({ sha256: '0'.repeat(64), checkpoint }, Object.fromEntries(stored))));
      fails([...train, '--online', '--checkpoint', 'forged.ck', '--out', 'q.st']);
    }
  });

  it('a level of a million characters among many is cut, not padded to', () => {
    const { schema } = model.manifest;
    const features = schema.features.map((feature) =>
      feature.kind === 'categorical'
        ? { ...feature, levels: feature.levels.map((level, i) => (i === 1 ? 'x'.repeat(1e6) : level)) }
        : feature,
    );
    write(
      'wide.st',
      saveModel(new Model({ ...model, manifest: { ...model.manifest, schema: { ...schema, features } } })),
    );
    expect(works(['inspect', 'wide.st']).stdout.length).toBeLessThan(20_000);
  });
});

it('nothing that is written to the terminal goes around the one place that escapes', () => {
  const sources = readdirSync('cli/src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const writing = sources.filter((file) =>
    /console\.|\bstd(?:out|err)\.write\((?!printable\()/.test(readFileSync(`cli/src/${file}`, 'utf8')),
  );
  expect(writing).toEqual(['terminal/print.ts']);
});

it('what is safe stays as it is', () => {
  const text = 'Zürich – 東京 ≥ █ 😀 \u00a0|\n  two\n';
  expect(printable(text)).toBe(text);
  expect(printable('\u001b\u009b\u202e\r\t')).toBe('\\u001b\\u009b\\u202e\\u000d\\u0009');
});
