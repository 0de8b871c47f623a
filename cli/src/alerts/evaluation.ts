import { burnWindows, promDuration } from '../slo/burn.ts';
import { DAY, type Measure } from '../slo/conditions.ts';
import { type AlertFacts, burnFacts, conditionFacts, significant } from '../slo/facts.ts';
import type { SloCondition, SloObjective, SloSettings } from '../slo/settings.ts';
import { Counting } from './counting.ts';
import type { History } from './history.ts';
import type { Sample, Samples } from './samples.ts';
import { filled } from './template.ts';

export type Labels = Readonly<Record<string, string>>;

/** An alert that is there: it waits until it has lasted, or fires. */
export interface Alert {
  readonly alert: string;
  readonly severity: 'page' | 'ticket';
  /** all labels, `alertname` and `severity` too */
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing';
  /** when it began to be so, in milliseconds since 1970 */
  readonly since: number;
  /** when it began to fire; null: it waits */
  readonly firedAt: number | null;
  /** of an objective: bad events in the window; of a condition: what is compared with its limit */
  readonly value: number;
  /** of an objective: the long window; null: of none */
  readonly window: string | null;
  /** of an objective: all events in that window; null: of none */
  readonly events: number | null;
}

/** What is left of the budget of an objective, of a model or of the service as a whole. */
export interface Budget {
  readonly slo: string;
  readonly model: string | null;
  readonly target: number;
  readonly bad: number;
  readonly all: number;
  /** share of the bad events that are allowed; below 0 the promise is broken. null: no events */
  readonly remaining: number | null;
}

/** What is so now. */
interface Finding {
  readonly facts: AlertFacts;
  readonly labels: Labels;
  readonly value: number;
  readonly window?: string;
  readonly events?: number;
}

/** An alert, and since when it is no more so; null: it is so. */
interface Kept {
  readonly alert: Alert;
  readonly ended: number | null;
}

/** What an evaluation needs to go on in another process. Plain data. */
export interface SavedEvaluation {
  readonly at: number;
  readonly counting: ReturnType<Counting['save']>;
  readonly alerts: readonly (readonly [key: string, kept: Kept])[];
}

const labelsOf = (finding: Finding): Labels => ({
  alertname: finding.facts.alert,
  ...finding.facts.labels,
  ...finding.labels,
});

/** Names labels whatever their order. */
export const keyOfLabels = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Evaluates objectives and conditions from the numbers of a service, as Prometheus does from the rules of `logodds slo export`. It has no clock: time is given.
 * @example
 * const evaluation = new Evaluation(settings, 'localhost:8080');
 * const alerts = evaluation.step(Date.now(), samplesOf(text, evaluation.names)); // Alert[]
 */
export class Evaluation {
  readonly names: ReadonlySet<string>;
  readonly #settings: SloSettings;
  readonly #instance: string;
  readonly #counting: Counting;
  readonly #burns: readonly { slo: SloObjective; facts: AlertFacts }[];
  readonly #conditions: readonly { one: SloCondition; facts: AlertFacts }[];
  #alerts = new Map<string, Kept>();
  #at = Number.NEGATIVE_INFINITY;

