// Streams, beside a real broker of Kafka and a real server of NATS, which start on free ports of loopback and end with the run:
//   npm run test:stream                        a million messages and 50 kills, and all cases
//   npm run test:stream -- --small             20,000 messages and 5 kills, and three cases: a minute
//   npm run test:stream -- CASE ...            these cases: once, and those of cases.mjs
// The jars of Kafka come from Maven and need Java 17; nats-server is that of the system, or built by Go, both once into a cache folder. The output is read by librdkafka.
import { parseArgs } from 'node:util';
import { startBroker } from './broker.mjs';
import { CASES } from './cases.mjs';
import { exactlyOnce } from './exactlyOnce.mjs';
import { endAll } from './parts.mjs';
import { speed } from './speed.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean' }, seed: { type: 'string' } },
});
const { small = false, seed = '1' } = values;
const size = small ? { messages: 20_000, kills: 5 } : { messages: 1_000_000, kills: 50 };
const all = { once: (broker) => exactlyOnce(broker, { ...size, seed: Number(seed) }), ...CASES, speed };
/** of a minute in all */
const SMALL = ['once', 'poison', 'tombstones', 'rebalance'];
const names = positionals.length > 0 ? positionals : small ? SMALL : Object.keys(all);
const unknown = names.filter((name) => !(name in all));
if (unknown.length > 0) {
  console.error(`test:stream: expected ${Object.keys(all).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}
const broker = await startBroker();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    endAll();
    void broker.close().finally(() => process.exit(1));
  });
try {
  for (const name of names) {
    const begin = performance.now();
    try {
      const said = await all[name](broker);
      console.log(`${name}: ${said ?? 'as expected'} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (error) {
      process.exitCode = 1;
      console.error(`${name}: ${error.stack}`);
    } finally {
      endAll();
    }
  }
} finally {
  await broker.close();
}
