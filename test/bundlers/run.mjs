/*
 * Builds small apps from the packed package with each bundler, runs what they wrote, and compares the bits.
 *
 *   node test/bundlers/run.mjs [vite webpack …]
 *
 * Needs a built package (npm run build) and Chromium (the command `chromium`, or its path in $CHROMIUM). Installs the
 * bundlers into this folder the first time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import { fileOf } from './fileOf.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const repository = join(here, '../..');
const build = join(here, 'build');
const apps = join(here, 'apps');

/** variant → the engine that answers, where a bundler has nothing to say about it */
const VARIANTS = { full: 'wasm', record: undefined, scorer: 'wasm', dense: 'wasm', slim: 'wasm', js: 'js' };

/** gzipped bytes that a bundle may have */
const BUDGETS = [
  {
    what: 'a Worker with scorer, encoder, model loader and WASM',
    bundlers: ['wrangler'],
    variant: 'scorer',
    bytes: 15_000,
  },
  {
    what: 'a plain dense scorer',
    bundlers: ['vite', 'webpack', 'rspack', 'esbuild', 'rollup', 'bun', 'parcel', 'wrangler'],
    variant: 'dense',
    bytes: 8_000,
  },
];
/** Texts of training that no scorer may hold. */
const TRAINING = ['line_search', 'INFERENCE_PENALIZED'];

