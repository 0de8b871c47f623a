import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Rollouts } from '../../cli/src/serve/rollouts.ts';
import { readRoutes } from '../../cli/src/serve/routes.ts';
import { createService, type LogLine } from '../../service/src/index.ts';
import { bytes } from '../service/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-routes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'routes.json');
const routes = (value: unknown) => {
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return readRoutes(path);
};
const challenger = { model: 'next', share: 0.1 };
const serviceOf = ({ routing }: Rollouts) =>
  createService({ routing, models: ['fraud', 'next'].map((name) => ({ name, model: bytes.numeric })) });

test.each<[string, unknown, RegExp]>([
  ['no JSON', '{', /^--routes \S+: expected JSON, got an error/],
  ['a list', [], /^--routes \S+, routes: expected an object, got a list; correct it$/],
  ['a route that is none', { fraud: null }, /^--routes \S+, fraud: expected an object, got null; correct it$/],
  ['another member', { fraud: { chalenger: {} } }, /, fraud: expected challenger, .*, got "chalenger"/],
  [
    'a model beside itself',
    { fraud: { challenger: { model: 'fraud', share: 0.1 } } },
    /, fraud: expected another model beside it, got itself; name another$/,
  ],
  ['itself as a shadow', { fraud: { shadow: 'fraud' } }, /, fraud: expected another model beside it/],
  [
    'a guard that watches nothing',
    { fraud: { challenger, guards: { maxPSI: 1 } } },
    /, fraud: rollout, guards: expected some of alpha, .*, got maxPSI/,
  ],
  [
    'a guard without a number',
    { fraud: { challenger, guards: { alpha: '0.01' } } },
    /, fraud: rollout, alpha: expected a probability between 0 and 1, got 0\.01/,
  ],
  [
    'a key that no request has',
    { fraud: { challenger, key: 'header:a b' } },
    /, fraud: rollout, key: expected a field of the record, or header:NAME/,
  ],
  [
    'a ratio that asks more of a challenger than of its champion',
    { fraud: { challenger, guards: { errorRatio: 0.5 } } },
    /, fraud: rollout, errorRatio: expected a number from 1 on \(below 1 the challenger .* better .*\), got 0\.5; correct it$/,
  ],
  [
    'the same of slow requests',
    { fraud: { challenger, guards: { latencyRatio: 0.99 } } },
    /, latencyRatio: expected a number from 1 on/,
  ],
  [
    'shares above 1',
    { fraud: { challenger, arms: [{ name: 'b', model: 'c', share: 0.95 }] } },
    /at most 1 together, got 1\.05/,
  ],
])('a file of routes is refused for %s', (_what, value, message) => {
  expect(() => routes(value)).toThrow(message);
});

test('a file of routes that cannot be used any more is said once, leaves what held, and is taken when it is mended', () => {
  const told = (reason: RegExp) => ({ level: 'error', event: 'routes', reason: expect.stringMatching(reason) });
  routes({ fraud: { challenger } });
  const lines: LogLine[] = [];
  const rollouts = new Rollouts({ routes: path, workers: 1 }, (line) => lines.push(line));
  rollouts.begin(serviceOf(rollouts));
  const share = () => rollouts.routing.state('fraud')?.route.arms[0]?.share;
  const look = () => {
    for (let i = 0; i < 5; i++) rollouts.look();
  };
  look();
  writeFileSync(path, 'garbage');
  look();
  rmSync(path);
  look();
  expect([share(), lines]).toEqual([0.1, [told(/expected JSON/), told(/expected a file that can be read/)]]);
  routes({ fraud: { challenger: { ...challenger, share: 0.2 } } });
  look();
  writeFileSync(path, 'garbage');
  look();
  expect([share(), lines.length]).toEqual([0.2, 3]);
  rollouts.close();
});

test.each<[string, object]>([
  ['fallback', { challenger, fallback: 'nxet' }],
  ['challenger', { challenger: { model: 'nxet', share: 0.1 } }],
  ['shadow', { shadow: 'nxet' }],
  ['arm', { arms: [{ name: 'b', model: 'nxet', share: 0.1 }] }],
])('a %s that is not served is named at the start', (_, entry) => {
  routes({ fraud: entry });
  const rollouts = new Rollouts({ routes: path, workers: 1 }, () => {});
  expect(() => rollouts.begin(serviceOf(rollouts))).toThrow(
    /, fraud: expected models that are served \(fraud, next\), got "nxet"; did you mean next\?$/,
  );
  rollouts.close();
});
