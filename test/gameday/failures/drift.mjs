import { promoted, retrain } from '../retraining.mjs';
import { changeOf, monitor } from '../signals.mjs';
import { payments, take } from '../world.mjs';

/** Inputs move, and what they are worth changes: amounts by 0.8, each worth a quarter. */
export const drift = {
  id: 'F1',
  name: 'drift',
  model: 'drift',
  runbook: 'drift',
  by: 'monitor: drift',
  async run({ system, client, champion, isCalm, clock }) {
    const now = payments(11, isCalm ? {} : { amount: 0.8, slope: 0.3 });
    await client.scoreAndLabel(take(payments(10), 600));
    const watch = () => monitor(system, client, { model: champion, windowRows: 200, least: 100 });
    if (changeOf(await watch(), 'feature', 'amount')) throw new Error('drift: seen before it was there');
    const start = clock();
    const seen = await start.until(async () => {
      await client.scoreAndLabel(take(now, 200));
      const change = changeOf(await watch(), 'feature', 'amount');
      return change && `monitor: amount drifted (PSI ${change.after.toFixed(2)}), since row ${change.since}`;
    }, client);
    if (!seen) return { seen };
    await client.scoreAndLabel(take(now, 2400));
    const { outcome, version, why } = await retrain(system, client, { bounds: { labelShift: 3 } });
    if (outcome !== 'rollout') return { seen, wrong: [`logodds retrain: ${outcome}: ${why}`] };
    const done = `logodds retrain: version ${version} trained on the log, passed its gate, promoted`;
    return { seen, done, wrong: await promoted(system, client, version, now) };
  },
};
