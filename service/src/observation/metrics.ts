import type { Answer } from '../scoring/question.ts';
import { addCounts, addHistogram, type Histogram, histogram, observe } from './histogram.ts';
import { addLoad, emptyLoad, type Load, type Shed } from './load.ts';

export type { Histogram } from './histogram.ts';

/** Upper ends of durations, in seconds: a row is scored in microseconds. */
export const REQUEST_SECONDS: readonly number[] = [
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
  /** of the file that had the version last */
  sha256: string;
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
  /** where it is counted from now on; null: here */
  into: Tally | null;
}

/** Whose counts are asked for. */
interface Counted {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly loadSeconds?: number;
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
  lr_policy_failures_total: 'Questions to the policy that it did not answer.',
  lr_policy_undecided_total: 'Requests let in without a decision, since the policy did not answer.',
  lr_keys_failures_total: 'Times an issuer did not give its keys.',
  lr_audit_dropped_total: 'Requests that the audit log lost; it says so itself.',
} as const;
export type Counter = keyof typeof COUNTERS;

/** Versions of a model that answer no more and have series of their own still; those before them are one. */
const MOST_REPLACED = 3;
/** Models of which no version answers, whose series are told still; those before them are one. */
const MOST_DESERTED = 100;
/** The version of those that were replaced before. */
export const EARLIER = 'earlier';

/** Versions of models above which histograms are of all models together: a series for each bucket of each is more than anybody reads. */
const MOST_VERSIONS = 100;

/** Versions of a model. */
interface Versions {
  /** those that answer */
  readonly live: Set<Tally>;
  /** those that were replaced, the oldest first */
  readonly replaced: Tally[];
}

/** Numbers of a service, by model, as Prometheus reads them. What is counted never falls, and what was replaced does not pile up. */
export class Metrics {
  readonly #tallies = new Map<string, Tally>();
  /** the same, by what was asked */
  readonly #known = new WeakMap<object, Tally>();
  readonly #versions = new Map<string, Versions>();
  /** models of which no version answers, the first one first */
  readonly #deserted = new Set<string>();
  /** requests that reached no model, by protocol and status */
  readonly #others: Record<string, number> = {};
  /** what admission counts */
  readonly load = emptyLoad();
  readonly #counts: Partial<Record<Counter, number>> = {};

  /** The counts of a version of a model; made when it is first asked for. */
  of(served: Counted): Tally {
    const known = this.#known.get(served);
    if (known) return known;
    const { name, version, sha256, loadSeconds = 0 } = served;
    const tally = this.#at(name, version);
    if (version !== EARLIER) this.#answers(tally);
    tally.sha256 = sha256;
    tally.loadSeconds = loadSeconds;
    this.#known.set(served, tally);
    return tally;
  }

