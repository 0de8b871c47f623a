/** The words of `drift`, for the terminal and the page. */
import type { DriftTests, FeatureDrift } from '../../../src/monitor.ts';
import { type DriftResult, type DriftSide, driftedOf } from '../jobs/drift/options.ts';
import { brief, counted, percent, pValue, signed, significant, whole } from './wording.ts';

/** A share with its sign, in points of per cent. */
export const points = (value: number | undefined): string =>
  value === undefined || value === 0 ? '–' : `${value > 0 ? '+' : ''}${percent(value)}`;

/** The test of a distribution. */
export function testOf({ ks, chi2, js }: DriftTests): string {
  if (ks) return `KS ${significant(ks.value, 3)}`;
  if (chi2) return `χ² ${significant(chi2.value, 3)}`;
  return js ? `JS ${significant(js.value, 3)}` : '–';
}

/** Features, those that drifted first, then by their index. */
export function rankedFeatures({ found }: DriftResult): FeatureDrift[] {
  const size = ({ tests, adjustedP }: FeatureDrift): number => (tests.psi?.value ?? 0) + (1 - (adjustedP ?? 1)) * 1e-3;
  return [...found.features].sort((a, b) => Number(b.drifted) - Number(a.drifted) || size(b) - size(a));
}

export const sideText = ({ name, kind, rows, of }: DriftSide): string =>
  `${kind === 'baseline' ? 'baseline of ' : ''}${name}, ${counted(rows, 'row')}${of > rows ? ` of ${whole(of)}` : ''}`;

/** What drifted, in a sentence. */
export function verdictOf(result: DriftResult): string {
  const { features, score } = driftedOf(result);
  const { found, model } = result;
  const what = model === null ? 'columns' : 'features';
  const names = features
    .slice(0, 5)
    .map((one) => brief(one, 30))
    .join(', ');
  const list =
    features.length === 0
      ? `None of the ${whole(found.features.length)} ${what} drifted`
      : `${whole(features.length)} of ${whole(found.features.length)} ${what} drifted: ${names}${features.length > 5 ? ` and ${features.length - 5} more` : ''}`;
  return model === null ? list : `${list}; the scores ${score ? 'drifted' : 'did not'}`;
}

/** The figures of the scores. */
export function scoreText({ found: { score } }: DriftResult): string {
  const { tests, p, meanProbability: mean } = score;
  const figures = [
    ...(tests.psi ? [`PSI ${significant(tests.psi.value, 3)} (noise ${significant(tests.psi.noise ?? 0, 2)})`] : []),
    testOf(tests),
    `p ${pValue(p)}`,
  ];
  const means =
    mean.reference === null || mean.current === null
      ? ''
      : `; mean probability of ${brief(score.class, 30)} ${percent(mean.reference)} before, ${percent(mean.current)} now`;
  return `${score.drifted ? 'drifted' : 'no drift'}: ${figures.join(', ')}${means}`;
}

/** What moved the mean logit, the greatest first; null: there is no model of two classes. */
export function shiftText({ found, sides }: DriftResult, most = 5): string | null {
  if (!sides) return null;
  const { total } = found.logitShift;
  if (total === 0) return 'the mean logit did not move';
  const moved = found.features
    .flatMap(({ feature, logitShift }) => (logitShift ? [{ feature, shift: logitShift }] : []))
    .sort((a, b) => Math.abs(b.shift) - Math.abs(a.shift));
  const shown = moved.slice(0, most).map(({ feature, shift }) => `${brief(feature, 30)} ${signed(shift)}`);
  const more = moved.length > most ? `, ${moved.length - most} more` : '';
  return `${signed(total)} towards ${brief(sides[total > 0 ? 0 : 1], 30)}: ${shown.join(', ')}${more}`;
}

/** What tells the two sides apart, all features together. */
export function domainText({ domain, domainNote }: DriftResult): string {
  if (!domain) return `not computed: ${domainNote}`;
  const { auc, low, high, p, rows } = domain;
  const level = auc < 0.55 ? 'hardly' : auc < 0.7 ? 'somewhat' : auc < 0.85 ? 'clearly' : 'almost surely';
  return `a model tells current from reference rows ${level}: AUC ${auc.toFixed(3)} (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}), p ${pValue(p)}, ${whole(rows.reference)} and ${counted(rows.current, 'row')}`;
}

/** The rule by which a feature is called drifted. */
export const ruleText = ({ found: { alpha, adjust } }: DriftResult, least: number): string =>
  `${adjust === 'none' ? 'p' : 'adjusted p'} is at most ${significant(alpha, 3)}${adjust === 'none' ? '' : ` (${adjust})`} and its PSI ${significant(least, 3)} or more above noise`;

/** The object of `drift --json`: the contract, and what was skipped. */
export function driftJson(result: DriftResult): object {
  const { reference, current, model, found, columns, skipped, domain, domainNote, convention, notes, seconds } = result;
  const isModelled = model !== null;
  return {
    drifted: driftedOf(result),
    ...{ reference, current, model, rows: found.rows, refused: found.refused },
    score: isModelled ? found.score : null,
    features: found.features.map((one) => (isModelled ? one : { ...one, logitShift: null, towards: null, slots: [] })),
    logitShift: isModelled ? found.logitShift : null,
    ...{ alpha: found.alpha, adjust: found.adjust, columns, skipped, domain, domainNote, convention, notes, seconds },
  };
}
