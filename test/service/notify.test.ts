import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Notifier } from '../../cli/src/tell/notifier.ts';
import { receiverOfTarget as receiverOf } from '../../cli/src/tell/targets.ts';
import { tellingOf } from '../../cli/src/tell/telling.ts';
import type { Change, LogLine } from '../../service/src/index.ts';

const CHANGE: Change = {
  event: 'rolled back',
  name: 'fraud',
  version: 4,
  why: 'errors of the challenger: expected at most 1 times those of the champion, got 7.2',
  at: '2026-11-30T08:00:00.000Z',
};

interface Sent {
  readonly dedup_key?: string;
  readonly labels: object;
  readonly endsAt: string;
}

let server: Server;
let url: string;
let received: { path: string; body: unknown }[] = [];
let statuses: number[] = [];
beforeEach(async () => {
  [received, statuses] = [[], []];
  server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      received.push({ path: request.url!, body: JSON.parse(text) });
      response.writeHead(statuses.shift() ?? 202).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['LOGODDS_PAGERDUTY_KEY'] = 'R0UT1NG';
});
afterEach(() => {
  delete process.env['LOGODDS_PAGERDUTY_KEY'];
  server.close();
});

/** What a target was sent of a change. */
async function told(target: string, change = CHANGE, waits: readonly number[] = [0, 0]) {
  const lines: LogLine[] = [];
  const notifier = new Notifier((line) => lines.push(line), waits);
  await notifier.tell(receiverOf(target), tellingOf(change));
  return { notifier, lines };
}

test('a webhook is told of every change, PagerDuty and the Alertmanager of those that a guard has ended', async () => {
  for (const target of [`${url}/hook`, `pagerduty+${url}/v2/enqueue`, `alertmanager+${url}/`]) {
    await told(target);
    await told(target, { ...CHANGE, event: 'advanced' });
  }
  expect(received.map(({ path }) => path)).toEqual(['/hook', '/hook', '/v2/enqueue', '/api/v2/alerts']);
  expect(received[0].body).toEqual({ source: 'logodds', ...CHANGE });
  expect(received[2].body).toMatchObject({
    routing_key: 'R0UT1NG',
    event_action: 'trigger',
    dedup_key: 'logodds/fraud/4',
    payload: {
      summary: `version 4 of fraud was rolled back: ${CHANGE.why}`,
      severity: 'critical',
      source: 'logodds serve',
    },
  });
  expect(received[3].body).toMatchObject([
    {
      labels: { alertname: 'LogoddsRolledBack', model: 'fraud', version: '4' },
      annotations: { description: CHANGE.why },
      // it lasts until it is resolved, a day at most
      startsAt: CHANGE.at,
      endsAt: '2026-12-01T08:00:00.000Z',
    },
  ]);
});

test('the end of an alarm is told under the names of its begin, and to no webhook', async () => {
  const over: Change = { ...CHANGE, event: 'resolved', at: '2026-11-30T09:00:00.000Z' };
  for (const target of [`${url}/hook`, `pagerduty+${url}/v2/enqueue`, `alertmanager+${url}/`]) {
    await told(target);
    await told(target, over);
  }
  expect(received.map(({ path }) => path)).toEqual([
    ...['/hook', '/v2/enqueue', '/v2/enqueue', '/api/v2/alerts', '/api/v2/alerts'],
  ]);
  const [, begun, ended, alert, end] = received.map(({ body }) => body as Sent & Sent[]);
  expect(ended).toEqual({ routing_key: 'R0UT1NG', event_action: 'resolve', dedup_key: begun.dedup_key });
  expect(end[0].labels).toEqual(alert[0].labels);
  expect(end[0].endsAt).toBe(over.at);
});

test('what fails for a moment is sent again; what is refused is not, and is said without the secret part of its address', async () => {
  statuses = [503, 429, 200];
  expect((await told(`${url}/hook?token=s3cret`)).notifier).toMatchObject({ sent: 1, lost: 0 });
  expect(received).toHaveLength(3);
  statuses = [400];
  const { notifier, lines } = await told(`${url}/hook?token=s3cret`);
  expect(notifier).toMatchObject({ sent: 0, lost: 1 });
  expect(lines).toMatchObject([{ event: 'not notified', at: url, reason: 'status 400' }]);
  expect(JSON.stringify(lines)).not.toMatch(/s3cret/);
  expect(received).toHaveLength(4);
});

test('a receiver that is away is said once, and rejects nothing', async () => {
  await new Promise((resolve) => server.close(resolve));
  const { notifier, lines } = await told(`alertmanager+${url}`);
  expect(notifier.lost).toBe(1);
  expect(lines).toMatchObject([{ level: 'error', event: 'not notified', model: 'fraud' }]);
});

test.each(['ftp://a', 'pagerdutyx', 'alertmanager', 'alertmanager+', 'https://', 'slackx'])(
  '%s is no receiver',
  (target) => {
    expect(() => receiverOf(target)).toThrow(
      /^--notify: expected https:\/\/…, alertmanager\+https:\/\/…, pagerduty or slack, got/,
    );
  },
);

test.each(['https://ann:hunter2@host/', 'alertmanager+https://ann@host', 'pagerduty+https://:hunter2@host/'])(
  '%s is refused: fetch takes no password in an address, and says it in its error',
  (target) => {
    expect(() => receiverOf(target)).toThrow(/^--notify: expected an address without a name and a password/);
    expect(() => receiverOf(target)).not.toThrow(/hunter2/);
  },
);

test('PagerDuty needs its key', () => {
  delete process.env['LOGODDS_PAGERDUTY_KEY'];
  expect(() => receiverOf('pagerduty')).toThrow(/expected a secret in LOGODDS_PAGERDUTY_KEY, got none/);
});
