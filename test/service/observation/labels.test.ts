import { expect, test } from 'vitest';
import type { Label } from '../../../service/src/index.ts';
import { serviceOf, serviceWith } from '../models.ts';

const post = (ask: ReturnType<typeof serviceOf>['ask'], labels: unknown) =>
  ask('/models/codes/labels', JSON.stringify(labels));

test('labels are checked one by one; those that are right are taken', async () => {
  const taken: Label[] = [];
  const sink = {
    async take(labels: readonly Label[]) {
      taken.push(...labels);
    },
  };
  const { ask, service } = serviceWith({ labels: sink }, 'codes');
  const response = await post(ask, [
    { id: 'a/1', label: 'yes', at: '2026-01-02T03:04:05+01:00' },
    { id: 'b', label: 'maybe' },
    { id: 'b c', label: 'yes' },
    { id: 'd', label: 'no', at: 'yesterday' },
    7,
    { id: 'e', label: 'no' },
    { id: 'f', label: 'no', at: '2099-01-01T00:00:00Z' },
  ]);
  expect(response.status).toBe(200);
  const { accepted, refused } = await response.json();
  expect(accepted).toBe(2);
  expect(refused.map(({ row, error }: { row: number; error: string }) => [row, error.split(':')[0]])).toEqual([
    [1, 'label'],
    [2, 'id'],
    [3, 'at'],
    [4, 'id'],
    [6, 'at'],
  ]);
  expect(refused.at(-1).error).toBe('at: expected a time until now, got 2099-01-01T00:00:00Z; leave it out for now');
  expect(taken).toMatchObject([
    { id: 'a/1', label: 'yes', at: '2026-01-02T02:04:05.000Z', model: 'codes' },
    { id: 'e', label: 'no' },
  ]);
  expect([service.metrics.counted('lr_labels_total'), service.metrics.counted('lr_labels_refused_total')]).toEqual([
    2, 5,
  ]);
});

test('of labels of one id that say no time the last one is the later one', async () => {
  const taken: Label[] = [];
  const sink = { take: async (labels: readonly Label[]) => void taken.push(...labels) };
  const { ask } = serviceWith({ labels: sink }, 'codes');
  const [yes, no] = ['yes', 'no'].map((label) => ({ id: 'a', label }));
  await Promise.all([post(ask, [yes, no, yes, { id: 'b', label: 'no' }]), post(ask, [no])]);
  const times = taken.filter(({ id }) => id === 'a').map(({ at }) => Date.parse(at));
  expect(new Set(times).size).toBe(4);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
});

test('labels are held to the limits of rows and depth', async () => {
  const sink = { take: async () => {} };
  const { ask } = serviceWith({ labels: sink, limits: { rows: 2 } }, 'codes');
  const one = { id: 'a', label: 'yes' };
  expect((await post(ask, [one, one])).status).toBe(200);
  const response = await post(ask, [one, one, one]);
  expect([response.status, (await response.json()).code]).toEqual([413, 'ERR_LIMIT']);
  expect((await ask('/models/codes/labels', '['.repeat(70) + ']'.repeat(70))).status).toBe(400);
});

test('without a log for them, or with a full one, a client is told', async () => {
  const { ask } = serviceOf('codes');
  const without = await post(ask, [{ id: 'a', label: 'yes' }]);
  expect([without.status, (await without.json()).error]).toEqual([501, expect.stringContaining('--log DIR')]);
  const full = serviceWith({ labels: { take: () => Promise.reject(new Error('/secret/path')) } }, 'codes');
  const response = await post(full.ask, [{ id: 'a', label: 'yes' }]);
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain('secret');
  expect((await post(full.ask, { id: 'a', label: 'yes' })).status).toBe(400);
  expect((await full.ask('/models/none/labels', '[]')).status).toBe(404);
});
