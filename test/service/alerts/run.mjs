// What `logodds slo export` writes, given to the programs that it is for: rules by promtool, routes by amtool, and all of it in a Prometheus and an
// Alertmanager that watch a service. A blip is told to nobody, a fault pages, its end is told too. Each query of each dashboard is asked of that Prometheus.
// `serve --slo` evaluates the same by itself: beside promtool on the same samples, and with receivers that are real.
//   npm run test:service -- alerts
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { sameAsPrometheus } from './differential.mjs';
import { inside } from './inside.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const LOGODDS = 'cli/bin/logodds.js';

/** All objectives, one of them twice, and all receivers. */
const WHOLE = {
  objectives: {
    availability: [{}, { models: ['a.b', 'c'], target: 0.99 }],
    latency: { below: 1, target: 0.95 },
    admission: {},
    acceptedRows: {},
    knownRows: {},
    predictionLog: {},
    labels: {},
  },
  notify: {
    page: [{ pagerduty: { keyFile: 'key' } }, { webhook: { url: 'http://localhost:1/' } }],
    ticket: [
      { slack: { urlFile: 'slack', channel: '#models' } },
      {
        email: {
          to: 'team@example.com',
          from: 'logodds@example.com',
          server: 'localhost:25',
          user: 'u',
          passwordFile: 'p',
        },
      },
    ],
  },
};

function install() {
  if (spawnSync('promtool', ['--version']).status === 0 && spawnSync('amtool', ['--version']).status === 0) return;
  console.error('installing prometheus and alertmanager ...');
  const apt = (...args) => execFileSync('apt-get', args, { stdio: ['ignore', 2, 2] });
  apt('update');
  apt('install', '--yes', '--no-install-recommends', 'prometheus', 'prometheus-alertmanager');
}

function must(isSo, what) {
  if (!isSo) throw new Error(what);
}

const run = (program, ...args) =>
  execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function exported(folder, settings) {
  writeFileSync(join(folder, 'slo.json'), JSON.stringify(settings));
  const out = join(folder, 'out');
  return {
    out,
    ...JSON.parse(
      run(process.execPath, LOGODDS, 'slo', 'export', '--config', join(folder, 'slo.json'), '--out', out, '--json'),
    ),
  };
}

/** The files as they are, by the tools of those who read them. */
function checked(folder) {
  const { out, files } = exported(folder, WHOLE);
  const rules = files.filter((file) => file.startsWith('prometheus/rules/')).map((file) => join(out, file));
  run('promtool', 'check', 'rules', ...rules);
  run('promtool', 'check', 'config', join(out, 'prometheus/prometheus.yml'));
  run('amtool', 'check-config', join(out, 'alertmanager/alertmanager.yml'));
  const tests = files.filter((file) => file.startsWith('prometheus/tests/'));
  for (const file of tests) run('promtool', 'test', 'rules', join(out, file));
  // a test that cannot fail is none: with half the factor a blip pages
  const text = readFileSync(rules[0], 'utf8');
  writeFileSync(rules[0], text.replaceAll(/> ignoring \(window\) 0\.0144 \*/g, '> ignoring (window) 0.004 *'));
  must(
    spawnSync('promtool', ['test', 'rules', join(out, tests[0])]).status !== 0,
    'tests of rules pass with other limits',
  );
  return `${rules.length} files of rules, ${tests.length} of tests`;
}

const freePort = () =>
  new Promise((resolve) => {
    const socket = createSocket().listen(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });

async function until(what, seconds, isSo) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await isSo();
    if (found) return found;
    must(performance.now() < end, `${what}: not so within ${seconds} s`);
    await sleep(100);
  }
}

