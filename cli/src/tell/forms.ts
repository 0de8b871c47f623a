import { shortKey } from './keys.ts';
import { cut, endOf, type Labels, type Telling, type Told, titleOf } from './telling.ts';

/*
 * What receivers read, in the form that each documents.
 */

const iso = (time: number): string => new Date(time).toISOString();

/** Alertmanager's name of a set of labels: FNV-1a over names and values in order. */
export function fingerprintOf(labels: Labels): string {
  const bytes = Object.keys(labels)
    .sort()
    .flatMap((name) => [...Buffer.from(name), 0xff, ...Buffer.from(labels[name]), 0xff]);
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}

/** What all have alike. */
function common(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((one) => one[name] === value)),
  );
}

/** The body that Alertmanager sends to webhooks, version 4. */
export function webhookBody(telling: Telling, now: number): object {
  const { key, status, severity, groupLabels, alerts, more } = telling;
  return {
    version: '4',
    groupKey: key,
    truncatedAlerts: more,
    status,
    receiver: `logodds-${severity}`,
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: '',
    alerts: alerts.map((alert) => ({
      status: isOver(alert, now) ? 'resolved' : 'firing',
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: iso(alert.startsAt),
      endsAt: alert.endsAt === null ? '0001-01-01T00:00:00Z' : iso(alert.endsAt),
      generatorURL: '',
      fingerprint: fingerprintOf(alert.labels),
    })),
  };
}

const isOver = ({ endsAt }: Told, now: number): boolean => endsAt !== null && endsAt <= now;

/** API v2 of Alertmanager. */
export const alertmanagerAlerts = (telling: Telling, now: number): readonly object[] =>
  telling.alerts.map((alert) => ({
    labels: alert.labels,
    annotations: alert.annotations,
    ...(alert.endsAt === null && { startsAt: iso(alert.startsAt) }),
    endsAt: iso(endOf(alert, telling, now)),
  }));

/** Characters of a summary, and of a value of the details. */
const PAGERDUTY = { summary: 1024, detail: 4000 };

/** Events API v2: one incident for what is told together. */
export function pagerDutyEvent(telling: Telling, key: string, now: number): object {
  const { status, severity, groupLabels, alerts, more, change } = telling;
  const own = { routing_key: key, dedup_key: shortKey(telling.key) };
  if (status === 'resolved') return { ...own, event_action: 'resolve' };
  const { annotations, startsAt } = alerts[0];
  const runbook = annotations['runbook_url'];
  return {
    ...own,
    event_action: 'trigger',
    client: 'logodds',
    ...(runbook && { links: [{ href: runbook, text: 'runbook' }] }),
    payload: {
      summary: cut(change ? annotations['summary'] : titleOf(telling), PAGERDUTY.summary),
      source: telling.source,
      severity: severity === 'page' ? 'critical' : 'warning',
      timestamp: iso(Math.min(startsAt, now)),
      component: groupLabels['model'] ?? 'service',
      group: groupLabels['alertname'],
      class: change ? 'rollout' : 'alert',
      custom_details: change ?? {
        alerts: alerts.map(({ labels, annotations }) => ({
          labels,
          summary: cut(annotations['summary'] ?? '', PAGERDUTY.detail),
        })),
        more,
      },
    },
  };
}

/** Characters of a text and of an attachment, and attachments of a message. */
const SLACK = { text: 1000, attachment: 3000, attachments: 10 };
const COLORS = { page: '#c62828', ticket: '#ef6c00', over: '#2e7d32' };

/** The three characters that Slack reads as marks. */
const plain = (text: string): string =>
  text.replace(/[&<>]/g, (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[mark]!);

/** A message of an incoming webhook of Slack. Its attachments are what Mattermost and Rocket.Chat take too; blocks they do not. */
export function slackMessage(telling: Telling, channel: string | null): object {
  const { alerts, severity, more } = telling;
  const shown = alerts.slice(0, SLACK.attachments);
  const left = alerts.length - shown.length + more;
  return {
    ...(channel !== null && { channel }),
    text: plain(cut(titleOf(telling), SLACK.text)),
    attachments: shown.map(({ labels, annotations, startsAt, endsAt }, i) => {
      const title = `${labels['alertname']}${labels['model'] ? ` of ${labels['model']}` : ''}`;
      const rest = i === shown.length - 1 && left > 0 ? `\n(and ${left} more)` : '';
      return {
        color: COLORS[endsAt === null ? severity : 'over'],
        title: plain(cut(title, 300)),
        ...(annotations['runbook_url'] && { title_link: annotations['runbook_url'] }),
        text: plain(cut(annotations['summary'] ?? '', SLACK.attachment)) + rest,
        fallback: plain(cut(`${title}: ${annotations['summary'] ?? ''}`, SLACK.text)),
        footer: endsAt === null ? severity : 'over',
        ts: Math.floor((endsAt ?? startsAt) / 1000),
      };
    }),
  };
}

/** Characters of a subject: mail programs show fewer. */
const SUBJECT = 200;

/** A message by mail. */
export function mailOf(telling: Telling): { readonly subject: string; readonly text: string } {
  const { severity, alerts, more, status } = telling;
  const begin = status === 'firing' ? `[${severity}] ` : '[over] ';
  const lines = alerts.flatMap(({ labels, annotations, startsAt, endsAt }) => [
    `${labels['alertname']}${labels['model'] ? ` of ${labels['model']}` : ''}`,
    `  ${annotations['summary'] ?? ''}`,
    ...(annotations['runbook_url'] ? [`  What to do: ${annotations['runbook_url']}`] : []),
    `  since ${iso(startsAt)}${endsAt === null ? '' : `, over at ${iso(endsAt)}`}`,
    '',
  ]);
  return {
    subject: cut(`${begin}${titleOf(telling).replace(/^Over: /, '')}`.replace(/\s+/g, ' '), SUBJECT),
    text: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
  };
}
