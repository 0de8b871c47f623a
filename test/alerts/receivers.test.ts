import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ReceiverKind } from '../../cli/src/slo/receivers.ts';
import { fingerprintOf, mailOf, pagerDutyEvent, slackMessage, webhookBody } from '../../cli/src/tell/forms.ts';
import { Notifier } from '../../cli/src/tell/notifier.ts';
import { receiverOf } from '../../cli/src/tell/receivers.ts';
import { type Telling, type Told, tellingOf } from '../../cli/src/tell/telling.ts';
import type { LogLine } from '../../service/src/index.ts';

const AT = Date.parse('2026-11-30T08:00:00Z');
const told = (model: string, more: Partial<Told> = {}): Told => ({
  labels: { alertname: 'LogoddsAvailabilityFastBurn', severity: 'page', slo: 'availability', model },
  annotations: {
    summary: `the budget of availability of ${model} is spent fast`,
    runbook_url: 'https://runbooks/errors.md',
  },
  startsAt: AT,
  endsAt: null,
  ...more,
});
const TELLING: Telling = {
  key: 'logodds/a:8080/page/LogoddsAvailabilityFastBurn/a',
  source: 'a:8080',
  severity: 'page',
  status: 'firing',
  groupLabels: { alertname: 'LogoddsAvailabilityFastBurn', model: 'a' },
  alerts: [told('a')],
  more: 0,
  change: null,
};
const OVER: Telling = { ...TELLING, status: 'resolved', alerts: [told('a', { endsAt: AT + 60_000 })] };

/** Without annotations and a model. */
const bare: Telling = { ...TELLING, alerts: [{ ...told('a'), labels: { alertname: 'X' }, annotations: {} }] };
const TEXT = { type: 'string' };
const object = (required: readonly string[], properties: object) => ({
  ...{ type: 'object', required, properties, additionalProperties: false },
});
/** What PagerDuty/api-schema (reference/events-v2/openapiv3.json) says of an event, and of a trigger by its guide: that has a payload. */
const EVENT = {
  ...object(['routing_key', 'event_action', 'dedup_key'], {
    ...{ routing_key: TEXT, dedup_key: { type: 'string', maxLength: 255 }, client: TEXT, client_url: TEXT },
    event_action: { enum: ['trigger', 'acknowledge', 'resolve'] },
    links: { type: 'array', items: object(['href'], { href: TEXT, text: TEXT }) },
    payload: object(['summary', 'severity', 'source'], {
      ...{ source: TEXT, component: TEXT, group: TEXT, class: TEXT, custom_details: { type: 'object' } },
      summary: { type: 'string', minLength: 1, maxLength: 1024 },
      severity: { enum: ['critical', 'warning', 'error', 'info'] },
      timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT.*Z$' },
    }),
  }),
  anyOf: [{ properties: { event_action: { const: 'resolve' } } }, { required: ['payload'] }],
};
/** What @slack/webhook and @slack/types have of a message (npm run test:service -- notify sends one by that client). */
const MESSAGE = object(['text'], {
  ...{ text: { type: 'string', minLength: 1 }, channel: TEXT },
  attachments: {
    type: 'array',
    items: object(['fallback'], {
      ...{ color: TEXT, title: TEXT, title_link: TEXT, text: TEXT, fallback: TEXT, footer: TEXT },
      ts: { type: 'integer' },
    }),
  },
});

