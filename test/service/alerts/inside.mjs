// `serve --slo` alone: no Prometheus. A blip is told to nobody, a fault to a webhook, PagerDuty, Slack, an Alertmanager and by mail; the service is killed
// and goes on; the end is told. The mail server, the Alertmanager and the service are real; the others are told by HTTP here.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { venv } from '../venv.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const [GOOD, BAD] = ['{"code":"2","x":0.5}\n', '{"code":"2","x":"half"}\n'];
const SECRETS = ['R0UT1NG', 'S3CRET', 'hunter2'];

const lines = (child, take) => createInterface(child.stdout).on('line', (line) => take(JSON.parse(line)));

/** @param tools  of the suite: freePort, until, must */
export async function inside(folder, { freePort, until, must }) {
  const children = [];
  const start = (program, args, env = {}) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.log = '';
    child.stderr.on('data', (data) => {
      child.log += data;
    });
    children.push(child);
    return child;
  };
  const told = [];
  const receiver = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    told.push({ path: request.url, body: JSON.parse(Buffer.concat(parts).toString()) });
    response.writeHead(202).end();
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${receiver.address().port}`;
  const of = (path) => told.filter((one) => one.path === path).map(({ body }) => body);
  try {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    const mails = [];
    const smtp = start(
      venv('venv-alerts', join(here, 'requirements.txt')),
      [join(here, 'smtp.py'), cert, key, String(await freePort())],
      { SMTP_PASSWORD: 'hunter2' },
    );
    const { port: smtpPort } = await new Promise((resolve, reject) => {
      lines(smtp, (line) => ('port' in line ? resolve(line) : mails.push(line)));
      smtp.once('exit', () => reject(new Error(`the mail server ended: ${smtp.log}`)));
    });
    const managerPort = await freePort();
    writeFileSync(
      join(folder, 'manager.yml'),
      `route: {receiver: all, group_by: [alertname, model], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}\nreceivers: [{name: all, webhook_configs: [{url: '${at}/manager'}]}]\n`,
    );
    start('prometheus-alertmanager', [
      `--config.file=${join(folder, 'manager.yml')}`,
      `--storage.path=${join(folder, 'manager')}`,
      `--web.listen-address=127.0.0.1:${managerPort}`,
      '--cluster.listen-address=',
    ]);
    const mail = {
      to: 'team@example.com',
      from: 'logodds@example.com',
      server: `localhost:${smtpPort}`,
      user: 'logodds',
    };
    writeFileSync(
      join(folder, 'slo.json'),
      JSON.stringify({
        // windows of 60 s and 5 s
        period: '12h',
        objectives: { availability: {}, latency: { below: 2.5 }, admission: {}, acceptedRows: {} },
        pace: { page: { wait: '1s', interval: '2s' }, ticket: { wait: '1s', interval: '2s' } },
        notify: {
          page: [
            { webhook: { url: `${at}/page` } },
            { pagerduty: { url: `${at}/v2/enqueue` } },
            { slack: { channel: '#models' } },
            { email: mail },
            { alertmanager: { url: `http://127.0.0.1:${managerPort}` } },
            // nobody is there
            { webhook: { url: `http://127.0.0.1:${await freePort()}/` } },
          ],
          ticket: [{ webhook: { url: `${at}/ticket` } }],
        },
      }),
    );
    const serve = async () => {
      const child = start(
        process.execPath,
        [
          'cli/bin/logodds.js',
          'serve',
          'codes=test/conformance/codes.safetensors',
          '--no-grpc',
          '--port',
          '0',
          '--json',
          '--workers',
          '2',
          '--slo',
          join(folder, 'slo.json'),
          '--slo-state',
          join(folder, 'state.json'),
        ],
        {
          LOGODDS_PAGERDUTY_KEY: 'R0UT1NG',
          LOGODDS_SLACK_URL: `${at}/services/T0/S3CRET`,
          LOGODDS_SMTP_PASSWORD: 'hunter2',
          NODE_EXTRA_CA_CERTS: cert,
        },
      );
      const { url } = await new Promise((resolve, reject) => {
        lines(child, resolve);
        child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${child.log}`)));
      });
      return { child, url };
    };
    let { child, url } = await serve();
    const during = async (seconds, line, isOver = () => false) => {
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end && !isOver()) {
        const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: line.repeat(20) };
        await (await fetch(`${url}/models/codes/score`, init)).text();
        await sleep(50);
      }
    };
    const alerts = async () => (await fetch(`${url}/alerts`)).json();
    const metric = async (name) => {
      const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await fetch(`${url}/metrics`)).text());
      return found ? Number(found[1]) : null;
    };

    await during(40, GOOD);
    await during(2, BAD);
    await during(6, GOOD);
    must(told.length + mails.length === 0, `a blip was told: ${JSON.stringify(told)}`);
    const begun = performance.now();
    await during(90, BAD, () => of('/page').length > 0);
    const seconds = (performance.now() - begun) / 1000;
    must(of('/page').length > 0, `a fault was told to nobody: ${JSON.stringify(await alerts())} ${child.log}`);
    await until('all are told', 30, async () => {
      await during(0.2, BAD);
      return (
        of('/v2/enqueue').length > 0 &&
        of('/services/T0/S3CRET').length > 0 &&
        of('/manager').length > 0 &&
        mails.length > 0
      );
    });
    const [own] = of('/page');
    const [managers] = of('/manager');
    // an Alertmanager that was told of the same tells the same, in the same form
    assert.deepEqual(Object.keys(own).sort(), Object.keys(managers).sort());
    assert.deepEqual(Object.keys(own.alerts[0]).sort(), Object.keys(managers.alerts[0]).sort());
    for (const part of ['labels', 'annotations', 'fingerprint', 'status'])
      assert.deepEqual(own.alerts[0][part], managers.alerts[0][part], part);
    assert.equal(own.alerts[0].endsAt, '0001-01-01T00:00:00Z');
    assert.deepEqual(own.groupLabels, managers.groupLabels);
    assert.deepEqual(own.alerts[0].labels, {
      alertname: 'LogoddsAcceptedRowsFastBurn',
      severity: 'page',
      slo: 'acceptedRows',
      model: 'codes',
    });
    assert.match(own.alerts[0].annotations.runbook_url, /runbooks\/schema-change\.md$/);
    const [incident] = of('/v2/enqueue');
    assert.equal(incident.routing_key, 'R0UT1NG');
    assert.equal(incident.event_action, 'trigger');
    assert.equal(of('/services/T0/S3CRET')[0].channel, '#models');
    const [letter] = mails;
    assert.deepEqual(
      [letter.tls, letter.user, letter.to, letter.automatic],
      [true, 'logodds', ['team@example.com'], 'auto-generated'],
    );
    assert.match(letter.subject, /^\[page\] LogoddsAcceptedRowsFastBurn of codes/);
    assert.match(letter.text, /What to do: https/);
    // a page stands for its ticket
    assert.deepEqual(
      of('/ticket').filter(({ groupLabels }) => groupLabels.alertname.includes('AcceptedRows')),
      [],
    );
    await until('what nobody took is counted', 30, async () => {
      await during(0.5, BAD);
      return (await metric('lr_alert_notifications_lost_total')) > 0 && child.log.includes('not notified');
    });
    assert.equal(await metric('lr_alerts\\{alert="LogoddsAcceptedRowsFastBurn",severity="page",state="firing"\\}'), 1);
    const silence = await fetch(`${url}/alerts/silences`, {
      method: 'POST',
      body: JSON.stringify({ alert: 'LogoddsLatencyFastBurn', until: '1h', why: 'a test' }),
    });
    assert.equal(silence.status, 200);
    // what was told is kept within a second
    await during(3, BAD);

    const before = told.length;
    const budgets = async () => (await alerts()).budgets.find(({ slo }) => slo === 'acceptedRows');
    const spent = await budgets();
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const log = child.log;
    ({ child, url } = await serve());
    await during(3, BAD);
    const after = await alerts();
    assert.equal(
      told.slice(before).filter(({ path }) => path !== '/manager').length,
      0,
      'the same was told twice after a restart',
    );
    assert.deepEqual(
      after.silences.map(({ alert, why }) => [alert, why]),
      [['LogoddsLatencyFastBurn', 'a test']],
    );
    assert.ok(after.alerts.some(({ alert, state }) => alert === 'LogoddsAcceptedRowsFastBurn' && state === 'firing'));
    // at most what was counted since it was kept last is lost
    const kept = (await budgets()).bad / spent.bad;
    assert.ok(kept > 0.5, `budgets: ${kept} of what was counted is left`);

    await during(120, GOOD, () => of('/page').some(({ status }) => status === 'resolved'));
    await until('the end is told', 60, async () => {
      await during(0.5, GOOD);
      return (
        of('/v2/enqueue').length > 1 && mails.length > 1 && of('/manager').some(({ status }) => status === 'resolved')
      );
    });
    const resolved = of('/page').find(({ status }) => status === 'resolved');
    assert.equal(resolved.groupKey, own.groupKey);
    assert.equal(resolved.alerts[0].fingerprint, own.alerts[0].fingerprint);
    assert.deepEqual(of('/v2/enqueue').at(-1), {
      routing_key: 'R0UT1NG',
      dedup_key: incident.dedup_key,
      event_action: 'resolve',
    });
    assert.match(mails.at(-1).subject, /^\[over\]/);
    assert.equal(mails.at(-1).thread, letter.thread);
    const all = log + child.log + readFileSync(join(folder, 'state.json'), 'utf8');
    for (const secret of SECRETS) must(!all.includes(secret), `a secret is in the log or in the state: ${secret}`);
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 0);
    return `a blip of 2 s is told to nobody, a fault after ${seconds.toFixed(0)} s to five receivers, its end after a kill -9 too; ${told.length} messages and ${mails.length} mails`;
  } finally {
    receiver.close();
    for (const child of children) child.kill('SIGKILL');
  }
}
