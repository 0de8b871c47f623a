// Figures with and without labels against scikit-learn and NannyML, the newest of PyPI, over frames made from a seed: both installed into a virtual environment.
//   node test/monitor/peers/run.mjs [--seed 1] [--cases 12]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { venv } from '../../service/venv.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = `${here}build`;
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, cases: { type: 'string', default: '12' } },
});
const python = venv('venv-performance', `${here}requirements.txt`);
mkdirSync(out, { recursive: true });
const bundle = (entry, outfile) =>
  build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' });
await bundle(`${here}../performanceOracle.ts`, `${out}/oracle.mjs`);
await bundle(`${here}../../../src/math/random.ts`, `${out}/random.mjs`);
const { differences } = await import(pathToFileURL(`${out}/oracle.mjs`));
const { splitmix32 } = await import(pathToFileURL(`${out}/random.mjs`));

/** Scores that are calibrated by their own slope, and a window of other scores, at rates of 20 to 80 % so that each chunk has both classes. */
function frames(seed, count) {
  const random = splitmix32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => {
    const [slope, centre, shift] = [0.5 + random(), 2 * random() - 1, 1.5 * random() - 0.75];
    const columns = (n, mean) => {
      const z = Array.from({ length: n }, () => mean + 1.5 * normal());
      const p = z.map((one) => 1 / (1 + Math.exp(-one)));
      return { p, y: z.map((one) => (random() < 1 / (1 + Math.exp(-slope * one)) ? 1 : 0)) };
    };
    return {
      reference: columns(120 + Math.floor(480 * random()), centre),
      window: columns(100 + 50 * Math.floor(5 * random()), centre + shift),
    };
  });
}

writeFileSync(`${out}/frames.json`, JSON.stringify(frames(Number(values.seed), Number(values.cases))));
console.log(`peers: NannyML and scikit-learn over ${values.cases} frames ...`);
const text = execFileSync(python, [`${here}../../fixtures/make_performance.py`, `${out}/frames.json`], {
  encoding: 'utf8',
  maxBuffer: 1e9,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const { versions, cases } = JSON.parse(text);
const all = differences(cases);
const apart = all.filter(({ ours, theirs, within }) => !(Math.abs(ours - theirs) <= within));
for (const { what, ours, theirs } of apart) console.error(`${what}: expected ${theirs}, got ${ours}`);
const greatest = all.reduce((most, { ours, theirs }) => Math.max(most, Math.abs(ours - theirs)), 0);
const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
console.log(
  `${all.length} figures, ${apart.length} apart, greatest difference ${greatest.toExponential(1)} (${said.join(', ')})`,
);
process.exitCode = apart.length > 0 || all.length === 0 ? 1 : 0;
