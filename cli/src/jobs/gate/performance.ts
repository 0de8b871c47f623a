import {
  aucDifference,
  type Compared,
  calibrationLine,
  type Difference,
  ece,
  eceFloor,
  evaluateClasses,
  logLoss,
  type MetricDifferences,
  metricDifferences,
  type Predictions,
  type RowScores,
} from '../../../../src/metrics.ts';
import { significant } from '../../figures/wording.ts';
import { type Check, type Context, finding, JUDGED, type Judging, within } from './finding.ts';
import { ofCompared } from './population.ts';
import { type ComparedRows, predictionsOf } from './rows.ts';
import type { Given, RuleName } from './rules.ts';

/** What is compared: predictions, classes, weights of the same rows. */
export interface Paired {
  readonly first: ReturnType<typeof predictionsOf>;
  readonly second: ReturnType<typeof predictionsOf>;
  readonly y: Uint32Array;
  readonly isBinary: boolean;
}

/** With two classes y is 1 for the positive one, else the class. */
export function pairedOf({ candidate, champion }: Context, rows: ComparedRows): Paired {
  const { classes, positive } = candidate.model.manifest;
  const code = classes.indexOf(positive!);
  return {
    first: predictionsOf(candidate.model, rows.candidate),
    second: predictionsOf(champion.model, rows.champion),
    y: positive === null ? rows.codes : rows.codes.map((one) => Number(one === code)),
    isBinary: positive !== null,
  };
}

/** Bootstraps of the same rows are drawn once, however many rules ask. */
const drawn = new WeakMap<ComparedRows, Map<number, MetricDifferences>>();

export function differencesOf(context: Context, rows: ComparedRows, level = context.rules.level): MetricDifferences {
  const { seed, replicates } = context.rules;
  const known = drawn.get(rows) ?? new Map<number, MetricDifferences>();
  drawn.set(rows, known);
  const { first, second, y } = pairedOf(context, rows);
  const { weight, weightKind, cluster: clusters } = rows;
  const found =
    known.get(level) ?? metricDifferences(first, second, y, weight, { seed, replicates, level, weightKind, clusters });
  known.set(level, found);
  return found;
}

const ranked = ({ logits, probabilities }: Predictions): RowScores => logits ?? probabilities!;

