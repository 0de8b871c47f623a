import { type Coefficient, coefficients, type InferenceReport, type Model } from '../../src/index.ts';
import { coefficientTable, facts, figure, label, pValue, significant, stars, table, whole } from './report.ts';

/** The coefficients as R's summary() prints them, and below what is known of the fit as a whole. */
export function summary(model: Model): string {
  const lines = coefficients(model);
  const { inference } = model.manifest;
  const parts = [coefficientTable(lines)];
  if (inference) parts.push(...about(model, inference), ...intervals(lines), ...tests(inference));
  return parts.join('\n\n');
}

const ERRORS = {
  model: 'of the likelihood',
  robust: 'robust (sandwich)',
  cluster: 'robust, by cluster',
};

function about({ manifest }: Model, { covariance, cluster, statistics, reason, bootstrap }: InferenceReport): string[] {
  const chi2 = (test: { chi2: number; df: number; p: number | null }) =>
    `chi2 ${significant(test.chi2)} on ${test.df} degrees of freedom, p ${pValue(test.p)}`;
  const likelihood = manifest.objective.firth ? 'penalised likelihood ratio' : 'likelihood ratio';
  const list: (readonly [string, string] | null)[] = [
    covariance && [
      'standard errors',
      `${ERRORS[covariance]}${cluster ? ` (${whole(cluster.count)} of ${cluster.column})` : ''}`,
    ],
    statistics && [
      'deviance',
      `${significant(statistics.deviance, 7)} on ${whole((manifest.classes.length - 1) * statistics.observations - statistics.parameters)} degrees of freedom   (intercept alone: ${significant(statistics.nullDeviance, 7)})`,
    ],
    statistics && [
      'AIC, BIC',
      `${significant(statistics.aic, 7)}, ${significant(statistics.bic, 7)}   (McFadden R² ${figure(statistics.mcFadden)})`,
    ],
    statistics && [likelihood, chi2(statistics.likelihoodRatio)],
    statistics?.hosmerLemeshow ? ['Hosmer-Lemeshow', chi2(statistics.hosmerLemeshow)] : null,
    bootstrap && [
      'bootstrap',
      `${whole(bootstrap.replicates - bootstrap.failed)} of ${whole(bootstrap.replicates)} replicates by ${bootstrap.cluster ?? 'row'}, seed ${bootstrap.seed}`,
    ],
    reason === null ? null : ['not given', reason],
  ];
  return list.some((entry) => entry !== null) ? [facts(list)] : [];
}

/** Intervals by the profile likelihood and by resampling, where there are any. */
function intervals(lines: readonly Coefficient[]): string[] {
  const several = new Set(lines.map((line) => line.class)).size > 1;
  const name = (line: Coefficient) => (several ? `${line.class}: ${label(line)}` : label(line));
  const range = (low: number | null, high: number | null) =>
    `${low === null ? '-Inf' : significant(low)} … ${high === null ? 'Inf' : significant(high)}`;
  const profiles = lines.flatMap((line) => {
    const { profile } = line;
    return profile
      ? [[name(line), range(profile.low, profile.high), significant(profile.chi2), pValue(profile.p), stars(profile.p)]]
      : [];
  });
  const resampled = lines.flatMap((line) => {
    const { bootstrap } = line;
    if (!bootstrap) return [];
    const { stdError, low, high, bcaLow, bcaHigh } = bootstrap;
    return [[name(line), significant(stdError), range(low, high), bcaLow === null ? '–' : range(bcaLow, bcaHigh)]];
  });
  return [
    ...(profiles.length > 0 ? [table([['', '95 % interval by profile', 'chi2', 'p', ''], ...profiles])] : []),
    ...(resampled.length > 0
      ? [table([['', 'bootstrap error', '95 % interval, percentile', '95 % interval, BCa'], ...resampled])]
      : []),
  ];
}

function tests({ tests: list }: InferenceReport): string[] {
  if (!list || list.length === 0) return [];
  const rows = list.map(({ feature, chi2, df, p }) => [feature, significant(chi2), String(df), pValue(p), stars(p)]);
  return [table([['without', 'chi2', 'df', 'p', ''], ...rows])];
}
