import { type Coefficient, coefficients, type Model, type Warning } from '../../../src/index.ts';
import type { BrierParts } from '../../../src/metrics.ts';
import type { ColumnSummary } from '../figures/columns.ts';
import type { Evaluation, Interval } from '../figures/evaluation.ts';
import { describeFeatures, type FeatureSummary } from '../figures/features.ts';
import { counted, figure, percent, significant } from '../figures/wording.ts';

/** The rows behind the figures: held-out rows, the fitted rows, or the rows given to `eval`. */
export type Sample = 'held-out' | 'fitted' | 'given';

/** A headline number of the report. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  /** its interval, or a value to compare it with */
  readonly note: string;
}

/** How to make the report again. */
export interface Origin {
  /** the command line, as it was typed */
  readonly argv: readonly string[];
  /** program and version */
  readonly versions: readonly (readonly [string, string])[];
  readonly model: { readonly path: string; readonly sha256: string | null };
  readonly data: { readonly name: string; readonly sha256: string | null; readonly bytes: number | null };
  /** seed of the random holdout; null if nothing is drawn at random */
  readonly seed: number | null;
  /** date and time */
  readonly made: string;
}

/** Everything the report shows, as plain values. */
export interface ReportData {
  readonly target: string;
  readonly positive: string | null;
  readonly classes: readonly string[];
  readonly rows: { readonly fitted: number; readonly evaluated: number };
  readonly sample: Sample;
  /** rows are weighted to the true class shares */
  readonly trueShares: boolean;
  /** the finding in a sentence or two */
  readonly verdict: string;
  readonly figures: readonly Figure[];
  /** null without rows to evaluate */
  readonly evaluation: Evaluation | null;
  readonly coefficients: readonly Coefficient[];
  /** standard deviation of numeric features in training, by name */
  readonly deviations: ReadonlyMap<string, number>;
  readonly features: readonly FeatureSummary[];
  /** how the model was made: name and text */
  readonly model: readonly (readonly [string, string])[];
  /** null if the rows are not available */
  readonly columns: readonly ColumnSummary[] | null;
  readonly warnings: readonly Warning[];
  readonly origin: Origin;
}

export interface ReportInput {
  readonly model: Model;
  readonly sample: Sample;
  readonly evaluation: Evaluation | null;
  readonly columns: readonly ColumnSummary[] | null;
  readonly warnings: readonly Warning[];
  /** how the model was made: name and text */
  readonly facts: readonly (readonly [string, string])[];
  readonly origin: Origin;
}

export function reportData(input: ReportInput): ReportData {
  const { model, sample, evaluation, columns, warnings, facts, origin } = input;
  const { target, positive, classes, schema, fit, calibration } = model.manifest;
  return {
    target,
    positive,
    classes,
    rows: { fitted: fit.rows, evaluated: evaluation?.rows ?? 0 },
    sample,
    trueShares: sample !== 'given' && calibration?.prior !== undefined,
    verdict: evaluation
      ? verdict(evaluation, positive)
      : 'No rows were held out, so the performance on new rows is unknown.',
    figures: evaluation ? figures(evaluation) : [],
    evaluation,
    coefficients: coefficients(model),
    deviations: new Map(schema.features.flatMap((one) => (one.kind === 'numeric' ? [[one.name, one.scale]] : []))),
    features: describeFeatures(schema.features),
    model: facts,
    columns,
    warnings,
    origin,
  };
}

const interval = ({ low, high }: Interval, digits = 3) =>
  `95 % interval ${figure(low, digits)} to ${figure(high, digits)}`;

function verdict({ metrics, baseLogLoss, classes, binary }: Evaluation, positive: string | null): string {
  const gain = 1 - metrics.logLoss / baseLogLoss;
  const better = Number.isFinite(gain)
    ? gain > 0
      ? `its log loss is ${percent(gain, 0)} below that of always giving the shares of the classes`
      : 'its log loss is no better than that of always giving the shares of the classes'
    : null;
  const calibrated = `its probabilities are off by ${(100 * metrics.ece).toFixed(1)} points on average`;
  const auc = binary ? classes[0].auc?.value : metrics.auc;
  const ranked =
    auc == null
      ? 'Ranking cannot be judged: not all classes occur'
      : binary
        ? `Of a row that is ${positive} and one that is not, the first has the greater probability ${percent(auc, 0)} of the time`
        : `The class is right for ${percent(metrics.accuracy, 0)} of the rows`;
  return `${[ranked, calibrated].join('; ')}${better ? `; ${better}` : ''}.`;
}

function figures({ metrics, baseLogLoss, classes, binary, costs, rows, weight }: Evaluation): Figure[] {
  const [first] = classes;
  const of = `${counted(rows, 'row')}${Math.abs(weight - rows) <= 1e-9 * rows ? '' : `, weight ${significant(weight)}`}`;
  const skill = (text: string, value: number, digits = 3) => ({ name: text, value: figure(value, digits) });
  return [
    binary
      ? {
          name: 'AUC',
          value: figure(first.auc?.value ?? null, 3),
          note: first.auc
            ? first.auc.interval
              ? interval(first.auc.interval)
              : 'too few rows for an interval'
            : 'one class only',
        }
      : { name: 'AUC, mean over the classes', value: figure(metrics.auc, 3), note: 'each class against the rest' },
    ...(binary
      ? [
          {
            name: 'average precision',
            value: figure(first.averagePrecision, 3),
            note: `${figure(first.share, 3)} by chance`,
          },
        ]
      : []),
    { ...skill('log loss', metrics.logLoss), note: `${figure(baseLogLoss, 3)} by the shares alone` },
    { ...skill('Brier score', metrics.brier), note: binary ? brierNote(binary.brier) : '0 is perfect, 2 the worst' },
    { ...skill('calibration error', metrics.ece), note: 'ECE, 10 bins of equal width' },
    ...(binary?.slope
      ? [{ ...skill('calibration slope', binary.slope.value, 2), note: interval(binary.slope.interval, 2) }]
      : []),
    ...(binary
      ? [
          {
            ...skill('predicted − observed', binary.large.predicted - binary.large.observed),
            note: `mean probability ${percent(binary.large.predicted)}, share ${percent(binary.large.observed)}${binary.large.intercept ? `; intercept ${figure(binary.large.intercept.value, 2)}, ${interval(binary.large.intercept.interval, 2)}` : ''}`,
          },
        ]
      : []),
    ...(binary?.cost
      ? [
          {
            name: 'mean cost',
            value: significant(binary.cost.decided, 4),
            note: `${significant(binary.cost.nobody, 4)} flagging nobody, ${significant(binary.cost.everybody, 4)} flagging everybody`,
          },
        ]
      : []),
    ...(binary?.ks != null
      ? [{ ...skill('KS', binary.ks), note: 'greatest gap between the ROC curve and chance' }]
      : []),
    {
      name: binary ? `accuracy at ${significant(binary.threshold, 3)}` : 'accuracy',
      value: percent(metrics.accuracy),
      note: of,
    },
    ...(costs
      ? [
          {
            name: 'mean cost',
            value: significant(costs.decided, 4),
            note: `${significant(costs.mostProbable, 4)} by always taking the most probable class, ${significant(costs.constant, 4)} by one class for all`,
          },
        ]
      : []),
  ];
}

const brierNote = ({ reliability, resolution, uncertainty }: BrierParts) =>
  `reliability ${figure(reliability)} − resolution ${figure(resolution)} + uncertainty ${figure(uncertainty)}`;
