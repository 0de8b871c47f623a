import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Case, machine, type Results, type Settings, settings, sink } from './harness.ts';
import { kernels, notes } from './kernels.ts';
import { markdown, writeReadme } from './table.ts';

const suites: Record<string, { run(settings: Settings): Case[]; notes: readonly string[] }> = {
  kernels: { run: kernels, notes },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, readme: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !(name in suites));
if (unknown.length) {
  console.error(`bench: no suite ${unknown.join(', ')}; there are: ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}

const how = settings(values.quick);
const folder = how.quick ? 'bench/build' : 'bench/results';
mkdirSync(folder, { recursive: true });
for (const name of positionals.length ? positionals : Object.keys(suites)) {
  console.error(`${name}${how.quick ? ' (quick: not for figures)' : ''}`);
  const taken = machine();
  const cases = suites[name].run(how);
  const results: Results = {
    suite: name,
    machine: taken,
    settings: { rounds: how.rounds, timeMs: how.timeMs, seed: 20010101 },
    notes: suites[name].notes,
    cases,
  };
  const file = `${folder}/${name}.json`;
  writeFileSync(
    file,
    `${JSON.stringify(results, (_, v) => (typeof v === 'number' ? Number(v.toPrecision(6)) : v), 1)}\n`,
  );
  console.log(`\n${markdown(results)}\n\nraw results: ${file}`);
}
if (values.readme) writeReadme('bench/results', 'README.md');
console.error(`sink ${sink}`);
