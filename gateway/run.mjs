/*
 * Builds the filter, installs Envoy, and tests both: `node gateway/run.mjs`. With `--speed` it then measures requests per
 * second with the filter and without.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = (name) => `${root}${name}`;
const changed = (name) => (existsSync(path(name)) ? statSync(path(name)).mtimeMs : 0);
const newest = (folder) =>
  Math.max(
    ...readdirSync(path(folder), { withFileTypes: true }).map((entry) =>
      entry.isFile() ? changed(`${folder}/${entry.name}`) : 0,
    ),
  );

try {
  if (!existsSync(path('dist/score.js')) || !existsSync(path('node_modules/assemblyscript')))
    await import('../scripts/prepare.mjs');
  buildFilter();
  const { runTests } = await import('./test/harness.mjs');
  await import('./test/inHost.mjs');
  const host = await runTests();
  await import('./test/inEnvoy.mjs');
  const envoy = await runTests();
  if (process.argv.includes('--speed')) await (await import('./speed.mjs')).measure();
  const failed = host.failed + envoy.failed;
  console.log(`${host.passed + envoy.passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
} catch (error) {
  console.error(`gateway: ${error instanceof Error ? error.message : error}`);
  // servers may still listen; an Envoy that runs ends with this process
  process.exit(1);
}

function buildFilter() {
  const file = 'gateway/build/filter.wasm';
  if (changed(file) < Math.max(newest('gateway/assembly'), newest('assembly'), changed('gateway/run.mjs'))) {
    console.log('gateway: compiling the filter ...');
    mkdirSync(path('gateway/build'), { recursive: true });
    const options = [
      '--runtime',
      'minimal',
      '--use',
      'abort=',
      '--enable',
      'simd',
      '--exportStart',
      '_initialize',
      '--initialMemory',
      '1',
    ];
    const size = ['-O3', '--shrinkLevel', '1', '--noAssert'];
    execFileSync(
      process.execPath,
      ['node_modules/assemblyscript/bin/asc.js', 'gateway/assembly/filter.ts', '-o', file, ...options, ...size],
      {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
  }
  console.log(`gateway: filter.wasm, ${statSync(path(file)).size} bytes`);
}
