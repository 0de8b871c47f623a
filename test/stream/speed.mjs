// How many messages a second go through a stream, beside what the broker writes for its own producer on the same machine.
import { execFileSync } from 'node:child_process';
import { jars } from './broker.mjs';
import { clientAt, metricsAt, stream, until } from './parts.mjs';

const COUNT = 500_000;

/** 300-byte JSON, four partitions, by turns with the producer of Kafka itself: rates, and the processor time of the stream for a message. */
export async function speed({ brokers }) {
  const client = clientAt(brokers);
  client.create('speed-in:4', 'speed-own:4');
  client.fill('speed-in', 0, COUNT, 1000, 300);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    client.create(`speed-out-${round}:4`);
    const own = ownRate(brokers);
    const args = ['--brokers', brokers, '--in', 'speed-in', '--out', `speed-out-${round}`, '--group', `speed-${round}`];
    const one = stream([...args, '--metrics-port', 0]);
    const { metrics } = await one.event('ready');
    const done = async () => (await metricsAt(metrics)).logodds_stream_messages_total;
    let [count, begin] = [0, 0];
    await until('a first batch', async () => {
      count = await done();
      begin = performance.now();
      return count > 0;
    });
    await until('all', async () => (await done()) === COUNT);
    const rate = ((COUNT - count) / (performance.now() - begin)) * 1000;
    const { result } = await one.stop();
    rounds.push({ rate, own, micros: (result.processorSeconds / COUNT) * 1e6 });
  }
  const shown = rounds.map(
    ({ rate, own, micros }) =>
      `${Math.round(rate)}/s (producer of Kafka ${Math.round(own)}/s, ${micros.toFixed(1)} µs of processor a message)`,
  );
  return shown.join('; ');
}

/** Records a second of the producer that comes with Kafka: 300 bytes, acknowledged, idempotent. */
function ownRate(brokers) {
  const tool = 'org.apache.kafka.tools.ProducerPerformance';
  const props = ['--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'linger.ms=20'];
  const out = execFileSync(
    'java',
    [
      '-cp',
      `${jars()}/*`,
      tool,
      '--topic',
      'speed-own',
      '--num-records',
      String(COUNT),
      '--record-size',
      '300',
      '--throughput',
      '-1',
      ...props,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return Number(Array.from(out.matchAll(/([\d.]+) records\/sec/g)).at(-1)[1]);
}
