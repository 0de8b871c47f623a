import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Rollouts } from '../../cli/src/serve/rollouts.ts';
import { createService } from '../../service/src/index.ts';
import { modelFile } from '../registry/models.ts';
import { JSON_TYPE } from './models.ts';

test('a route of a file: the alarm of its guard ends when the file changes, and what the file has not any more is plain', async () => {
  const told: { labels: Record<string, string>; endsAt: string; startsAt?: string }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    told.push(...JSON.parse(text));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'logodds-routes-'));
  const routes = join(folder, 'routes.json');
  const write = (value: object) => writeFileSync(routes, JSON.stringify(value));
  write({ fraud: { challenger: { model: 'next', share: 0.5 }, guards: { minRequests: 5 } } });
  const { port } = server.address() as AddressInfo;
  const notify = [`alertmanager+http://127.0.0.1:${port}`];
  const rollouts = new Rollouts({ routes, notify, workers: 1 }, () => {});
  const { routing } = rollouts;
  try {
    const models = ['fraud', 'next'].map((name, k) => ({ name, model: modelFile(k + 1) as Uint8Array<ArrayBuffer> }));
    const service = createService({ routing, models });
    rollouts.begin(service);
    service.models.find('next', null).borrow = () => {
      throw new Error('planted');
    };
    for (let k = 0; k < 100; k++)
      await service.fetch(
        new Request('http://localhost/models/fraud/score', {
          method: 'POST',
          body: '{"x":3}',
          headers: { ...JSON_TYPE, 'x-logodds-key': `k${k}` },
        }),
      );
    expect(routing.state('fraud')!.breach!.guard).toBe('errors');
    await expect.poll(() => told.length).toBe(1);
    expect(told[0].labels).toMatchObject({ model: 'fraud', version: 'next' });
    // looked at again, the same file says nothing new
    rollouts.look();
    write({ fraud: { shadow: 'next' } });
    rollouts.look();
    await expect.poll(() => told.length).toBe(2);
    expect(told[1].labels).toEqual(told[0].labels);
    expect(Date.parse(told[1].endsAt)).toBeLessThanOrEqual(Date.now());
    expect(routing.state('fraud')!.route.shadow).toMatchObject({ model: 'next' });
    write({});
    rollouts.look();
    expect(routing.state('fraud')).toBeNull();
    expect(told).toHaveLength(2);
  } finally {
    rollouts.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
