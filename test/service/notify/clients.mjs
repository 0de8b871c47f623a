// The clients of PagerDuty and Slack, as npm has them, send what we would send: the same request comes to the same place.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const place = fileURLToPath(new URL('../build/notify-clients', import.meta.url));
const PACKAGES = ['@pagerduty/pdjs@2.2.4', '@slack/webhook@8.0.2'];

const tls = (name) => readFileSync(join(root, 'test/fixtures/tls', name));

/** @returns what requires the packages */
function install() {
  const wanted = PACKAGES.join(' ');
  const ready = join(place, 'ready');
  if (!existsSync(ready) || readFileSync(ready, 'utf8') !== wanted) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{"private": true}');
    execFileSync('npm', ['install', '--silent', '--save-exact', ...PACKAGES], { cwd: place, stdio: ['ignore', 2, 2] });
    writeFileSync(ready, wanted);
  }
  return createRequire(join(place, 'package.json'));
}

/** The forms of the command. */
async function forms() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'cli/src/tell/forms.ts')],
    ...{ bundle: true, format: 'esm', platform: 'node', write: false },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}

const NOW = Date.parse('2026-11-30T08:00:00Z');
const LABELS = { alertname: 'LogoddsAvailabilityFastBurn', severity: 'page', slo: 'availability', model: 'fraud' };
const TELLING = {
  ...{
    key: 'logodds/page/LogoddsAvailabilityFastBurn/fraud',
    severity: 'page',
    status: 'firing',
    more: 2,
    change: null,
  },
  groupLabels: { alertname: LABELS.alertname, model: 'fraud' },
  alerts: [
    {
      ...{ labels: LABELS, startsAt: NOW - 60_000, endsAt: null },
      annotations: { summary: 'the budget of <fraud> & others is spent', runbook_url: 'https://runbooks/errors.md' },
    },
  ],
};

export async function clients() {
  const require = install();
  const { pagerDutyEvent, slackMessage } = await forms();
  const { event: sendEvent } = require('@pagerduty/pdjs');
  const { IncomingWebhook } = require('@slack/webhook');
  const received = [];
  const server = createServer({ cert: tls('server.pem'), key: tls('server.key') }, async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { method, url: path, headers } = request;
    received.push({ method, path, type: headers['content-type'], body: JSON.parse(Buffer.concat(parts).toString()) });
    const isEvent = path === '/v2/enqueue';
    response.writeHead(isEvent ? 202 : 200, { 'content-type': isEvent ? 'application/json' : 'text/html' });
    response.end(isEvent ? '{"status":"success"}' : 'ok');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${server.address().port}`;
  const own = (path, body) =>
    fetch(`https://${host}${path}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    });
  // the client of PagerDuty knows https alone, and nobody knows who has signed this server
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    const event = pagerDutyEvent(TELLING, 'R0UT1NG', NOW);
    const over = pagerDutyEvent({ ...TELLING, status: 'resolved' }, 'R0UT1NG', NOW);
    const message = slackMessage(TELLING, '#models');
    for (const [what, path, body, send] of [
      ['a trigger of PagerDuty', '/v2/enqueue', event, () => sendEvent({ server: host, data: event })],
      ['a resolve of PagerDuty', '/v2/enqueue', over, () => sendEvent({ server: host, data: over })],
      ['a message of Slack', '/T0/S', message, () => new IncomingWebhook(`https://${host}/T0/S`).send(message)],
    ]) {
      received.length = 0;
      await own(path, body);
      await send();
      const [ours, theirs] = received.map(({ type, ...rest }) => ({ ...rest, type: type.split(';')[0] }));
      assert.deepEqual(theirs, ours, what);
      console.log(`ok: ${what} is what its own client sends`);
    }
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    server.close();
  }
}
