import type { ReceiverKind, SloReceiver } from './receivers.ts';
import { quoted } from './rules.ts';
import type { SloSettings } from './settings.ts';

type Entry = Readonly<Record<string, unknown>>;

const TITLE = '{{ .GroupLabels.alertname }}: {{ .CommonAnnotations.summary }}';
const TEXT = '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.runbook_url }}\n{{ end }}';

/** A receiver in the words of Alertmanager, and the list that it is in. */
const IN_WORDS: Readonly<Record<ReceiverKind, readonly [list: string, entry: (options: Entry) => Entry]>> = {
  pagerduty: [
    'pagerduty_configs',
    ({ keyFile, url }) => ({
      routing_key_file: keyFile,
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
      api_url_file: urlFile,
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
      ...(user !== undefined && { auth_username: user, auth_password_file: passwordFile }),
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
export function alertmanagerConfig({ notify }: SloSettings): object {
  const matchers = (severity: string) => [`severity=${quoted(severity)}`];
  return {
    route: {
      receiver: 'logodds-ticket',
      group_by: ['alertname', 'model'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '12h',
      routes: [
        { receiver: 'logodds-page', matchers: matchers('page'), group_wait: '10s', repeat_interval: '4h' },
        { receiver: 'logodds-ticket', matchers: matchers('ticket') },
      ],
    },
    inhibit_rules: [
      {
        // with an objective: conditions, which have none, would silence one another
        source_matchers: [...matchers('page'), 'slo=~".+"'],
        target_matchers: matchers('ticket'),
        equal: ['slo', 'model'],
      },
      {
        source_matchers: ['alertname="LogoddsDown"'],
        target_matchers: ['alertname=~"Logodds.+"', 'alertname!="LogoddsDown"'],
        equal: [],
      },
    ],
    receivers: [receiver('logodds-page', notify.page), receiver('logodds-ticket', notify.ticket)],
  };
}
