import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('.generated.') && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name));

const imports = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s+'([^']+)'/g)].map(([, name]) =>
    name.startsWith('.') ? relative('.', normalize(join(dirname(file), name))) : name,
  );

/** what every room of the library may import */
const COMMON = ['src/messages.ts', 'bindings'];

const BELOW_TRAINING = [
  'src/diagnose',
  'src/model',
  'src/calibrate',
  'src/decide',
  'src/encode',
  'src/math',
  'src/metrics',
  ...COMMON,
];

/** what rooms of the service may import: the library by its name */
const LIBRARY = ['logodds', 'service/src/refusal.ts'];
const BELOW_PROTOCOLS = [
  'service/src/admission',
  'service/src/core.ts',
  'service/src/hooks.ts',
  'service/src/models',
  'service/src/observation',
  'service/src/requests',
  'service/src/responses',
  'service/src/scoring',
  'service/src/version.ts',
  'hono',
  ...LIBRARY,
];

/** room → the rooms it may import from; the first match of a path names its room */
const ROOMS: readonly [room: string, allowed: readonly string[]][] = [
  ['assembly', ['assembly']],
  ['bindings', ['bindings']],
  ['src/messages.ts', []],
  ['src/math', ['src/math', ...COMMON]],
  ['src/metrics', ['src/metrics', 'src/math', ...COMMON]],
  ['src/monitor', ['src/monitor', 'src/model', 'src/encode', 'src/calibrate', 'src/metrics', 'src/math', ...COMMON]],
  ['src/encode', ['src/encode', ...COMMON]],
  ['src/calibrate', ['src/calibrate', ...COMMON]],
  ['src/decide', ['src/decide', 'src/math', ...COMMON]],
  ['src/explain', ['src/explain', 'src/calibrate', 'src/encode', 'src/math', ...COMMON]],
  ['src/model', ['src/model', 'src/calibrate', 'src/decide', 'src/encode', 'src/math', ...COMMON]],
  ['src/compile', ['src/compile', 'src/model', 'src/calibrate', 'src/encode', ...COMMON]],
  // what puts the findings together stands above training
  ['src/diagnose/doctor.ts', ['src', 'bindings']],
  ['src/diagnose/fit', ['src/train/problem', 'src/train/solve', ...BELOW_TRAINING]],
  ['src/diagnose', ['src/diagnose', 'src/model', 'src/encode', 'src/metrics', 'src/math', ...COMMON]],
  ['src/train/problem', ['src/train/problem', ...BELOW_TRAINING]],
  ['src/train/solve', ['src/train/solve', 'src/train/problem', ...BELOW_TRAINING]],
  ['src/train/inference', ['src/train/inference', 'src/train/solve', 'src/train/problem', ...BELOW_TRAINING]],
  ['src/train', ['src/train', 'src/stages.ts', ...BELOW_TRAINING]],
  ['src/online', ['src/online', 'src/stages.ts', 'src/train', 'src/model', 'src/encode', ...COMMON]],
  ['src', ['src', 'bindings']],
  // web standards alone: neither Node nor what needs it
  ['service/src/refusal.ts', ['logodds']],
  ['service/src/hooks.ts', ['service/src/models', 'service/src/scoring', ...LIBRARY]],
  ['service/src/models', ['service/src/models', ...LIBRARY]],
  ['service/src/scoring', ['service/src/scoring', 'service/src/models', ...LIBRARY]],
  [
    'service/src/observation',
    [
      'service/src/observation',
      'service/src/requests',
      'service/src/hooks.ts',
      'service/src/models',
      'service/src/scoring',
      ...LIBRARY,
    ],
  ],
  [
    'service/src/access',
    [
      'service/src/access',
      'service/src/hooks.ts',
      'service/src/observation',
      'service/src/requests',
      'hono',
      'jose',
      '@noble/hashes',
      ...LIBRARY,
    ],
  ],
  [
    'service/src/admission',
    [
      'service/src/admission',
      'service/src/hooks.ts',
      'service/src/observation',
      'service/src/requests',
      'service/src/refusal.ts',
    ],
  ],
  [
    'service/src/routing',
    [
      'service/src/routing',
      'service/src/hooks.ts',
      'service/src/models',
      'service/src/observation',
      'service/src/requests',
      'service/src/scoring',
      // its types alone: a service needs no registry
      '@logodds/registry',
      ...LIBRARY,
    ],
  ],
  ['service/src/requests', ['service/src/requests', 'service/src/scoring', ...LIBRARY]],
  [
    'service/src/responses',
    ['service/src/responses', 'service/src/models', 'service/src/scoring', '@uwdata/flechette', ...LIBRARY],
  ],
  ['service/src/pages', ['service/src/pages', ...BELOW_PROTOCOLS]],
  // of the registry its types alone
  ['service/src/protocols', ['service/src/protocols', '@logodds/registry', ...BELOW_PROTOCOLS]],
  ['service/src', ['service/src', '@logodds/registry', ...BELOW_PROTOCOLS]],
  // web standards alone, but for the places where its files lie
  ['registry/src/stores', ['registry/src', 'node:fs', 'node:path', '@aws-sdk/client-s3', 'logodds']],
  ['registry/src', ['registry/src', '@noble/hashes', 'logodds']],
  // nothing but itself: neither the library nor a package
  ['client/src', ['client/src']],
  // the client and the SDK by their names
  ['openfeature/src', ['openfeature/src', '@logodds/client', '@openfeature/server-sdk']],
];