describe('forms', () => {
  test('a webhook has the body of Alertmanager, version 4', () => {
    expect(webhookBody(TELLING, AT)).toEqual({
      ...{ version: '4', groupKey: TELLING.key, truncatedAlerts: 0, status: 'firing', receiver: 'logodds-page' },
      groupLabels: TELLING.groupLabels,
      commonLabels: TELLING.alerts[0].labels,
      commonAnnotations: TELLING.alerts[0].annotations,
      externalURL: '',
      alerts: [
        {
          status: 'firing',
          labels: TELLING.alerts[0].labels,
          annotations: TELLING.alerts[0].annotations,
          startsAt: '2026-11-30T08:00:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: '',
          // as Alertmanager 0.25 has it (npm run test:service -- alerts)
          fingerprint: fingerprintOf(TELLING.alerts[0].labels),
        },
      ],
    });
    expect(webhookBody(OVER, AT + 60_000)).toMatchObject({
      status: 'resolved',
      alerts: [{ status: 'resolved', endsAt: '2026-11-30T08:01:00.000Z' }],
    });
  });

  test('PagerDuty: an incident is opened and closed under one key of 255 characters at most', () => {
    const event = pagerDutyEvent(TELLING, 'R0UT1NG', AT) as { payload: object };
    expect(event).toMatchObject({
      ...{ routing_key: 'R0UT1NG', event_action: 'trigger', dedup_key: TELLING.key },
      links: [{ href: 'https://runbooks/errors.md', text: 'runbook' }],
      payload: { severity: 'critical', component: 'a', group: 'LogoddsAvailabilityFastBurn', source: 'a:8080' },
    });
    expect(pagerDutyEvent(OVER, 'R0UT1NG', AT)).toEqual({
      routing_key: 'R0UT1NG',
      event_action: 'resolve',
      dedup_key: TELLING.key,
    });
    const long = { ...TELLING, key: `logodds/page/${'m'.repeat(400)}`, alerts: [told('m'.repeat(4000))] };
    const { dedup_key, payload } = pagerDutyEvent(long, 'k', AT) as { dedup_key: string; payload: { summary: string } };
    expect(dedup_key.length).toBeLessThanOrEqual(255);
    expect(payload.summary).toHaveLength(1024);
    expect(pagerDutyEvent({ ...long, key: `${long.key}n` }, 'k', AT)).not.toMatchObject({ dedup_key });
  });

  test('PagerDuty: every event is one of its own description of Events API v2, without a member that it does not have', () => {
    const change = { event: 'rolled back', name: 'a', version: 2, why: 'slow', at: '2026-11-30T08:00:00Z' } as never;
    const many = { ...TELLING, alerts: Array.from({ length: 20 }, (_, k) => told(`m${k}`)), more: 5 };
    const isEvent = new Ajv2020({ strict: false, validateFormats: false }).compile(EVENT);
    for (const telling of [TELLING, OVER, many, tellingOf(change), { ...TELLING, groupLabels: {} }, bare]) {
      const event = JSON.parse(JSON.stringify(pagerDutyEvent(telling, 'R0UT1NG', AT)));
      expect([isEvent(event), isEvent.errors]).toEqual([true, null]);
    }
    expect(isEvent({ ...pagerDutyEvent(TELLING, 'k', AT), payload: { summary: 'x' } })).toBe(false);
  });

  test('Slack: every message has the members of an incoming webhook, and of attachments, of their types', () => {
    const isMessage = new Ajv2020({ strict: false }).compile(MESSAGE);
    for (const telling of [TELLING, OVER, bare]) {
      const message = JSON.parse(JSON.stringify(slackMessage(telling, '#models')));
      expect([isMessage(message), isMessage.errors]).toEqual([true, null]);
    }
  });

  test('Slack: lengths and marks are those that it takes', () => {
    const many = { ...TELLING, alerts: Array.from({ length: 20 }, (_, k) => told(`<m${k}&>`)), more: 5 };
    const { text, attachments } = slackMessage(many, '#models') as {
      text: string;
      attachments: { text: string; title: string; color: string }[];
    };
    expect(text).toContain('(and 24 more)');
    expect(attachments).toHaveLength(10);
    expect(attachments[0].title).toBe('LogoddsAvailabilityFastBurn of &lt;m0&amp;&gt;');
    expect(attachments[9].text).toContain('(and 15 more)');
    expect(slackMessage(OVER, null)).toMatchObject({
      text: expect.stringMatching(/^Over: /),
      attachments: [{ color: '#2e7d32' }],
    });
    const long = slackMessage({ ...TELLING, alerts: [told('m'.repeat(50_000))] }, null);
    expect(JSON.stringify(long).length).toBeLessThan(16_000);
  });

  test('mail: a subject of one line, a text with what to do', () => {
    const { subject, text } = mailOf({ ...TELLING, alerts: [told('a\r\nBcc: all@example.com')] });
    expect(subject).not.toMatch(/[\r\n]/);
    expect(subject).toMatch(/^\[page\] LogoddsAvailabilityFastBurn of a: the budget/);
    expect(text).toContain('What to do: https://runbooks/errors.md');
    expect(mailOf(OVER).subject).toMatch(/^\[over\] LogoddsAvailabilityFastBurn/);
  });
});

