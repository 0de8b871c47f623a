// Builds everything: kernels (.wasm, and inlined as TypeScript), declarations, the library bundles, the command.
// No source maps: the bundles are not minified and keep names and comments, and maps that lead to the TypeScript
// would make the installed library three times as large (docs/VERSIONING.md).
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';
import { ENTRIES } from './entries.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
/** Bytes as text, as `inlinedBytes` of bindings/wasm.ts reads them. */
const inline = (bytes) =>
  Array.from(bytes, (byte) => {
    const [shift, prefix] = SHIFTS.find(([less]) => isDigit((byte + 303 - less) % 256));
    return prefix + String.fromCharCode((byte + 303 - shift) % 256);
  })
    .join('')
    .replaceAll('\\', '\\\\');
const SHIFTS = [[0, ''], ...Array.from('{|}~', (prefix, i) => [20 + 76 * i, prefix])];
const isDigit = (code) => code >= 40 && code <= 122;
const run = (tool, ...args) => execFileSync(process.execPath, [`node_modules/${tool}`, ...args], { stdio: 'inherit' });

for (const [target, entry, file] of [
  ['full', 'index', 'kernels'],
  ['shared', 'index', 'shared'],
  ['scoring', 'scoring', 'scoring'],
  ['loading', 'loading', 'loading'],
  ['scanner', 'scanner', 'scanner'],
  ['writer', 'writer', 'writer'],
  ['counting', 'counting', 'counting'],
  ['pages', 'pages', 'pages'],
]) {
  run('assemblyscript/bin/asc.js', `assembly/${entry}.ts`, '--config', 'asconfig.json', '--target', target);
  const module = readFileSync(`build/${file}.wasm`);
  const [name, text] =
    file === 'loading' ? ['loadingBase64', module.toString('base64')] : [`${file}Text`, inline(module)];
  // typed as a string: the declaration of a literal would repeat the module
  const inlined = `// generated from assembly/ by scripts/build.mjs
export const ${name}: string =
  '${text}';
`;
  writeFileSync(`bindings/${file}.generated.ts`, inlined);
}
// the program of a worker thread, as a text: it needs no file at run time, so no bundler can lose it
const worker = await build({
  entryPoints: ['bindings/worker.ts'],
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'neutral',
  target: 'es2022',
  write: false,
  logLevel: 'warning',
});
writeFileSync(
  'bindings/worker.generated.ts',
  `// generated from bindings/worker.ts by scripts/build.mjs
export const workerSource: string = ${JSON.stringify(worker.outputFiles[0].text.trim())};
`,
);
// the inside of a module that `compile` writes, as a text: once for each set of stages that a model may need
const RUNTIMES = { plain: '', outcomes: 'outcomes', all: 'encoders, outcomes' };
const STAGE_FILES = { encoders: 'encode/kinds/index', outcomes: 'model/outcomes' };
for (const [name, stages] of Object.entries(RUNTIMES)) {
  const imports = Object.entries(STAGE_FILES)
    .filter(([stage]) => stages.includes(stage))
    .map(([stage, file]) => `import { ${stage} } from './src/${file}.ts';\n`);
  const { outputFiles } = await build({
    stdin: {
      contents: `import { prepare } from './src/compile/runtime.ts';
${imports.join('')}export default (...parts) => prepare(...parts, { ${stages} });`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'ascii',
    write: false,
    logLevel: 'warning',
  });
  // what a module exports is what a function returns
  const text = outputFiles[0].text.trim().replace(/export\{([\w$]+) as default\};?$/, 'return $1');
  if (!/return [\w$]+$/.test(text)) throw new Error(`runtime ${name}: expected a default export at its end`);
  writeFileSync(
    `src/compile/${name}.generated.ts`,
    `// generated from src/compile/runtime.ts by scripts/build.mjs
export const ${name}Text: string = ${JSON.stringify(text)};
`,
  );
}
rmSync('build/types', { recursive: true, force: true });
run('typescript/bin/tsc', '-p', 'tsconfig.build.json');

rmSync('dist', { recursive: true, force: true });
copyTypes();
copyFileSync('build/loading.wasm', 'dist/kernels.wasm');
copyFileSync('build/kernels.wasm', 'dist/training.wasm');
copyFileSync('build/scanner.wasm', 'dist/scanner.wasm');
copyFileSync('build/writer.wasm', 'dist/writer.wasm');
copyFileSync('build/counting.wasm', 'dist/counting.wasm');
copyFileSync('docs/schema.json', 'dist/schema.json');

// The library, once for each way a host takes a module: inlined, or imported as a file that the host compiles.
const MODULES = {
  scoring: 'kernels.wasm',
  loading: 'kernels.wasm',
  training: 'training.wasm',
  scanner: 'scanner.wasm',
  writer: 'writer.wasm',
  counting: 'counting.wasm',
};
for (const { dir, suffix } of [
  { dir: 'dist', suffix: null },
  { dir: 'dist/workerd', suffix: '' },
  { dir: 'dist/edge-light', suffix: '?module' },
]) {
  const imported = {
    name: 'imported-modules',
    resolveId(id, from) {
      // there is WebAssembly for certain
      if (suffix !== null && id === './model/digest.js') return this.resolve('./model/kernelDigest.js', from);
      return id.includes('.wasm') ? { id, external: true } : null;
    },
    load(id) {
      const name = /modules[\\/](\w+)\.js$/.exec(id)?.[1];
      if (suffix === null || !name) return null;
      return `import module from '../${MODULES[name]}${suffix}';\nexport const ${name}Module = () => module;`;
    },
  };
  // people read the first copy; the others go through a bundler
  const dense = {
    name: 'without-comments',
    renderChunk: async (code) => (suffix === null ? null : (await transform(code)).code),
  };
  const input = Object.fromEntries(ENTRIES.map((name) => [name, `build/js/src/${name}.js`]));
  // the score of servers: beside that of pages for the condition `node`, in its place where a host compiles the module
  input[suffix === null ? 'scoreServer' : 'score'] = 'build/js/src/scoreServer.js';
  const library = await rollup({
    input,
    plugins: [imported, nodeResolve(), dense],
    treeshake: { moduleSideEffects: false },
  });
  // A file takes a host a millisecond to find and link: what all entries share is one, what scores another.
  const manualChunks = {
    shared: ['bindings/check', 'bindings/errors', 'bindings/js/math', 'src/messages'].map(
      (name) => `build/js/${name}.js`,
    ),
    scoring: ['build/js/src/scoring.js'],
  };
  await library.write({ dir, format: 'es', chunkFileNames: '[name]-[hash].js', manualChunks });
}

// the registry, an entry for each kind of place
rmSync('registry/dist', { recursive: true, force: true });
copyFileSync('CHANGELOG.md', 'registry/CHANGELOG.md');
await build({
  entryPoints: {
    ...Object.fromEntries(['index', 'diff', 'directory', 's3'].map((name) => [name, `registry/src/${name}.ts`])),
    signing: 'registry/src/signing/index.ts',
  },
  outdir: 'registry/dist',
  chunkNames: 'part-[hash]',
  splitting: true,
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  packages: 'external',
  external: ['node:*'],
  logLevel: 'warning',
});
run('typescript/bin/tsc', '-p', 'registry/tsconfig.build.json');

// the service, which depends on the library by its name
rmSync('service/dist', { recursive: true, force: true });
copyFileSync('CHANGELOG.md', 'service/CHANGELOG.md');
await build({
  entryPoints: ['service/src/index.ts'],
  outdir: 'service/dist',
  chunkNames: 'part-[hash]',
  // what few requests need is loaded with the first of them
  splitting: true,
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
run('typescript/bin/tsc', '-p', 'service/tsconfig.build.json');

// the client, which depends on nothing
rmSync('client/dist', { recursive: true, force: true });
copyFileSync('CHANGELOG.md', 'client/CHANGELOG.md');
await build({
  entryPoints: ['client/src/index.ts'],
  outfile: 'client/dist/index.js',
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  logLevel: 'warning',
});
run('typescript/bin/tsc', '-p', 'client/tsconfig.build.json');

// the provider of OpenFeature, which depends on the client by its name
rmSync('openfeature/dist', { recursive: true, force: true });
copyFileSync('CHANGELOG.md', 'openfeature/CHANGELOG.md');
await build({
  entryPoints: ['openfeature/src/index.ts'],
  outfile: 'openfeature/dist/index.js',
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
run('typescript/bin/tsc', '-p', 'openfeature/tsconfig.build.json');

/** A package that is bundled (CommonJS) gets what it requires by an import, which a bundle of modules has. */
const requiredByImport = {
  name: 'required-by-import',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@duckdb\/node-bindings|os)$/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, namespace: 'required' } : { path, external: true },
    );
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `export * from '${path}'; export { default } from '${path}';`,
      resolveDir: root,
    }));
  },
};
const duckdbApart = {
  name: 'duckdb-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/duckdb\.ts$/ }, () => ({ path: './duckdb.js', external: true }));
  },
};
const { dependencies } = JSON.parse(readFileSync('cli/package.json', 'utf8'));
const telemetryApart = {
  name: 'telemetry-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/telemetry\.ts$/ }, () => ({ path: './telemetry.js', external: true }));
  },
};
const s3Apart = {
  name: 's3-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^@aws-sdk\/client-s3$/ }, () => ({ path: './s3.js', external: true }));
  },
};
const mailApart = {
  name: 'mail-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/mail\.ts$/ }, () => ({ path: './mail.js', external: true }));
  },
};
/** Libraries of streams: each is a file that is loaded with the transport or the format that asks for it. */
const STREAM_LIBRARIES = {
  kafka: { source: 'kafka/library', name: '@platformatic/kafka and packages below it' },
  nats: { source: 'nats/library', name: '@nats-io/transport-node, @nats-io/jetstream and packages below them' },
  avro: { source: 'formats/avroLibrary', name: 'avsc' },
};
const streamsApart = {
  name: 'streams-apart',
  setup({ onResolve }) {
    for (const [file, { source }] of Object.entries(STREAM_LIBRARIES)) {
      const [room, base] = source.split('/');
      onResolve({ filter: new RegExp(`^\\./${base}\\.ts$`) }, ({ resolveDir }) =>
        resolveDir.replaceAll('\\', '/').endsWith(`stream/${room}`) ? { path: `./${file}.js`, external: true } : null,
      );
    }
  },
};
/** Of a client of Kafka what speaks its protocol; what checks options, and the clients above it, are left out. */
const protocolAlone = {
  name: 'protocol-alone',
  setup({ onResolve, onLoad, resolve }) {
    onLoad({ filter: /[\\/]ajv[\\/]dist[\\/]2020\.js$/ }, () => ({
      contents: 'export class Ajv2020 { addKeyword() {} compile() { return () => true; } }',
    }));
    // its module is a file of the package, which a bundle has not; in this entry it is inside
    onResolve({ filter: /^@platformatic\/wasm-utils$/ }, ({ importer, resolveDir, kind }) =>
      resolve('@platformatic/wasm-utils/bundled', { importer, resolveDir, kind, pluginData: 'seen' }),
    );
    onResolve({ filter: /^(?:\.|@platformatic)/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'seen' || !/@platformatic/.test(rest.importer + path)) return null;
      const { importer, resolveDir, kind } = rest;
      return { ...(await resolve(path, { importer, resolveDir, kind, pluginData: 'seen' })), sideEffects: false };
    });
  },
};
/** Types of a thousand kinds of attachments, of which our mails have none. */
const withoutTypes = {
  name: 'without-types',
  setup({ onLoad }) {
    onLoad({ filter: /mime-funcs[\\/]mime-types\.js$/ }, () => ({
      contents: `export const detectMimeType = () => 'application/octet-stream';
export const detectExtension = () => 'bin';`,
    }));
  },
};
const command = {
  outdir: 'cli/dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: Object.keys(dependencies),
  alias: {
    '@noble/hashes/sha2.js': './node_modules/@noble/hashes/sha2.js',
    '@noble/hashes/utils.js': './node_modules/@noble/hashes/utils.js',
    // one copy of the library for the command and the service
    logodds: './src/index.ts',
    'logodds/score': './src/score.ts',
    'logodds/bytes': './src/bytes.ts',
    'logodds/stages': './src/stages.ts',
    'logodds/monitor': './src/monitor.ts',
  },
  // a sixth of the command was blanks at the beginnings of lines; names stay
  minifyWhitespace: true,
  logLevel: 'warning',
};
rmSync('cli/dist', { recursive: true, force: true });
copyFileSync('CHANGELOG.md', 'cli/CHANGELOG.md'); // one changelog for all packages
// what only `serve` needs is a file of its own, and so is the thread that logs and watches
await build({
  ...command,
  entryPoints: {
    main: 'cli/src/main.ts',
    serveWorker: 'cli/src/serve/worker.ts',
    recorder: 'cli/src/serve/observation/recorderThread.ts',
  },
  splitting: true,
  chunkNames: 'part-[hash]',
  plugins: [duckdbApart, telemetryApart, s3Apart, mailApart, streamsApart],
});
copyFileSync('node_modules/hyparquet-writer/LICENSE', 'cli/dist/LICENSE.hyparquet');
// the schemas of its files, which are made of tables: options of the service, rules of the gate, objectives of a service
for (const [file, source, name] of [
  ['serve', 'cli/src/serve/options.ts', 'serveSchema'],
  ['gate', 'cli/src/jobs/gate/rules.ts', 'gateSchema'],
  ['monitor', 'cli/src/jobs/monitor/settings.ts', 'monitorSchema'],
  ['slo', 'cli/src/slo/settings.ts', 'sloSchema'],
]) {
  const { outputFiles } = await build({ ...command, entryPoints: { table: source }, write: false });
  const table = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  writeFileSync(`cli/${file}.schema.json`, `${JSON.stringify(table[name], null, 1)}\n`);
}
mkdirSync('cli/dashboards', { recursive: true });
for (const [name, dashboard] of Object.entries((await import('../deploy/grafana/dashboards.mjs')).dashboards))
  writeFileSync(`cli/dashboards/${name}.json`, `${JSON.stringify(dashboard, null, 1)}\n`);