/** A service, a Prometheus, an Alertmanager, and one who is told; a period of 12 h makes windows of 60 s and 5 s. */
async function watched(folder) {
  const children = [];
  const start = (program, args, options) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.stderr.resume();
    children.push(child);
    return child;
  };
  const told = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      const { status, alerts } = JSON.parse(body);
      told.push(...alerts.map(({ labels, annotations }) => ({ status, path: request.url, labels, annotations })));
      response.end();
    });
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const telling = `http://127.0.0.1:${receiver.address().port}`;
  try {
    const service = start(process.execPath, [
      LOGODDS,
      'serve',
      'codes=test/conformance/codes.safetensors',
      '--no-grpc',
      '--port',
      '0',
      '--json',
    ]);
    const { url } = await new Promise((resolve, reject) => {
      createInterface(service.stdout).once('line', (line) => resolve(JSON.parse(line)));
      service.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
    });
    const { out } = exported(folder, {
      period: '12h',
      target: new URL(url).host,
      objectives: {
        availability: {},
        latency: { below: 2.5 },
        admission: {},
        acceptedRows: {},
        knownRows: {},
        predictionLog: {},
        labels: {},
      },
      notify: { page: [{ webhook: { url: `${telling}/page` } }], ticket: [{ webhook: { url: `${telling}/ticket` } }] },
    });
    const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
    // what a test cannot wait for
    const routes = parse(readFileSync(join(out, 'alertmanager/alertmanager.yml'), 'utf8'));
    for (const route of [routes.route, ...routes.route.routes])
      Object.assign(route, { group_wait: '1s', group_interval: '1s' });
    writeFileSync(join(folder, 'alertmanager.yml'), stringify(routes));
    const config = parse(readFileSync(join(out, 'prometheus/prometheus.yml'), 'utf8'));
    Object.assign(config.global, { scrape_interval: '1s', evaluation_interval: '1s' });
    config.rule_files = [join(out, 'prometheus/rules/*.yml')];
    config.alerting.alertmanagers[0].static_configs[0].targets = [`127.0.0.1:${alertmanagerPort}`];
    writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
    start('prometheus-alertmanager', [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'am')}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ]);
    start('prometheus', [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prom')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]);
    const prometheus = `http://127.0.0.1:${prometheusPort}`;
    const isUp = (address) =>
      fetch(address).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('Prometheus is ready', 60, () => isUp(`${prometheus}/-/ready`));
    await until('Alertmanager is ready', 60, () => isUp(`http://127.0.0.1:${alertmanagerPort}/-/ready`));
    const ask = async (query) => {
      const response = await fetch(`${prometheus}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query }),
      });
      const { status, data, error } = await response.json();
      must(status === 'success', `${query}: ${error}`);
      return data.result;
    };
    const [good, bad] = ['{"code":"2","x":0.5}\n', '{"code":"2","x":"half"}\n'];
    const send = async (line) => {
      const response = await fetch(`${url}/models/codes/score`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: line.repeat(20),
      });
      await response.text();
    };
    const during = async (seconds, line, isOver = () => false) => {
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end && !isOver()) {
        await send(line);
        await sleep(100);
      }
    };
    // a blip is less than a twentieth of all rows, of which a condition of its own would speak
    await during(60, good);
    const [{ value: scored }] = await ask('sum(lr_rows_total)');
    must(Number(scored[1]) > 100, 'Prometheus has no rows');
    await during(2, bad);
    await during(12, good);
    must(told.length === 0, `a blip was told: ${JSON.stringify(told)}`);
    const begun = performance.now();
    await during(90, bad, () => told.some(({ path }) => path === '/page'));
    const seconds = (performance.now() - begun) / 1000;
    const page = told.find(({ path }) => path === '/page');
    must(page, 'a fault was told to nobody');
    must(
      page.labels.alertname === 'LogoddsAcceptedRowsFastBurn' && page.labels.model === 'codes',
      JSON.stringify(page),
    );
    must(page.annotations.runbook_url.endsWith('/docs/runbooks/schema-change.md'), JSON.stringify(page));
    must(
      !told.some(({ path, labels }) => path === '/ticket' && labels.slo === 'acceptedRows'),
      'a page and its ticket were both told',
    );
    await during(90, good, () => told.some(({ path, status }) => path === '/page' && status === 'resolved'));
    must(
      told.some(({ path, status }) => path === '/page' && status === 'resolved'),
      'the end of a fault was told to nobody',
    );
    const asked = await dashboardsAsked(out, ask);
    return `a blip of 2 s is told to nobody, a fault after ${seconds.toFixed(0)} s, its end too; ${asked}`;
  } finally {
    receiver.close();
    for (const child of children) child.kill('SIGKILL');
  }
}

/** What has no value there: no model is watched, and Prometheus evaluates the alerts. */
const OF_OTHERS =
  /lr_(score_psi|drift_psi|logit_shift|feature_|log_loss|estimated_|auc|calibration_|labels_missing|label_delay|alert)/;

/** Each query of each panel and annotation. Prometheus must take it; what has a value of a service that is asked must have one. */
async function dashboardsAsked(out, ask) {
  const filled = (expr) =>
    expr
      .replaceAll('$__rate_interval', '10s')
      .replaceAll('$__range', '60s')
      .replaceAll(/\$(?:job|model)\b/g, '.*');
  let count = 0;
  const empty = [];
  for (const name of readdirSync(join(out, 'grafana/dashboards'))) {
    const board = JSON.parse(readFileSync(join(out, 'grafana/dashboards', name), 'utf8'));
    must(board.uid && board.panels.length > 0, `${name}: no panels`);
    const panels = board.panels.filter(({ type }) => type !== 'row');
    const queries = [
      ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr])),
      ...board.annotations.list.map(({ name: title, expr }) => [title, expr]),
    ];
    for (const [title, expr] of queries) {
      count++;
      const found = await ask(filled(expr));
      if (found.length === 0 && !OF_OTHERS.test(expr)) empty.push(title);
    }
  }
  // nothing of these was there: no request failed, no second version was scored, no alert goes on, no model was trained again
  const MAY_BE_EMPTY = [
    'Alerts',
    'Errors by version',
    'Second scorings',
    'Rolled back',
    'Versions',
    'Changed',
    'Retrained',
  ];
  const wrong = empty.filter((title) => !MAY_BE_EMPTY.includes(title));
  must(wrong.length === 0, `queries without a value: ${wrong.join(', ')}`);
  return `${count} queries of dashboards asked`;
}

export async function alerts() {
  install();
  let failed = 0;
  const proven = async (name, part) => {
    const folder = mkdtempSync(join(tmpdir(), 'logodds-alerts-'));
    try {
      console.log(`passed  alerts, ${name}: ${await part(folder)}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  alerts, ${name}: ${error.message}${error.stdout ?? ''}${error.stderr ?? ''}`.slice(0, 5000));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await proven('checked', checked);
  await proven('as Prometheus', (folder) => sameAsPrometheus(folder, exported));
  // both wait most of the time
  await Promise.all([
    proven('watched', watched),
    proven('inside', (folder) => inside(folder, { freePort, until, must })),
  ]);
  return failed === 0;
}
