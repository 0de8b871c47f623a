import type { Change } from '../../../service/src/index.ts';

export type Labels = Readonly<Record<string, string>>;

/** An alert, as receivers are told of it. Times are milliseconds since 1970. */
export interface Told {
  readonly labels: Labels;
  /** `summary`, `runbook_url`, `description` */
  readonly annotations: Labels;
  readonly startsAt: number;
  /** null: it goes on */
  readonly endsAt: number | null;
}

/** What somebody is told: alerts that belong together, or what has become of a rollout. */
export interface Telling {
  /** names it: begin, repeats and end have the same */
  readonly key: string;
  /** what tells it: HOST:PORT of a service */
  readonly source: string;
  readonly severity: 'page' | 'ticket';
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Labels;
  /** those that fire first; none: a change that is no alarm */
  readonly alerts: readonly Told[];
  /** alerts that it has no room for */
  readonly more: number;
  /** the change of a rollout that it tells of; null: of none */
  readonly change: Change | null;
  /** how often the same was told before, where it goes on */
  readonly round?: number;
}

/** What became of a message: null, it was taken. */
export interface Refused {
  readonly why: string;
  /** what it refuses, it refuses again */
  readonly isFinal: boolean;
  /** it got no answer: it may have been taken */
  readonly isOpen?: boolean;
}

/** What became of what was told: `open`, no answer came in time, so that it may have been taken. */
export type Outcome = 'taken' | 'lost' | 'open';

/** How long an alarm of a rollout goes on that nobody ends. */
const ALARM_MS = 24 * 3600_000;

/** What is told of a change of a rollout: that a version had to go, and that this is over, are alarms. */
export function tellingOf(change: Change): Telling {
  const { event, name, version, why, at } = change;
  const isOver = event === 'resolved';
  const isAlarm = isOver || event === 'rolled back';
  const summary = isOver ? `${name}: ${why}` : `version ${version} of ${name} was rolled back: ${why}`;
  return {
    key: `logodds/${name}/${version}`,
    // all who follow a registry tell of one rollout
    source: 'logodds serve',
    severity: 'page',
    status: isOver ? 'resolved' : 'firing',
    groupLabels: { alertname: 'LogoddsRolledBack', model: name },
    alerts: isAlarm
      ? [
          {
            labels: { alertname: 'LogoddsRolledBack', severity: 'critical', model: name, version: String(version) },
            annotations: { summary, description: why },
            startsAt: Date.parse(at),
            endsAt: isOver ? Date.parse(at) : null,
          },
        ]
      : [],
    more: 0,
    change,
  };
}

/** When Alertmanager is to take it as ended, where nobody says: without it that would be after minutes. Alerts are told again before. */
export const endOf = ({ startsAt, endsAt }: Told, { change }: Telling, now: number): number =>
  endsAt ?? (change ? startsAt : now) + ALARM_MS;

/** The first line of what people read. */
export function titleOf({ status, groupLabels, alerts, more }: Telling): string {
  const count = alerts.length + more;
  const [{ annotations } = { annotations: {} as Labels }] = alerts;
  const name = [groupLabels['alertname'], ...(groupLabels['model'] ? [`of ${groupLabels['model']}`] : [])].join(' ');
  const others = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${status === 'firing' ? '' : 'Over: '}${name}: ${annotations['summary'] ?? ''}${others}`;
}

/** Text of a length at most, with a mark where it was cut. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
