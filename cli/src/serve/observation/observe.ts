import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type AuditEntry,
  type Counter,
  type EntityFrom,
  type Gauges,
  type Label,
  type LabelSink,
  type LogLine,
  type PredictionLogOptions,
  type ServiceOptions,
  watchApi,
} from '../../../../service/src/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { counted } from '../../figures/wording.ts';
import { jsonLine } from '../../terminal/print.ts';
import { reason } from '../../write/temporary.ts';
import { auditPathOf } from './auditFile.ts';
import { type ObservationOptions, otlpProblem, type Slot } from './flags.ts';
import { LineSink, standardError } from './lineSink.ts';
import type { PredictionItem } from './predictionFiles.ts';
import type { RecordedItem } from './predictions.ts';
import { processGauges } from './processGauges.ts';
import { type FromRecorder, LateRecorder, Recorder, type RecorderStart } from './recorder.ts';
import type { Telemetry } from './telemetry.ts';
import type { WatchKeeperOptions, WatchQuestion } from './watch/keeper.ts';
import { ThreadWatch } from './watch/threadWatch.ts';

/** Where lines, scores and spans of a service go. */
export interface Observation {
  readonly log: (line: LogLine) => void;
  /** what the service takes of it */
  readonly service: Pick<
    ServiceOptions,
    'logRequests' | 'telemetry' | 'predictions' | 'labels' | 'watch' | 'extensions' | 'audit' | 'gauges'
  >;
  /** What the watch of this process says; null: it has none, or does not know. */
  askWatch(question: unknown): Promise<unknown>;
  /** Writes what is left. */
  close(): Promise<void>;
}

const LEVELS = ['error', 'warn', 'info'];
/** How long the end waits for whoever reads the log. */
const LOG_MS = 1000;
/** The same trouble is told once in this time. */
const AGAIN_MS = 60_000;

/**
 * Opens logs and exporters.
 * @param count  counts in the metrics of the service
 * @param among  of several processes which one this is; null: it is alone
 * @throws ERR_DATA, ERR_RANGE
 */
export async function observe(
  options: ObservationOptions,
  count: (counter: Counter, by: number) => void,
  among: Slot | null = null,
): Promise<Observation> {
  const level = LEVELS.indexOf(options.logLevel);
  const stamped = (line: LogLine): string => jsonLine({ time: new Date().toISOString(), ...line });
  const sink = new LineSink({
    stream: standardError(),
    onDrop: (lines) => count('lr_log_dropped_total', lines),
    dropped: (lines) => stamped({ level: 'warn', event: 'dropped', lines }),
  });
  const log = (line: LogLine) => {
    if (LEVELS.indexOf(line.level) <= level) sink.write(stamped(line));
  };
  const trouble = seldom((event: string, reason: string) => log({ level: 'warn', event, reason }));
  const ownGauges = processGauges();
  const predictions = await openPredictions(options, count, trouble, among);
  const slot = among?.slot ?? null;
  const audit = options.audit === undefined ? null : await openAudit(options.audit, options, count, trouble, slot);
  const telemetry = await openTelemetryOf(options, (among?.slot ?? 1) === 1, (reason) => trouble('telemetry', reason));
  return {
    log,
    service: {
      logRequests: options.logLevel === 'info',
      gauges: () => ({ ...ownGauges(), ...predictions?.gauges() }),
      ...(telemetry && { telemetry: telemetry.api }),
      ...predictions?.service,
      ...(audit && { audit: audit.sink }),
    },
    askWatch: async (question) => (await predictions?.service.watch?.ask(question as WatchQuestion)) ?? null,
    async close() {
      await Promise.all([predictions?.close(), audit?.close(), telemetry?.close()]);
      // who does not read the log must not hold the process
      if (!(await sink.flush(LOG_MS))) setTimeout(() => process.exit(), 10).unref();
    },
  };
}

type Count = (counter: Counter, by: number) => void;
type Trouble = (event: string, reason: string) => void;

