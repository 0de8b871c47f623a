import { createServer, type Server } from 'node:http';
import { LogoddsError } from '../../../../src/index.ts';
import { reason } from '../../write/temporary.ts';

const COUNTERS = {
  messages: ['logodds_stream_messages_total', 'Messages that were scored and published.'],
  bytes: ['logodds_stream_bytes_total', 'Bytes of the values of messages that were scored and published.'],
  tombstones: ['logodds_stream_tombstones_total', 'Messages without a value, which were passed on.'],
  deadLetters: ['logodds_stream_dead_letters_total', 'Messages that could not be scored, in the dead-letter topic.'],
  labels: ['logodds_stream_labels_total', 'Labels that were appended to the log.'],
  labelsRefused: ['logodds_stream_labels_refused_total', 'Messages of the topic of labels that are no labels.'],
  logged: ['logodds_stream_logged_total', 'Lines that were written to the prediction log.'],
  notLogged: ['logodds_stream_not_logged_total', 'Lines of the prediction log that could not be written.'],
  batches: ['logodds_stream_batches_total', 'Batches that were published.'],
  again: [
    'logodds_stream_retries_total',
    'Times that messages were read again after an error: none is lost, none twice.',
  ],
  rebalance: ['logodds_stream_rebalances_total', 'Times that partitions were divided anew.'],
  waiting: ['logodds_stream_waits_total', 'Times that the broker did not answer and was waited for.'],
  lost: ['logodds_stream_deleted_total', 'Times that messages were deleted before they were read.'],
  swaps: ['logodds_stream_model_swaps_total', 'Times that another model took the place of the one in use.'],
} as const;

/** Upper ends of the sizes of batches. */
const SIZES = [1, 10, 100, 1000, 10_000, 100_000];
/** Upper ends of the times of batches, in seconds: of scoring, and of publishing. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

class Histogram {
  readonly #ends: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(ends: readonly number[]) {
    this.#ends = ends;
    this.#counts = new Array(ends.length + 1).fill(0);
  }

  add(value: number): void {
    const at = this.#ends.findIndex((end) => value <= end);
    this.#counts[at < 0 ? this.#ends.length : at]++;
    this.#sum += value;
  }

  text(name: string, help: string): string {
    let count = 0;
    const lines = [...this.#ends, '+Inf'].map((end, i) => {
      count += this.#counts[i];
      return `${name}_bucket{le="${end}"} ${count}\n`;
    });
    return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join('')}${name}_sum ${this.#sum}\n${name}_count ${count}\n`;
  }
}

/** What is counted of a stream. */
export type Count = keyof typeof COUNTERS;

/** Counts, as the text of Prometheus. */
export class StreamMetrics {
  readonly counts = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<Count, number>;
  readonly sizes = new Histogram(SIZES);
  readonly scoring = new Histogram(SECONDS);
  readonly publishing = new Histogram(SECONDS);

  /** @param lags  messages behind, by source  @param model  in use */
  text(
    lags: ReadonlyMap<string, number | null>,
    model: { name: string; version: string | null; sha256: string },
  ): string {
    const counters = Object.entries(COUNTERS).map(
      ([key, [name, help]]) => `# HELP ${name} ${help}\n# TYPE ${name} counter\n${name} ${this.counts[key as Count]}\n`,
    );
    const lag = 'logodds_stream_lag';
    const lines = [...lags].flatMap(([source, of]) =>
      of === null ? [] : [`${lag}{source=${JSON.stringify(source)}} ${of}\n`],
    );
    const labels = [
      ['model', model.name],
      ['version', model.version ?? ''],
      ['sha256', model.sha256],
    ].map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return `${counters.join('')}# HELP ${lag} Messages behind those that were taken, by source.
# TYPE ${lag} gauge
${lines.join('')}# HELP logodds_stream_model The model in use.
# TYPE logodds_stream_model gauge
logodds_stream_model{${labels.join()}} 1
${this.sizes.text('logodds_stream_batch_messages', 'Messages of a batch.')}${this.scoring.text(
  'logodds_stream_score_seconds',
  'Seconds that the scoring of a batch took.',
)}${this.publishing.text('logodds_stream_publish_seconds', 'Seconds until a batch was written and committed.')}`;
  }
}

/** Answers GET /metrics on loopback, or the host that is named. @throws ERR_DATA for a port that is taken */
export async function serveMetrics(host: string, port: number, text: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    const isThere = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(isThere ? text() : 'GET /metrics\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new LogoddsError(
          'ERR_DATA',
          `--metrics-port ${port}: expected a port that is free, got an error (${reason(error)}); name another, or 0`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  server.unref();
  return server;
}
