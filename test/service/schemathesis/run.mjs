// schemathesis makes requests of the description of a live `logodds serve`, and compares the answers with it.
//   npm run test:service -- schemathesis     at least 10,000 requests; installs schemathesis into test/service/build
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serve } from '../clients/run.mjs';
import { virtualEnvironment } from '../python.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = fileURLToPath(new URL('../build/schemathesis/', import.meta.url));
const MODELS = {
  codes: 'conformance/codes',
  rich: 'fuzz/rich',
  classes: 'conformance/stages/classes',
  numeric: 'conformance/numeric',
};
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance'],
  ...['response_schema_conformance', 'unsupported_method'],
];
const LEAST = 10_000;

/**
 * Models are taken away by the last runs alone: what a run asks must be there. One model has a service of its own, since `/invocations` answers
 * where there is one.
 */
const RUNS = [
  { models: Object.keys(MODELS), args: ['--exclude-path-regex', '/unload$'], examples: 250 },
  { models: ['rich'], args: ['--include-path-regex', '^/invocations$'], examples: 500 },
  { models: Object.keys(MODELS), args: ['--include-path-regex', '/unload$'], examples: 100 },
];

const run = (program, args, options) =>
  new Promise((resolve) =>
    spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options }).once('exit', resolve),
  );

/** Requests that a service has counted or refused; each line of a report of schemathesis in HAR is one. */
const requestsIn = (file) => JSON.parse(readFileSync(file, 'utf8')).log.entries.length;

export async function schemathesis() {
  const python = virtualEnvironment('schemathesis-venv', `${here}requirements.txt`);
  mkdirSync(build, { recursive: true });
  let failed = 0;
  let requests = 0;
  for (const [i, { models, args, examples }] of RUNS.entries()) {
    const { child, url } = await serve(...models.map((name) => `${name}=test/${MODELS[name]}.safetensors`));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const har = `${build}${i}.har`;
    const status = await run(
      python.replace(/python$/, 'st'),
      [
        ...[
          'run',
          `${url}/openapi.json`,
          '--url',
          url,
          '--checks',
          CHECKS.join(),
          '--max-examples',
          String(examples),
          '--seed',
          '1',
        ],
        ...[
          '--phases',
          'examples,coverage,fuzzing',
          '--report',
          'har',
          '--report-har-path',
          har,
          '--no-color',
          ...args,
        ],
      ],
      // the example database of hypothesis is written there
      { cwd: build, env: { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here } },
    );
    if (status !== 0) failed++;
    requests += requestsIn(har);
    child.kill('SIGTERM');
    const code = await exited;
    if (code !== 0) {
      console.error(`serve: expected to end with 0 after SIGTERM, got ${code}`);
      failed++;
    }
  }
  console.log(`schemathesis: ${requests} requests, ${failed} of ${RUNS.length} runs failed`);
  if (requests < LEAST) console.error(`expected at least ${LEAST} requests`);
  return failed === 0 && requests >= LEAST;
}