const roomOf = (file: string): string | undefined =>
  ROOMS.find(([room]) => file === room || file.startsWith(`${room}/`))?.[0];

test.each(ROOMS)('%s imports downward only', (room, allowed) => {
  const own = files(room === 'assembly' ? room : room.split('/')[0]).filter((file) => roomOf(file) === room);
  expect(own.length).toBeGreaterThan(0);
  for (const file of own) {
    for (const name of imports(file)) {
      expect(
        allowed.some((prefix) => name === prefix || name.startsWith(`${prefix}/`)),
        `${file} imports ${name}`,
      ).toBe(true);
    }
  }
});

test('scoring reaches neither training nor saving, and the library reaches no clock, randomness, network or eval', () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file) || !file.endsWith('.ts') || file.includes('.generated.')) return;
    seen.add(file);
    imports(file).forEach(visit);
  };
  visit('src/score.ts');
  visit('src/scoreServer.ts');
  expect([...seen].filter((file) => file.startsWith('src/train') || file === 'bindings/engine.ts')).toEqual([]);
  const code = (file: string) => readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const impure = /\b(Date\.now|performance\.now|new Date(?!\(\w)|Math\.random|fetch\(|eval\(|new Function)/;
  expect([...files('bindings'), ...files('src')].filter((file) => impure.test(code(file)))).toEqual([]);
  // scores, what explains them, and odds ratios depend on no host's own exponential or logarithm
  for (const file of ['src/stages.ts', 'src/model/coefficients.ts']) visit(file);
  expect([...seen].filter((file) => /\bMath\.(exp|log|expm1|log1p|tanh)\b/.test(code(file)))).toEqual([]);
});

test('no file imports itself by way of others, types included', () => {
  const all = ['bindings', 'src', 'service/src', 'registry/src', 'client/src', 'openfeature/src', 'cli/src'].flatMap(
    files,
  );
  /** files under way, in order, and those that lead to no circle */
  const path: string[] = [];
  const done = new Set<string>();
  const visit = (file: string): void => {
    if (done.has(file) || !all.includes(file)) return;
    const at = path.indexOf(file);
    if (at >= 0) expect.fail(`a circle: ${[...path.slice(at), file].join(' → ')}`);
    path.push(file);
    imports(file).forEach(visit);
    done.add(path.pop()!);
  };
  all.forEach(visit);
  expect(done.size).toBe(all.length);
});

test('the command knows the library by its entries and by src/internal.ts, which may only lose names', async () => {
  const SERVICES = [
    'service/src/index.ts',
    ...['index', 'diff', 'directory', 's3', 'signing/index'].map((name) => `registry/src/${name}.ts`),
  ];
  const doors = [
    'index',
    'metrics',
    'decide',
    'monitor',
    'kernels',
    'threads',
    'bytes',
    'compile',
    'stages',
    'internal',
    'text',
  ].map((name) => `src/${name}.ts`);
  /** of each file under cli/src what it imports, types and import(…) included */
  const text = new Map(files('cli/src').map((file) => [file, readFileSync(file, 'utf8')]));
  for (const [file, code] of text) {
    for (const [, name] of code.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const path = relative('.', normalize(join(dirname(file), name))).replaceAll('\\', '/');
      expect(
        path.startsWith('cli/') || SERVICES.includes(path) || doors.includes(path),
        `${file} imports ${path}`,
      ).toBe(true);
    }
  }
  const inner = [...files('src'), ...files('bindings')].filter((file) => imports(file).includes('src/internal.ts'));
  expect(inner).toEqual([]);

  const namesIn = (code: string): string[] =>
    [...code.matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) =>
      list
        .split(',')
        .map((name) => name.trim().replace(/^type |^.* as /, ''))
        .filter(Boolean),
    );
  const listed = namesIn(readFileSync('src/internal.ts', 'utf8'));
  // lower it with each name that leaves; a name more is a decision about the public library
  expect(listed).toHaveLength(41);
  const used = [...text.values()].flatMap((code) =>
    [...code.matchAll(/import (?:type )?(\{[^}]*\}) from '[^']*src\/internal\.ts'/g)].flatMap(([, list]) =>
      namesIn(list),
    ),
  );
  expect([...new Set(used)].sort()).toEqual([...listed].sort());
  const published = Object.keys(await import('../../src/index.ts'));
  expect(listed.filter((name) => published.includes(name))).toEqual([]);
});