/** What logs and watches scores: one thread has both. */
async function openPredictions(options: ObservationOptions, count: Count, trouble: Trouble, among: Slot | null) {
  const { log, logFormat, logSample, logSize, logAge, logEntity, watch, watchState } = options;
  if (log === undefined && watch === false) return null;
  const entity = entityOf(logEntity);
  const start: RecorderStart = {
    kind: 'predictions',
    log:
      log === undefined
        ? null
        : { folder: resolve(log), format: logFormat, entity, size: logSize * 1e6, ageMs: logAge * 1000 },
    watch: watch === false ? null : watchOptions(options, among),
    samples: { log: log === undefined ? 0 : logSample, watch: sampleOf(options) },
  };
  let isOff = false;
  const begin = () =>
    Recorder.start<RecordedItem>(start, {
      onTaken({ written, dropped, unmatched, failure }: FromRecorder) {
        if (written > 0) count('lr_predictions_logged_total', written);
        if (unmatched > 0) count('lr_predictions_unmatched_total', unmatched);
        if (dropped > 0) count('lr_predictions_dropped_total', dropped);
        if (failure) trouble('predictions dropped', failure);
      },
      onLost(lost) {
        count('lr_predictions_dropped_total', lost);
        trouble('predictions dropped', 'the disk is too slow');
      },
      onSaid(what, off) {
        isOff = off;
        trouble('watch', what);
      },
    });
  const isAsked = log !== undefined || watchState !== undefined;
  const named = watchState === undefined ? '--log' : '--watch-state';
  const recorder = new LateRecorder(begin, (error) => trouble('watch', reason(error)));
  if (isAsked) await opened(named, watchState ?? log!, () => recorder.begin());
  const take = (item: PredictionItem): void => {
    if (item.kind !== 'scored') recorder.put(item, 50, 0);
    else recorder.put(withOwnBytes(item), item.bytes, item.count);
  };
  const folder = start.watch?.folder ?? null;
  const sink: LabelSink = {
    // one that comes to this process may be of a score of another
    keeps: () => isAsked || recorder.hasBegun || (folder !== null && existsSync(folder)),
    take(labels: readonly Label[]): Promise<void> {
      recorder.put({ kind: 'labels', labels }, 200 * labels.length, labels.length);
      return recorder.kept();
    },
  };
  const watching =
    watch === false
      ? null
      : new ThreadWatch(recorder, folder, watch === true, log !== undefined, among, (what) => trouble('watch', what));
  const ages = start.watch?.watch.eventTimes;
  if (ages) watching?.wantFeatures(Object.keys(ages));
  return {
    service: {
      predictions: {
        sink: { take },
        sample: Math.max(start.samples.log, start.samples.watch),
        entity,
        ...(watching && {
          wants: (by, model) => watching.wants(by, model),
          onLeft: (by, route, rows, refused) => watching.left(by, route, rows, refused),
        }),
      } satisfies PredictionLogOptions,
      labels: sink,
      ...(watching && { watch: watching, extensions: [watchApi] }),
    },
    gauges: (): Gauges =>
      watching === null
        ? {}
        : {
            lr_watch_off: {
              help: 'Processes that watch nothing, since another one writes the state of the watch: 0 if all is well.',
              value: Number(isOff),
              of: 'sum',
            },
          },
    async close() {
      watching?.close();
      await recorder.close();
    },
  };
}

/** Nobody who has not asked for a watch should notice it. */
const LIGHT = 0.1;
const sampleOf = ({ watch, watchSample }: ObservationOptions): number =>
  watch === false ? 0 : (watchSample ?? (watch === true ? 1 : LIGHT));

/** What a thread needs to watch. */
const watchOptions = (options: ObservationOptions, among: Slot | null): WatchKeeperOptions => {
  const { log, watchState, watchWindow, watchKeep, watchRipe, watchAge, watchMaxAge } = options;
  return {
    folder:
      watchState !== undefined
        ? resolve(watchState)
        : log !== undefined
          ? join(resolve(log), 'watch')
          : (among?.watchFolder ?? null),
    isAsked: watchState !== undefined,
    slot: among?.slot ?? 1,
    slots: among?.slots ?? 1,
    sample: sampleOf(options),
    watch: {
      every: { ms: watchWindow * 1000 },
      keep: watchKeep,
      ...(watchRipe !== undefined && { ripeAfterMs: watchRipe * 1000 }),
      ...(watchAge && {
        eventTimes: Object.fromEntries(watchAge.map((text) => text.split(/=(.*)/s).slice(0, 2))),
        maxAgeMs: watchMaxAge * 1000,
      }),
    },
  };
};

