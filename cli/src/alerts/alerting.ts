import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Alerting, AlertSilence, AlertsState, Gauges, LogLine } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import { FileLock, Taken } from '../serve/observation/fileLock.ts';
import { stampOf } from '../serve/trust.ts';
import { promDuration } from '../slo/burn.ts';
import { intervalOf } from '../slo/facts.ts';
import { readSettings, type SloSettings } from '../slo/settings.ts';
import { Notifier } from '../tell/notifier.ts';
import { type Receiver, receiverOf } from '../tell/receivers.ts';
import type { Telling } from '../tell/telling.ts';
import { OutputFile, outputError, reason, setAside } from '../write/temporary.ts';
import { deathNotes } from './death.ts';
import { Dispatch, inhibitorOf, type Muted, type SavedDispatch } from './dispatch.ts';
import { type Alert, Evaluation, type SavedEvaluation } from './evaluation.ts';
import { samplesOf } from './samples.ts';
import { type Silence, Silences } from './silences.ts';

/** What a service needs to evaluate its alerts. */
export interface AlertingOptions {
  readonly settings: SloSettings;
  /** HOST:PORT of the service, where the settings do not say it */
  readonly instance: string;
  /** the file of settings, which is read again when it changes; absent: there is none */
  readonly file?: string;
  /** of the file of settings: the files of secrets begin there */
  readonly folder: string;
  /** of the state */
  readonly lock?: FileLock;
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

/** How often the file of settings is looked at, and whether somebody is due to be told. */
const LOOK_MS = 1000;
const UNANSWERED = 'no answer came to several messages, which may have been taken; make the receiver answer sooner';

/**
 * Reads the settings of `--slo`, and whom they tell.
 * @throws ERR_DATA, ERR_RANGE for settings and secrets that cannot be used; ERR_DATA for a state that another process writes
 */
export async function alertingOf(
  file: string,
  instance: string,
  state: string | undefined,
  log: (line: LogLine) => void,
): Promise<AlertsOfService> {
  const settings = await readSettings(file, '--slo');
  const options = { settings, instance, file, folder: dirname(resolve(file)), log };
  if (state === undefined) return new AlertsOfService(options);
  const alerts = new AlertsOfService({ ...options, state, lock: await lockOf(state) });
  return alerts;
}

/** Two that write one state would forget what the other told, and tell it again. @throws ERR_DATA, ERR_OUTPUT */
async function lockOf(state: string): Promise<FileLock> {
  try {
    return await FileLock.take(state);
  } catch (error) {
    if (!(error instanceof Taken)) throw outputError(state, error);
    throw new LogoddsError('ERR_DATA', `--slo-state ${state}: ${error.message}`, { cause: error });
  }
}

/** What follows from settings. */
interface Plan {
  readonly settings: SloSettings;
  /** seconds between two evaluations */
  readonly every: number;
  readonly evaluation: Evaluation;
  readonly dispatch: Dispatch;
  readonly receivers: ReadonlyMap<string, Receiver & { readonly severity: 'page' | 'ticket' }>;
  /** a dead man's switch; null: there is none */
  readonly watchdog: Receiver | null;
}

/** @throws ERR_RANGE, ERR_DATA for receivers without their secrets */
function planOf(settings: SloSettings, instance: string, folder: string): Plan {
  const target = settings.target ?? instance;
  const names = { page: [] as string[], ticket: [] as string[] };
  const receivers = new Map<string, Receiver & { readonly severity: 'page' | 'ticket' }>();
  for (const severity of ['page', 'ticket'] as const)
    for (const [k, one] of settings.notify[severity].entries()) {
      const name = `${severity} ${k} ${one.kind}`;
      names[severity].push(name);
      receivers.set(name, { ...receiverOf(`notify.${severity}[${k}].${one.kind}`, one, folder), severity });
    }
  return {
    ...{ settings, receivers, every: intervalOf(settings.period) },
    evaluation: new Evaluation(settings, target),
    dispatch: new Dispatch(names, settings.paces, target),
    watchdog: settings.watchdog && receiverOf('watchdog', settings.watchdog.receiver, folder),
  };
}

/** What a dead man's switch is sent: the alert that always fires, as that of Prometheus people. */
const alive = (now: number, source: string): Telling => ({
  ...{ key: `logodds/${source}/watchdog`, source },
  ...{ severity: 'ticket', status: 'firing', groupLabels: { alertname: 'LogoddsWatchdog' } },
  alerts: [
    {
      labels: { alertname: 'LogoddsWatchdog', severity: 'none' },
      annotations: { summary: 'alerts are evaluated: where this stays away, nobody watches' },
      ...{ startsAt: now, endsAt: null },
    },
  ],
  ...{ more: 0, change: null },
});

/** Evaluates the alerts of a service at intervals, and tells whom the settings name. */
export class AlertsOfService implements Alerting {
  #plan: Plan;
  readonly #file: string | undefined;
  readonly #folder: string;
  readonly #lock: FileLock | null;
  readonly #state: string | undefined;
  readonly #log: (line: LogLine) => void;
  readonly #silences = new Silences();
  readonly #notifier: Notifier;
  /** messages that count as told since no answer came to several */
  #givenUp = 0;
  /** the clock of the machine may be set meanwhile: time goes on from the start */
  readonly #begun = Date.now() - performance.now();
  #alerts: readonly Alert[] = [];
  #at: number | null = null;
  #saved = Number.NEGATIVE_INFINITY;
  /** what was said of the file of the state last: it is not said twice */
  #said = '';
  /** why the last evaluation failed */
  #failed = '';
  /** the numbers that were evaluated last */
  #text = '';
  /** when the dead man's switch was told last */
  #told = Number.NEGATIVE_INFINITY;
  /** of the file of settings, when it was read */
  #stamp: string;
  /** the file of settings has changed and cannot be used */
  #isStale = false;
  #look: (() => Promise<void>) | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** looks at the file of settings */
  #looking: NodeJS.Timeout | null = null;
  /** keeps what has become other in a moment */
  #soon: NodeJS.Timeout | null = null;
  /** how long that took last */
  #cost = 0;
  #isLooking = false;
  readonly #instance: string;

