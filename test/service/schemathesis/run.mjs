// schemathesis makes requests of the description of a live `logodds serve`, and compares the answers with it.
//   npm run test:service -- schemathesis     at least 10,000 requests; installs schemathesis into test/service/build
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serve } from '../clients/run.mjs';
import { venv } from '../venv.mjs';

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
 * Runs at a time, each with a service of its own. Models are taken away in one of them alone: what the others ask must be there. `/invocations`
 * answers where there is one model.
 */
const RUNS = [
  { models: Object.keys(MODELS), args: ['--include-path-regex', '^/(models|predictions|v1)'], examples: 250 },
  {
    models: Object.keys(MODELS),
    args: ['--exclude-path-regex', '^/(models|predictions|v1|invocations)|/unload$'],
    examples: 250,
  },
  { models: ['rich'], args: ['--include-path-regex', '^/invocations$'], examples: 500 },
  { models: Object.keys(MODELS), args: ['--include-path-regex', '/unload$'], examples: 100 },
];

const requestsIn = (har) => JSON.parse(readFileSync(har, 'utf8')).log.entries.length;

/** Asks a service of some models. Gives the number of requests, and what is wrong; null: nothing. */
async function run(program, { models, args, examples }, i) {
  const { child, url } = await serve(...models.map((name) => `${name}=test/${MODELS[name]}.safetensors`));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const har = `${build}${i}.har`;
  const text = createWriteStream(`${build}${i}.txt`);
  await once(text, 'open');
  const made = spawn(
    program,
    [
      ...['run', `${url}/openapi.json`, '--url', url, '--checks', CHECKS.join(), '--max-examples', String(examples)],
      ...['--phases', 'examples,coverage,fuzzing', '--seed', '1', '--generation-database', 'none'],
      ...['--report', 'har', '--report-har-path', har, '--no-color', ...args],
    ],
    {
      cwd: build,
      env: { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here },
      stdio: ['ignore', text, text],
    },
  );
  const [status] = await once(made, 'exit');
  child.kill('SIGTERM');
  const code = await exited;
  const wrong =
    status !== 0 ? readFileSync(`${build}${i}.txt`, 'utf8') : code !== 0 ? `serve ended with ${code}` : null;
  return { requests: requestsIn(har), wrong };
}

export async function schemathesis() {
  const python = venv('schemathesis-venv', `${here}requirements.txt`);
  mkdirSync(build, { recursive: true });
  const results = await Promise.all(RUNS.map((one, i) => run(python.replace(/python$/, 'st'), one, i)));
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const failed = results.flatMap(({ wrong }) => wrong ?? []);
  for (const wrong of failed) console.error(wrong);
  console.log(`schemathesis: ${requests} requests, ${failed.length} of ${RUNS.length} runs failed`);
  if (requests < LEAST) console.error(`expected at least ${LEAST} requests`);
  return failed.length === 0 && requests >= LEAST;
}
