import { resolve } from 'node:path';
import { compare } from '../harness.ts';
import type { Lab } from '../lab.ts';
import type { Rival } from '../timings.ts';

export const notes = [
  '`logodds stream` between topics of four partitions of a broker of Kafka 4.4 on the same machine, records of 300 bytes of JSON, exactly once: time from the end of the first batch to the end of the last.',
  'librdkafka: confluent-kafka for Python copies the same records between the same topics in transactions, and scores nothing (test/stream/copy.py).',
  'producer of Kafka: kafka-producer-perf-test of the same release writes as many records of 300 bytes, acknowledged, and reads nothing.',
];

/** What test/stream has: files that know where they are, so they are not bundled. */
interface Parts {
  startBroker(): Promise<{ readonly brokers: string; close(): Promise<void> }>;
  clientAt(brokers: string): {
    create(...topics: string[]): void;
    fill(topic: string, from: number, to: number, keys: number, bytes: number): void;
  };
  streamRate(brokers: string, read: string, written: string, count: number): Promise<{ readonly rate: number }>;
  copyRate(brokers: string, read: string, written: string, count: number): number;
  ownRate(brokers: string, topic: string, count: number): number;
}

const FILES = ['broker', 'parts', 'speed'];

export async function run(lab: Lab): Promise<void> {
  const files = await Promise.all(FILES.map((name) => import(resolve(`test/stream/${name}.mjs`))));
  const parts: Parts = Object.assign({}, ...files);
  const count = lab.quick ? 20_000 : 500_000;
  const broker = await parts.startBroker();
  try {
    const { brokers } = broker;
    const client = parts.clientAt(brokers);
    client.create('in:4', 'out:4', 'copied:4', 'own:4');
    client.fill('in', 0, count, 1000, 300);
    const milliseconds = (rate: number) => (count / rate) * 1000;
    const rivals: Rival[] = [
      {
        name: 'logodds stream',
        sample: async () => milliseconds((await parts.streamRate(brokers, 'in', 'out', count)).rate),
      },
      { name: '100,000 a second', sample: () => milliseconds(100_000) },
      {
        name: 'librdkafka, copying alone',
        sample: () => milliseconds(parts.copyRate(brokers, 'in', 'copied', count)),
      },
      { name: 'producer of Kafka alone', sample: () => milliseconds(parts.ownRate(brokers, 'own', count)) },
    ];
    const work = {
      name: `stream, ${count / 1000}k records of 300 bytes`,
      rows: count,
      bytes: 300 * count,
      tolerance: 0,
    };
    lab.cases.push(await compare(work, rivals, lab.settings));
  } finally {
    await broker.close();
  }
}
