// Game day: the ten failure modes, one after another, on a running system.
//   npm run gameday                          all of them
//   npm run gameday -- F1 F8                 some
//   npm run gameday -- --json found.json     what was found, in a file too
//   npm run gameday -- --calm                without the injections: nothing may be seen
// Each failure has a model, customers and a ledger of its own in one system: a registry, two workers, a receiver of webhooks. Exit status: 0 all was seen and
// nothing lost, 1 something was not, 2 wrong usage.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Alarms, SETTINGS } from './alarms.mjs';
import { Client } from './client.mjs';
import { clockOf } from './clock.mjs';
import { FAILURES } from './failures/index.mjs';
import { judge, linesOf, summaryOf, tableOf } from './judge.mjs';
import { System } from './system.mjs';
import { modelOf, rowsOf } from './world.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const ids = positionals.map((id) => id.toUpperCase());
const unknown = ids.filter((id) => !FAILURES.some((failure) => failure.id === id));
if (unknown.length > 0) {
  console.error(`gameday: expected some of ${FAILURES.map(({ id }) => id).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}
const chosen = FAILURES.filter(({ id }) => ids.length === 0 || ids.includes(id));
const TRAINING_ROWS = 4000;

/** Runs one failure, and holds the ledger of its client against the log. */
async function play(failure, day) {
  const began = performance.now();
  const { client } = day;
  const alarms = new Alarms(client);
  const clock = () => {
    alarms.began();
    return clockOf();
  };
  let found;
  try {
    found = await failure.run({ ...day, clock });
  } catch (error) {
    found = { seen: null, wrong: [error.message] };
  }
  const alerts = await alarms.end(found.seen === null ? null : failure.alarm);
  const { found: ledger, wrong } = await client.ledger(found.lost);
  return {
    ...{ id: failure.id, name: failure.name, by: failure.by, runbook: failure.runbook, seen: null, done: null },
    alarm: failure.alarm,
    ...found,
    alerts,
    lost: found.lost?.size ?? 0,
    ledger,
    wrong: [...(found.wrong ?? []), ...wrong],
    seconds: (performance.now() - began) / 1000,
  };
}

const began = performance.now();
const home = mkdtempSync(join(tmpdir(), 'logodds-gameday-'));
const system = await System.start(home);
system.write('slo.json', SETTINGS);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => system.close().finally(() => process.exit(130)));
const results = [];
try {
  const pushed = chosen.map((failure) => {
    const { model: name } = failure;
    const rows = rowsOf(TRAINING_ROWS, 1000 + FAILURES.indexOf(failure));
    return system.push(system.write(`${name}.safetensors`, modelOf(rows)), name, '--alias', 'champion');
  });
  await Promise.all(pushed);
  const start = async () => {
    const models = chosen.map(({ model: name }) => `models:/${name}@champion`);
    const watch = ['--watch', '--watch-window', '2', '--watch-age', 'velocity=velocityAt', '--watch-max-age', '3600'];
    system.main = await system.serve(...models, '--workers', '2', '--log', 'log', ...watch);
    return system.main;
  };
  await start();
  for (const failure of chosen) {
    const { model: name } = failure;
    // what one has broken does not break the next
    if (system.main.hasEnded) await start();
    const client = new Client(name, () => system.main, system.path('log'));
    const day = { system, client, champion: `${name}.safetensors`, isCalm: values.calm, start };
    const result = judge(await play(failure, day), values.calm);
    results.push(result);
    console.log(linesOf(result).join('\n'));
  }
} finally {
  await system.close();
  if (values.keep) console.log(`kept: ${home}`);
  else rmSync(home, { recursive: true, force: true });
}
const seconds = (performance.now() - began) / 1000;
console.log(`\n${tableOf(results).join('\n')}\n\n${summaryOf(results, seconds, values.calm)}`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ isCalm: values.calm, seconds, results }, null, 2)}\n`);
if (results.length < chosen.length || results.some(({ isGood }) => !isGood)) process.exitCode = 1;
