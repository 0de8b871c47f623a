import { LogoddsError } from '../../../../src/index.ts';
import { wrongUsage } from '../../errors.ts';
import { TrustFiles, type TrustFlags } from '../../serve/trust.ts';
import { logJson, say } from '../../terminal/print.ts';
import type { FormatOf } from './formats/format.ts';
import { LabelLog } from './labels.ts';
import { ScoreLog } from './log.ts';
import { type Count, StreamMetrics, serveMetrics } from './metrics.ts';
import { FollowedModel } from './model.ts';
import { follow, Run, type Tell } from './run.ts';
import { type SecurityFlags, securityOf } from './security.ts';
import type { Happening, Transport } from './transport.ts';

/** What `logodds stream` was asked. */
export interface StreamFlags extends SecurityFlags, TrustFlags {
  readonly brokers?: string;
  readonly nats?: string;
  readonly in: string;
  readonly out: string;
  readonly group: string;
  readonly instance?: string;
  readonly deadLetter?: string;
  readonly labels?: string;
  readonly log?: string;
  readonly format: 'json' | 'avro' | 'arrow';
  readonly schemaRegistry?: string;
  readonly from: 'earliest' | 'latest';
  readonly batchBytes?: number;
  readonly session?: number;
  readonly every?: number;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
  readonly registry?: string;
  readonly json?: boolean;
}

/** What became of a stream. */
export interface StreamResult {
  readonly counts: Readonly<Record<Count, number>>;
  readonly seconds: number;
  /** of the processor, in this process */
  readonly processorSeconds: number;
}

/** Scores a stream until a signal stops it. @throws ERR_RANGE, ERR_DATA and what a model can have */
export async function streamCommand(given: string, flags: StreamFlags): Promise<StreamResult> {
  check(flags);
  const security = securityOf(flags, process.env);
  const metrics = new StreamMetrics();
  const tell: Tell = (event, text, facts = {}) => {
    if (flags.json) logJson({ event, text, ...facts });
    else say(text);
  };
  const happened = ({ kind, text }: Happening) => {
    metrics.counts[kind]++;
    if (text !== '') tell(kind, text);
  };
  const { registry } = flags;
  const trusted = await TrustFiles.of(flags);
  const model = await FollowedModel.open(given, { ...(registry !== undefined && { registry }), trusted });
  const formatOf = await formatsOf(flags);
  const begin = performance.now();
  const transport = await transportOf(flags, security, happened);
  const labels = flags.labels === undefined ? null : { topic: flags.labels, log: new LabelLog(flags.log!) };
  const log = flags.log === undefined ? null : new ScoreLog(flags.log);
  const run = new Run({
    transport,
    model,
    formatOf,
    out: flags.out,
    deadLetter: flags.deadLetter ?? null,
    labels,
    log,
    metrics,
    tell,
  });
  const endFollowing = follow(model, flags.every ?? 5, metrics, tell);
  const stopped = () => transport.pause();
  const unheard = onSignals(stopped);
  let server: Awaited<ReturnType<typeof serveMetrics>> | null = null;
  try {
    if (flags.metricsPort !== undefined)
      server = await serveMetrics(flags.metricsHost ?? '127.0.0.1', flags.metricsPort, () =>
        metrics.text(transport.lags(), model.current),
      );
    const address = server?.address();
    tellReady(flags, transport, model, typeof address === 'object' && address ? address.port : null);
    await run.whole();
  } finally {
    unheard();
    endFollowing();
    server?.close();
    server?.closeAllConnections();
    labels?.log.close();
    await log?.close();
    await transport.close();
  }
  const { user, system } = process.cpuUsage();
  return {
    counts: metrics.counts,
    seconds: (performance.now() - begin) / 1000,
    processorSeconds: (user + system) / 1e6,
  };
}

function check(flags: StreamFlags): void {
  const { brokers, nats, labels, log, format, schemaRegistry, in: read, out, deadLetter, trust, revoked } = flags;
  if ((brokers === undefined) === (nats === undefined))
    wrong(
      'stream',
      '--brokers or --nats, one of them',
      brokers === undefined ? 'none' : 'both',
      'name where messages are',
    );
  if (labels !== undefined && log === undefined) wrong('--labels', '--log beside it', 'none', 'give both');
  if (revoked !== undefined && trust === undefined) wrong('--revoked', '--trust beside it', 'none', 'give both');
  if ((format === 'avro') !== (schemaRegistry !== undefined))
    wrong(
      format === 'avro' ? '--format avro' : '--schema-registry',
      format === 'avro' ? '--schema-registry beside it' : '--format avro beside it',
      'none',
      'give both',
    );
  const topics = [read, out, deadLetter, labels].filter((one) => one !== undefined);
  if (new Set(topics).size < topics.length)
    wrong('topics', 'names of their own for --in, --out, --dead-letter and --labels', 'one twice', 'name others');
}

function wrong(what: string, rule: string, got: string, next: string): never {
  throw wrongUsage(new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${got}; ${next}`));
}

/** Each format and each transport is loaded when it is asked for. */
async function formatsOf({ format, schemaRegistry, out }: StreamFlags): Promise<FormatOf> {
  if (format === 'avro') {
    const { avroFormats } = await import('./formats/avro.ts');
    return avroFormats(schemaRegistry!, `${out}-value`);
  }
  if (format === 'arrow') return (await import('./formats/arrow.ts')).arrowFormats();
  return (await import('./formats/json.ts')).jsonFormat;
}

async function transportOf(
  flags: StreamFlags,
  security: ReturnType<typeof securityOf>,
  tell: (happening: Happening) => void,
): Promise<Transport> {
  const reads = [flags.in, ...(flags.labels === undefined ? [] : [flags.labels])];
  const writes = [flags.out, ...(flags.deadLetter === undefined ? [] : [flags.deadLetter])];
  const { group, from, batchBytes = 2 ** 20 } = flags;
  if (flags.nats !== undefined) {
    const { NatsTransport } = await import('./nats/transport.ts');
    return NatsTransport.open({ servers: flags.nats, security, group, reads, writes, from, tell });
  }
  const { openKafka } = await import('./kafka/open.ts');
  return openKafka(flags.brokers!, security, {
    group,
    instance: flags.instance ?? null,
    reads,
    writes,
    from,
    batchBytes,
    sessionMs: (flags.session ?? 30) * 1000,
    tell,
  });
}

function tellReady(
  { json, in: read, out }: StreamFlags,
  { guarantee }: Transport,
  model: FollowedModel,
  port: number | null,
) {
  const { name, version, sha256 } = model.current;
  if (json)
    logJson({ event: 'ready', model: name, version, sha256, guarantee, ...(port !== null && { metrics: port }) });
  else {
    say(`${name}${version === null ? '' : ` version ${version}`} scores ${read} to ${out}: ${guarantee}`);
    if (port !== null) say(`metrics at port ${port}, /metrics`);
  }
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** The first signal stops, the second ends at once. @returns ends listening */
function onSignals(stop: () => void): () => void {
  let isStopping = false;
  const heard = Object.entries(SIGNALS).map(([signal, number]) => {
    const hear = () => {
      if (isStopping) process.exit(128 + number);
      isStopping = true;
      stop();
    };
    process.on(signal, hear);
    return [signal, hear] as const;
  });
  return () => {
    for (const [signal, hear] of heard) process.off(signal, hear);
  };
}