describe('receivers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-test-tell-'));
  let server: Server;
  let url = '';
  let received: { path: string; body: unknown }[] = [];
  let answer: (path: string) => number = () => 200;
  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        received.push({ path: request.url!, body: JSON.parse(text) });
        response.writeHead(answer(request.url!), { location: '/elsewhere' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const SECRETS = ['LOGODDS_PAGERDUTY_KEY', 'LOGODDS_SLACK_URL', 'LOGODDS_SMTP_PASSWORD'];
  afterEach(() => {
    for (const name of SECRETS) delete process.env[name];
    received = [];
    answer = () => 200;
  });

  const make = (kind: ReceiverKind, options: object) =>
    receiverOf('notify.page[0]', { kind, options: options as Record<string, unknown> }, folder);

  test('secrets are those of the environment, or of a file that is read each time', async () => {
    process.env['LOGODDS_PAGERDUTY_KEY'] = 'env';
    process.env['LOGODDS_SLACK_URL'] = `${url}/slack/T0P/S3CRET`;
    writeFileSync(join(folder, 'key'), 'file\n');
    const notifier = new Notifier(() => {}, []);
    const send = (kind: ReceiverKind, options: object) => notifier.tell(make(kind, options), TELLING);
    await send('pagerduty', { url: `${url}/v2/enqueue` });
    const filed = make('pagerduty', { url: `${url}/v2/enqueue`, keyFile: 'key' });
    await notifier.tell(filed, TELLING);
    writeFileSync(join(folder, 'key'), 'rotated');
    await notifier.tell(filed, TELLING);
    await send('slack', {});
    await send('alertmanager', { url: `${url}/` });
    await send('webhook', { url: `${url}/hook` });
    expect(received.map(({ path }) => path)).toEqual([
      ...['/v2/enqueue', '/v2/enqueue', '/v2/enqueue', '/slack/T0P/S3CRET', '/api/v2/alerts', '/hook'],
    ]);
    expect(received.slice(0, 3).map(({ body }) => (body as { routing_key: string }).routing_key)).toEqual([
      'env',
      'file',
      'rotated',
    ]);
    expect(notifier).toMatchObject({ sent: 6, lost: 0 });
  });

  test.each([
    ['pagerduty', { url: 'https://a/' }, 'LOGODDS_PAGERDUTY_KEY'],
    ['slack', {}, 'LOGODDS_SLACK_URL'],
    ['email', { to: 'a@b', from: 'b@c', server: 'h:25', user: 'ann' }, 'LOGODDS_SMTP_PASSWORD'],
  ] as const)('%s without its secret is refused at the start', (kind, options, name) => {
    expect(() => make(kind, options)).toThrow(`notify.page[0]: expected a secret in ${name}, got none`);
  });

  test('a file that is gone is no message, and is said', async () => {
    writeFileSync(join(folder, 'gone'), 'x');
    const receiver = make('pagerduty', { url: `${url}/v2/enqueue`, keyFile: 'gone' });
    rmSync(join(folder, 'gone'));
    const lines: LogLine[] = [];
    expect(await new Notifier((line) => lines.push(line), []).tell(receiver, TELLING)).toBe('lost');
    expect(lines).toMatchObject([
      { level: 'error', event: 'not notified', reason: expect.stringContaining('expected a file with a secret') },
    ]);
  });

  test('a receiver that sends elsewhere is not followed, and no secret is in the log', async () => {
    process.env['LOGODDS_SLACK_URL'] = `${url}/slack/T0P/S3CRET`;
    answer = () => 307;
    const lines: LogLine[] = [];
    const notifier = new Notifier((line) => lines.push(line), [1]);
    expect(await notifier.tell(make('slack', {}), TELLING)).toBe('lost');
    expect(received.map(({ path }) => path)).toEqual(['/slack/T0P/S3CRET']);
    expect(JSON.stringify(lines)).toContain('status 307');
    expect(JSON.stringify(lines)).not.toContain('S3CRET');
    expect(notifier).toMatchObject({ sent: 0, lost: 1 });
  });

  test('of more messages than may be on their way the rest is lost, and said', async () => {
    const lines: LogLine[] = [];
    const notifier = new Notifier((line) => lines.push(line), []);
    const receiver = make('webhook', { url: `${url}/hook` });
    await Promise.all(Array.from({ length: 105 }, () => notifier.tell(receiver, TELLING)));
    expect(notifier).toMatchObject({ sent: 100, lost: 5 });
    expect(lines[0]).toMatchObject({ reason: 'more than 100 messages are on their way' });
  });
});
