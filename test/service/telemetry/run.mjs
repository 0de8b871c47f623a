// What a service tells of itself, read by the programs that it is meant for: traces and metrics of OTLP by OpenTelemetry's own definitions of its
// messages (PyPI opentelemetry-proto), /metrics by promtool (Debian's prometheus). A disk that fills up, and a process that is killed while it writes.
//   npm run test:service -- telemetry
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const venv = fileURLToPath(new URL('../build/venv-telemetry', import.meta.url));
const MODEL = 'codes=test/conformance/codes.safetensors';
const RECORD = '{"code":"2","x":0.5}';

function install() {
  const wanted = readFileSync(`${here}requirements.txt`, 'utf8');
  if (!existsSync(`${venv}/ready`) || readFileSync(`${venv}/ready`, 'utf8') !== wanted) {
    rmSync(venv, { recursive: true, force: true });
    const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 2, 2] });
    run('python3', '-m', 'venv', venv);
    run(`${venv}/bin/python`, '-m', 'pip', 'install', '--quiet', '--requirement', `${here}requirements.txt`);
    writeFileSync(`${venv}/ready`, wanted);
  }
  if (spawnSync('promtool', ['--version']).status !== 0) {
    console.error('installing prometheus ...');
    const apt = (...args) => execFileSync('apt-get', args, { stdio: ['ignore', 2, 2] });
    apt('update');
    apt('install', '--yes', '--no-install-recommends', 'prometheus');
  }
}

/** The first line that a child prints, as JSON. */
const firstLine = (child) =>
  new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });

const exitOf = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve));

/** Processes that were started and have not ended. */
const children = new Set();

