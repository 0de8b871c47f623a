import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What npm would pack of a folder, and its manifest. */
function packed(folder: string) {
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const [{ files, unpackedSize }] = JSON.parse(text);
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  const paths: string[] = files.map(({ path }: { path: string }) => path).sort();
  return { paths, unpackedSize, read, manifest: JSON.parse(read('package.json')) };
}

const library = packed('.');
const command = packed('cli');
const client = packed('client');
const service = packed('service');
const openfeature = packed('openfeature');
/** All that a package may have; so no sources, no tests, no source maps. */
const EVERY = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
const LIBRARY = [
  /^dist\/(workerd\/|edge-light\/)?\w+(-[\w-]{8})?\.js$/,
  /^dist\/(kernels|training|scanner|writer|counting)\.wasm$/,
  /^dist\/schema\.json$/,
  /^dist\/types\/(bindings|src)\/[\w/]+(\.generated)?\.d\.ts$/,
];
const COMMAND = [
  /^bin\/logodds\.js$/,
  /^dist\/(main|worker|serveWorker|duckdb|recorder|s3|telemetry|mail|kafka|nats|avro)\.js$/,
  /^dist\/(part|start)-\w{8}\.js$/,
  /^dist\/LICENSE\.(avro|aws-sdk|duckdb|hyparquet|kafka|nats|nodemailer|opentelemetry)$/,
  /^proto\/inference\.proto$/,
  /^export\/runtime\.(go|h|java|py)$/,
  /^dashboards\/logodds-[\w-]+\.json$/,
  /^(gate|monitor|retrain|routes|serve|slo)\.schema\.json$/,
];
const SERVICE = [/^dist\/index\.js$/, /^dist\/part-\w{8}\.js$/, /^dist\/types\/([\w]+\/)*\w+\.d\.ts$/];
const OPENFEATURE = [/^dist\/index\.js$/, /^dist\/types\/\w+\.d\.ts$/];
const CLIENT = [/^dist\/index\.js$/, /^dist\/types\/(v2\/)?\w+\.d\.ts$/];

test.each([
  ['logodds', library, LIBRARY],
  ['@logodds/cli', command, COMMAND],
  ['@logodds/client', client, CLIENT],
  ['@logodds/service', service, SERVICE],
  ['@logodds/openfeature', openfeature, OPENFEATURE],
] as const)(
  '%s is packed with README, LICENSE, CHANGELOG and what it runs, and with nothing else',
  (_, { paths }, allowed) => {
    expect(paths.filter((path) => EVERY.includes(path))).toEqual(EVERY);
    const others = paths.filter((path) => !EVERY.includes(path));
    expect(others.filter((path) => !allowed.some((rule) => rule.test(path)))).toEqual([]);
    for (const rule of allowed)
      expect(
        others.some((path) => rule.test(path)),
        String(rule),
      ).toBe(true);
  },
);

test('no packed file names a source map', () => {
  for (const { paths, read } of [library, command, client, service, openfeature]) {
    const code = paths.filter((path) => /\.(js|ts)$/.test(path));
    expect(code.filter((path) => /^\/\/# sourceMappingURL=/m.test(read(path)))).toEqual([]);
  }
});

test('declarations are those to which the entries lead: none is of an inlined module', () => {
  const declared = library.paths.filter((path) => path.endsWith('.d.ts'));
  expect(declared).toContain('dist/types/src/index.d.ts');
  expect(declared.filter((path) => /generated|\/compile\/(fields|places)|\/text\//.test(path))).toEqual([]);
});

// the SDK of S3 is 432 kB of the command
// what becomes of scores (labels, performance, change, quality) is 106 kB of the library with its docstrings, 76 kB in each of two bundles, and 81 kB of
// declarations
// the writer of rows and the scan of JSON are 46 and 33 kB, in a bundle for each way a host takes a module; monitoring is 40 kB in each and 32 kB of
// declarations; `experiment`, a part of the command that is loaded with it, is 35 kB; segments are 60 kB of the service and 20 kB of declarations, the watch and the alerts 60 kB;
// dashboards and the schema of objectives are 87 kB of the command, mail 167 kB, and the rest of what watches (monitor, drift,
// alerts, retraining, and the watch in the thread of the log) about 500 kB; the watch of one model is 60 kB in each bundle of the library and 60 kB of declarations
// clients of brokers are 93 kB (Kafka) and 228 kB (NATS) of the command, Avro 102 kB, and what streams through them 80 kB: loaded by `stream` alone
test('unpacked, the library is at most 5.1 MB, the command at most 4.7 MB, the client at most 0.2 MB and the service at most 0.76 MB', () => {
  expect(library.unpackedSize).toBeLessThanOrEqual(5_100_000);
  expect(command.unpackedSize).toBeLessThanOrEqual(4_700_000);
  expect(client.unpackedSize).toBeLessThanOrEqual(200_000);
  expect(service.unpackedSize).toBeLessThanOrEqual(760_000);
});

test('all packages have one version, one licence and one repository, and publish in public with provenance', () => {
  const url = 'https://github.com/logodds/logodds';
  for (const [folder, { manifest, read }] of [
    [undefined, library],
    ['cli', command],
    ['client', client],
    ['service', service],
    ['openfeature', openfeature],
  ] as const) {
    expect(manifest.repository).toEqual({
      type: 'git',
      url: `git+${url}.git`,
      ...(folder && { directory: folder }),
    });
    expect(manifest.bugs).toEqual({ url: `${url}/issues` });
    expect(manifest.homepage).toMatch(/#readme$/);
    expect(manifest.homepage.startsWith(url)).toBe(true);
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
    expect(read('LICENSE')).toBe(library.read('LICENSE'));
    for (const field of ['version', 'license', 'author', 'engines'])
      expect(manifest[field], field).toEqual(library.manifest[field]);
  }
});

test('the provider depends on the client of its version, and takes the SDK that is there', () => {
  const { dependencies, peerDependencies, version } = openfeature.manifest;
  expect(dependencies).toEqual({ '@logodds/client': version });
  expect(Object.keys(peerDependencies)).toEqual(['@openfeature/server-sdk']);
  expect(openfeature.unpackedSize).toBeLessThanOrEqual(100_000);
});

test('the client depends on nothing', () => {
  for (const field of ['dependencies', 'peerDependencies', 'optionalDependencies'])
    expect(client.manifest[field]).toBeUndefined();
});

test('the service depends on the library of its version, and pins the others, which need no runtime of their own', () => {
  const { dependencies, peerDependencies, version } = service.manifest;
  expect(dependencies.logodds).toBe(version);
  expect(Object.keys(dependencies).sort()).toEqual(['@noble/hashes', '@uwdata/flechette', 'hono', 'jose', 'logodds']);
  for (const [name, range] of Object.entries(dependencies)) expect(range, name).toMatch(/^\d+\.\d+\.\d+$/);
  // its types alone
  expect(peerDependencies).toEqual({ '@logodds/registry': version });
});

test('the command pins its dependencies and does not depend on the library that it bundles', () => {
  const { dependencies } = command.manifest;
  expect(Object.keys(dependencies)).not.toContain('logodds');
  for (const [name, range] of Object.entries(dependencies)) expect(range, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
});
