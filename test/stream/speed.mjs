// How many messages a second go through a stream, beside what the broker takes of others on the same machine.
import { execFileSync } from 'node:child_process';
import { jars } from './broker.mjs';
import { clientAt, inPython, metricsAt, stream, until } from './parts.mjs';

const COUNT = 500_000;
let groups = 0;

/** 300-byte JSON, four partitions, by turns with librdkafka, which copies, and the producer of Kafka: rates, and the processor time of the stream for a message. */
export async function speed({ brokers }) {
  const client = clientAt(brokers);
  client.create('speed-in:4', 'speed-out:4', 'speed-copied:4', 'speed-own:4');
  client.fill('speed-in', 0, COUNT, 1000, 300);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const own = ownRate(brokers, 'speed-own', COUNT);
    const copied = copyRate(brokers, 'speed-in', 'speed-copied', COUNT);
    const { rate, micros } = await streamRate(brokers, 'speed-in', 'speed-out', COUNT);
    rounds.push(
      `${Math.round(rate)}/s (librdkafka, copying alone, ${Math.round(copied)}/s, producer of Kafka ${Math.round(own)}/s; ${micros.toFixed(1)} µs of processor a message)`,
    );
  }
  return rounds.join('; ');
}

/** Messages a second behind the first batch, and microseconds of processor a message, start included. */
export async function streamRate(brokers, read, written, count) {
  const args = ['--brokers', brokers, '--in', read, '--out', written, '--group', `speed-${process.pid}-${++groups}`];
  const one = stream([...args, '--metrics-port', 0]);
  const { metrics } = await one.event('ready');
  const done = async () => (await metricsAt(metrics)).logodds_stream_messages_total;
  let [first, begin, end] = [0, 0, 0];
  await until(
    'a first batch',
    async () => {
      first = await done();
      begin = performance.now();
      return first > 0;
    },
    120,
    10,
  );
  await until(
    'all',
    async () => {
      const all = (await done()) === count;
      end = performance.now();
      return all;
    },
    120,
    10,
  );
  const { result } = await one.stop();
  return { rate: ((count - first) / (end - begin)) * 1000, micros: (result.processorSeconds / count) * 1e6 };
}

/** Records a second that librdkafka copies in transactions: nothing is scored. */
export function copyRate(brokers, read, written, count) {
  return inPython('copy.py', [brokers, read, written, `copy-${process.pid}-${++groups}`, count]).rate;
}

/** Records a second of the producer that comes with Kafka: 300 bytes, acknowledged, idempotent. */
export function ownRate(brokers, topic, count) {
  const tool = 'org.apache.kafka.tools.ProducerPerformance';
  const work = ['--topic', topic, '--num-records', String(count), '--record-size', '300', '--throughput', '-1'];
  const props = ['--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'linger.ms=20'];
  const out = execFileSync('java', ['-cp', `${jars()}/*`, tool, ...work, ...props], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(Array.from(out.matchAll(/([\d.]+) records\/sec/g)).at(-1)[1]);
}
