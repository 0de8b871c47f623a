import { counted } from '../figures/wording.ts';
import type { StreamFlags } from '../jobs/stream/stream.ts';
import { JSON_OUTPUT, MODEL, REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { memorySize, pause, rowNumber } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { print, printJson } from './common.ts';

const HELP = `
A message has one record (--format json, avro), or many (arrow); the score has its key, its headers and its time, and the headers
logodds-model, logodds-version, logodds-sha256 and logodds-id (TOPIC-PARTITION/OFFSET). A message without a value (a tombstone) is passed on.
With --brokers each message is scored exactly once: scores and offsets are committed in one transaction. With --nats it is at least once, and
JetStream drops what comes twice within the time that its stream keeps message ids.

At SIGTERM or SIGINT it publishes what it has begun, and leaves the group. A broker that does not answer is waited for.

Examples:
  logodds stream loans.safetensors --brokers 127.0.0.1:9092 --in applications --out scores --group scorer --dead-letter refused
  logodds stream models:/loans@champion --brokers kafka:9092 --in applications --out scores --group scorer --metrics-port 9100
  logodds stream loans.safetensors --nats nats://127.0.0.1:4222 --in applications --out scores --group scorer`;

const OPTIONS: readonly OptionRow[] = [
  ['--brokers <list>', 'brokers of Kafka, HOST:PORT, several with commas between them', { conflicts: ['nats'] }],
  ['--nats <url>', 'server of NATS with JetStream, nats://HOST:PORT, several with commas between them'],
  ['--in <topic>', 'topic of records (with --nats a subject)', { required: true }],
  ['--out <topic>', 'topic of scores', { required: true }],
  ['--group <name>', 'consumer group: processes of a group share the partitions', { required: true }],
  [
    '--dead-letter <topic>',
    'topic of messages that cannot be scored, with the reason in headers (default: the first ends the stream)',
  ],
  ['--format <name>', 'of the messages of both topics', { choices: ['json', 'avro', 'arrow'], default: 'json' }],
  ['--schema-registry <url>', 'where schemas of --format avro are'],
  [
    '--from <where>',
    'where a group begins that has read nothing yet',
    { choices: ['earliest', 'latest'], default: 'earliest' },
  ],
  [
    '--instance <name>',
    'name of this process in the group, which keeps its partitions when it begins again within the session',
  ],
  ['--session <time>', 'how long a process may be silent before others take its partitions (30s)', { parse: pause }],
  ['--batch-bytes <size>', 'about how much is read of a partition for a batch (1MB)', { parse: memorySize }],
  ['--labels <topic>', 'topic of labels of earlier scores, {"id","label","at"?}, which are appended to --log'],
  ['--log <dir>', 'folder of a prediction log of the scores, which logodds monitor reads'],
  ['--trust <file...>', 'refuse models that none of these public keys signed; read again when they change'],
  ['--revoked <file>', 'keys, models and signatures that are trusted no more; read again when it changes'],
  ['--every <time>', 'how often to look for another model (5s)', { parse: pause }],
  ['--metrics-port <port>', 'answer GET /metrics as Prometheus reads it; 0 takes a free port', { parse: rowNumber }],
  ['--metrics-host <host>', 'address of --metrics-port (127.0.0.1)'],
  ['--tls', 'encrypt connections'],
  ['--ca <file>', 'certificates to trust, in PEM (default: those of the system)'],
  ['--cert <file>', 'own certificate, in PEM'],
  ['--key <file>', 'its private key, in PEM'],
  ['--sasl <mechanism>', 'how to log in', { choices: ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] }],
  ['--username <name>', 'name for --sasl (default: LOGODDS_STREAM_USERNAME)'],
  ['--password-file <file>', 'file with the password or the token (default: the variable LOGODDS_STREAM_PASSWORD)'],
  REGISTRY,
  JSON_OUTPUT,
];

export const stream: CommandLine = {
  name: 'stream',
  description: 'score the messages of a topic of Kafka or NATS',
  takes: [MODEL],
  options: OPTIONS,
  help: HELP,
  run,
};

async function run(model: string, flags: StreamFlags): Promise<void> {
  // what the other commands need not load
  const { streamCommand } = await import('../jobs/stream/stream.ts');
  const { counts, ...times } = await streamCommand(model, flags);
  if (flags.json) printJson({ model, ...counts, ...times });
  else {
    const { messages, deadLetters, tombstones, labels } = counts;
    const more = [
      [deadLetters, 'dead letter'],
      [tombstones, 'tombstone'],
      [labels, 'label'],
    ] as const;
    const parts = more.filter(([count]) => count > 0).map(([count, what]) => counted(count, what));
    print(`${[`${counted(messages, 'message')} scored`, ...parts].join(', ')} in ${times.seconds.toFixed(1)} s\n`);
  }
}
