import { expect, test } from 'vitest';
import { createService, type Gate, type Numbers, peerOf, totalOf } from '../../service/src/index.ts';
import { bytes, JSON_TYPE, serviceWith } from './models.ts';

const record = '{"code":"2","x":0.5}';

test('numbers of several processes are those of one: sums, and the least or most where that is meant', async () => {
  const two = [serviceWith({}, 'codes'), serviceWith({}, 'codes')];
  for (const { ask } of two) await ask('/models/codes/score', record, JSON_TYPE);
  await two[1].ask('/models/codes/score', record, JSON_TYPE);
  await two[1].ask('/models/none/score', record, JSON_TYPE);
  void two[1].service.drain();
  // as they come from another process
  const numbers = JSON.parse(JSON.stringify(two.map(({ service }) => service.numbers()))) as Numbers[];
  const { metrics, gauges } = totalOf(numbers);
  const text = metrics.text(gauges);
  expect(text).toMatch(/^lr_requests_total\{model="codes",.*code="200"\} 3$/m);
  expect(text).toMatch(/^lr_requests_total\{model="",.*code="404"\} 1$/m);
  expect(text).toMatch(/^lr_models 1$/m);
  expect(text).toMatch(/^lr_ready 0$/m);
});

test('numbers are those of all processes, and changes reach the others', async () => {
  const other = serviceWith({}, 'codes');
  await other.ask('/models/codes/score', record, JSON_TYPE);
  const changes: unknown[] = [];
  const { ask, service } = serviceWith(
    {
      source: (name) => ({ name, model: bytes.codes }),
      peers: {
        numbers: async () => [service.numbers(), other.service.numbers()],
        change: async (...change) => {
          changes.push(change);
        },
      },
      gauges: () => ({ lr_things_total: { help: 'Things.', type: 'counter', value: 2, of: 'sum' } }),
    },
    'codes',
  );
  await ask('/models/codes/score', record, JSON_TYPE);
  const text = await (await ask('/metrics')).text();
  expect(text).toMatch(/^lr_requests_total\{model="codes",.*\} 2$/m);
  expect(text).toContain('# TYPE lr_things_total counter\nlr_things_total 2\n');
  expect((await (await ask('/console.json')).json()).models[0].requests).toBe(2);
  expect((await (await ask('/v2/models/stats')).json()).model_stats[0].inference_count).toBe(2);
  for (const action of ['load', 'unload']) await ask(`/v2/repository/models/codes/${action}`, '{}', JSON_TYPE);
  expect(changes).toEqual([
    ['load', 'codes'],
    ['unload', 'codes'],
  ]);
});

test('other names of paths are answered as they are', async () => {
  const { ask } = serviceWith({ aliases: { '/a/1:predict': '/invocations', '/a/1': '/v2/health/ready' } }, 'codes');
  expect((await ask('/a/1')).status).toBe(200);
  const own = await (await ask('/invocations', `[${record}]`, JSON_TYPE)).json();
  expect(await (await ask('/a/1:predict', `[${record}]`, JSON_TYPE)).json()).toEqual(own);
});

test('who asks is what the host says, for its request alone', async () => {
  const seen: unknown[] = [];
  const gate: Gate = {
    enter({ request }) {
      seen.push(peerOf(request));
      return undefined;
    },
  };
  const service = createService({ gates: [gate] });
  const client = { subject: 'CN=a' };
  const ask = () => new Request('http://localhost/models/codes/score', { method: 'POST', body: record });
  await service.fetch(ask(), client);
  await service.fetch(ask());
  expect(seen).toEqual([client, null]);
});
