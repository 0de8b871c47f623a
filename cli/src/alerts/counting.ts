import type { Measure } from '../slo/conditions.ts';
import type { Events, ObjectiveOptions } from '../slo/objectives.ts';
import type { SloObjective, SloSettings } from '../slo/settings.ts';
import { type Counts, History, type SavedHistory } from './history.ts';
import type { Sample, Samples } from './samples.ts';

/** Pairs of objective and model, and counters of conditions, that are counted. Those above are not, and are told by their number. */
const MOST = 500;
/** How long nobody asks a model before it gives its place. */
const IDLE_MS = 86_400_000;

const NOTHING: Counts = { bad: 0, all: 0 };

/** The version of those that were replaced long ago. */
const EARLIER = 'earlier';

/** How much each counter has grown since it was looked at last. One that falls has begun anew. */
class Growth {
  #before = new Map<string, number>();
  #now = new Map<string, number>();

  /** It may be asked for several times: several objectives may have it. */
  of(name: string, { labels, value }: Sample): number {
    const key = `${name}${JSON.stringify(labels)}`;
    const before = this.#before.get(key) ?? 0;
    this.#now.set(key, value);
    return value >= before ? value - before : value;
  }

  /** All have been looked at. Those that are gone are forgotten. */
  end(): void {
    [this.#before, this.#now] = [this.#now, new Map()];
  }
}

/** Which samples of a family an objective counts, and of which model each is. The selectors of rules.ts say the same. */
function isCounted({ objective, options }: SloObjective, family: string, { labels }: Sample): boolean {
  if (!objective.isByModel) return true;
  const { model = '', version } = labels;
  if (version === EARLIER) return false;
  if (options.models) return options.models.includes(model);
  return family !== 'lr_requests_total' || model !== '';
}

const isOf = ({ only }: Events, { labels }: Sample): boolean =>
  !only || wholly(only.is).test(labels[only.label] ?? '') !== (only.not ?? false);

const whole = new Map<RegExp, RegExp>();

/** A pattern of a whole text, as Prometheus has them. */
function wholly(pattern: RegExp): RegExp {
  let found = whole.get(pattern);
  if (!found) {
    found = new RegExp(`^(?:${pattern.source})$`);
    whole.set(pattern, found);
  }
  return found;
}

/** Names of the series that events are counted by. */
const seriesOf = ({ family, above }: Events): string[] =>
  above === undefined ? [family] : [`${family}_count`, `${family}_bucket`];

/** Counts the events of objectives and conditions from samples, and keeps how they grew. */
export class Counting {
  readonly #settings: SloSettings;
  readonly #growth = new Growth();
  readonly #histories = new Map<string, History>();
  readonly #keep: number;
  readonly #share: number | undefined;
  /** when counters were looked at last; null: not yet */
  #looked: number | null = null;
  /** pairs that were too many */
  #left = new Set<string>();

  constructor(settings: SloSettings, share?: number) {
    this.#settings = settings;
    // a window that begins before what is kept must still have a point there
    this.#keep = settings.period * 1000 * 1.05;
    this.#share = share;
  }

  get left(): number {
    return this.#left.size;
  }

  /** Names of series that are asked for. */
  names(): Set<string> {
    const { objectives, conditions } = this.#settings;
    return new Set([
      ...objectives.flatMap(({ objective, options }) =>
        [...eventsOf(objective.bad, options), ...eventsOf(objective.all, options)].flatMap(seriesOf),
      ),
      ...conditions.flatMap(({ condition: { measure } }) => countersOf(measure)),
    ]);
  }

  add(now: number, samples: Samples): void {
    this.#left = new Set();
    const { objectives, conditions } = this.#settings;
    for (const slo of objectives) {
      const { objective, options } = slo;
      const [bad, all] = [objective.bad, objective.all].map((of) =>
        this.#growthBy(slo, eventsOf(of, options), samples),
      );
      for (const model of new Set([...all.keys(), ...bad.keys()]))
        this.#add(now, keyOf(slo, model), { bad: bad.get(model) ?? 0, all: all.get(model) ?? 0 });
    }
    for (const { condition } of conditions) {
      const { measure } = condition;
      if (measure.kind === 'share') this.#addShare(now, measure, samples);
      if (measure.kind !== 'grew') continue;
      const list = samples.get(measure.family);
      if (!list) continue;
      const bad = list.reduce((sum, sample) => sum + this.#growth.of(measure.family, sample), 0);
      this.#add(now, measure.family, { bad, all: bad });
    }
    this.#growth.end();
    this.#looked = now;
  }

  #addShare(now: number, measure: Share, samples: Samples): void {
    const counts = new Map<string, { bad: number; all: number }>();
    for (const [family, what] of [
      [measure.family, 'bad'],
      [measure.all, 'all'],
    ] as const)
      for (const sample of samples.get(family) ?? []) {
        if (sample.labels['version'] === EARLIER) continue;
        const key = JSON.stringify(measure.by.map((label) => sample.labels[label] ?? ''));
        const count = counts.get(key) ?? { bad: 0, all: 0 };
        count[what] += this.#growth.of(family, sample);
        counts.set(key, count);
      }
    for (const [key, count] of counts) this.#add(now, `${measure.family}\n${key}`, count);
  }

