import { GROUP_BY, INHIBITIONS, type Matching, type Paces } from '../slo/telling.ts';
import type { Outcome, Telling, Told } from '../tell/telling.ts';
import { type Alert, keyOfLabels, type Labels } from './evaluation.ts';

/** Groups of one alert: those of further models are told of together. A fault of all models is a few messages, not hundreds. */
const MOST_GROUPS = 10;
/** Alerts of a message. */
const MOST_TOLD = 20;
/** How long a receiver that takes nothing is told that something is over. */
const GIVEN_UP_MS = 24 * 3600_000;

/** What a receiver knows of a group. */
interface Known {
  /** when it was told last */
  readonly at: number;
  /** what it was told that fires */
  readonly firing: readonly Told[];
  /** how often it was told that, by repeats */
  readonly round?: number;
  /** messages to which no answer came, one after the other, and when it is told again */
  readonly open?: number;
  readonly again?: number;
}

/** Messages of a change that may be without an answer. Then the receiver counts as told, until the repeat. */
const MOST_OPEN = 3;

/** Alerts that are told together. */
interface Group {
  readonly severity: 'page' | 'ticket';
  readonly labels: Labels;
  /** keys of its alerts that fire or did, while the group lasts */
  members: string[];
  /** when its changes are told */
  due: number;
  /** by receiver */
  readonly known: Record<string, Known>;
  /** since when nothing of it fires; null: something does */
  ended: number | null;
}

/** What goes to a receiver. When it was taken, or not, `told` is called. */
export interface Dispatched {
  readonly receiver: string;
  readonly telling: Telling;
  /** @returns whether it is given up: no answer came to any of several messages, so that it counts as told */
  readonly told: (outcome: Outcome, now: number) => boolean;
}

export type SavedDispatch = readonly (readonly [key: string, group: Group])[];

/** Whether an alert is told of, and if not, why. */
export interface Muted {
  readonly silencedBy: string | null;
  readonly inhibitedBy: string | null;
}

const fits = ({ severity, alertname, ofObjective, not }: Matching, labels: Labels): boolean =>
  (severity === undefined || labels['severity'] === severity) &&
  (alertname === undefined || labels['alertname'] === alertname) &&
  (!ofObjective || labels['slo'] !== undefined) &&
  (not === undefined || labels['alertname'] !== not.alertname);

/** The alert that inhibits another while it fires; null: none. */
export function inhibitorOf(alert: Alert, all: readonly Alert[]): Alert | null {
  const by = INHIBITIONS.filter(({ target }) => fits(target, alert.labels));
  return (
    all.find(
      (other) =>
        other !== alert &&
        other.state === 'firing' &&
        by.some(
          ({ source, equal }) =>
            fits(source, other.labels) && equal.every((name) => other.labels[name] === alert.labels[name]),
        ),
    ) ?? null
  );
}

/**
 * Decides who is told what, and when, as Alertmanager does by the routes of `logodds slo export`: a group a message, its first one after a while, changes at
 * intervals, repeats, and its end. It has no clock and sends nothing.
 */
export class Dispatch {
  readonly #receivers: Readonly<Record<'page' | 'ticket', readonly string[]>>;
  readonly #paces: Paces;
  readonly #source: string;
  #groups = new Map<string, Group>();
  /** what is on its way */
  readonly #sending = new Set<string>();

  /**
   * @param receivers  names of those who are told of each severity
   * @param source  HOST:PORT of the service: what one tells is not ended by another
   */
  constructor(receivers: Readonly<Record<'page' | 'ticket', readonly string[]>>, paces: Paces, source: string) {
    this.#source = source;
    this.#receivers = receivers;
    this.#paces = paces;
  }

