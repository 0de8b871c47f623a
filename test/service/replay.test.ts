import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MemoryStore, Registry } from '../../registry/src/index.ts';
import { createService, Follower, Routing } from '../../service/src/index.ts';
import { fit, saveModel, tableFromRecords } from '../../src/index.ts';
import { evaluate } from '../../src/metrics.ts';
import { sweep } from '../full.ts';
import { JSON_TYPE } from './models.ts';

/*
 * The traffic of an airport board: flights in the order of their times, each scored by a service, its label sent later. A challenger that is worse is rolled
 * back by itself; one that is as good is not.
 */

interface Flight {
  readonly late: 'yes' | 'no';
  readonly hour: string;
  readonly origin: string;
  readonly destination: string;
  readonly distance: number;
}
const FLIGHTS: readonly Flight[] = JSON.parse(
  readFileSync('node_modules/vega-datasets/data/flights-20k.json', 'utf8'),
).map(({ date, delay, ...others }: { date: string; delay: number }) => ({
  late: delay > 15 ? 'yes' : 'no',
  hour: date.slice(11, 13),
  ...others,
}));
const TRAIN = FLIGHTS.filter((_, i) => i % 2 === 0);
const TRAFFIC = FLIGHTS.filter((_, i) => i % 2 === 1);

const trained = (rows: readonly object[]) =>
  fit(tableFromRecords(rows as never), { target: 'late', positive: 'yes', C: 0.01 }).model;
const aucOf = (model: ReturnType<typeof trained>) =>
  evaluate(
    { probabilities: Float64Array.from(TRAFFIC, (flight) => model.score({ ...flight }).probability) },
    Float64Array.from(TRAFFIC, ({ late }) => Number(late === 'yes')),
  ).auc!;

const champion = trained(TRAIN);
/** Hours of a share of the flights are those of others: the model learns less of them. */
const blurred = (share: number) =>
  trained(
    TRAIN.map((flight, i) => ({
      ...flight,
      hour: (i * 7919) % 1000 < share * 1000 ? TRAIN[(i * 31 + 17) % TRAIN.length].hour : flight.hour,
    })),
  );

/** Requests until the rollout was ended, its reason; null: it was not. */
async function replay(
  challenger: Uint8Array,
  share: number,
  most: number,
): Promise<{ requests: number; why: string } | null> {
  const registry = new Registry(new MemoryStore(), { now: () => 0 });
  const by = { by: 'ann' };
  await registry.push({ ...by, name: 'flights', file: saveModel(champion) });
  await registry.push({ ...by, name: 'flights', file: challenger });
  await registry.alias('flights', 1, 'champion', by);
  await registry.startRollout(
    'flights',
    2,
    { kind: 'canary', steps: [{ share, holdSeconds: null }], salt: 'replay' },
    by,
  );
  let follower: Follower;
  const routing = new Routing({ onBreach: (ended) => follower.breach(ended), pairs: { share: 1, waiting: 1e6 } });
  const service = createService({ routing });
  follower = new Follower({
    registry,
    routing,
    shelf: service.models,
    models: [{ name: 'flights', of: 'flights', alias: 'champion' }],
  });
  await follower.look();
  const post = (path: string, body: unknown, id: string) =>
    service.fetch(
      new Request(`http://localhost/models/flights/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { ...JSON_TYPE, 'x-request-id': id },
      }),
    );
  let labels: { id: string; label: string }[] = [];
  for (let i = 0; i < most; i++) {
    const { late, ...flight } = TRAFFIC[i % TRAFFIC.length];
    await post('score', flight, `flight-${i}`);
    labels.push({ id: `flight-${i}`, label: late });
    if (labels.length < 100) continue;
    // what was answered is compared in turns of its own, before the labels come
    while (routing.isComparing) await new Promise((resolve) => setTimeout(resolve, 0));
    await post('labels', labels, `labels-${i}`);
    labels = [];
    await follower.look();
    const { rollout } = await registry.entry('flights');
    if (rollout!.outcome !== null) {
      expect(rollout!.outcome).toBe('rolled-back');
      // from here on the champion answers, whoever asks
      const routes = await Promise.all(TRAFFIC.slice(0, 50).map((one, k) => post('score', { ...one }, `after-${k}`)));
      expect(new Set(routes.map((response) => response.headers.get('x-model-version')))).toEqual(new Set(['1']));
      return { requests: i + 1, why: rollout!.why! };
    }
  }
  return null;
}

test('a challenger whose AUC is two points worse is rolled back by its log loss, within 20,000 requests', async () => {
  const worse = blurred(sweep(0.95, 0.6));
  expect(aucOf(champion) - aucOf(worse)).toBeGreaterThan(sweep(0.03, 0.015));
  const found = await replay(saveModel(worse), 0.1, 20_000);
  expect(found?.why).toMatch(
    /^log loss of the challenger, above that of the champion by: expected at most 0 nats, got 0\.0/,
  );
});

test('a challenger that has no score for a rare level is rolled back by its refusals, within 20,000 requests', async () => {
  const { features } = champion.manifest.schema;
  const { levels, counts } = features.find(({ name }) => name === 'origin') as {
    levels: string[];
    counts: number[];
  } & (typeof features)[0];
  // one flight in a few hundred
  const rare = levels[counts.indexOf(Math.min(...counts.slice(0, levels.length).filter((count) => count > 40)))];
  const categories = ['hour', 'origin', 'destination'].map((name) => ({ name, kind: 'categorical' as const }));
  const { model: forgetful } = fit(tableFromRecords(TRAIN.filter(({ origin }) => origin !== rare) as never), {
    target: 'late',
    positive: 'yes',
    C: 0.01,
    schema: {
      features: [
        ...categories.map((one) => (one.name === 'origin' ? { ...one, unseen: 'error' as const } : one)),
        { name: 'distance', kind: 'numeric' as const },
      ],
    },
  });
  const found = await replay(saveModel(forgetful), 0.3, 20_000);
  expect(found?.why).toMatch(/^refusals of the challenger: expected at most 1 times those of the champion/);
});

test('a challenger that is as good is not rolled back', async () => {
  // trained on one flight less
  expect(await replay(saveModel(trained(TRAIN.slice(1))), 0.1, sweep(3000, 20_000))).toBeNull();
});
