// What the cases share: a record with its score, topics, and a stream that runs until something is done.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { clientAt, MODEL, root, stream, until } from './parts.mjs';

export const OTHER = `${root}test/conformance/numeric.safetensors`;
export const GOOD = '{"code":"2","x":0.5}';
/** of GOOD */
export const SCORE = { probability: expected(), label: 'yes' };

function expected() {
  const out = execFileSync(process.execPath, [
    `${root}cli/bin/logodds.js`,
    'explain',
    MODEL,
    '--record',
    GOOD,
    '--json',
  ]);
  return JSON.parse(out).probability;
}

/** Topics of a case, and the flags to read and write them. */
export function topics(broker, name, partitions = 1, config = '') {
  const client = clientAt(broker.brokers);
  const [read, out, dead] = ['in', 'out', 'dead'].map((part) => `${name}-${part}`);
  client.create(...[read, out, dead].map((topic) => `${topic}:${partitions}${config}`));
  const flags = ['--brokers', broker.brokers, '--in', read, '--out', out, '--group', name];
  return { client, read, out, dead, flags, withDead: [...flags, '--dead-letter', dead] };
}

/** Runs a stream until the output, and what was set aside, have so many messages. */
export async function runUntil(args, client, counts, options) {
  const one = stream(args, options);
  await until(`${JSON.stringify(counts)} messages`, () =>
    Object.entries(counts).every(([topic, count]) => client.read(topic).length >= count),
  );
  const ended = await one.stop();
  assert.equal(ended.code, 0, ended.log);
  return ended.result;
}
