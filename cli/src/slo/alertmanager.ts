import { secretOf } from '../tell/receivers.ts';
import { promDuration } from './burn.ts';
import type { ReceiverKind, SloReceiver } from './receivers.ts';
import { quoted } from './rules.ts';
import type { SloSettings } from './settings.ts';
import { GROUP_BY, INHIBITIONS, type Matching } from './telling.ts';

type Entry = Readonly<Record<string, unknown>>;

const TITLE = '{{ .GroupLabels.alertname }}: {{ .CommonAnnotations.summary }}';
const TEXT = '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.runbook_url }}\n{{ end }}';

/** A receiver in the words of Alertmanager, and the list that it is in. */
const IN_WORDS: Readonly<
  Record<Exclude<ReceiverKind, 'alertmanager'>, readonly [list: string, entry: (options: Entry) => Entry]>
> = {
  pagerduty: [
    'pagerduty_configs',
    ({ keyFile, url }) => ({
      routing_key_file: keyFile ?? secretOf('pagerduty'),
      url,
      description: TITLE,
      severity: '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
      details: { runbook: '{{ .CommonAnnotations.runbook_url }}' },
    }),
  ],
  webhook: ['webhook_configs', ({ url, urlFile }) => (urlFile === undefined ? { url } : { url_file: urlFile })],
  slack: [
    'slack_configs',
    ({ urlFile, channel }) => ({
      api_url_file: urlFile ?? secretOf('slack'),
      ...(channel !== undefined && { channel }),
      title: TITLE,
      text: TEXT,
      send_resolved: true,
    }),
  ],
  email: [
    'email_configs',
    ({ to, from, server, user, passwordFile, tls }) => ({
      to,
      from,
      smarthost: server,
      ...(user !== undefined && { auth_username: user, auth_password_file: passwordFile ?? secretOf('email') }),
      require_tls: tls,
      headers: { Subject: TITLE },
      text: TEXT,
      send_resolved: true,
    }),
  ],
};

function receiver(name: string, list: readonly SloReceiver[]): Entry {
  const lists: Record<string, Entry[]> = {};
  for (const { kind, options } of list) {
    // it is the one that reads this
    if (kind === 'alertmanager') continue;
    const [key, entry] = IN_WORDS[kind];
    lists[key] ??= [];
    lists[key].push(entry(options));
  }
  return { name, ...lists };
}

/**
 * The configuration of Alertmanager: pages at once and again every four hours, tickets twice a day at most. A page silences the ticket of its objective, and a
 * service that does not answer silences all else of it.
 */
export function alertmanagerConfig({ notify, paces }: SloSettings): object {
  const route = (severity: 'page' | 'ticket') => ({
    receiver: `logodds-${severity}`,
    group_wait: promDuration(paces[severity].wait),
    group_interval: promDuration(paces[severity].interval),
    repeat_interval: promDuration(paces[severity].repeat),
  });
  return {
    route: {
      ...route('ticket'),
      group_by: GROUP_BY,
      routes: (['page', 'ticket'] as const).map((severity) => ({
        ...route(severity),
        matchers: matchersOf({ severity }),
      })),
    },
    inhibit_rules: INHIBITIONS.map(({ source, target, equal }) => ({
      source_matchers: matchersOf(source),
      target_matchers: matchersOf(target),
      equal,
    })),
    receivers: [receiver('logodds-page', notify.page), receiver('logodds-ticket', notify.ticket)],
  };
}

const matchersOf = ({ severity, alertname, ofObjective, not }: Matching): string[] => [
  ...(severity ? [`severity=${quoted(severity)}`] : []),
  ...(ofObjective ? ['slo=~".+"'] : []),
  ...(alertname ? [`alertname=${quoted(alertname)}`] : []),
  ...(not ? ['alertname=~"Logodds.+"', `alertname!=${quoted(not.alertname)}`] : []),
];