  /** @throws ERR_RANGE, ERR_DATA for receivers without their secrets */
  constructor({ settings, instance, file, folder, state, lock, log }: AlertingOptions) {
    this.#plan = planOf(settings, instance, folder);
    this.#instance = instance;
    this.#file = file;
    this.#folder = folder;
    this.#stamp = file === undefined ? '' : stampOf(file);
    this.#lock = lock ?? null;
    this.#state = state;
    this.#log = log;
    this.#notifier = new Notifier(log);
  }

  /** Evaluates from now on. @param text  gives the numbers of the service, as Prometheus reads them */
  start(text: () => Promise<string>): void {
    this.#restore();
    this.#look = async () => {
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
    this.#evaluateEach();
    this.#looking = setInterval(() => {
      this.#lock?.touch();
      void this.reread();
      this.tellDue(this.#now());
    }, LOOK_MS);
  }

  #evaluateEach(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.#look?.(), this.#plan.every * 1000);
    void this.#look?.();
  }

  /** Reads the settings again where their file has changed. Those that cannot be used leave those of before. */
  async reread(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    const stamp = stampOf(file);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      const plan = planOf(await readSettings(file, '--slo'), this.#instance, this.#folder);
      const { evaluation, dispatch } = this.#plan;
      plan.evaluation.follow(evaluation, samplesOf(this.#text, plan.evaluation.names));
      plan.dispatch.restore(dispatch.save());
      this.#plan = plan;
      this.#alerts = plan.evaluation.current;
      this.#isStale = false;
      this.#log({ level: 'warn', event: 'alerts read', path: file, known: plan.evaluation.alerts.length });
      if (this.#timer) this.#evaluateEach();
    } catch (error) {
      this.#isStale = true;
      this.#log({ level: 'error', event: 'failed', path: file, reason: `${reason(error)}; the settings before stay` });
    }
  }

  #now(): number {
    return Math.round(this.#begun + performance.now());
  }

  /** One evaluation. */
  step(now: number, text: string): void {
    const before = new Map(this.#alerts.map((alert) => [JSON.stringify(alert.labels), alert]));
    const { evaluation } = this.#plan;
    this.#text = text;
    this.#alerts = evaluation.step(now, samplesOf(text, evaluation.names));
    this.#at = now;
    let isOther = false;
    for (const alert of this.#alerts) {
      const key = JSON.stringify(alert.labels);
      if (alert.state === 'firing' && before.get(key)?.state !== 'firing') isOther = this.#say(alert, 'alert');
      before.delete(key);
    }
    for (const alert of before.values()) if (alert.state === 'firing') isOther = this.#say(alert, 'alert over');
    this.#tell(now);
    this.#tellAlive(now);
    if (isOther) this.#saveSoon();
    if (now - this.#saved >= Math.max(SAVE_MS, this.#cost / SAVE_PART)) this.#save(now);
  }

  #say(alert: Alert, event: string): true {
    const { alertname: _, severity, ...labels } = alert.labels;
    this.#log({ level: 'warn', event, alert: alert.alert, severity, ...labels, why: alert.annotations['summary'] });
    return true;
  }

  #tell(now: number): void {
    const { receivers } = this.#plan;
    for (const { receiver, telling, told } of this.#plan.dispatch.step(now, this.#alerts, (alert) =>
      this.#mutedOf(alert, now),
    )) {
      void this.#notifier.tell(receivers.get(receiver)!, telling).then((outcome) => {
        const isGivenUp = told(outcome, this.#now());
        if (isGivenUp) {
          this.#givenUp++;
          const { at } = receivers.get(receiver)!;
          const of = `${telling.groupLabels['alertname']} ${telling.status}`;
          this.#log({ level: 'error', event: 'not told again before the repeat', at, of, reason: UNANSWERED });
        }
        // who was told must be known, or it would be told again
        if (outcome !== 'lost') this.#saveSoon();
      });
    }
  }

  /** Tells what is due between two evaluations: paces may be shorter. After an evaluation that failed nobody is told that all goes on. */
  tellDue(now: number): void {
    if (this.#at === null || this.#failed !== '' || now - this.#at >= 2000 * this.#plan.every) return;
    this.#tell(now);
    this.#tellAlive(now);
  }

  /** Says that alerts are evaluated: an evaluation that fails does not, nor does a process that is gone. */
  #tellAlive(now: number): void {
    const { watchdog, settings } = this.#plan;
    if (!watchdog || now - this.#told < settings.watchdog!.every * 1000) return;
    this.#told = now;
    void this.#notifier.tell(watchdog, alive(now, this.#plan.settings.target ?? this.#instance));
  }

  #mutedOf(alert: Alert, now: number): Muted {
    return {
      silencedBy: this.#silences.of(alert.labels, now)?.id ?? null,
      inhibitedBy: inhibitorOf(alert, this.#alerts)?.alert ?? null,
    };
  }

  async state(): Promise<AlertsState> {
    const now = this.#now();
    const { evaluation, receivers, every } = this.#plan;
    return {
      at: this.#at === null ? null : iso(this.#at),
      every,
      alerts: this.#alerts.map((alert) => {
        const { alertname: _, severity: __, ...labels } = alert.labels;
        const { summary, runbook_url: runbook } = alert.annotations;
        const { severity, state, since, value, window, events } = alert;
        return {
          ...{ alert: alert.alert, severity, state, since: iso(since), labels, value, window, events },
          ...{ summary, runbook, ...this.#mutedOf(alert, now) },
        };
      }),
      budgets: evaluation.budgets(),
      silences: this.#silences.at(now).map(toldSilence),
      known: evaluation.alerts,
      receivers: [...receivers.values()].map(({ severity, kind }) => ({ severity, kind })),
      sent: this.#notifier.sent,
      lost: this.#notifier.lost,
      notes: this.#notes(),
    };
  }

  #notes(): string[] {
    const { notify } = this.#plan.settings;
    const { left } = this.#plan.evaluation;
    return [
      ...(['page', 'ticket'] as const)
        .filter((severity) => notify[severity].length === 0)
        .map((severity) => `notify.${severity} is empty: nobody is told of a ${severity}`),
      ...deathNotes(this.#plan.settings),
      ...(this.#isStale
        ? ['the file of settings has changed and cannot be used: the settings before are in force']
        : []),
      ...(left > 0 ? [`${left} pairs of objective and model are not counted: there are too many`] : []),
      ...(this.#state === undefined ? ['a restart forgets budgets, alerts and silences: give --slo-state FILE'] : []),
    ];
  }

  async silence(asked: unknown, by: string): Promise<AlertSilence> {
    const now = this.#now();
    const silence = this.#silences.add(asked, by, now, this.#plan.evaluation.alerts);
    const told = this.#changed('silenced', silence, by);
    const note = this.#noteOf(silence.model);
    if (note === null) return told;
    this.#log({ level: 'warn', event: 'silenced nothing yet', model: silence.model, reason: note });
    return { ...told, note };
  }

  /** Whether a model that is silenced is one of which nothing is known; null: it is known, or nothing was evaluated yet. */
  #noteOf(model: string | null): string | null {
    if (model === null || this.#text === '') return null;
    const known = new Set([...this.#text.matchAll(/[{,]model="((?:[^"\\]|\\.)*)"/g)].map(([, name]) => name));
    return known.has(model.replace(/[\\"]/g, '\\$&'))
      ? null
      : `no number of the service is of a model ${show(model)} (${known.size === 0 ? 'there are none yet' : list([...known].sort())}); the silence begins to matter when there is one`;
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
        value: this.#plan.evaluation.left,
        of: 'most',
      },
      lr_alert_settings_stale: {
        help: 'Whether the file of settings has changed and cannot be used: 1, and those before are in force.',
        value: Number(this.#isStale),
        of: 'most',
      },
      lr_alert_notifications_total: counter('Messages about alerts that were taken.', this.#notifier.sent),
      lr_alert_notifications_unanswered_total: counter(
        'Changes of alerts that count as told though no answer came: the receiver is too slow.',
        this.#givenUp,
      ),
      lr_alert_notifications_lost_total: counter('Messages about alerts that nobody took.', this.#notifier.lost),
    };
  }

  /** Keeps what is known. */
  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#looking) clearInterval(this.#looking);
    this.#looking = null;
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    if (this.#at !== null) this.#save(this.#now());
    this.#lock?.release();
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
      evaluation: this.#plan.evaluation.save(),
      dispatch: this.#plan.dispatch.save(),
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
      this.#plan.evaluation.restore(saved.evaluation);
      this.#alerts = this.#plan.evaluation.current;
      this.#plan.dispatch.restore(saved.dispatch);
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
