// Messages come while the process that scores them is killed at random points, by a seed. Each must be in the output once, in the order of its key.
import assert from 'node:assert/strict';
import { clientAt, randomOf, stream, until } from './parts.mjs';

const KEYS = 1000;

/** @param instance  whether the process has a name in its group, and its partitions again at once; else its session has to end first */
export async function exactlyOnce({ brokers }, { messages, kills, seed = 1, instance = true }) {
  const client = clientAt(brokers);
  const [read, written] = [`once-in-${instance}`, `once-out-${instance}`];
  client.create(`${read}:4`, `${written}:4`);
  const random = randomOf(seed);
  const args = ['--brokers', brokers, '--in', read, '--out', written, '--group', `once-${instance}`];
  if (instance) args.push('--instance', 'a');
  else args.push('--session', '6s');
  // small batches: more points at which a kill may come
  args.push('--batch-bytes', '0.3MB');
  const begin = Date.now();
  let sent = 0;
  for (let kill = 0; kill < kills; kill++) {
    const one = stream(args);
    const to = Math.round(((kill + 1) * messages) / kills);
    const mine = client.fill(read, sent, to, KEYS);
    assert.equal(mine.left, 0);
    sent = to;
    await one.event('rebalance');
    // from the first fetch to a stream that has nothing left to do
    await new Promise((resolve) => setTimeout(resolve, 1200 * random() ** 2));
    one.child.kill('SIGKILL');
    await one.ended;
  }
  const last = stream(args);
  await last.event('rebalance');
  let counted;
  await until('all messages in the output', () => {
    counted = client.count(written, 0, messages, KEYS);
    return counted.missing === 0;
  });
  const { code, log } = await last.stop();
  assert.equal(code, 0, log);
  const expected = { total: messages, missing: 0, twice: 0, outOfOrder: 0, wrongKey: 0, wrongHeaders: 0 };
  assert.deepEqual(client.count(written, 0, messages, KEYS), expected);
  return `${messages} messages, ${kills} kills: each once, in order, ${Math.round((Date.now() - begin) / 1000)} s`;
}