/** The difference of two areas, by DeLong where nothing else is asked for and it knows the case. Null: there is none. */
export function areasOf(context: Context, rows: ComparedRows, method?: string, level = context.rules.level) {
  const { first, second, y, isBinary } = pairedOf(context, rows);
  const isDeLong = method === undefined ? isBinary && !rows.cluster : method === 'delong';
  if (!isDeLong) return { method: 'bootstrap', found: differencesOf(context, rows, level).auc } as const;
  const [a, b] = [first, second].map((one) => ranked(one as Predictions));
  const found = aucDifference(a, b, y, rows.weight, { level, weightKind: rows.weightKind });
  return { method: 'DeLong', found } as const;
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${significant(value, 3)}`;

/** How a comparison is judged: whether a greater figure is better, the margin, by what. */
export interface Margin {
  readonly greaterIsBetter: boolean;
  readonly margin: number;
  readonly by: Judging;
  readonly method: string;
  readonly of?: string | null;
}

/** Words of the compared figures. */
const FIGURES: Readonly<Record<Compared, string>> = {
  logLoss: 'log loss',
  auc: 'AUC',
  brier: 'Brier score',
  ece: 'calibration error',
};

export function compared(rule: RuleName, options: Given, name: Compared, found: Difference, judging: Margin) {
  const { greaterIsBetter, margin, by, method, of = null } = judging;
  const ends = greaterIsBetter ? { least: -margin } : { greatest: margin };
  const { first, second, difference: value, low, high } = found;
  const limit = greaterIsBetter ? `at or above ${significant(-margin, 3)}` : `at or below ${significant(margin, 3)}`;
  const sentence = `${FIGURES[name]} ${significant(first, 4)} against ${significant(second, 4)}: ${signed(value)}, interval ${signed(low)} to ${signed(high)} (${method}); expected ${JUDGED[by]} ${limit}`;
  return finding(
    rule,
    options,
    within(by, { value, low, high }, ends),
    sentence,
    { candidate: first, champion: second, value, low, high, ...ends },
    of,
  );
}

/** Non-inferiority of a mean of rows. */
const meanRule = (rule: 'logLoss' | 'brier'): Check =>
  ofCompared(rule, (context, rows, options) => {
    const found = differencesOf(context, rows)[rule];
    if (found) {
      const by = options['judgedBy'] as Judging;
      const margin = options['margin'] as number;
      return [compared(rule, options, rule, found, { greaterIsBetter: false, margin, by, method: 'bootstrap' })];
    }
    const { first, second, y } = pairedOf(context, rows);
    const [own, other] = [first, second].map((one) => logLoss(one, y, rows.weight));
    if (rule === 'logLoss' && !Number.isFinite(own))
      return [
        finding(
          rule,
          options,
          false,
          'the log loss of the candidate is infinite: it gives what happened the probability 0',
          { champion: other },
        ),
      ];
    if (rule === 'logLoss' && !Number.isFinite(other))
      return [
        finding(rule, options, true, 'the log loss of the champion is infinite, that of the candidate is not', {
          candidate: own,
        }),
      ];
    return [
      finding(
        rule,
        options,
        'not checked',
        'fewer than two rows or clusters can be drawn, so that there is no interval',
      ),
    ];
  });

export const logLossRule = meanRule('logLoss');
export const brierRule = meanRule('brier');

export const auc = ofCompared('auc', (context, rows, options) => {
  const { isBinary } = pairedOf(context, rows);
  if (options['method'] === 'delong' && !isBinary)
    return [
      finding(
        'auc',
        options,
        'not checked',
        'DeLong compares areas of two classes, and the models have more; leave out method',
      ),
    ];
  const { found, method } = areasOf(context, rows, options['method'] as string | undefined);
  if (!found)
    return [
      finding(
        'auc',
        options,
        'not checked',
        'a class has fewer than two rows, so that there is no area or no interval',
      ),
    ];
  const by = options['judgedBy'] as Judging;
  return [
    compared('auc', options, 'auc', found, { greaterIsBetter: true, margin: options['margin'] as number, by, method }),
  ];
});

export const calibrationError = ofCompared('calibrationError', (context, rows, options) => {
  const { first, second, y, isBinary } = pairedOf(context, rows);
  const [most, bins] = [options['most'] as number, options['bins'] as number];
  const { replicates, seed, level } = context.rules;
  if (!isBinary && bins !== 10)
    return [
      finding(
        'calibrationError',
        options,
        'not checked',
        'with more than two classes the error is of 10 bins; leave out bins',
      ),
    ];
  const errorOf = (of: typeof first) =>
    isBinary ? ece(of as Predictions, y, rows.weight, bins) : evaluateClasses(of as never, y, rows.weight).ece;
  const [value, champion] = [errorOf(first), errorOf(second)];
  const { probabilities } = rows.candidate;
  // of the label, which with two classes is the positive one
  const said = isBinary
    ? probabilities[0]
    : probabilities[0].map((_, row) => Math.max(...probabilities.map((plane) => plane[row])));
  const floor = eceFloor(said, rows.weight, { replicates: Math.min(replicates, 1000), seed, level, bins });
  const greatest = Math.max(most, floor.high);
  const sentence = `calibration error ${significant(value, 3)}; expected at most ${significant(most, 3)}, or what chance explains on these rows (${significant(floor.high, 3)})`;
  return [
    finding('calibrationError', options, value <= greatest, sentence, { candidate: value, champion, value, greatest }),
  ];
});

const lineRule = (rule: 'calibrationIntercept' | 'calibrationSlope', part: 'intercept' | 'slope'): Check =>
  ofCompared(rule, (context, rows, options) => {
    const { first, y, isBinary } = pairedOf(context, rows);
    if (!isBinary)
      return [
        finding(rule, options, 'not checked', `the ${part} of calibration is of two classes, and the models have more`),
      ];
    const { level } = context.rules;
    const found = calibrationLine(first as Predictions, y, rows.weight, { level, weightKind: rows.weightKind })?.[part];
    if (!found)
      return [
        finding(
          rule,
          options,
          'not checked',
          `there is no ${part}: one class only, a probability of 0 or 1, or scores that part the classes`,
        ),
      ];
    const ends = { least: options['least'] as number, greatest: options['greatest'] as number };
    const by = options['judgedBy'] as Judging;
    const { value, low, high } = found;
    const sentence = `${part} of calibration ${significant(value, 3)}, interval ${significant(low, 3)} to ${significant(high, 3)}; expected ${JUDGED[by]} from ${ends.least} to ${ends.greatest}`;
    return [finding(rule, options, within(by, found, ends), sentence, { candidate: value, value, low, high, ...ends })];
  });

export const calibrationIntercept = lineRule('calibrationIntercept', 'intercept');
export const calibrationSlope = lineRule('calibrationSlope', 'slope');
