import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { ask, load, MODEL, metric, score, services } from './serve.ts';

const { serve, path } = services();

/** Processes that another has started. */
const children = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number);

/** Connections are given to the processes in turn: some ask the one, some the other. */
const several = <T>(what: () => Promise<T>) => Promise.all(Array.from({ length: 6 }, what));

test('kill -9 of a worker under load: others serve, it is replaced, at most its requests in flight fail, no count falls', async () => {
  const { url, child, ended, log, ready } = await serve([MODEL, '--no-grpc', '--workers', '2']);
  expect(ready.workers).toBe(2);
  const clients = load(url, 8);
  await clients.answered(20);
  const workers = children(child.pid!);
  expect(workers).toHaveLength(2);
  const before = await metric(url, 'lr_requests_total');
  process.kill(workers[0], 'SIGKILL');
  await vi.waitFor(() => expect(log()).toContain('worker replaced'), { timeout: 60_000 });
  await clients.answered(20);
  await clients.stop();
  // a client has one request in flight
  const failures = clients.each.map(({ failures }) => failures.length);
  expect(Math.max(...failures), JSON.stringify(clients.failures())).toBeLessThanOrEqual(1);
  expect(failures).toContain(0);
  expect(children(child.pid!)).toContain(workers[1]);
  expect(await metric(url, 'lr_requests_total')).toBeGreaterThanOrEqual(before!);
  expect(await metric(url, 'lr_worker_restarts_total')).toBe(1);
  expect(await metric(url, 'lr_workers')).toBe(2);
  expect(log()).toMatch(new RegExp(`"event":"worker ended","worker":${workers[0]},"reason":"SIGKILL"`));
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
});

test('numbers are those of all workers, whichever is asked', async () => {
  const { url } = await serve([MODEL, '--no-grpc', '--workers', '2']);
  await several(() => score(url));
  for (let i = 0; i < 4; i++) {
    expect(await metric(url, 'lr_requests_total')).toBe(6);
    expect(JSON.parse((await ask(`${url}/console.json`)).body).models[0]).toMatchObject({ requests: 6, rows: 6 });
    expect(JSON.parse((await ask(`${url}/v2/models/codes/stats`)).body).model_stats[0].inference_count).toBe(6);
  }
  expect(await metric(url, 'lr_models')).toBe(1);
});

test('a model is loaded, unloaded and changed in all workers, and in one that takes the place of another', async () => {
  const file = path('changing.safetensors');
  copyFileSync(MODEL, file);
  const { url, child, log } = await serve([`codes=${file}`, '--no-grpc', '--workers', '2']);
  const statuses = async () => [...new Set((await several(() => score(url))).map(({ status }) => status))];
  await ask(`${url}/v2/repository/models/codes/unload`, { body: '{}' });
  expect(await statuses()).toEqual([404]);
  const [worker] = children(child.pid!);
  process.kill(worker, 'SIGKILL');
  await vi.waitFor(() => expect(log()).toContain('worker replaced'), { timeout: 60_000 });
  expect(await statuses()).toEqual([404]);
  await ask(`${url}/v2/repository/models/codes/load`, { body: '{}' });
  expect(await statuses()).toEqual([200]);
  copyFileSync(new URL('../conformance/numeric.safetensors', import.meta.url), file);
  const changed = async () => {
    const models = await several(() => ask(`${url}/models/codes`));
    return new Set(models.map(({ body }) => JSON.parse(body).sha256));
  };
  const { sha256 } = JSON.parse((await ask(`${url}/models/codes`)).body);
  await vi.waitFor(
    async () => {
      const found = await changed();
      expect(found.size).toBe(1);
      expect(found.has(sha256)).toBe(false);
    },
    { timeout: 20_000, interval: 50 },
  );
  expect(readFileSync(file).length).toBeGreaterThan(0);
});

test('when all workers die at once, others take their port', async () => {
  const { url, child, log } = await serve([MODEL, '--no-grpc', '--workers', '2']);
  for (const worker of children(child.pid!)) process.kill(worker, 'SIGKILL');
  await vi.waitFor(() => expect(log().match(/worker replaced/g)).toHaveLength(2), { timeout: 60_000 });
  expect((await score(url)).status).toBe(200);
});

test('workers end with the process that supervises them', async () => {
  const { child } = await serve([MODEL, '--no-grpc', '--workers', '2']);
  const workers = children(child.pid!);
  child.kill('SIGKILL');
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await vi.waitFor(() => expect(workers.some(isAlive)).toBe(false), { timeout: 20_000 });
});
