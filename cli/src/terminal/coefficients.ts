import { type Coefficient, coefficients, type InferenceReport, type Model } from '../../../src/index.ts';
import { label } from '../figures/model.ts';
import { figure, pValue, significant, stars, whole, word } from '../figures/wording.ts';
import { facts, table } from './layout.ts';

/** The coefficients as R's summary() prints them, followed by statistics of the whole fit. */
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
      `${manifest.objective.firthErrors ? 'of the augmented data' : Object.hasOwn(ERRORS, covariance) ? ERRORS[covariance] : word(covariance)}${cluster ? ` (${whole(cluster.count)} of ${word(cluster.column)})` : ''}`,
    ],
    statistics && [
      'deviance',
      `${significant(statistics.deviance, 7)} on ${whole((manifest.classes.length - 1) * statistics.observations - statistics.parameters)} degrees of freedom   (intercept alone: ${significant(statistics.nullDeviance, 7)})`,
    ],
    statistics && [
      'AIC, BIC',
      `${significant(statistics.aic, 7)}, ${significant(statistics.bic, 7)}   (McFadden R² ${figure(statistics.mcFadden)})`,
    ],
    statistics?.pearson?.dispersion != null
      ? [
          'dispersion',
          `${significant(statistics.pearson.dispersion)}   (Pearson chi2 ${significant(statistics.pearson.chi2)} on ${whole(statistics.pearson.df)} degrees of freedom)`,
        ]
      : null,
    statistics && [likelihood, chi2(statistics.likelihoodRatio)],
    statistics?.hosmerLemeshow ? ['Hosmer-Lemeshow', chi2(statistics.hosmerLemeshow)] : null,
    bootstrap && [
      'bootstrap',
      `${whole(bootstrap.replicates - bootstrap.failed)} of ${whole(bootstrap.replicates)} replicates by ${word(bootstrap.cluster ?? 'row')}, seed ${bootstrap.seed}`,
    ],
    reason === null ? null : ['not given', reason],
  ];
  return list.some((entry) => entry !== null) ? [facts(list)] : [];
}

/** Intervals by profile likelihood and by bootstrap, if there are any. */
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

const LEGEND = '\n  p: *** < 0.001, ** < 0.01, * < 0.05, . < 0.1';

/** Classes side by side in a table of coefficients. */
const CLASSES_A_TABLE = 6;

/**
 * The estimates as R prints them. Several classes have a column each (a few to a table) without standard errors, and a table each with
 * standard errors.
 */
function coefficientTable(list: readonly Coefficient[]): string {
  const classes = [...new Set(list.map((line) => line.class))];
  const of = (name: string) => list.filter((line) => line.class === name);
  const inference = list.some((line) => line.stdError !== null);
  if (classes.length < 2) return classTable(list) + (inference ? LEGEND : '');
  if (inference) {
    return `${classes.map((name) => `class ${word(name)}\n${classTable(of(name))}`).join('\n\n')}${LEGEND}`;
  }
  const tables: string[] = [];
  for (let at = 0; at < classes.length; at += CLASSES_A_TABLE) {
    const shown = classes.slice(at, at + CLASSES_A_TABLE);
    const columns = shown.map(of);
    tables.push(
      table([
        ['coefficient', ...shown],
        ...columns[0].map((line, i) => [label(line), ...columns.map((lines) => significant(lines[i].value))]),
      ]),
    );
  }
  return tables.join('\n\n');
}

function classTable(list: readonly Coefficient[]): string {
  if (!list.some((line) => line.stdError !== null)) {
    return table([
      ['', 'coefficient', 'odds ratio'],
      ...list.map((line) => [label(line), significant(line.value), significant(line.oddsRatio)]),
    ]);
  }
  const head = ['', 'coefficient', 'std. error', 'z', 'p', '', 'odds ratio', '95 % interval of the coefficient'];
  const rows = list.map((line) => [
    label(line),
    significant(line.value),
    significant(line.stdError),
    figure(line.z, 3),
    pValue(line.p),
    stars(line.p),
    significant(line.oddsRatio),
    line.ciLow === null ? '–' : `${significant(line.ciLow)} … ${significant(line.ciHigh)}`,
  ]);
  return table([head, ...rows]);
}
