import type { Coefficient, Model } from '../../../src/index.ts';
import { budget, counted, percent, significant, word } from './wording.ts';

export function formula(model: Model): string {
  const { target, schema, offset } = model.manifest;
  const shown = shorten(
    schema.features.map((feature) => feature.name),
    10,
  );
  return [word(target), '~', [...shown, ...(offset === null ? [] : [`offset(${word(offset)})`])].join(' + ')].join(' ');
}

function penaltyName(l1Ratio: number): string {
  return l1Ratio === 0 ? 'L2 penalty' : l1Ratio === 1 ? 'L1 penalty' : `elastic net, L1 ratio ${l1Ratio}`;
}

/** Lists at most `most` names and counts the others. */
const shorten = (names: readonly string[], most: number): string[] =>
  names.length > most
    ? [...names.slice(0, most - 1).map(word), `${names.length - most + 1} more`]
    : names.map((name) => word(name));

function classNames({ manifest: { classes, positive, multiclass, reference } }: Model): string {
  const note =
    multiclass === null
      ? `probabilities are of ${word(positive!)}`
      : multiclass === 'ovr'
        ? 'one against the rest'
        : reference === null
          ? 'multinomial'
          : `multinomial, the reference is ${word(reference)}`;
  return `${shorten(classes, 12).join(', ')}   (${note})`;
}

/** How the model was fitted: name and text. */
export function fitFacts(model: Model): (readonly [string, string])[] {
  const { objective, fit } = model.manifest;
  const penalty =
    objective.lambda === 0
      ? objective.firth
        ? "Firth's: half the logarithm of the information's determinant"
        : 'no penalty'
      : `${penaltyName(objective.l1Ratio)}, C = ${significant(objective.C)} (lambda = ${significant(objective.lambda)})`;
  const end = fit.converged ? 'converged' : `NOT converged (${fit.reason})`;
  const path =
    fit.gradNorm === null
      ? fit.choice
      : `${fit.solver}, ${end} in ${fit.iterations} iterations, gradient ${fit.gradNorm.toExponential(1)}`;
  return [
    ['classes', classNames(model)],
    ['penalty', penalty],
    ['fit', path],
    ...weightFacts(model),
    ...decisionFacts(model),
    ['log-likelihood', `${significant(fit.logLik, 8)}   (intercept alone: ${significant(fit.nullLogLik, 8)})`],
  ];
}

/** The meaning of the weights in the fit. */
function weightFacts({ manifest: { weight, weightKind, fit } }: Model): (readonly [string, string])[] {
  if (weight === null || weightKind === undefined) return [];
  return [
    [
      'weights',
      weightKind === 'count'
        ? `${word(weight)}: counts, ${counted(fit.rows, 'row that stands', 'rows that stand')} for ${significant(fit.totalWeight)}`
        : `${word(weight)}: sampling weights, n = ${counted(fit.rows, 'row')}   (--weight-kind count where weights count rows)`,
    ],
  ];
}

/** How probabilities are calibrated and become labels, unless it is the default. */
function decisionFacts({ manifest }: Model): (readonly [string, string])[] {
  const { calibration, decision, positive } = manifest;
  const { threshold, costs, abstain, chosen } = decision;
  const by = calibration?.by;
  const rows = by
    ? `, by ${counted(by.rows, 'row')}${by.folds === null ? ' held out' : ` in ${counted(by.folds, 'fold')}`}`
    : '';
  const shift = calibration && calibration.shift.length > 0 ? ', shifted to the true shares of the classes' : '';
  const why = chosen && (Object.hasOwn(REASONS, chosen.by) ? REASONS[chosen.by](chosen.parameter) : chosen.by);
  const value = (number: number, digits: number) =>
    chosen!.by === 'budget' ? percent(number) : significant(number, digits);
  const found = chosen
    ? `   (${why}: ${value(chosen.value, 4)}${chosen.stdError === null ? '' : ` ± ${value(chosen.stdError, 2)}`} out of fold${chosen.range ? `; folds: ${chosen.range.map((end) => significant(end, 3)).join(' to ')}` : ''})`
    : '';
  const facts: (readonly [string, string] | false)[] = [
    !!calibration && ['calibration', `${calibration.method}${rows}${shift}`],
    positive === null
      ? costs !== undefined && ['decision', 'least expected cost']
      : (threshold !== 0.5 || !!chosen) && ['decision', `${word(positive)} above ${significant(threshold, 4)}${found}`],
    !!abstain && [
      'review',
      positive === null
        ? `below ${significant(abstain.high, 4)}`
        : `from ${significant(abstain.low, 4)} to ${significant(abstain.high, 4)}`,
    ],
  ];
  return facts.filter((fact) => fact !== false);
}

type Chosen = NonNullable<Model['manifest']['decision']['chosen']>;

const REASONS: Readonly<Record<Chosen['by'], (parameter: number | null) => string>> = {
  cost: () => 'mean cost',
  fbeta: (beta) => `F${beta}`,
  recall: (precision) => `recall, at precision ${precision} or more`,
  precision: (recall) => `precision, at recall ${recall} or more`,
  budget: (most) => `called positive, at most ${budget(most!)}`,
};

export const label = ({ feature, level }: Coefficient) => (level === null ? feature : `${feature} = ${level}`);