function start(args, env = {}) {
  const child = spawn(
    process.execPath,
    ['cli/bin/logodds.js', 'serve', MODEL, '--no-grpc', '--port', '0', '--json', ...args],
    { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends what a part that failed has left. */
async function endAll() {
  for (const child of [...children]) {
    child.kill('SIGKILL');
    await exitOf(child);
  }
}

/** A service of the command. */
async function serve(args, env = {}) {
  const child = start(args, env);
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const { url } = await firstLine(child);
  const ask = (path, body, headers = { 'content-type': 'application/json' }) =>
    fetch(`${url}${path}`, body === undefined ? {} : { method: 'POST', body, headers });
  const stop = (signal = 'SIGTERM') => {
    child.kill(signal);
    return exitOf(child);
  };
  return { ask, stop, errors: () => errors };
}

/** Waits until something is so. */
async function until(what, isSo) {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await isSo();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what}: not so within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function must(isSo, what) {
  if (!isSo) throw new Error(what);
}

const numberOf = async (ask, name) => {
  const text = await (await ask('/metrics')).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
};

/** Spans and metrics arrive, as an option and as the environment name the place; the last ones with the end of the process. */
async function otlp() {
  const receiver = spawn(`${venv}/bin/python`, [`${here}receiver.py`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const got = [];
  const port = await new Promise((resolve) => {
    createInterface(receiver.stdout).on('line', (line) => {
      const told = JSON.parse(line);
      if (told.port) resolve(told.port);
      else got.push(told);
    });
  });
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    for (const [args, env] of [
      [['--otlp', endpoint], {}],
      [[], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: 'scores' }],
    ]) {
      got.length = 0;
      const { ask, stop } = await serve(args, { OTEL_METRIC_EXPORT_INTERVAL: '60000', ...env });
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const headers = { 'content-type': 'application/json', traceparent };
      must((await ask('/models/codes/score', RECORD, headers)).status === 200, 'otlp: expected 200');
      must((await stop()) === 0, 'otlp: expected the service to end with 0');
      const traces = got.filter(({ path }) => path === '/v1/traces');
      must(
        traces.every(({ type }) => type === 'application/x-protobuf'),
        'otlp: expected protobuf',
      );
      const spans = traces.flatMap(({ message }) =>
        message.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
      );
      const server = spans.find(({ kind }) => kind === 'SPAN_KIND_SERVER');
      const hex = (base64) => Buffer.from(base64, 'base64').toString('hex');
      must(server?.name === 'POST /models/{model}/score', `otlp: expected a span of the server, got ${server?.name}`);
      must(hex(server.traceId) === '0af7651916cd43dd8448eb211c80319c', 'otlp: expected the trace of the caller');
      must(hex(server.parentSpanId) === 'b7ad6b7169203331', 'otlp: expected the span of the caller as parent');
      must(
        ['decode', 'score', 'encode'].every((name) =>
          spans.some((span) => span.name === name && span.parentSpanId === server.spanId),
        ),
        'otlp: expected a span of each stage',
      );
      const named = (resource) => resource.attributes.find(({ key }) => key === 'service.name').value.stringValue;
      const name = named(traces[0].message.resourceSpans[0].resource);
      must(name === (env.OTEL_SERVICE_NAME ?? 'logodds'), `otlp: expected the name of the service, got ${name}`);
      const metrics = got
        .filter(({ path }) => path === '/v1/metrics')
        .flatMap(({ message }) =>
          message.resourceMetrics.flatMap((all) => all.scopeMetrics.flatMap((scope) => scope.metrics)),
        );
      const duration = metrics.find((metric) => metric.name === 'http.server.request.duration');
      must(duration?.histogram.dataPoints[0].count === '1', 'otlp: expected a duration of one request');
    }
    console.log('otlp: ok');
    await watched(`http://127.0.0.1:${port}`, got);
  } finally {
    receiver.kill();
  }
  // nobody receives: requests are answered, the log says it, the end does not wait
  const { ask, stop, errors } = await serve(['--otlp', 'http://127.0.0.1:9']);
  must((await ask('/models/codes/score', RECORD)).status === 200, 'otlp: expected 200 without a receiver');
  must((await stop()) === 0, 'otlp: expected the end without a receiver');
  must(errors().includes('"event":"telemetry"'), `otlp: expected a line of the log, got ${errors()}`);
  console.log('otlp without a receiver: ok');
}

/** Names of Datadog's check of OpenMetrics: a namespace, and the metric without its prefix. Counters of OTLP have no `_total`. */
const datadogName = (family, { namespace, raw_metric_prefix: prefix }) =>
  `${namespace}.${family.replace(new RegExp(`^${prefix}`), '').replace(/_total$/, '')}`;

/** Of several processes, figures of the watch come once, under the names that /metrics and Datadog's check have, with the same values. */
async function watched(endpoint, got) {
  const [check] = parse(readFileSync(join(root, 'deploy/datadog/openmetrics.yaml'), 'utf8')).instances;
  got.length = 0;
  const { ask, stop } = await serve(['--otlp', endpoint, '--watch', '--workers', '2'], {
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  });
  for (let i = 0; i < 40; i++) must((await ask('/models/codes/score', RECORD)).status === 200, 'watch: expected 200');
  const families = (text) =>
    [...text.matchAll(/^(lr_(?:watch|drift)_\w+)\{([^}]*)\} (\S+)$/gm)].map(([, name, labels, value]) => ({
      ...{ name, value: Number(value) },
      labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, one]) => [key, one])),
    }));
  const points = () =>
    got
      .filter(({ path }) => path === '/v1/metrics')
      .flatMap(({ message }) =>
        message.resourceMetrics.flatMap((all) => all.scopeMetrics.flatMap((scope) => scope.metrics)),
      )
      .flatMap((metric) =>
        (metric.gauge ?? metric.sum ?? { dataPoints: [] }).dataPoints.map((point) => ({
          name: metric.name,
          value: Number(point.asDouble ?? point.asInt),
          labels: Object.fromEntries((point.attributes ?? []).map(({ key, value }) => [key, value.stringValue])),
        })),
      );
  const renamed = (labels) =>
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [check.rename_labels[key] ?? key, value]));
  const isSame = (one, other) =>
    one.name === other.name &&
    Math.abs(one.value - other.value) < 1e-9 &&
    Object.keys({ ...one.labels, ...other.labels }).every((key) => one.labels[key] === other.labels[key]);
  let missing = [];
  await until('watch over OTLP', async () => {
    const shown = families(await (await ask('/metrics')).text());
    const rows = shown.find(({ name }) => name === 'lr_watch_scored_rows_total');
    if (rows?.value !== 40) return false;
    const found = points();
    missing = shown.filter(
      ({ name, value, labels }) =>
        !Number.isNaN(value) &&
        !found.some((one) => isSame(one, { name: datadogName(name, check), value, labels: renamed(labels) })),
    );
    return missing.length === 0;
  }).catch((error) => {
    throw new Error(`${error.message}; missing: ${JSON.stringify(missing.slice(0, 3))}`);
  });
  got.length = 0;
  await until('an export', async () => points().some(({ name }) => name === 'logodds.watch_scored_rows'));
  const each = got
    .filter(({ path }) => path === '/v1/metrics')
    .filter(({ message }) => JSON.stringify(message).includes('"logodds.watch.models"')).length;
  const all = got.filter(({ path }) => path === '/v1/metrics').length;
  must((await stop()) === 0, 'watch: expected the end');
  must(each < all || all === 1, `watch: expected one process to tell of it, got ${each} of ${all} exports`);
  console.log('watch over OTLP: ok');
}

/** promtool finds nothing to say. */
async function prometheus() {
  const { ask, stop } = await serve([]);
  await ask('/models/codes/score', RECORD);
  await ask('/models/codes/score', '{}');
  await ask('/models/none/score', RECORD);
  const text = await (await ask('/metrics')).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  must(status === 0 && `${stdout}${stderr}`.trim() === '', `promtool: ${stdout}${stderr}`);
  const names = [
    'lr_requests_in_flight',
    'lr_model_load_failures_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
  ];
  for (const name of names) must(text.includes(`# HELP ${name} `), `metrics: expected ${name}`);
  await stop();
  console.log('promtool: ok');
}