// one file of thirteen packages, smaller by half; it is loaded where traces are exported
await build({
  ...command,
  entryPoints: { telemetry: 'cli/src/serve/observation/telemetry.ts' },
  minify: true,
  // as modules they lose what is not used
  mainFields: ['module', 'main'],
  banner: { js: '// @opentelemetry/*, see LICENSE.opentelemetry' },
});
copyFileSync('node_modules/@opentelemetry/api/LICENSE', 'cli/dist/LICENSE.opentelemetry');
// the SDK of S3 and the hundred packages below it, for a registry in a bucket
await build({
  ...command,
  entryPoints: { s3: 'cli/src/jobs/registry/s3.ts' },
  minify: true,
  mainFields: ['module', 'main'],
  // of the next versions of the SDK, which this file will not become by itself
  define: { 'process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED': '"true"' },
  banner: { js: '// @aws-sdk/client-s3 and @smithy/*, see LICENSE.aws-sdk' },
});
copyFileSync('node_modules/@aws-sdk/client-s3/LICENSE', 'cli/dist/LICENSE.aws-sdk');
// two megabytes of a package, of which sending is a tenth; it is loaded with the first mail
await build({
  ...command,
  entryPoints: { mail: 'cli/src/tell/mail.ts' },
  minify: true,
  plugins: [withoutTypes],
  banner: {
    js: `// nodemailer, see LICENSE.nodemailer
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`,
  },
});
copyFileSync('node_modules/nodemailer/LICENSE', 'cli/dist/LICENSE.nodemailer');
// clients of brokers, each with the transport that it is for
for (const [file, { source, name }] of Object.entries(STREAM_LIBRARIES)) {
  await build({
    ...command,
    entryPoints: { [file]: `cli/src/jobs/stream/${source}.ts` },
    minify: true,
    mainFields: ['module', 'main'],
    external: [...command.external, '@node-rs/crc32', 'protobufjs', 'ws'],
    plugins: file === 'kafka' ? [protocolAlone] : [],
    banner: {
      js: `// ${name}, see LICENSE.${file}
import { createRequire as ${file}Require } from 'node:module';
const require = ${file}Require(import.meta.url);`,
    },
  });
}
copyFileSync('node_modules/@platformatic/kafka/LICENSE', 'cli/dist/LICENSE.kafka');
copyFileSync('node_modules/@nats-io/transport-node/LICENSE', 'cli/dist/LICENSE.nats');
copyFileSync('node_modules/avsc/LICENSE', 'cli/dist/LICENSE.avro');
// two hundred files of the package, which take longer to load than to use, become one, beside their licence
await build({
  ...command,
  entryPoints: { duckdb: 'cli/src/read/duckdb.ts' },
  plugins: [requiredByImport],
  minify: true,
  banner: { js: '// @duckdb/node-api, see LICENSE.duckdb' },
});
copyFileSync('node_modules/@duckdb/node-api/LICENSE', 'cli/dist/LICENSE.duckdb');

/** Copies the declarations that those of the entries lead to: a third belongs to files of which nothing is exported. */
function copyTypes() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    const from = path.replace('dist', 'build');
    cpSync(from, path);
    for (const [, name] of readFileSync(from, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.[tj]s['"]/g))
      visit(join(dirname(path), `${name}.d.ts`).replaceAll('\\', '/'));
  };
  for (const { types } of Object.values(exports)) if (types) visit(normalize(types).replaceAll('\\', '/'));
}

// what scripts/prepare.mjs compares the sources with
writeFileSync('build/stamp', `${new Date().toISOString()}\n`);
