import { show } from '../messages.ts';
import { FittedModel } from '../model/fittedModel.ts';
import {
  copyOf,
  FORMAT,
  type InferenceReport,
  type Manifest,
  type ObjectiveReport,
  PRODUCER,
  type Warning,
} from '../model/manifest.ts';
import { allStages } from '../stages.ts';
import type { Estimated } from './inference/estimate.ts';
import type { DataOptions } from './problem/options.ts';
import { foldExactly } from './problem/standardise.ts';
import type { ProblemSummary } from './problem/summary.ts';
import type { Fitted } from './solve/types.ts';

/** All parameters of several fits, one after another. */
export function joinParams(fitted: readonly Pick<Fitted, 'params'>[]): Float64Array {
  return Float64Array.from(fitted.flatMap(({ params }) => [...params]));
}

/** The model of what was fitted: of one likelihood, or of one a class. */
export function assemble(
  summary: ProblemSummary,
  options: DataOptions,
  fitted: readonly Pick<Estimated, 'params' | 'report' | 'warnings' | 'aliased' | 'covariance'>[],
  {
    objective,
    inference = null,
    notes = [],
  }: {
    objective: ObjectiveReport;
    inference?: InferenceReport | null;
    notes?: readonly Warning[];
  },
): FittedModel {
  const { classes, positive, kind, schema, slots, standard, baseline } = summary;
  const params = joinParams(fitted);
  const width = slots.count + 1;
  const reports = fitted.map(({ report }) => report);
  const sum = (of: (report: Fitted['report']) => number) => reports.reduce((total, report) => total + of(report), 0);
  const worst = reports.find((report) => !report.converged) ?? reports[0];
  const warnings = [
    ...summary.warnings,
    ...fitted.flatMap(({ warnings: found }, k) =>
      fitted.length === 1
        ? found
        : found.map((one) => ({ ...one, message: `${show(classes[k])} against the rest: ${one.message}` })),
    ),
    ...notes,
  ];
  const manifest: Manifest = {
    format: FORMAT,
    producer: PRODUCER,
    classes,
    positive,
    multiclass: kind === 'binomial' ? null : kind,
    reference: kind === 'multinomial' && objective.lambda === 0 ? classes[0] : null,
    target: options.target,
    // a declaration of the caller may be in it
    schema: copyOf(schema),
    objective,
    decision: { threshold: 0.5 },
    offset: options.offset ?? null,
    weight: options.weight ?? null,
    ...(options.weight !== undefined && { weightKind: summary.weightKind }),
    fit: {
      solver: worst.solver,
      choice: worst.choice,
      converged: worst.converged,
      reason: worst.reason,
      iterations: sum((report) => report.iterations),
      gradNorm: Math.max(...reports.map((report) => report.gradNorm ?? 0)),
      objective: sum((report) => report.objective),
      logLik: sum((report) => report.logLik),
      nullLogLik: sum((report) => report.nullLogLik),
      rows: summary.rows,
      totalWeight: summary.totalWeight,
    },
    aliased: fitted.flatMap(({ aliased }, k) => aliased.map((id) => (fitted.length === 1 ? id : k * width + id))),
    ...(inference && { inference }),
    warnings,
  };
  const { weights, intercept } = foldExactly(params, standard, slots);
  const covariance = fitted.length === 1 ? fitted[0].covariance : null;
  return new FittedModel({ manifest, weights, intercept, covariance, baseline, stages: allStages });
}