/** A full disk: requests are answered, what is lost is counted and said once, and the log goes on when there is room. */
async function fullDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  if (mounted.status !== 0) {
    console.log('full disk: skipped, expected leave to mount a small disk');
    rmSync(folder, { recursive: true });
    return;
  }
  try {
    const { ask, stop, errors } = await serve(['--log', join(folder, 'log'), '--audit', join(folder, 'audit.jsonl')]);
    const body = `[${new Array(100).fill(RECORD)}]`;
    const dropped = () => numberOf(ask, 'lr_predictions_dropped_total');
    await until('full disk', async () => {
      must((await ask('/models/codes/score', body)).status === 200, 'full disk: expected 200');
      return (await dropped()) > 0 && (await numberOf(ask, 'lr_audit_dropped_total')) > 0;
    });
    const files = readdirSync(join(folder, 'log'));
    for (const file of files) {
      const text = readFileSync(join(folder, 'log', file), 'utf8');
      must(text === '' || text.endsWith('\n'), 'full disk: expected whole lines');
    }
    for (const file of files) rmSync(join(folder, 'log', file));
    const before = await numberOf(ask, 'lr_predictions_logged_total');
    await ask('/models/codes/score', RECORD);
    await until('room again', async () => (await numberOf(ask, 'lr_predictions_logged_total')) > before);
    must((await stop()) === 0, 'full disk: expected the end');
    const said = errors()
      .split('\n')
      .filter((line) => line.includes('"predictions dropped"'));
    must(
      said.length === 1 && said[0].includes('ENOSPC'),
      `full disk: expected one line of the log, got ${said.length}`,
    );
    const found = verify([join(folder, 'audit.jsonl')]);
    must(
      found.valid && found.dropped > 0,
      `full disk: expected a valid audit log that tells of its gap, got ${JSON.stringify(found)}`,
    );
    console.log('full disk: ok');
  } finally {
    await endAll();
    spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

const verify = (files) =>
  JSON.parse(
    spawnSync(process.execPath, ['cli/bin/logodds.js', 'audit', 'verify', ...files, '--json'], {
      cwd: root,
      encoding: 'utf8',
    }).stdout,
  );

/** Killed at any time, the audit log is valid; strict, it has every answer that was given. */
async function killed() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-killed-'));
  const path = join(folder, 'audit.jsonl');
  const answered = new Set();
  for (let start = 0; start < 5; start++) {
    const { ask, stop } = await serve(['--audit', path, '--audit-strict']);
    let isOver = false;
    const client = async (name) => {
      for (let i = 0; !isOver; i++) {
        const id = `${start}-${name}-${i}`;
        try {
          const response = await ask('/models/codes/score', RECORD, {
            'content-type': 'application/json',
            'x-request-id': id,
          });
          if (response.status === 200) answered.add(id);
        } catch {
          return;
        }
      }
    };
    const clients = [0, 1, 2, 3].map(client);
    const wanted = answered.size + 50 + 37 * start;
    await until('answers', () => answered.size >= wanted);
    await stop('SIGKILL');
    isOver = true;
    await Promise.all(clients);
  }
  const { stop } = await serve(['--audit', path]);
  await stop();
  const found = verify([path]);
  must(found.valid, `killed: ${JSON.stringify(found)}`);
  const kept = new Set(
    readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => /"id":"([^"]+)"/.exec(line)?.[1]),
  );
  const lost = [...answered].filter((id) => !kept.has(id));
  must(lost.length === 0, `killed: ${lost.length} of ${answered.size} answers are not in the audit log`);
  rmSync(folder, { recursive: true });
  console.log(`killed five times, ${answered.size} answers, ${found.lines} lines, ${found.torn} torn: ok`);
}

/** A reader of standard error that stands still, and one that goes: requests are answered. */
async function slowReader() {
  for (const goes of [false, true]) {
    // so many at once may wait longer than is let in by default
    const child = start(['--log-level', 'info', '--max-delay', '0']);
    const { url } = await firstLine(child);
    if (goes) child.stderr.destroy();
    else child.stderr.pause();
    const headers = { 'content-type': 'application/json' };
    const ask = (path, body) => fetch(`${url}${path}`, body ? { method: 'POST', body, headers } : {});
    await until('dropped lines', async () => {
      const all = await Promise.all(Array.from({ length: 200 }, () => ask('/models/codes/score', RECORD)));
      must(
        all.every(({ status }) => status === 200),
        'slow reader: expected 200',
      );
      await Promise.all(all.map((response) => response.arrayBuffer()));
      return (await numberOf(ask, 'lr_log_dropped_total')) > 0;
    });
    child.kill('SIGTERM');
    must((await exitOf(child)) === 0, 'slow reader: expected the end with 0');
  }
  console.log('slow reader: ok');
}

export async function telemetry() {
  install();
  mkdirSync(join(here, '../build'), { recursive: true });
  let failed = 0;
  for (const part of [prometheus, otlp, fullDisk, killed, slowReader]) {
    try {
      await part();
    } catch (error) {
      console.error(error.message);
      failed++;
    } finally {
      await endAll();
    }
  }
  return failed === 0;
}
