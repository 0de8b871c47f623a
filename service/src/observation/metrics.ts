import type { Answer } from '../scoring/question.ts';
import { addCounts, addHistogram, type Histogram, histogram, observe } from './histogram.ts';
import { addLoad, emptyLoad, type Load, type Shed } from './load.ts';

export type { Histogram } from './histogram.ts';

/** Upper ends of durations, in seconds: a row is scored in microseconds. */
export const SECONDS: readonly number[] = [
  25e-6, 50e-6, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536];
const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** Where the time of a request goes. */
export const STAGES = ['decode', 'queue', 'score', 'encode'] as const;
export type Stage = (typeof STAGES)[number];

/** What is counted of a version of a model. */
export interface Tally {
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  /** requests by protocol and status */
  readonly requests: Record<string, number>;
  rows: number;
  /** rows that were refused, and rows of which a feature took a default */
  refused: number;
  defaulted: number;
  readonly stages: Record<Stage, Histogram>;
  /** from the begin of a request to its answer, or to the end of its stream */
  readonly whole: Histogram;
  readonly batch: Histogram;
  readonly probability: Histogram;
  loadSeconds: number;
}

/** What is counted beside requests to models. */
const COUNTERS = {
  lr_model_load_failures_total: 'Models, or files of them, that could not be loaded.',
  lr_log_dropped_total: 'Lines of the log that were dropped: nobody read them in time.',
  lr_predictions_logged_total: 'Scores written to the prediction log.',
  lr_predictions_dropped_total: 'Scores that the prediction log lost: the disk was full, slow or away.',
  lr_predictions_unmatched_total:
    'Scores in the prediction log without their inputs, which could not be read a second time.',
  lr_labels_total: 'Labels taken.',
  lr_labels_refused_total: 'Labels refused.',
  lr_audit_lines_total: 'Lines written to the audit log.',
  lr_audit_dropped_total: 'Requests that the audit log lost; it says so itself.',
} as const;
export type Counter = keyof typeof COUNTERS;

/** Versions of models above which histograms are of all models together: a series for each bucket of each is more than anybody reads. */
const MOST_VERSIONS = 100;

/** Numbers of a service, by model, as Prometheus reads them. */
export class Metrics {
  readonly #tallies = new Map<string, Tally>();
  /** the same, by what was asked */
  readonly #known = new WeakMap<object, Tally>();
  /** requests that reached no model, by protocol and status */
  readonly #others: Record<string, number> = {};
  /** what admission counts */
  readonly load = emptyLoad();
  readonly #counts: Partial<Record<Counter, number>> = {};

