import type { InferenceReport } from '../../model/manifest.ts';
import type { Task } from '../problem/task.ts';
import type { Estimated } from './estimate.ts';
import { featureTests, profileIntervals } from './profile.ts';
import type { CovarianceKind } from './robust.ts';
import { type CountedRows, fitStatistics } from './statistics.ts';

/** Statistics of a fit from its likelihood. Invalid ones are null, with a reason. */
export function inferenceOf(
  view: CountedRows & { readonly tasks: readonly Task[] },
  fitted: readonly Estimated[],
  { kind, profile }: { readonly kind: CovarianceKind; readonly profile: boolean },
): InferenceReport {
  const none = { covariance: null, cluster: null, statistics: null, tests: null, profile: null, bootstrap: null };
  const [task] = view.tasks;
  const [one] = fitted;
  if (fitted.length > 1) {
    return {
      ...none,
      reason:
        'models of one class against the rest have no common likelihood; fit multinomial for standard errors and tests',
    };
  }
  if (!one.covariance) {
    // separated classes: the likelihood has no maximum, but it has a limit, and its profiles end on one side
    const separated =
      one.report.reason === 'diverged' && one.objective.smooth && one.objective.l2.every((l2) => l2 === 0);
    return {
      ...none,
      reason: one.noErrors,
      profile: profile && separated && !task.unit ? profileIntervals(task, one) : null,
    };
  }
  const clusters = typeof kind === 'object' ? kind : null;
  const errors = {
    covariance: clusters ? 'cluster' : (kind as 'model' | 'robust'),
    cluster: clusters && { column: clusters.column, count: clusters.count },
  } as const;
  if (task.unit) {
    return {
      ...none,
      ...errors,
      reason:
        'no deviance, AIC, likelihood-ratio tests or profiles: with class weights or sampling weights the weighted sum is not a likelihood of the data; say weightKind "count" if weights count rows, or fit without them',
    };
  }
  return {
    ...errors,
    reason: null,
    statistics: fitStatistics(view, task, one),
    tests: profile ? featureTests(task, one) : null,
    profile: profile ? profileIntervals(task, one) : null,
    bootstrap: null,
  };
}