  /** Has the counters of a version begin at 0, so that its first requests are growth. Of more than a hundred only those are counted that are asked. */
  begin(served: Counted): void {
    if (this.#tallies.size < MOST_VERSIONS) this.of(served);
  }

  #at(name: string, version: string): Tally {
    const key = `${name}\n${version}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      tally = emptyTally(name, version);
      this.#tallies.set(key, tally);
    }
    return tally;
  }

  /** A version answers, for the first time or again. */
  #answers(tally: Tally): void {
    const { model } = tally;
    let versions = this.#versions.get(model);
    if (!versions) {
      versions = { live: new Set(), replaced: [] };
      this.#versions.set(model, versions);
    }
    const at = versions.replaced.indexOf(tally);
    if (at >= 0) versions.replaced.splice(at, 1);
    versions.live.add(tally);
    this.#deserted.delete(model);
  }

  /** A version answers no more. Its counts are told for a while; then they are added to those of all that were replaced before. */
  retire({ name, version }: Pick<Counted, 'name' | 'version'>): void {
    const tally = this.#tallies.get(`${name}\n${version}`);
    const versions = this.#versions.get(name);
    // nobody has asked it, or it was told before
    if (!tally || !versions?.live.delete(tally)) return;
    versions.replaced.push(tally);
    if (versions.replaced.length > MOST_REPLACED) this.#fold(versions.replaced.shift()!, this.#at(name, EARLIER));
    if (versions.live.size > 0) return;
    this.#deserted.add(name);
    if (this.#deserted.size > MOST_DESERTED) this.#forget(this.#deserted.values().next().value!);
  }

  /** The counts of a model of which no version answers become part of those of all such models. */
  #forget(name: string): void {
    const all = this.#at('', EARLIER);
    const { replaced } = this.#versions.get(name)!;
    const earlier = this.#tallies.get(`${name}\n${EARLIER}`);
    for (const tally of earlier ? [...replaced, earlier] : replaced) this.#fold(tally, all);
    this.#deserted.delete(name);
    this.#versions.delete(name);
  }

  /** @param into  counts what requests that go on still add */
  #fold(tally: Tally, into: Tally): void {
    addTally(into, tally);
    tally.into = into;
    this.#tallies.delete(`${tally.model}\n${tally.version}`);
  }

  /** Counts a request and its time. @param tally  null: it reached no model */
  request(tally: Tally | null, protocol: string, status: number, seconds: number): void {
    const to = tally && current(tally);
    const requests = to?.requests ?? this.#others;
    const key = `${protocol} ${status}`;
    requests[key] = (requests[key] ?? 0) + 1;
    if (to) observe(to.whole, seconds);
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
    observe(current(tally).stages[stage], seconds);
  }

  /** Counts the rows of an answer. */
  answer(counted: Tally, { scores, faults }: Answer): void {
    const tally = current(counted);
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

  /** Counts rows of a request that was refused as a whole. */
  refused(counted: Tally, rows: number): void {
    const tally = current(counted);
    tally.rows += rows;
    tally.refused += rows;
  }

  /** All numbers, for another process to add. */
  snapshot(): Snapshot {
    return { tallies: [...this.#tallies.values()], others: this.#others, load: this.load, counts: this.#counts };
  }

  /** Adds the numbers of another process. */
  add({ tallies, others, load, counts }: Snapshot): this {
    for (const other of tallies) {
      const { model: name, version, sha256, loadSeconds } = other;
      const before = this.#tallies.get(`${name}\n${version}`)?.loadSeconds ?? 0;
      addTally(this.of({ name, version, sha256, loadSeconds: Math.max(before, loadSeconds) }), other);
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
    const of = ({ model, version }: Tally) => `model=${labelText(model)},version=${labelText(version)}`;
    const each = (value: (tally: Tally) => number) => tallies.map((tally) => [of(tally), value(tally)] as const);
    const single = tallies.filter(({ version }) => version !== EARLIER);
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
        single.map((tally) => [`${of(tally)},sha256=${labelText(tally.sha256)}`, 1]),
      ),
      family(
        'lr_model_load_seconds',
        'gauge',
        'Time to load, check and warm a model.',
        single.map((tally) => [of(tally), tally.loadSeconds]),
      ),
      ...loadFamilies(this.load),
      ...Object.entries(COUNTERS).map(([name, help]) =>
        family(name, 'counter', help, [['', this.counted(name as Counter)]]),
      ),
      ...gaugeFamilies(gauges),
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
  const all = emptyTally('', '');
  for (const tally of tallies) addTally(all, tally);
  return all;
}

/** Where a version is counted: one that was replaced long ago, with others. */
function current(tally: Tally): Tally {
  let at = tally;
  while (at.into) at = at.into;
  return at;
}

function addTally(to: Tally, from: Tally): void {
  addCounts(to.requests, from.requests);
  for (const key of ['rows', 'refused', 'defaulted'] as const) to[key] += from[key];
  for (const stage of STAGES) addHistogram(to.stages[stage], from.stages[stage]);
  addHistogram(to.whole, from.whole);
  addHistogram(to.batch, from.batch);
  addHistogram(to.probability, from.probability);
}

const emptyTally = (model: string, version: string): Tally => ({
  model,
  version,
  sha256: '',
  requests: {},
  rows: 0,
  refused: 0,
  defaulted: 0,
  stages: {
    decode: histogram(REQUEST_SECONDS),
    queue: histogram(REQUEST_SECONDS),
    score: histogram(REQUEST_SECONDS),
    encode: histogram(REQUEST_SECONDS),
  },
  whole: histogram(REQUEST_SECONDS),
  batch: histogram(ROWS),
  probability: histogram(SHARES),
  loadSeconds: 0,
  into: null,
});

/** Each gauge is a family, but those that have labels behind their name, `name{key="value"}`: they have one together. */
function gaugeFamilies(gauges: Sampled): string[] {
  const families = new Map<string, (readonly [labels: string, value: number])[]>();
  for (const [key, { value }] of Object.entries(gauges)) {
    const at = key.indexOf('{');
    const name = at < 0 ? key : key.slice(0, at);
    const samples = families.get(name) ?? [];
    samples.push([at < 0 ? '' : key.slice(at + 1, -1), value]);
    families.set(name, samples);
  }
  const all = Object.entries(gauges);
  return [...families].map(([name, samples]) => {
    const { help, type = 'gauge' } = all.find(([key]) => key === name || key.startsWith(`${name}{`))![1];
    return family(name, type, help, samples);
  });
}

/** A value of a label, between quotes. */
export const labelText = (text: string): string =>
  `"${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`;

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