  /**
   * @param instance  HOST:PORT of the service: the label `instance`
   * @param share  of the points of histories; default as `History` says
   */
  constructor(settings: SloSettings, instance: string, share?: number) {
    this.#settings = settings;
    this.#instance = instance;
    this.#counting = new Counting(settings, share);
    this.#burns = settings.objectives.flatMap((slo) =>
      (['page', 'ticket'] as const).map((severity) => ({ slo, facts: burnFacts(settings, slo, severity) })),
    );
    this.#conditions = settings.conditions.map((one) => ({ one, facts: conditionFacts(settings, one) }));
    this.names = new Set([
      ...this.#counting.names(),
      ...settings.conditions.flatMap(({ condition: { measure } }) => familiesOf(measure)),
    ]);
  }

  /** Names of all alerts that there may be. */
  get alerts(): readonly string[] {
    return [...this.#burns, ...this.#conditions]
      .map(({ facts }) => facts.alert)
      .filter((name, i, all) => all.indexOf(name) === i);
  }

  /** Pairs of objective and model that are not counted: they are too many. */
  get left(): number {
    return this.#counting.left;
  }

  /** Takes samples, and tells which alerts there are. @param now  milliseconds since 1970; a time before the last one is taken as that */
  step(now: number, samples: Samples): readonly Alert[] {
    this.#at = Math.max(now, this.#at);
    this.#counting.add(this.#at, samples);
    const found = [
      ...this.#burns.flatMap(({ slo, facts }) => this.#burning(slo, facts)),
      ...this.#conditions.flatMap(({ one, facts }) => this.#holding(one, facts, samples)),
    ];
    this.#alerts = this.#next(new Map(found.map((finding) => [keyOfLabels(labelsOf(finding)), finding])));
    return this.current;
  }

  /** The alerts that there are. */
  get current(): readonly Alert[] {
    return [...this.#alerts.values()].map(({ alert }) => alert);
  }

  /** The states of alerts go on as those of Prometheus. */
  #next(found: ReadonlyMap<string, Finding>): Map<string, Kept> {
    const now = this.#at;
    const next = new Map<string, Kept>();
    for (const [key, finding] of found) {
      const { facts, labels, value, window = null, events = null } = finding;
      const before = this.#alerts.get(key)?.alert;
      const since = before?.since ?? now;
      const firedAt = before?.firedAt ?? (now - since >= facts.lasting * 1000 ? now : null);
      const state = firedAt === null ? 'pending' : 'firing';
      const own = labelsOf(finding);
      const { summary, runbook_url } = facts.annotations;
      const alert: Alert = {
        ...{ alert: facts.alert, severity: facts.labels.severity, labels: own, state, since, firedAt },
        ...{ value, window, events },
        annotations: { summary: filled(summary, { ...labels, ...own }, value), runbook_url },
      };
      next.set(key, { alert, ended: null });
    }
    for (const [key, { alert, ended }] of this.#alerts) {
      if (next.has(key) || alert.state === 'pending') continue;
      const since = ended ?? now;
      if (now - since < this.#keepOf(alert.alert) * 1000) next.set(key, { alert, ended: since });
    }
    return next;
  }

  #keepOf(name: string): number {
    return this.#burns.find(({ facts }) => facts.alert === name)?.facts.keep ?? 0;
  }

  #burning(slo: SloObjective, facts: AlertFacts): Finding[] {
    const windows = burnWindows(this.#settings.period).filter(({ severity }) => severity === facts.labels.severity);
    const found: Finding[] = [];
    for (const [model, history] of this.#counting.of(slo)) {
      // one alert, whichever window is over
      const over = windows
        .map(({ burn, long, short }) => ({ long, counts: this.#over(slo, history, burn, long, short) }))
        .filter(({ counts }) => counts !== null)
        .map(({ long, counts }) => ({ long, ...counts! }))
        .sort((a, b) => b.bad - a.bad);
      if (over.length === 0) continue;
      const [{ bad, all, long }] = over;
      const labels: Labels = slo.objective.isByModel ? { model } : {};
      found.push({ facts, labels, value: bad, events: all, window: promDuration(long) });
    }
    return found;
  }

  /** What came in the long window where both windows are over; null: they are not. */
  #over({ options }: SloObjective, history: History, burn: number, long: number, short: number) {
    const now = this.#at;
    const limit = significant(burn * (1 - options.target));
    const counts = history.within(now - long * 1000, now);
    const recent = history.within(now - short * 1000, now);
    const isOver = counts.bad > limit * counts.all && recent.bad > limit * recent.all;
    // a grace for what has just begun: the long window of a minute's history says little
    const isOld = history.since <= now - short * 1000;
    return isOver && counts.bad >= options.leastBad && isOld ? counts : null;
  }

  #holding({ condition, above }: SloCondition, facts: AlertFacts, samples: Samples): Finding[] {
    const { measure } = condition;
    const place = { instance: this.#instance, job: this.#settings.job };
    const each = (sample: Sample, value: number): Finding => ({
      facts,
      labels: { ...sample.labels, ...place },
      value,
    });
    const list = (family: string) => samples.get(family) ?? [];
    switch (measure.kind) {
      case 'gauge': {
        const { family, less, abs, is } = measure;
        return list(family).flatMap((sample) => {
          const taken = typeof less === 'string' ? alike(list(less), sample) : (less ?? 0);
          const raw = sample.value - taken;
          const value = abs ? Math.abs(raw) : raw;
          return (is === undefined ? value > above : value === is) ? [each(sample, value)] : [];
        });
      }
      case 'grew': {
        const value = this.#counting.grew(measure.family, this.#at - measure.window * 1000, this.#at);
        return value > above ? [{ facts, labels: {}, value }] : [];
      }
      case 'share': {
        const { window, least } = measure;
        return [...this.#counting.shares(measure, this.#at - window * 1000, this.#at)].flatMap(
          ([labels, { bad, all }]) =>
            bad / all > above && bad >= least ? [{ facts, labels, value: bad / all, events: all }] : [],
        );
      }
      case 'ends':
        return list(measure.family)
          .map((sample) => [sample, sample.value - this.#at / 1000] as const)
          .filter(([, value]) => value < above * DAY)
          .map(([sample, value]) => each(sample, value));
      case 'up':
        // who evaluates is the process itself, or the one that supervises others
        return list('lr_workers').some(({ value }) => value === 0)
          ? [{ facts, labels: { job: this.#settings.job }, value: 1 }]
          : [];
    }
  }

  /** What is left of each budget. */
  budgets(): Budget[] {
    const { objectives, period } = this.#settings;
    return objectives.flatMap((slo) =>
      [...this.#counting.of(slo)].map(([model, history]) => {
        const { bad, all } = history.within(this.#at - period * 1000, this.#at);
        const { target } = slo.options;
        const remaining = all > 0 ? 1 - bad / (significant(1 - target) * all) : null;
        return { slo: slo.id, model: slo.objective.isByModel ? model : null, target, bad, all, remaining };
      }),
    );
  }

  /** Goes on from what an evaluation by other settings had, whose last samples these are: the counters of the process go on. */
  follow(before: Evaluation, samples: Samples): void {
    this.#counting.prime(samples);
    this.restore(before.save());
  }

  save(): SavedEvaluation {
    return { at: this.#at, counting: this.#counting.save(), alerts: [...this.#alerts] };
  }

  /** Goes on from what another process has saved. Counters begin anew with the process. @throws Error for what was not saved by `save` */
  restore({ at, counting, alerts }: SavedEvaluation): void {
    const known = new Set(this.alerts);
    const own = alerts.filter(([key, { alert }]) => known.has(alert.alert) && keyOfLabels(alert.labels) === key);
    this.#counting.restore(counting);
    this.#alerts = new Map(own);
    this.#at = at;
  }
}

/** The value of a sample of equal labels; NaN: there is none. */
const alike = (list: readonly Sample[], { labels }: Sample): number => {
  const key = keyOfLabels(labels);
  return list.find((other) => keyOfLabels(other.labels) === key)?.value ?? Number.NaN;
};

const familiesOf = (measure: Measure): string[] => {
  if (measure.kind === 'up') return ['lr_workers'];
  return [measure.family, ...(measure.kind === 'gauge' && typeof measure.less === 'string' ? [measure.less] : [])];
};