  /** The counts of a version of a model; made when it is first asked for. */
  of(served: { readonly name: string; readonly version: string; readonly sha256: string }): Tally {
    const known = this.#known.get(served);
    if (known) return known;
    const key = `${served.name}\n${served.version}\n${served.sha256}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      tally = emptyTally(served.name, served.version, served.sha256);
      this.#tallies.set(key, tally);
    }
    this.#known.set(served, tally);
    return tally;
  }

  /** Counts a request and its time. @param tally  null: it reached no model */
  request(tally: Tally | null, protocol: string, status: number, seconds: number): void {
    const requests = tally?.requests ?? this.#others;
    const key = `${protocol} ${status}`;
    requests[key] = (requests[key] ?? 0) + 1;
    if (tally) observe(tally.whole, seconds);
  }

  /** Counts a request that was turned away. */
  turnedAway(reason: Shed): void {
    this.load.shed[reason]++;
  }

  /** Counts how long a request waited before work on it began. */
  waited(ms: number): void {
    observe(this.load.delay, ms / 1000);
  }

  /** Counts what has no model. */
  count(counter: Counter, by = 1): void {
    this.#counts[counter] = (this.#counts[counter] ?? 0) + by;
  }

  /** How much of it was counted. */
  counted(counter: Counter): number {
    return this.#counts[counter] ?? 0;
  }

  /** Counts time. */
  stage(tally: Tally, stage: Stage, seconds: number): void {
    observe(tally.stages[stage], seconds);
  }

  /** Counts the rows of an answer. */
  answer(tally: Tally, { scores, faults }: Answer): void {
    const { rows, probabilities, defaulted } = scores;
    tally.rows += rows;
    tally.refused += faults.length;
    observe(tally.batch, rows);
    const positive = probabilities.length === rows;
    for (let i = 0; i < rows; i++) {
      if (defaulted[i] > 0) tally.defaulted++;
      if (positive && probabilities[i] >= 0) observe(tally.probability, probabilities[i]);
    }
  }

  /** All numbers, for another process to add. */
  snapshot(): Snapshot {
    return { tallies: [...this.#tallies.values()], others: this.#others, load: this.load, counts: this.#counts };
  }

  /** Adds the numbers of another process. */
  add({ tallies, others, load, counts }: Snapshot): this {
    for (const other of tallies) {
      const own = this.of({ name: other.model, version: other.version, sha256: other.sha256 });
      addCounts(own.requests, other.requests);
      for (const key of ['rows', 'refused', 'defaulted'] as const) own[key] += other[key];
      for (const stage of STAGES) addHistogram(own.stages[stage], other.stages[stage]);
      addHistogram(own.whole, other.whole);
      addHistogram(own.batch, other.batch);
      addHistogram(own.probability, other.probability);
      own.loadSeconds = Math.max(own.loadSeconds, other.loadSeconds);
    }
    addCounts(this.#others, others);
    addLoad(this.load, load);
    addCounts(this.#counts as Record<string, number>, counts);
    return this;
  }

  /** The text of Prometheus. @param isOpen  in the form of OpenMetrics */
  text(gauges: Sampled, isOpen = false): string {
    const text = this.#families(gauges).join('');
    // there the name of a counter has no ending but in its samples
    return isOpen ? `${text.replace(/^(# (?:HELP|TYPE) \S+)_total /gm, '$1 ')}# EOF\n` : text;
  }

  #families(gauges: Sampled): string[] {
    const tallies = [...this.#tallies.values()];
    const of = ({ model, version }: Tally) => `model=${label(model)},version=${label(version)}`;
    const each = (value: (tally: Tally) => number) => tallies.map((tally) => [of(tally), value(tally)] as const);
    const timed = tallies.length > MOST_VERSIONS ? [summed(tallies)] : tallies;
    return [
      family('lr_requests_total', 'counter', 'Requests answered, by model, version, protocol and status.', [
        ...tallies.flatMap((tally) => requestsOf(tally.requests, `${of(tally)},`)),
        ...requestsOf(this.#others, 'model="",version="",'),
      ]),
      family(
        'lr_rows_total',
        'counter',
        'Rows scored or refused.',
        each(({ rows }) => rows),
      ),
      family(
        'lr_refused_rows_total',
        'counter',
        'Rows refused.',
        each(({ refused }) => refused),
      ),
      family(
        'lr_defaulted_rows_total',
        'counter',
        'Rows of which a feature took a default.',
        each(({ defaulted }) => defaulted),
      ),
      histograms(
        'lr_stage_duration_seconds',
        'Time of requests, by stage.',
        timed.flatMap((tally) =>
          STAGES.map((stage) => [`${of(tally)},stage="${stage}"`, tally.stages[stage]] as const),
        ),
      ),
      histograms(
        'lr_request_duration_seconds',
        'Time of requests, from their begin to their answer or the end of its stream.',
        timed.map((tally) => [of(tally), tally.whole] as const),
      ),
      histograms(
        'lr_batch_rows',
        'Rows scored at a time.',
        timed.map((tally) => [of(tally), tally.batch] as const),
      ),
      histograms(
        'lr_probability',
        'Probabilities of the positive class.',
        timed.map((tally) => [of(tally), tally.probability] as const),
      ),
      family(
        'lr_model_info',
        'gauge',
        'Models that were loaded, with the digest of their files.',
        tallies.map((tally) => [`${of(tally)},sha256=${label(tally.sha256)}`, 1]),
      ),
      family(
        'lr_model_load_seconds',
        'gauge',
        'Time to load, check and warm a model.',
        each(({ loadSeconds }) => loadSeconds),
      ),
      ...loadFamilies(this.load),
      ...Object.entries(COUNTERS).map(([name, help]) =>
        family(name, 'counter', help, [['', this.counted(name as Counter)]]),
      ),
      ...Object.entries(gauges).map(([name, { help, value, type = 'gauge' }]) =>
        family(name, type, help, [['', value]]),
      ),
    ];
  }
}

/** All numbers, for another process to add. */
export interface Snapshot {
  readonly tallies: readonly Tally[];
  readonly others: Readonly<Record<string, number>>;
  readonly load: Load;
  readonly counts: Readonly<Record<string, number>>;
}

/** Numbers of now, by name. */
type Sampled = Readonly<
  Record<string, { readonly help: string; readonly value: number; readonly type?: 'gauge' | 'counter' }>
>;

/** The histograms of all models together. */
function summed(tallies: readonly Tally[]): Tally {
  const all = emptyTally('', '', '');
  for (const tally of tallies) {
    for (const stage of STAGES) addHistogram(all.stages[stage], tally.stages[stage]);
    addHistogram(all.whole, tally.whole);
    addHistogram(all.batch, tally.batch);
    addHistogram(all.probability, tally.probability);
  }
  return all;
}

const emptyTally = (model: string, version: string, sha256: string): Tally => ({
  model,
  version,
  sha256,
  requests: {},
  rows: 0,
  refused: 0,
  defaulted: 0,
  stages: {
    decode: histogram(SECONDS),
    queue: histogram(SECONDS),
    score: histogram(SECONDS),
    encode: histogram(SECONDS),
  },
  whole: histogram(SECONDS),
  batch: histogram(ROWS),
  probability: histogram(SHARES),
  loadSeconds: 0,
});

const label = (text: string): string => `"${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`;

function requestsOf(counts: Readonly<Record<string, number>>, labels: string): (readonly [string, number])[] {
  return Object.entries(counts).map(([key, count]) => {
    const [protocol, code] = key.split(' ');
    return [`${labels}protocol="${protocol}",code="${code}"`, count] as const;
  });
}

function family(
  name: string,
  type: string,
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${labels && `{${labels}}`} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

const loadFamilies = ({ shed, delay, queued, queuedBytes, forgotten }: Load): string[] => [
  family(
    'lr_shed_total',
    'counter',
    'Requests turned away before work was done, by reason.',
    Object.entries(shed).map(([reason, count]) => [`reason="${reason}"`, count]),
  ),
  histograms('lr_queue_delay_seconds', 'Time that requests waited for the event loop and in the queue.', [['', delay]]),
  family('lr_queue_depth', 'gauge', 'Requests of long bodies that wait.', [['', queued]]),
  family('lr_queue_bytes', 'gauge', 'Bytes of bodies that wait.', [['', queuedBytes]]),
  family('lr_rate_callers_forgotten_total', 'counter', 'Callers whose count was forgotten before its time.', [
    ['', forgotten],
  ]),
];

function histograms(
  name: string,
  help: string,
  all: readonly (readonly [labels: string, values: Histogram])[],
): string {
  if (all.length === 0) return '';
  let text = `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
  for (const [labels, { ends, counts, sum }] of all) {
    const set = labels && `{${labels}}`;
    let total = 0;
    counts.forEach((count, i) => {
      total += count;
      text += `${name}_bucket{${labels && `${labels},`}le="${i < ends.length ? ends[i] : '+Inf'}"} ${total}\n`;
    });
    text += `${name}_sum${set} ${sum}\n${name}_count${set} ${total}\n`;
  }
  return text;
}
