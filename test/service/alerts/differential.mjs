// What `serve --slo` evaluates by itself beside Prometheus: the same samples, the exported rules, and at each step the same alerts with the same sentences.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { parse, stringify } from 'yaml';

const STEP = 5;
const STEPS = 1000;
const INSTANCE = 'localhost:8080';

/** Numbers from 0 to 1 by a seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The engine, from its sources. */
async function engineIn(folder) {
  const outfile = join(folder, 'engine.mjs');
  await build({
    stdin: {
      contents: `export { Evaluation } from './cli/src/alerts/evaluation.ts';
export { samplesOf } from './cli/src/alerts/samples.ts';
export { settingsOf } from './cli/src/slo/settings.ts';`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'bundle',
    alias: {
      logodds: './src/index.ts',
      'logodds/score': './src/score.ts',
      'logodds/bytes': './src/bytes.ts',
      'logodds/stages': './src/stages.ts',
      'logodds/monitor': './src/monitor.ts',
    },
    external: ['yaml', '@duckdb/*', 'hono', 'hono/*', 'jose'],
    outfile,
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile));
}

/** Series by their names with labels, a value each step; null: it is not there yet. */
function samplesBy(random) {
  const series = {};
  const at = (family, labels) =>
    `${family}{${Object.entries({ ...labels, job: 'logodds', instance: INSTANCE })
      .map(([name, value]) => `${name}="${value}"`)
      .join(',')}}`;
  const counter = (name, of, begin = 0) => {
    const values = [];
    let total = 0;
    for (let k = 0; k < STEPS; k++) {
      if (k < begin) values.push(null);
      else {
        if (k > begin) total += of(k);
        // the process begins anew
        if (resets.has(k) && k > begin) total = of(k);
        values.push(total);
      }
    }
    series[name] = values;
  };
  const gauge = (name, of) => {
    series[name] = Array.from({ length: STEPS }, (_, k) => of(k));
  };
  const resets = new Set(Array.from({ length: 3 }, () => 1 + Math.floor(random() * STEPS)));
  /** a share for each step: calm mostly, now and then a fault of some length */
  const shares = () => {
    const list = [];
    while (list.length < STEPS) {
      const isFault = random() < 0.35;
      const length = isFault ? 1 + Math.floor(random() ** 3 * 120) : 10 + Math.floor(random() * 120);
      const share = isFault ? random() ** 2 : random() < 0.5 ? 0 : random() * 0.004;
      for (let i = 0; i < length; i++) list.push(share);
    }
    return list;
  };
  for (const [model, begin] of [
    ['a', 0],
    ['b', 137],
  ]) {
    const [bad, slow, refused] = [shares(), shares(), shares()];
    const many = Array.from({ length: STEPS }, () => (random() < 0.1 ? 0 : Math.floor(random() * 400)));
    const of = (list) => (k) => Math.round(many[k] * list[k]);
    counter(
      at('lr_requests_total', { model, version: '1', protocol: 'own', code: '200' }),
      (k) => many[k] - of(bad)(k),
      begin,
    );
    counter(at('lr_requests_total', { model, version: '1', protocol: 'own', code: '500' }), of(bad), begin);
    counter(at('lr_request_duration_seconds_count', { model, version: '1' }), (k) => many[k], begin);
    counter(
      at('lr_request_duration_seconds_bucket', { model, version: '1', le: '0.1' }),
      (k) => many[k] - of(slow)(k),
      begin,
    );
    counter(at('lr_rows_total', { model, version: '1' }), (k) => many[k], begin);
    counter(at('lr_refused_rows_total', { model, version: '1' }), of(refused), begin);
    // what was replaced long ago is no event of now
    counter(at('lr_requests_total', { model, version: 'earlier', protocol: 'own', code: '500' }), () => 50, begin);
  }
  counter(
    at('lr_shed_total', { reason: 'queue' }),
    (() => {
      const list = shares();
      return (k) => Math.round(100 * list[k]);
    })(),
  );
  counter(at('lr_shed_total', { reason: 'rate' }), () => 20);
  for (const family of ['lr_audit_dropped_total', 'lr_route_breaches_total', 'lr_worker_restarts_total'])
    counter(at(family, {}), () => (random() < 0.01 ? 1 + Math.floor(random() * 3) : 0));
  const held = (length, of) => {
    let value = of();
    return (k) => {
      if (k % length === 0) value = of();
      return value;
    };
  };
  gauge(at('up', {}), () => 1);
  gauge(
    at('lr_ready', {}),
    held(150, () => Number(random() < 0.6)),
  );
  gauge(
    at('lr_models_failed', {}),
    held(90, () => (random() < 0.5 ? 0 : 1 + Math.floor(random() * 3))),
  );
  gauge(
    at('lr_models_untrusted', {}),
    held(17, () => Number(random() < 0.3)),
  );
  gauge(
    at('lr_certificate_expiry_timestamp_seconds', {}),
    held(200, () => 86_400 * Math.floor(random() * 30)),
  );
  for (const feature of ['age', 'income'])
    gauge(
      at('lr_drift_psi', { model: 'a', feature }),
      held(400, () => Math.round(random() * 600) / 1000),
    );
  gauge(
    at('lr_feature_missing_ratio', { model: 'a', feature: 'age' }),
    held(390, () => Math.round(random() * 1000) / 1000),
  );
  for (const feature of ['age', 'velocity']) {
    const stale = shares();
    const of = { model: 'a', version: '1', route: '', feature };
    counter(at('lr_feature_timed_rows_total', of), () => 100);
    counter(at('lr_feature_stale_rows_total', of), (k) => Math.round(100 * stale[k]));
  }
  gauge(
    at('lr_candidates_refused', {}),
    held(210, () => Math.floor(random() * 3)),
  );
  gauge(
    at('lr_log_loss', { model: 'a' }),
    held(380, () => 0.5 + Math.round(random() * 300) / 1000),
  );
  gauge(at('lr_estimated_log_loss', { model: 'a' }), () => 0.5);
  gauge(
    at('lr_calibration_slope', { model: 'a' }),
    held(370, () => Math.round(random() * 2000) / 1000),
  );
  return series;
}

/** @param command  runs `logodds` @returns a sentence */
export async function sameAsPrometheus(folder, exported, seeds = [1]) {
  const { Evaluation, samplesOf, settingsOf } = await engineIn(folder);
  const values = {
    period: '12h',
    target: INSTANCE,
    objectives: { availability: {}, latency: { below: 0.1 }, admission: {}, acceptedRows: { leastBad: 3 } },
    conditions: Object.fromEntries(
      [
        'scoreDrift',
        'featureDrift',
        'missingFeature',
        'logLoss',
        'calibrationSlope',
        'notReady',
        'certificateExpiry',
      ].map((name) => [name, { lasting: '5m' }]),
    ),
  };
  const { out, files } = exported(folder, values);
  const rules = files.filter((file) => file.startsWith('prometheus/rules/')).map((file) => join(out, file));
  const groups = rules.flatMap((file) => parse(readFileSync(file, 'utf8')).groups);
  const names = [...new Set(groups.flatMap((group) => group.rules).flatMap(({ alert }) => alert ?? []))];
  let [alerts, fired] = [0, new Set()];
  for (const seed of seeds) {
    const series = samplesBy(randomOf(seed));
    // every point is kept: what is compared is the arithmetic
    const evaluation = new Evaluation(settingsOf('test', values), INSTANCE, Number.POSITIVE_INFINITY);
    const tests = [];
    for (let k = 0; k < STEPS; k++) {
      const text = Object.entries(series).flatMap(([name, list]) => (list[k] === null ? [] : [`${name} ${list[k]}`]));
      const found = evaluation.step(k * STEP * 1000, samplesOf(text.join('\n'), evaluation.names));
      for (const alertname of names) {
        const firing = found.filter(({ alert, state }) => alert === alertname && state === 'firing');
        alerts += firing.length;
        if (firing.length > 0) fired.add(alertname);
        tests.push({
          eval_time: `${k * STEP}s`,
          alertname,
          exp_alerts: firing.map(({ labels: { alertname: _, ...labels }, annotations }) => ({
            exp_labels: labels,
            exp_annotations: annotations,
          })),
        });
      }
    }
    const file = join(folder, `same-${seed}.yml`);
    writeFileSync(
      file,
      stringify(
        {
          rule_files: rules,
          evaluation_interval: `${STEP}s`,
          group_eval_order: groups.map(({ name }) => name),
          tests: [
            {
              interval: `${STEP}s`,
              input_series: Object.entries(series).map(([name, list]) => ({
                series: name,
                values: list.map((value) => value ?? '_').join(' '),
              })),
              alert_rule_test: tests,
            },
          ],
        },
        { lineWidth: 0, aliasDuplicateObjects: false },
      ),
    );
    execFileSync('promtool', ['test', 'rules', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
  }
  if (fired.size < 12) throw new Error(`expected at least 12 different alerts to fire, got ${[...fired].join(', ')}`);
  return `${seeds.length * STEPS} steps, ${alerts} alerts of ${fired.size} names at them: as Prometheus has them`;
}
