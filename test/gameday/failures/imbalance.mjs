import { promoted, retrain } from '../retraining.mjs';
import { changeOf, monitor } from '../signals.mjs';
import { payments, take } from '../world.mjs';

const ODDS = 4;

/** Frauds become four times as likely in odds; the payments of each class are as before. */
export const imbalance = {
  id: 'F4',
  name: 'class imbalance',
  model: 'imbalance',
  runbook: 'class-imbalance',
  by: 'monitor: calibration',
  async run({ system, client, champion, isCalm, clock }) {
    const now = payments(42, isCalm ? {} : { odds: ODDS });
    await client.scoreAndLabel(take(payments(40), 200));
    const watch = () =>
      monitor(system, client, {
        model: champion,
        labels: 'log/labels-*.jsonl',
        windowRows: 200,
        least: 100,
        ripeAfter: '1s',
      });
    const start = clock();
    const seen = await start.until(async () => {
      await client.scoreAndLabel(take(now, 200));
      const change = changeOf(await watch(), 'calibration');
      return (
        change &&
        `monitor: calibration, ${change.direction} positives than the scores say (mean of y − p ${change.after.toFixed(3)}), since row ${change.since}`
      );
    }, client);
    if (!seen) return { seen };
    await client.scoreAndLabel(take(now, 2600));
    const { outcome, version, why, steps } = await retrain(system, client, { onLabelShift: 'correct' });
    if (outcome !== 'rollout' || !steps.includes('corrected'))
      return { seen, wrong: [`logodds retrain: ${outcome}: ${why ?? 'trained where it should correct'}`] };
    return {
      seen,
      done: `logodds retrain (onLabelShift: correct): version ${version} is the champion with the new shares of the classes, passed its gate, promoted`,
      wrong: await promoted(system, client, version, now),
    };
  },
};
