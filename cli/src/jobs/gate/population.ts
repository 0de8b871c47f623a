import { psi } from '../../../../src/metrics.ts';
import { counted, percent, significant, whole } from '../../figures/wording.ts';
import { type Check, type Context, finding } from './finding.ts';
import type { ComparedRows } from './rows.ts';
import type { Given, RuleName } from './rules.ts';

/** A check that needs rows; without them it is not checked. */
export const ofRows =
  (rule: RuleName, check: (context: Context, rows: ComparedRows, options: Given) => ReturnType<Check>): Check =>
  (context, options) => {
    const { rows } = context;
    if (typeof rows === 'string') return [finding(rule, options, 'not checked', rows)];
    return check(context, rows, options);
  };

/** A check of rows with a label, which needs one. */
export const ofCompared: typeof ofRows = (rule, check) =>
  ofRows(rule, (context, rows, options) =>
    rows.counts.compared === 0
      ? [finding(rule, options, 'not checked', 'no row has a label and a score of both models')]
      : check(context, rows, options),
  );

export const scored = ofRows('scored', (_, { counts, candidateReason }, options) => {
  const most = options['most'] as number;
  const { candidateRefuses, bothRefuse, rows } = counts;
  const both = bothRefuse > 0 ? `, ${whole(bothRefuse)} of which the champion refuses too` : '';
  const why = candidateReason === null ? '' : ` (${candidateReason})`;
  const sentence =
    candidateRefuses === 0
      ? `the candidate scores all of ${counted(rows, 'row')}`
      : `the candidate refuses ${whole(candidateRefuses)} of ${counted(rows, 'row')}${both}${why}; expected at most ${whole(most)}`;
  return [finding('scored', options, candidateRefuses <= most, sentence, { value: candidateRefuses, greatest: most })];
});

export const rows = ofRows('rows', (_, { counts: { compared } }, options) => {
  const least = options['least'] as number;
  const sentence = `${counted(compared, 'row has', 'rows have')} a label and a score of both models; expected at least ${whole(least)}`;
  return [finding('rows', options, compared >= least, sentence, { value: compared, least })];
});

export const positives = ofRows('positives', ({ candidate }, { codes }, options) => {
  const least = options['least'] as number;
  const { classes } = candidate.model.manifest;
  const counts = classes.map(() => 0);
  for (const code of codes) counts[code]++;
  const fewest = counts.indexOf(Math.min(...counts));
  const sentence = `${counted(counts[fewest], 'row is', 'rows are')} ${JSON.stringify(classes[fewest])}, the fewest of a class; expected at least ${whole(least)}`;
  return [finding('positives', options, counts[fewest] >= least, sentence, { value: counts[fewest], least })];
});

export const labelCoverage = ofRows('labelCoverage', (_, { counts }, options) => {
  const least = options['least'] as number;
  const value = counts.labelled / counts.rows;
  const sentence = `${whole(counts.labelled)} of ${counted(counts.rows, 'row has', 'rows have')} a label (${percent(value)}); expected at least ${percent(least)}`;
  return [finding('labelCoverage', options, value >= least, sentence, { value, least })];
});

export const scorePsi = ofCompared('scorePsi', (_, { candidate, champion, weight }, options) => {
  const [most, bins, epsilon] = ['most', 'bins', 'epsilon'].map((key) => options[key] as number);
  const found = candidate.probabilities.map((plane, k) =>
    psi(champion.probabilities[k], plane, { bins, epsilon, ...(weight && { weights: [weight, weight] as const }) }),
  );
  const worst = found.reduce((a, b) => (b.psi > a.psi ? b : a));
  const empty = worst.empty > 0 ? `, ${worst.empty} of them empty on one side` : '';
  const sentence = `the scores differ by a PSI of ${significant(worst.psi, 3)} (${worst.bins} bins${empty}, ε ${epsilon}); expected at most ${most}`;
  return [finding('scorePsi', options, worst.psi <= most, sentence, { value: worst.psi, greatest: most })];
});
