import { expect, test } from 'vitest';
import { Metrics } from '../../../service/src/index.ts';
import { JSON_TYPE, serviceOf, serviceWith } from '../models.ts';

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