const fail = (sentence) => {
  console.error(sentence);
  process.exit(1);
};
const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** The bundlers, and an app folder with the packed package in it. */
function prepare() {
  if (!existsSync(join(repository, 'dist/score.js'))) fail('dist/: not built; run npm run build');
  const lock = join(here, 'node_modules/.package-lock.json');
  if (!existsSync(lock) || statSync(lock).mtimeMs < statSync(join(here, 'package-lock.json')).mtimeMs) {
    console.log('installing the bundlers ...');
    // not npm ci: it insists on the builds for every platform, and registries lack some of the newest; the lockfile still pins
    npm(['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], here);
  }
  rmSync(build, { recursive: true, force: true });
  mkdirSync(join(build, 'app'), { recursive: true });
  const [{ filename }] = JSON.parse(
    npm(['pack', '--json', '--loglevel=error', '--pack-destination', build], repository),
  );
  const app = join(build, 'app');
  // Parcel reads `exports` only when told so
  const manifest = { name: 'app', private: true, type: 'module', '@parcel/resolver-default': { packageExports: true } };
  writeFileSync(join(app, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  npm(['install', '--no-audit', '--no-fund', '--loglevel=error', join(build, filename)], app);
  const size = statSync(join(build, filename)).size;
  console.log(`${filename}: ${(size / 1000).toFixed(0)} kB packed; installed`);
  return app;
}

const readSet = (name) => JSON.parse(readFileSync(join(repository, `test/conformance/${name}.json`), 'utf8'));
const NAMES = ['numeric', 'categorical'];
const expected = Object.fromEntries(NAMES.map((name) => [name, readSet(name)]));
const sets = Object.fromEntries(
  NAMES.map((name) => [
    name,
    {
      model: readFileSync(join(repository, `test/conformance/${name}.safetensors`)).toString('base64'),
      rows: expected[name].rows,
    },
  ]),
);

/** Where a bundle runs: what `globalThis.answer` or the Worker says. */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
async function startBrowser() {
  const { chromium } = createRequire(join(here, 'package.json'))('playwright-core');
  const found = process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim();
  if (!found) fail('chromium: not found; install it (Debian: apt-get install chromium) or set CHROMIUM to its path');
  const browser = await chromium.launch({ executablePath: found, args: ['--no-sandbox'] });
  const server = createServer((request, response) => {
    const path = fileOf(join(build, 'app'), request.url);
    const exists = path !== null && existsSync(path) && statSync(path).isFile();
    response.writeHead(exists ? 200 : 404, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    response.end(exists ? readFileSync(path) : undefined);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    async run(dir) {
      const page = await browser.newPage();
      const problems = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      await page.addInitScript((value) => {
        globalThis.sets = value;
      }, sets);
      try {
        const path = relative(join(build, 'app'), join(dir, 'dist/index.html'));
        await page.goto(`http://127.0.0.1:${server.address().port}/${path}`);
        await page.waitForFunction(() => globalThis.answer, null, { timeout: 20_000 });
        return await page.evaluate(() => globalThis.answer);
      } catch (error) {
        throw new Error(problems.join('; ') || error.message);
      } finally {
        await page.close();
      }
    },
    async stop() {
      await browser.close();
      server.close();
    },
  };
}

const NODE_PROGRAM = `
import { readFileSync } from 'node:fs';
globalThis.sets = JSON.parse(readFileSync(0, 'utf8'));
await import(process.argv[1]);
console.log(JSON.stringify(await globalThis.answer));`;
function runNode(dir) {
  const main = pathToFileURL(join(dir, 'dist/main.js')).href;
  const args = ['--input-type=module', '-e', NODE_PROGRAM, main];
  return JSON.parse(
    execFileSync(process.execPath, args, {
      input: JSON.stringify(sets),
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1e8,
    }),
  );
}

async function runWorker(dir) {
  const { Miniflare } = await import('miniflare');
  const dist = join(dir, 'dist');
  const modules = readdirSync(dist)
    .filter((name) => /\.(js|wasm)$/.test(name))
    .sort((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js'))
    .map((name) => ({ type: name.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule', path: join(dist, name) }));
  const worker = new Miniflare({ modules, modulesRoot: dist, compatibilityDate: '2024-09-23' });
  try {
    const response = await worker.dispatchFetch('http://worker/', { method: 'POST', body: JSON.stringify(sets) });
    if (!response.ok) throw new Error((await response.text()).split('\n')[0]);
    return await response.json();
  } finally {
    await worker.dispose();
  }
}

/** Every figure of an answer against what is committed; for the dense scorer, against Node without a bundler. */
function problemsOf(answer, variant, dense) {
  if (answer.error) return [answer.error];
  const problems = [];
  const engine = VARIANTS[variant];
  if (answer.engine !== engine) problems.push(`engine ${answer.engine}: ${answer.why}`);
  if (variant === 'dense') {
    if (JSON.stringify([answer.logits, answer.probabilities]) !== JSON.stringify([dense.logits, dense.probabilities])) {
      problems.push('dense: other bits');
    }
    return problems;
  }
  const ways = engine ? ['records', 'table'] : ['records'];
  for (const name of NAMES) {
    for (const way of ways) {
      for (const field of ['logits', 'probabilities', 'labels']) {
        const got = answer.sets[name][way]?.[field] ?? [];
        const wanted = expected[name][field];
        const differ = wanted.filter((value, i) => value !== got[i]).length;
        if (differ > 0 || got.length !== wanted.length)
          problems.push(`${name} ${way} ${field}: ${differ} of ${wanted.length} differ`);
      }
    }
  }
  return problems;
}

/** The lines of an error that say it: tools print the code around it, too. */
function reason(error) {
  const lines = stripVTControlCharacters(String(error.stderr || error.message || error)).split('\n');
  const said = lines.filter((line) => /error/i.test(line) && line.length < 300);
  return (said.length > 0 ? said : lines).slice(0, 5).join('\n       ').slice(0, 1000);
}

/** What is shipped: all scripts and modules. */
function shipped(dir) {
  const files = readdirSync(join(dir, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(js|mjs|wasm)$/.test(name))
    .map((name) => readFileSync(join(dir, 'dist', name)));
  return {
    bytes: files.reduce((sum, file) => sum + file.length, 0),
    gzip: files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0),
    text: files.map((file) => file.toString('latin1')).join('\n'),
  };
}

const app = prepare();
const { BUNDLERS } = await import('./bundlers.mjs');
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !BUNDLERS[name]);
if (unknown) fail(`${unknown}: expected a bundler among ${Object.keys(BUNDLERS).join(', ')}`);

// the dense scorer as Node runs it from the installed package
cpSync(apps, join(app, 'plain'), { recursive: true });
const { answer: denseOf } = await import(pathToFileURL(join(app, 'plain/dense.js')).href);
const dense = denseOf();

let browser = null;
let passed = 0;
let failed = 0;
const rows = [];
for (const name of asked.length > 0 ? asked : Object.keys(BUNDLERS)) {
  const bundler = BUNDLERS[name];
  if (bundler.available?.() === false) {
    console.log(`${name}: skipped, it has no build for this platform`);
    continue;
  }
  const { version } = JSON.parse(readFileSync(join(here, 'node_modules', bundler.package, 'package.json'), 'utf8'));
  for (const variant of Object.keys(VARIANTS)) {
    const dir = join(app, name, variant);
    cpSync(apps, dir, { recursive: true });
    cpSync(join(apps, `${variant}.js`), join(dir, 'answer.js'));
    writeFileSync(join(dir, 'kernels.js'), bundler.kernels);
    let problems;
    let size = null;
    try {
      await bundler.build(dir);
      size = shipped(dir);
      if (bundler.runs === 'browser') browser ??= await startBrowser();
      const answer =
        bundler.runs === 'browser'
          ? await browser.run(dir)
          : bundler.runs === 'node'
            ? runNode(dir)
            : await runWorker(dir);
      problems = problemsOf(answer, variant, dense);
      if (variant !== 'full')
        problems.push(...TRAINING.filter((text) => size.text.includes(text)).map((text) => `holds ${text}`));
      for (const { what, bundlers, variant: of, bytes } of BUDGETS) {
        if (of === variant && bundlers.includes(name) && size.gzip > bytes) {
          problems.push(`${what}: expected at most ${bytes} bytes gzipped, got ${size.gzip}`);
        }
      }
    } catch (error) {
      problems = [reason(error)];
    }
    if (problems.length === 0) passed++;
    else failed++;
    const bits = problems.length === 0 ? 'equal' : 'FAILED';
    rows.push({ bundler: name, version, variant, runs: bundler.runs, bytes: size?.bytes, gzip: size?.gzip, bits });
    console.log(`${bits.padEnd(6)} ${name} ${version} ${variant}: ${size?.bytes} bytes, ${size?.gzip} gzipped`);
    for (const problem of problems) console.log(`       ${problem}`);
  }
}
await browser?.stop();
console.table(rows);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