  /** Notes what counters are at, and counts none of it: these are other settings of the same process. */
  prime(samples: Samples): void {
    this.add(0, samples);
    this.#histories.clear();
    this.#looked = null;
  }

  #add(now: number, key: string, counts: Counts): void {
    let history = this.#histories.get(key);
    if (!history) {
      if (this.#histories.size >= MOST) this.#forget(now);
      if (this.#histories.size >= MOST) {
        this.#left.add(key);
        return;
      }
      history = new History(this.#share);
      this.#histories.set(key, history);
      // what was not there at the look before has grown from nothing since then
      if (this.#looked !== null) history.add(this.#looked, NOTHING, this.#keep);
    }
    history.add(now, counts, this.#keep);
  }

  /** Forgets models that nobody asks any more: there is no room for others. */
  #forget(now: number): void {
    for (const [key, history] of this.#histories)
      if (history.since <= now - IDLE_MS && history.within(now - IDLE_MS, now).all === 0) this.#histories.delete(key);
  }

  #growthBy(slo: SloObjective, events: readonly Events[], samples: Samples): Map<string, number> {
    const grown = new Map<string, number>();
    for (const one of events)
      for (const name of seriesOf(one)) {
        const isBucket = name.endsWith('_bucket');
        for (const sample of samples.get(name) ?? []) {
          if (isBucket && Number(sample.labels['le']) !== one.above) continue;
          if (!isCounted(slo, one.family, sample) || !isOf(one, sample)) continue;
          const model = slo.objective.isByModel ? (sample.labels['model'] ?? '') : '';
          const growth = this.#growth.of(name, sample);
          // what took longer is all without what did not
          grown.set(model, (grown.get(model) ?? 0) + (isBucket ? -growth : growth));
        }
      }
    return grown;
  }

  /** Histories of an objective, by model. */
  *of(slo: SloObjective): Generator<readonly [model: string, history: History]> {
    const begin = keyOf(slo, '');
    for (const [key, history] of this.#histories) if (key.startsWith(begin)) yield [key.slice(begin.length), history];
  }

  /** How much a counter of a condition grew. */
  grew(family: string, from: number, to: number): number {
    return this.#histories.get(family)?.within(from, to).bad ?? 0;
  }

  /** What a pair of counters grew by, by their labels. */
  *shares({ family, by }: Share, from: number, to: number): Generator<readonly [Sample['labels'], Counts]> {
    const begin = `${family}\n`;
    for (const [key, history] of this.#histories) {
      if (!key.startsWith(begin)) continue;
      const values = JSON.parse(key.slice(begin.length)) as readonly string[];
      // as in Prometheus, a label that is empty is none
      const labels = by.flatMap((label, i) => (values[i] === '' ? [] : [[label, values[i]] as const]));
      yield [Object.fromEntries(labels), history.within(from, to)];
    }
  }

  save(): readonly (readonly [key: string, history: SavedHistory])[] {
    return [...this.#histories].map(([key, history]) => [key, history.save()]);
  }

  /** Goes on from what was saved; what no setting asks for is left out. */
  restore(saved: ReturnType<Counting['save']>): void {
    const { objectives, conditions } = this.#settings;
    const begins = objectives.map((slo) => keyOf(slo, ''));
    const families = conditions.flatMap(({ condition: { measure } }) => countersOf(measure));
    for (const [key, history] of saved)
      if (families.includes(key.split('\n', 1)[0]!) || begins.some((begin) => key.startsWith(begin)))
        this.#histories.set(key, History.restore(history));
  }
}

type Share = Extract<Measure, { readonly kind: 'share' }>;

/** Counters that a condition counts. */
const countersOf = (measure: Measure): readonly string[] =>
  measure.kind === 'grew' ? [measure.family] : measure.kind === 'share' ? [measure.family, measure.all] : [];

const eventsOf = (of: (options: ObjectiveOptions) => readonly Events[], options: ObjectiveOptions) => of(options);

/** With what makes its events others: a limit that was changed begins anew. */
const keyOf = ({ id, options }: SloObjective, model: string): string => `${id}\n${options.below ?? ''}\n${model}`;