  /** @param mutedOf  whether an alert is told of */
  step(now: number, alerts: readonly Alert[], mutedOf: (alert: Alert) => Muted): Dispatched[] {
    const firing = new Map(
      alerts.filter(({ state }) => state === 'firing').map((one) => [keyOfLabels(one.labels), one]),
    );
    for (const [key, alert] of firing) this.#put(key, alert, now);
    const isMuted = (alert: Alert) => {
      const { silencedBy, inhibitedBy } = mutedOf(alert);
      return silencedBy !== null || inhibitedBy !== null;
    };
    const sent: Dispatched[] = [];
    for (const [name, group] of this.#groups) {
      if (group.due > now) continue;
      const live = group.members.flatMap((key) => firing.get(key) ?? []);
      group.members = group.members.filter((key) => firing.has(key));
      group.ended = live.length > 0 ? null : (group.ended ?? now);
      group.due = now + this.#paces[group.severity].interval * 1000;
      const audible = live.filter((alert) => !isMuted(alert));
      for (const receiver of this.#receivers[group.severity])
        sent.push(...this.#tell(name, group, receiver, live, audible, now));
      const isTold = Object.values(group.known).every((known) => known.firing.length === 0);
      if (group.ended !== null && (isTold || now - group.ended > GIVEN_UP_MS) && !this.#isSending(name))
        this.#groups.delete(name);
    }
    return sent;
  }

  /** An alert that fires is of a group, for as long as that lasts. */
  #put(key: string, alert: Alert, now: number): void {
    const all = [...this.#groups.values()];
    const own = all.find(({ members }) => members.includes(key));
    if (own) return;
    const of = (labels: Labels) => keyOfLabels({ ...labels, severity: alert.severity });
    const { alertname } = alert.labels;
    const labels = Object.fromEntries(
      GROUP_BY.flatMap((name) => (alert.labels[name] === undefined ? [] : [[name, alert.labels[name]]])),
    );
    const isFull = all.filter((group) => group.labels['alertname'] === alertname).length >= MOST_GROUPS;
    const fitting = this.#groups.has(of(labels)) || !isFull ? labels : { alertname };
    const found = this.#groups.get(of(fitting));
    if (found) {
      found.members.push(key);
      return;
    }
    const due = now + this.#paces[alert.severity].wait * 1000;
    this.#groups.set(of(fitting), {
      severity: alert.severity,
      labels: fitting,
      members: [key],
      due,
      known: {},
      ended: null,
    });
  }

  #isSending(name: string): boolean {
    return [...this.#sending].some((one) => one.startsWith(`${name}\n`));
  }

  #tell(
    name: string,
    group: Group,
    receiver: string,
    live: readonly Alert[],
    audible: readonly Alert[],
    now: number,
  ): Dispatched[] {
    const way = `${name}\n${receiver}`;
    // one at a time: an answer that is late must not undo a later one
    if (this.#sending.has(way)) return [];
    const known: Known = group.known[receiver] ?? { at: now, firing: [] };
    if (known.again !== undefined && now < known.again) return [];
    const over = known.firing.filter((one) => !live.some((alert) => isSame(alert, one)));
    const isNew = audible.some((alert) => !known.firing.some((one) => isSame(alert, one)));
    const isAgain = audible.length > 0 && now - known.at >= this.#paces[group.severity].repeat * 1000;
    if (!isNew && over.length === 0 && !isAgain) return [];
    // what was told and is silenced now has not ended
    const muted = known.firing.filter((one) => !over.includes(one) && !audible.some((alert) => isSame(alert, one)));
    if (audible.length === 0 && muted.length > 0) return [];
    const round = isNew || over.length > 0 ? 0 : (known.round ?? 0) + 1;
    const firing = audible.map(
      ({ labels, annotations, firedAt }): Told => ({ labels, annotations, startsAt: firedAt ?? now, endsAt: null }),
    );
    const all = [...firing, ...over.map((one): Told => ({ ...one, endsAt: now }))];
    const telling: Telling = {
      source: this.#source,
      key: `logodds/${this.#source}/${group.severity}/${Object.values(group.labels).join('/')}`,
      severity: group.severity,
      status: firing.length > 0 ? 'firing' : 'resolved',
      groupLabels: group.labels,
      alerts: all.slice(0, MOST_TOLD),
      more: Math.max(0, all.length - MOST_TOLD),
      change: null,
      round,
    };
    this.#sending.add(way);
    const told = (outcome: Outcome, at: number): boolean => {
      this.#sending.delete(way);
      const open = outcome === 'open' ? (known.open ?? 0) + 1 : 0;
      const isGivenUp = open >= MOST_OPEN;
      if (outcome === 'taken' || isGivenUp) group.known[receiver] = { at, firing: [...firing, ...muted], round };
      // twice as long each time, as it may have been taken
      else if (outcome === 'open')
        group.known[receiver] = { ...known, open, again: at + this.#paces[group.severity].interval * 1000 * 2 ** open };
      return isGivenUp;
    };
    return [{ receiver, telling, told }];
  }

  save(): SavedDispatch {
    return [...this.#groups];
  }

  /** Receivers that are no more are forgotten. */
  restore(saved: SavedDispatch): void {
    this.#groups = new Map(
      saved.map(([key, group]) => [
        key,
        {
          ...group,
          known: Object.fromEntries(
            Object.entries(group.known).filter(([name]) => this.#receivers[group.severity].includes(name)),
          ),
        },
      ]),
    );
  }
}

const isSame = (a: { readonly labels: Labels }, b: { readonly labels: Labels }): boolean =>
  keyOfLabels(a.labels) === keyOfLabels(b.labels);