/** Bytes that are part of larger memory are sent with all of it. */
function withOwnBytes<T extends PredictionItem & { kind: 'scored' }>(item: T): T {
  const { rows } = item;
  if (!('bytes' in rows) || rows.bytes.length === rows.bytes.buffer.byteLength) return item;
  return { ...item, rows: { kind: rows.kind, bytes: new Uint8Array(rows.bytes) } };
}

async function openAudit(
  file: string,
  { auditStrict, auditSync, auditSize }: ObservationOptions,
  count: Count,
  trouble: Trouble,
  worker: number | null,
) {
  const path = auditPathOf(resolve(file), worker);
  const sync = auditStrict ? 'always' : auditSync;
  const recorder = await opened('--audit', file, () =>
    Recorder.start<AuditEntry>(
      { kind: 'audit', options: { path, sync, size: auditSize * 1e6 } },
      {
        onTaken({ written, dropped, failure }: FromRecorder) {
          if (written > 0) count('lr_audit_lines_total', written);
          if (dropped > 0) count('lr_audit_dropped_total', dropped);
          if (failure) trouble('audit dropped', failure);
        },
        onLost(lost) {
          count('lr_audit_dropped_total', lost);
          trouble('audit dropped', 'the disk is too slow');
        },
        onLeft: (by) => trouble('audit lock taken over', `left by ${by}`),
        onTorn: (bytes) =>
          trouble('audit torn', `${counted(bytes, 'byte')} of a line that was not complete; the chain goes on`),
      },
    ),
  );
  return {
    sink: {
      isStrict: auditStrict,
      put(entry: AuditEntry) {
        recorder.put(entry, 600);
      },
      kept: () => recorder.kept(),
    },
    close: () => recorder.close(),
  };
}

/** Loads OpenTelemetry where something is to be exported. */
async function openTelemetryOf(
  { otlp, traceSample }: ObservationOptions,
  tellsWatch: boolean,
  onFailure: (reason: string) => void,
): Promise<Telemetry | null> {
  const { env } = process;
  const isAsked = otlp !== undefined || ENDPOINTS.some((name) => env[name]);
  if (!isAsked || env['OTEL_SDK_DISABLED'] === 'true') return null;
  const problem = otlpProblem(otlp);
  if (problem !== null) throw new LogoddsError('ERR_RANGE', `--otlp: ${problem}`);
  const protocol = env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? PROTOCOL;
  if (protocol !== PROTOCOL)
    onFailure(`OTEL_EXPORTER_OTLP_PROTOCOL: expected ${PROTOCOL}, got ${protocol}; ${PROTOCOL} is sent`);
  const { openTelemetry } = await import('./telemetry.ts');
  return openTelemetry({ endpoint: otlp ?? null, sample: traceSample ?? null, tellsWatch, onFailure });
}

const PROTOCOL = 'http/protobuf';
const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** @throws ERR_DATA */
async function opened<T>(option: string, path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if ((error as Error).name === 'Taken')
      throw new LogoddsError('ERR_DATA', `${option} ${path}: ${(error as Error).message}`, { cause: error });
    throw new LogoddsError(
      'ERR_DATA',
      `${option} ${path}: expected a place that can be written, got an error (${reason(error)}); choose another`,
      { cause: error },
    );
  }
}

function entityOf(given: string | undefined): EntityFrom {
  if (given === undefined) return null;
  return given.startsWith('header:') ? { header: given.slice('header:'.length) } : { field: given };
}

/** Says the same only once in a while. */
function seldom(say: Trouble): Trouble {
  const last = new Map<string, number>();
  return (event, reason) => {
    const key = `${event} ${reason}`;
    const now = performance.now();
    if (now - (last.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    if (last.size > 100) last.clear();
    last.set(key, now);
    say(event, reason);
  };
}
