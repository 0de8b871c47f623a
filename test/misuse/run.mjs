/*
 * A million right and wrong calls of the public API, on both engines side by side: no foreign byte is read or written, both do the same, and
 * whatever is thrown is an error of the library.
 *
 *   node test/misuse/run.mjs [--count 100000] [--seed 1] [--only SEQUENCE]
 *
 * Runs the built package. `--only` runs one sequence again. A run of a million calls or more is recorded in test/misuse/result.json.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as library from 'logodds';
import { Ftrl } from 'logodds/kernels';
import { threadedEngine } from 'logodds/threads';
import { misuser } from './sequence.mjs';

/** Failures after which a run ends. */
const ENOUGH = 20;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const run = misuser({ ...library, Ftrl, threadedEngine });

/** Adds the counts of the sequences. */
function runAll() {
  const total = { calls: 0, done: 0, calledBack: 0, thrown: 0, refused: {}, sequences: 0 };
  const failures = [];
  let slowest = { ms: 0, call: '' };
  let told = performance.now();
  for (let index = 0; total.calls < count && failures.length < ENOUGH; index++) {
    // both engines make each call: it counts once
    const { counts, failure, slowest: slow } = run(seed, index);
    const [one] = counts;
    for (const name of ['calls', 'done', 'calledBack', 'thrown']) total[name] += one[name];
    for (const [code, n] of Object.entries(one.refused)) total.refused[code] = (total.refused[code] ?? 0) + n;
    total.sequences++;
    if (slow.ms > slowest.ms) slowest = slow;
    if (failure) {
      failures.push({ sequence: index, why: failure });
      console.log(`FAILED  sequence ${index}: ${failure}`);
    }
    if (performance.now() - told > 10_000) {
      told = performance.now();
      console.log(`${total.calls} of ${count} calls`);
    }
  }
  return { ...total, slowest, failures };
}

function main() {
  if (values.only !== undefined) {
    console.log(run(seed, Number(values.only)));
    return;
  }
  const begin = performance.now();
  const { failures, slowest, ...total } = runAll();
  const seconds = (performance.now() - begin) / 1000;
  const refused = Object.entries(total.refused).sort((a, b) => b[1] - a[1]);
  const sum = refused.reduce((all, [, n]) => all + n, 0);
  console.log(
    `${total.calls} calls on each engine in ${total.sequences} sequences and ${seconds.toFixed(0)} s: ${total.done} done, ${sum} refused ` +
      `(${refused.map(([code, n]) => `${code} ${n}`).join(', ')}), ${total.thrown} ended by what a caller's getter threw, ` +
      `${total.calledBack} getters called back; slowest ${slowest.ms.toFixed(0)} ms (${slowest.call}); ${failures.length} failed`,
  );
  if (count >= 1e6) {
    const git = (...args) =>
      execFileSync('git', args, { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) }).trim();
    const result = {
      date: new Date().toISOString(),
      commit: `${git('rev-parse', 'HEAD')}${git('status', '--porcelain') ? ' and changes' : ''}`,
      command: `node test/misuse/run.mjs --count ${count} --seed ${seed}`,
      runtime: `Node ${process.versions.node}`,
      seconds: Math.round(seconds),
      ...total,
      refused: Object.fromEntries(refused),
      slowest: { ms: Math.round(slowest.ms), call: slowest.call },
      failed: failures.length,
      failures,
    };
    writeFileSync(new URL('result.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
}

main();
