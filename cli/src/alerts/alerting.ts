import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Alerting, AlertSilence, AlertsState, Gauges, LogLine } from '../../../service/src/index.ts';
import { promDuration } from '../slo/burn.ts';
import { intervalOf } from '../slo/facts.ts';
import { readSettings, type SloSettings } from '../slo/settings.ts';
import { Notifier } from '../tell/notifier.ts';
import { type Receiver, receiverOf } from '../tell/receivers.ts';
import { OutputFile, reason, setAside } from '../write/temporary.ts';
import { Dispatch, inhibitorOf, type Muted, type SavedDispatch } from './dispatch.ts';
import { type Alert, Evaluation, type SavedEvaluation } from './evaluation.ts';
import { samplesOf } from './samples.ts';
import { type Silence, Silences } from './silences.ts';

/** What a service needs to evaluate its alerts. */
export interface AlertingOptions {
  readonly settings: SloSettings;
  /** of the file of settings: the files of secrets begin there */
  readonly folder: string;
  /** where what is known is kept; absent: it is forgotten at the end */
  readonly state?: string;
  readonly log: (line: LogLine) => void;
}

/** What is kept. */
interface Saved {
  readonly format: 1;
  readonly evaluation: SavedEvaluation;
  readonly dispatch: SavedDispatch;
  readonly silences: readonly Silence[];
}

/** How often what is known is kept: a process that is killed loses that much of its counts. What has become other is kept sooner. */
const SAVE_MS = 15_000;
const SOON_MS = 1000;
/** The part of the time that keeping it may take: of many models it is megabytes. */
const SAVE_PART = 1 / 200;
/** A state that is newer than now by more is of another clock. */
const SKEW_MS = 60_000;
const iso = (time: number): string => new Date(time).toISOString();

/**
 * Reads the settings of `--slo`, and whom they tell.
 * @throws ERR_DATA, ERR_RANGE for settings and secrets that cannot be used
 */
export async function alertingOf(
  file: string,
  state: string | undefined,
  log: (line: LogLine) => void,
): Promise<AlertsOfService> {
  const settings = await readSettings(file, '--slo');
  return new AlertsOfService({ settings, folder: dirname(resolve(file)), ...(state !== undefined && { state }), log });
}

/** Evaluates the alerts of a service at intervals, and tells whom the settings name. */
export class AlertsOfService implements Alerting {
  readonly #settings: SloSettings;
  readonly #state: string | undefined;
  readonly #log: (line: LogLine) => void;
  readonly #every: number;
  readonly #evaluation: Evaluation;
  readonly #dispatch: Dispatch;
  readonly #silences = new Silences();
  readonly #receivers = new Map<string, Receiver & { readonly severity: 'page' | 'ticket' }>();
  readonly #notifier: Notifier;
  readonly #known: readonly string[];
  /** the clock of the machine may be set meanwhile: time goes on from the start */
  readonly #begun = Date.now() - performance.now();
  #alerts: readonly Alert[] = [];
  #at: number | null = null;
  #saved = Number.NEGATIVE_INFINITY;
  /** what was said of the file of the state last: it is not said twice */
  #said = '';
  /** why the last evaluation failed */
  #failed = '';
  #timer: NodeJS.Timeout | null = null;
  /** keeps what has become other in a moment */
  #soon: NodeJS.Timeout | null = null;
  /** how long that took last */
  #cost = 0;
  #isLooking = false;

  /** @throws ERR_RANGE, ERR_DATA for receivers without their secrets */
  constructor({ settings, folder, state, log }: AlertingOptions) {
    this.#settings = settings;
    this.#state = state;
    this.#log = log;
    this.#every = intervalOf(settings.period);
    this.#evaluation = new Evaluation(settings, settings.target);
    const names = { page: [] as string[], ticket: [] as string[] };
    for (const severity of ['page', 'ticket'] as const)
      for (const [k, one] of settings.notify[severity].entries()) {
        const name = `${severity} ${k} ${one.kind}`;
        names[severity].push(name);
        const receiver = receiverOf(`notify.${severity}[${k}].${one.kind}`, one, folder);
        this.#receivers.set(name, { ...receiver, severity });
      }
    this.#dispatch = new Dispatch(names, settings.paces);
    this.#notifier = new Notifier(log);
    this.#known = this.#evaluation.alerts;
  }

