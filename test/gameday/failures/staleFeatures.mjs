import { recordQuality } from 'logodds/monitor';
import { changeOf, monitor } from '../signals.mjs';
import { payments, take } from '../world.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BEGIN = Date.UTC(2026, 0, 1);

/** The feature store stops: it says the velocity that it had last, whoever asks. A payment comes each minute of its clock. */
export const staleFeatures = {
  id: 'F9',
  name: 'stale feature store',
  model: 'stale-features',
  runbook: 'stale-features',
  by: 'monitor: drift; freshness',
  alarm: 'LogoddsFeatureStale',
  async run({ system, client, champion, isCalm, clock }) {
    const quality = recordQuality({ fields: [{ name: 'velocity', kind: 'number', maxAgeMs: HOUR }] });
    let minute = 0;
    let written = 0;
    let stale = null;
    const ask = async (given, isFrozen) => {
      for (const { record } of given) {
        const at = BEGIN + ++minute * MINUTE;
        if (!isFrozen) written = at;
        quality.add(record, { at, eventTimes: { velocity: written } });
        if (stale === null && quality.fields.velocity.stale > 0) stale = minute;
      }
      // to the service the store says when it wrote the value last
      const velocityAt = new Date(Date.now() - (isFrozen ? 2 * HOUR : 0)).toISOString();
      return client.score(given, (record) => ({ ...record, velocityAt }));
    };
    const before = take(payments(90), 400);
    await ask(before, false);
    const frozen = isCalm ? null : before.at(-1).record.velocity;
    const now = payments(91, { frozen });
    const start = clock();
    const seen = await start.until(async () => {
      await ask(take(now, 200), !isCalm);
      const report = await monitor(system, client, { model: champion, windowRows: 200, least: 100 });
      const change = changeOf(report, 'feature', 'velocity');
      if (!change) return null;
      const { current, reference } = report.windows.at(-1).drift.features.find(({ feature }) => feature === 'velocity');
      return `monitor: velocity drifted (PSI ${change.after.toFixed(2)}), standard deviation ${current.std.toFixed(2)} instead of ${reference.std.toFixed(2)}; freshness: older than an hour from request ${stale - 400} on`;
    }, client);
    if (!seen) return { seen };
    const wrong = stale === null ? ['the freshness of velocity did not say it'] : [];
    // the store is started again
    const after = payments(92);
    const isOver = await start.until(async () => {
      await ask(take(after, 200), false);
      const report = await monitor(system, client, { model: champion, windowRows: 200, least: 100 });
      return changeOf(report, 'feature', 'velocity') ? null : 'over';
    }, client);
    if (!isOver) wrong.push('it is still seen after the feature store came back');
    return { seen, done: 'the feature store was started again: the next window is as in training', wrong };
  },
};
