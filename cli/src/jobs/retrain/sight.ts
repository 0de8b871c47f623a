import type { Model } from '../../../../src/index.ts';
import { modelWatch, type WatchReport } from '../../../../src/monitor.ts';
import { counted, whole } from '../../figures/wording.ts';
import type { Policy } from './policy.ts';
import type { LogSource } from './trainingSet.ts';
import type { Sight } from './triggers.ts';

interface SightOptions {
  readonly champion: Model;
  readonly source: LogSource;
  /** when the champion was trained, or the last retraining began */
  readonly since: number | null;
  /** score time of the newest row that a retraining was on; null: there was none */
  readonly newest: number | null;
  readonly now: number;
  readonly warn: (message: string) => void;
}

/** What the log says of the champion now, as triggers look at it. */
export async function sightOf({ data, triggers, watch }: Policy, options: SightOptions): Promise<Sight> {
  const { champion, source, since, newest, now, warn } = options;
  const { sha256 } = champion;
  const seen = modelWatch(champion, { every: { ms: watch.everyMs }, least: watch.rows, ripeAfterMs: data.ripeAfterMs });
  let others = 0;
  for await (const piece of source.predictions()) {
    for (const prediction of piece) {
      if (prediction.sha256 !== sha256) others++;
      else if (prediction.at >= now - data.lastMs) seen.add(prediction);
    }
  }
  for await (const piece of source.labels()) for (const label of piece) seen.addLabel(label);
  const report = seen.report(now);
  if (report.rows === 0) warn('the log has no scores of the champion within data.last: triggers see nothing');
  for (const { what, count } of report.notes) warn(count === undefined ? what : `${what} (${whole(count)})`);
  if (others > 0)
    warn(
      `triggers look at the champion: ${counted(others, 'score of other models is', 'scores of other models are')} not for them`,
    );
  if (triggers.drift && report.reference === null)
    warn('the champion has no baseline: drift is not looked at; train it with one');
  return { ...windowsOf(report), since, labels: labelsSince(report, newest), now };
}

function windowsOf({ windows }: WatchReport): Pick<Sight, 'drift' | 'performance'> {
  const complete = windows.filter(({ isComplete }) => isComplete);
  return {
    drift: complete.flatMap(({ drift }) => {
      if (!drift) return [];
      const { features, score } = drift;
      return [
        {
          features: features.map(({ feature, drifted, tests }) => ({ feature, drifted, psi: tests.psi?.value ?? 0 })),
          score: score.psi === null ? null : { psi: score.psi, drifted: score.drifted },
        },
      ];
    }),
    performance: complete.flatMap(({ performance: { isRipe, realised, estimated } }) => {
      const expected = estimated?.logLoss;
      if (!isRipe || realised?.logLoss == null || !expected || !realised.intercept) return [];
      const { intercept } = realised;
      return [
        {
          excess: realised.logLoss - expected.value,
          isWorse: realised.logLoss > expected.high,
          intercept: intercept.value,
          isOff: intercept.low > 0 || intercept.high < 0,
        },
      ];
    }),
  };
}

/** Labels of windows that begin after the newest row of the last training set. */
const labelsSince = ({ windows }: WatchReport, newest: number | null): number =>
  windows.reduce(
    (sum, { from, performance }) => sum + (newest === null || from > newest ? performance.labelled : 0),
    0,
  );