  /** Evaluates from now on. @param text  gives the numbers of the service, as Prometheus reads them */
  start(text: () => Promise<string>): void {
    this.#restore();
    const look = async () => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      try {
        this.step(this.#now(), await text());
        this.#failed = '';
      } catch (error) {
        const why = reason(error);
        if (why !== this.#failed) this.#log({ level: 'error', event: 'alerts not evaluated', reason: why });
        this.#failed = why;
      } finally {
        this.#isLooking = false;
      }
    };
    this.#timer = setInterval(look, this.#every * 1000);
    void look();
  }

  #now(): number {
    return Math.round(this.#begun + performance.now());
  }

  /** One evaluation. */
  step(now: number, text: string): void {
    const before = new Map(this.#alerts.map((alert) => [JSON.stringify(alert.labels), alert]));
    this.#alerts = this.#evaluation.step(now, samplesOf(text, this.#evaluation.names));
    this.#at = now;
    let isOther = false;
    for (const alert of this.#alerts) {
      const key = JSON.stringify(alert.labels);
      if (alert.state === 'firing' && before.get(key)?.state !== 'firing') isOther = this.#say(alert, 'alert');
      before.delete(key);
    }
    for (const alert of before.values()) if (alert.state === 'firing') isOther = this.#say(alert, 'alert over');
    this.#tell(now);
    if (isOther) this.#saveSoon();
    if (now - this.#saved >= Math.max(SAVE_MS, this.#cost / SAVE_PART)) this.#save(now);
  }

  #say(alert: Alert, event: string): true {
    const { alertname: _, severity, ...labels } = alert.labels;
    this.#log({ level: 'warn', event, alert: alert.alert, severity, ...labels, why: alert.annotations['summary'] });
    return true;
  }

  #tell(now: number): void {
    for (const { receiver, telling, told } of this.#dispatch.step(now, this.#alerts, (alert) =>
      this.#mutedOf(alert, now),
    )) {
      void this.#notifier.tell(this.#receivers.get(receiver)!, telling).then((isTaken) => {
        told(isTaken, this.#now());
        // who was told must be known, or it would be told again
        if (isTaken) this.#saveSoon();
      });
    }
  }

  #mutedOf(alert: Alert, now: number): Muted {
    return {
      silencedBy: this.#silences.of(alert.labels, now)?.id ?? null,
      inhibitedBy: inhibitorOf(alert, this.#alerts)?.alert ?? null,
    };
  }

  async state(): Promise<AlertsState> {
    const now = this.#now();
    return {
      at: this.#at === null ? null : iso(this.#at),
      every: this.#every,
      alerts: this.#alerts.map((alert) => {
        const { alertname: _, severity: __, ...labels } = alert.labels;
        const { summary, runbook_url: runbook } = alert.annotations;
        const { severity, state, since, value, window, events } = alert;
        return {
          ...{ alert: alert.alert, severity, state, since: iso(since), labels, value, window, events },
          ...{ summary, runbook, ...this.#mutedOf(alert, now) },
        };
      }),
      budgets: this.#evaluation.budgets(),
      silences: this.#silences.at(now).map(toldSilence),
      known: this.#known,
      receivers: [...this.#receivers.values()].map(({ severity, kind }) => ({ severity, kind })),
      sent: this.#notifier.sent,
      lost: this.#notifier.lost,
      notes: this.#notes(),
    };
  }

  #notes(): string[] {
    const { notify, conditions } = this.#settings;
    const { left } = this.#evaluation;
    return [
      ...(['page', 'ticket'] as const)
        .filter((severity) => notify[severity].length === 0)
        .map((severity) => `notify.${severity} is empty: nobody is told of a ${severity}`),
      ...(conditions.some(({ name }) => name === 'down')
        ? ['LogoddsDown: a service that has ended cannot tell it; have another machine ask /v2/health/live']
        : []),
      ...(left > 0 ? [`${left} pairs of objective and model are not counted: there are too many`] : []),
      ...(this.#state === undefined ? ['a restart forgets budgets, alerts and silences: give --slo-state FILE'] : []),
    ];
  }

  async silence(asked: unknown, by: string): Promise<AlertSilence> {
    const now = this.#now();
    return this.#changed('silenced', this.#silences.add(asked, by, now, this.#known), by);
  }

  async unsilence(id: string, by: string): Promise<AlertSilence | null> {
    const silence = this.#silences.end(id);
    return silence && this.#changed('silence ended', silence, by);
  }

  #changed(event: string, silence: Silence, by: string): AlertSilence {
    const { alert, model, why, until } = silence;
    this.#log({ level: 'warn', event, alert, model, until: iso(until), by, why });
    this.#save(this.#now());
    return toldSilence(silence);
  }

  gauges(): Gauges {
    const counter = (help: string, value: number) => ({ help, value, type: 'counter', of: 'sum' }) as const;
    const by = new Map<string, number>();
    for (const { alert, severity, state } of this.#alerts) {
      const key = `lr_alerts{alert="${alert}",severity="${severity}",state="${state}"}`;
      by.set(key, (by.get(key) ?? 0) + 1);
    }
    const help = 'Alerts that the service has evaluated itself, by state.';
    return {
      ...Object.fromEntries([...by].map(([key, value]) => [key, { help, value, of: 'most' } as const])),
      lr_alert_evaluation_timestamp_seconds: {
        help: 'When alerts were evaluated last, in seconds since 1970.',
        value: (this.#at ?? 0) / 1000,
        of: 'most',
      },
      lr_alert_pairs_left: {
        help: 'Pairs of objective and model that are not counted: there are too many.',
        value: this.#evaluation.left,
        of: 'most',
      },
      lr_alert_notifications_total: counter('Messages about alerts that were taken.', this.#notifier.sent),
      lr_alert_notifications_lost_total: counter('Messages about alerts that nobody took.', this.#notifier.lost),
    };
  }

  /** Keeps what is known. */
  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    if (this.#at !== null) this.#save(this.#now());
  }

  #saveSoon(): void {
    this.#soon ??= setTimeout(
      () => {
        this.#soon = null;
        this.#save(this.#now());
      },
      Math.max(SOON_MS, this.#cost / SAVE_PART),
    ).unref();
  }

  #save(now: number): void {
    if (this.#state === undefined) return;
    this.#saved = now;
    const begun = performance.now();
    const saved: Saved = {
      format: 1,
      evaluation: this.#evaluation.save(),
      dispatch: this.#dispatch.save(),
      silences: this.#silences.save(),
    };
    try {
      const file = new OutputFile(this.#state, { mode: 0o600 });
      file.write(Buffer.from(JSON.stringify(saved)));
      file.commit();
      this.#said = '';
      this.#cost = performance.now() - begun;
    } catch (error) {
      const why = reason(error);
      if (why !== this.#said) this.#log({ level: 'error', event: 'alerts not kept', reason: why });
      this.#said = why;
    }
  }

  /** Goes on from what was kept. What cannot be read is put aside, not lost. */
  #restore(): void {
    const path = this.#state;
    if (path === undefined || !existsSync(path)) return;
    try {
      const saved: Saved = JSON.parse(readFileSync(path, 'utf8'));
      if (saved.format !== 1) throw new Error(`expected format 1, got ${JSON.stringify(saved.format)}`);
      const ahead = saved.evaluation.at - this.#now();
      if (!Number.isFinite(ahead)) throw new Error('expected the time of the last evaluation, got none');
      if (ahead > SKEW_MS)
        throw new Error(`expected a time of before, got one that is ${promDuration(ahead / 1000)} ahead`);
      this.#evaluation.restore(saved.evaluation);
      this.#alerts = this.#evaluation.current;
      this.#dispatch.restore(saved.dispatch);
      this.#silences.restore(saved.silences);
    } catch (error) {
      const aside = setAside(path);
      // else it is written over, which the line says by not naming it
      const kept = aside === null ? '' : `; it is ${aside} now`;
      this.#log({ level: 'error', event: 'alerts forgotten', reason: `${path}: ${reason(error)}${kept}` });
    }
  }
}

const toldSilence = ({ at, until, ...silence }: Silence): AlertSilence => ({
  ...silence,
  at: iso(at),
  until: iso(until),
});
