import { expect, test } from 'vitest';
import { Metrics } from '../../../service/src/index.ts';
import { bytes, JSON_TYPE, serviceOf, serviceWith } from '../models.ts';

const RECORD = '{"code":"2","x":0.5}';

/** Families by their name: what is said of them, and their samples. */
function families(text: string) {
  const found = new Map<string, { help: string; type: string; samples: number }>();
  for (const line of text.split('\n').filter((line) => line && line !== '# EOF')) {
    const [, what, name, said] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      const family = found.get(name) ?? { help: '', type: '', samples: 0 };
      found.set(name, what === 'HELP' ? { ...family, help: said } : { ...family, type: said });
      continue;
    }
    const sample = /^[a-z0-9_]+/.exec(line)![0];
    const family = found.get(sample) ?? found.get(sample.replace(/_(bucket|sum|count|total)$/, ''));
    expect(family, line).toBeDefined();
    family!.samples++;
  }
  return found;
}

test('each family says what it is; with OpenMetrics counters and the end are as it wants them', async () => {
  const gauges = () =>
    ({ process_cpu_seconds_total: { help: 'Time of processors.', value: 1.5, type: 'counter', of: 'sum' } }) as const;
  const { ask } = serviceWith({ gauges }, 'codes');
  await ask('/models/codes/score', RECORD, JSON_TYPE);
  await ask('/models/made-up/score', RECORD, JSON_TYPE);
  const plain = await ask('/metrics');
  expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await plain.text();
  expect(text).not.toContain('made-up');
  expect(text).toContain('process_cpu_seconds_total 1.5\n');
  for (const [name, { help, type, samples }] of families(text)) {
    expect([help !== '', ['counter', 'gauge', 'histogram'].includes(type), samples > 0], name).toEqual([
      true,
      true,
      true,
    ]);
  }
  const open = await ask('/metrics', undefined, {
    accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
  });
  expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  const other = await open.text();
  expect(other).toMatch(/# TYPE lr_requests counter\n/);
  expect(other).toMatch(/\nlr_requests_total\{/);
  expect(other.endsWith('\n# EOF\n')).toBe(true);
  expect([...families(other).keys()].map((name) => name.replace(/_total$/, ''))).toEqual(
    [...families(text).keys()].map((name) => name.replace(/_total$/, '')),
  );
});

test('of a thousand models histograms are of all together, counts of each', () => {
  const metrics = new Metrics();
  for (let i = 0; i < 1000; i++) {
    const tally = metrics.of({ name: `m${i}`, version: '1', sha256: '0' });
    metrics.request(tally, 'own', 200, 0.001);
    metrics.stage(tally, 'score', 0.001);
  }
  const text = metrics.text({});
  expect(text).toContain('lr_requests_total{model="m999",version="1",protocol="own",code="200"} 1\n');
  expect(text).toContain('lr_stage_duration_seconds_count{model="",version="",stage="score"} 1000\n');
  expect(text.length).toBeLessThan(600_000);
  expect(text.match(/lr_stage_duration_seconds_count/g)).toHaveLength(4);
});

test('counts of several processes are added', () => {
  const [one, other] = [new Metrics(), new Metrics()];
  one.count('lr_log_dropped_total', 2);
  other.count('lr_log_dropped_total', 3);
  expect(one.add(structuredClone(other.snapshot())).counted('lr_log_dropped_total')).toBe(5);
});

test('models that cannot be loaded are counted', () => {
  const { service } = serviceOf('codes');
  expect(() => service.models.put({ name: 'codes', model: new Uint8Array(9) })).toThrow();
  service.models.fail('other', 'no such file');
  expect(service.metrics.counted('lr_model_load_failures_total')).toBe(2);
});

/** Samples of a family by version. */
const byVersion = (metrics: Metrics, name: string) =>
  Object.fromEntries(
    [...metrics.text({}).matchAll(new RegExp(`^${name}\\{model="(\\w*)",version="(\\w*)"[^}]*\\} (\\d+)$`, 'gm'))].map(
      ([, model, version, count]) => [`${model} ${version}`, Number(count)],
    ),
  );
const sumOf = (samples: Record<string, number>) => Object.values(samples).reduce((sum, count) => sum + count, 0);

test('versions that were replaced have series for a while, then one together; no count is lost, also of requests that go on', () => {
  const metrics = new Metrics();
  const served = Array.from({ length: 6 }, (_, i) => ({ name: 'm', version: `v${i}`, sha256: `${i}` }));
  const first = metrics.of(served[0]);
  served.forEach((one, i) => {
    metrics.request(metrics.of(one), 'own', 200, 0.001);
    if (i > 0) metrics.retire(served[i - 1]);
    // a stream of the first version goes on while others come and go
    metrics.request(first, 'own', 200, 0.001);
    metrics.stage(first, 'score', 0.001);
    expect(sumOf(byVersion(metrics, 'lr_requests_total'))).toBe(2 * (i + 1));
    expect(sumOf(byVersion(metrics, 'lr_request_duration_seconds_count'))).toBe(2 * (i + 1));
  });
  expect(byVersion(metrics, 'lr_requests_total')).toEqual({
    'm earlier': 8,
    'm v2': 1,
    'm v3': 1,
    'm v4': 1,
    'm v5': 1,
  });
  expect(metrics.text({})).not.toContain('lr_model_info{model="m",version="earlier"');
  // told twice, it is one
  metrics.retire(served[4]);
  // the one before is put again: it goes on counting where it did
  metrics.request(metrics.of({ ...served[4] }), 'own', 200, 0.001);
  metrics.retire(served[5]);
  expect(byVersion(metrics, 'lr_requests_total')).toMatchObject({ 'm earlier': 8, 'm v4': 2, 'm v5': 1 });
});

test('a thousand models that come and go leave a hundred; a version whose file changes is one series', () => {
  const metrics = new Metrics();
  for (let i = 0; i < 1000; i++) {
    const one = { name: `m${i}`, version: 'v', sha256: '0' };
    metrics.request(metrics.of(one), 'own', 200, 0.001);
    metrics.retire(one);
  }
  const counts = byVersion(metrics, 'lr_requests_total');
  expect([counts[' earlier'], Object.keys(counts).length, sumOf(counts)]).toEqual([900, 101, 1000]);
  for (const sha256 of ['1', '2']) metrics.request(metrics.of({ name: 'm', version: '1', sha256 }), 'own', 200, 0.001);
  expect(metrics.text({}).match(/lr_rows_total\{model="m",/g)).toHaveLength(1);
  expect(metrics.text({})).toContain('lr_model_info{model="m",version="1",sha256="2"} 1');
});

test('a service drops the counts of versions that others have replaced', async () => {
  const { service, ask } = serviceOf('codes');
  for (let i = 0; i < 50; i++) {
    service.models.put({ name: 'codes', version: `v${i}`, model: bytes.codes });
    for (const old of service.models.versions('codes').slice(0, -1)) service.models.remove('codes', old);
    await ask('/models/codes/score', RECORD, JSON_TYPE);
  }
  const { tallies } = service.metrics.snapshot();
  expect(tallies.map(({ version }) => version).sort()).toEqual(['earlier', 'v46', 'v47', 'v48', 'v49']);
  expect(tallies.reduce((sum, { rows }) => sum + rows, 0)).toBe(50);
  expect(tallies.at(-1)!.loadSeconds).toBeGreaterThan(0);
});

test('rows of a request that is refused for them are refused rows, each once', async () => {
  const { ask } = serviceOf('codes');
  const counts = async () => {
    const text = await (await ask('/metrics')).text();
    return ['lr_rows_total', 'lr_refused_rows_total'].map((name) =>
      Number(new RegExp(`^${name}\\{model="codes"[^}]*\\} (\\d+)$`, 'm').exec(text)![1]),
    );
  };
  expect((await ask('/models/codes/score', RECORD, JSON_TYPE)).status).toBe(200);
  expect(await counts()).toEqual([1, 0]);
  expect((await ask('/models/codes/score', '{"code":"2","x":"much"}', JSON_TYPE)).status).toBe(400);
  expect(await counts()).toEqual([2, 1]);
  // one of several is refused beside the others
  expect((await ask('/models/codes/score', `[${RECORD},{"code":"2","x":"much"}]`, JSON_TYPE)).status).toBe(200);
  expect(await counts()).toEqual([4, 2]);
  // what is no JSON is one
  expect((await ask('/models/codes/score', 'nonsense', JSON_TYPE)).status).toBe(400);
  expect(await counts()).toEqual([5, 3]);
});
