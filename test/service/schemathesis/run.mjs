// schemathesis makes requests of the description of a live `logodds serve`, and compares the answers with it.
//   npm run test:service -- schemathesis     at least 10,000 requests; installs schemathesis into test/service/build
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  ...['response_schema_conformance', 'unsupported_method', 'allow_header_conformance', 'missing_required_header'],
];
const LEAST = 10_000;

/**
 * Runs at a time, each with a service of its own. Models are taken away in one of them alone: what the others ask must be there. `/invocations`
 * answers where there is one model. A name that is made up is most often of no model: `known` is asked for in its place.
 */
const RUNS = [
  {
    models: Object.keys(MODELS),
    known: 'rich',
    args: ['--include-path-regex', '^/(models|predictions|v1)'],
    examples: 130,
  },
  {
    models: Object.keys(MODELS),
    known: 'codes',
    args: ['--exclude-path-regex', '^/(models|predictions|v1|invocations)|/unload$'],
    examples: 130,
  },
  { models: Object.keys(MODELS), known: null, args: ['--include-path-regex', '[{]model[}]'], examples: 60 },
  { models: ['rich'], known: null, args: ['--include-path-regex', '^/invocations$'], examples: 500 },
];

/** Asks a service of some models. Gives the number of requests, and what is wrong; null: nothing. */
async function run(program, { models, known, args, examples }, i) {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-schemathesis-'));
  const { child, url } = await serve(
    ...models.map((name) => `${name}=test/${MODELS[name]}.safetensors`),
    // labels have no place without it
    ...['--log', folder],
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const report = `${build}${i}.json`;
  rmSync(report, { force: true });
  const config = `${build}${i}.toml`;
  writeFileSync(config, known === null ? '' : `[parameters]\n"path.model" = "${known}"\n`);
  const text = createWriteStream(`${build}${i}.txt`);
  await once(text, 'open');
  const made = spawn(
    program,
    [
      ...['--config-file', config, 'run', `${url}/openapi.json`, '--url', url],
      ...['--checks', CHECKS.join(), '--phases', 'examples,coverage,fuzzing', '--max-examples', String(examples)],
      // how long a request takes to make is no part of the verdict
      ...['--seed', '1', '--generation-database', 'none', '--suppress-health-check', 'all', '--request-timeout', '20'],
      ...['--report', 'json', '--report-json-path', report, '--no-color', ...args],
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
  rmSync(folder, { recursive: true });
  const told = () => readFileSync(`${build}${i}.txt`, 'utf8');
  if (!existsSync(report)) return { requests: 0, wrong: `schemathesis ended with ${status}: ${told()}` };
  const { complete, test_cases: cases, operations } = JSON.parse(readFileSync(report, 'utf8'));
  console.log(
    `schemathesis ${args.join(' ')}: ${operations.tested} operations, ${cases.generated} requests, ${cases.unique_failures} failures`,
  );
  const wrong = status !== 0 || !complete ? told() : code !== 0 ? `serve ended with ${code}` : null;
  return { requests: cases.generated, wrong };
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
