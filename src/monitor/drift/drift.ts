import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import type { Data } from '../../encode/checkedTable.ts';
import { list } from '../../messages.ts';
import { Model } from '../../model/model.ts';
import { between } from '../check.ts';
import { baselineOf } from '../summary/baseline.ts';
import { isHidden } from '../summary/layout.ts';
import { summarise } from '../summary/summarise.ts';
import type { FeatureSummary } from '../summary/summary.ts';
import { Summary } from '../summary/summary.ts';
import { compareFeature, compareNumbers, type DriftTests, jointP } from './compare.ts';
import { type LogitShift, logitShifts, type SlotShift } from './shift.ts';
import { type Adjustment, adjustP } from './tests.ts';

/** Options of `drift`. */
export interface DriftOptions {
  /** the model whose encoder reads the data and whose scores are compared; default: the reference, when it is a model */
  readonly model?: Model;
  /** features are called drifted where the adjusted p-value is at most this; default 0.05 */
  readonly alpha?: number;
  /** how p-values are adjusted for the number of features; default benjamini-hochberg */
  readonly adjust?: Adjustment;
  /**
   * and where the population stability index exceeds its noise, (B − 1)·(1/n + 1/m), by this; default 0.01, a shift of a tenth of a standard deviation. 0: whatever is
   * significant
   */
  readonly least?: number;
}

/** The drift of one feature. */
export interface FeatureDrift {
  readonly feature: string;
  readonly drifted: boolean;
  /** of the feature, by its distribution and its missing and unseen cells; null: it cannot be told */
  readonly p: number | null;
  /** adjusted for the number of features */
  readonly adjustedP: number | null;
  readonly tests: DriftTests;
  /** what it adds to the shift of the mean logit (with two classes) */
  readonly logitShift: number | null;
  /** the label that this moves decisions to; null: none */
  readonly towards: string | null;
  /** the slots that moved most, at most 5; none of a private feature */
  readonly slots: readonly SlotShift[];
  readonly reference: Omit<FeatureSummary, 'feature'>;
  readonly current: Omit<FeatureSummary, 'feature'>;
  /** why something cannot be told; absent: all can */
  readonly note?: string;
}

/** The drift of the scores: of the logit, or with more than two classes the class whose probability moved most. */
export interface ScoreDrift {
  readonly drifted: boolean;
  readonly psi: number | null;
  readonly ks: number | null;
  readonly js: number | null;
  readonly kl: number | null;
  readonly wasserstein: number | null;
  readonly p: number | null;
  readonly tests: DriftTests;
  /** the class whose figures these are */
  readonly class: string;
  /** mean probability of that class; null: not known, or of another calibration */
  readonly meanProbability: { readonly reference: number | null; readonly current: number | null };
}

/** What `drift` returns: the JSON of `logodds drift --json`. */
export interface Drift {
  readonly rows: { readonly reference: number; readonly current: number };
  readonly refused: { readonly reference: number; readonly current: number };
  readonly score: ScoreDrift;
  /** in the order of the schema */
  readonly features: readonly FeatureDrift[];
  /** the shift of the mean logit; with more than two classes of each in `classes` */
  readonly logitShift: {
    readonly total: number;
    readonly observed: number | null;
    readonly ranked: readonly string[];
    readonly classes?: readonly LogitShift[];
  };
  readonly alpha: number;
  readonly adjust: Adjustment;
  /** what was left out or is not comparable, one sentence each */
  readonly notes: readonly string[];
}

/** What is compared: data, a summary, or a model with a baseline. */
export type DriftSide = Data | Summary | Model;

/**
 * Compares current data with reference data: which features and scores have another distribution, and what that does to the logit.
 *
 * Numbers are compared on the bins of the reference by a smooth test of location and spread and by Kolmogorov-Smirnov, categories by χ²; the population stability
 * index, Jensen-Shannon, Kullback-Leibler and Wasserstein stand beside. P-values are adjusted over the features. A feature is `drifted` where its adjusted p-value is at most `alpha` and its index exceeds
 * noise by `least`, so that neither a small window nor a great one cries wolf. The shift of the mean logit is split by feature, exactly.
 * @param reference  a table, records, a summary, or a model: its baseline
 * @param current  a table, records or a summary of the same model
 * @throws ERR_DATA a model without a baseline, or no row on a side; ERR_SCHEMA summaries of other bins; ERR_RANGE options outside their domain, or no model; others as
 *   `summarise`
 * @example
 * const { features, logitShift } = drift(records, records, { model });
 * features[0].drifted; // false
 * logitShift.total; // 0
 */
export function drift(reference: DriftSide, current: DriftSide, options: DriftOptions = {}): Drift {
  refuseUnknown('drift', options, { model: true, alpha: true, adjust: true, least: true });
  const { alpha: level = 0.05, adjust = 'benjamini-hochberg', least = 0.01 } = options;
  const alpha = between('alpha', level, 0, 1);
  if (!(least >= 0)) refuse('ERR_RANGE', 'least', 'a number >= 0', tell(least), 'leave it out for the default');
  const model = options.model ?? (reference instanceof Model ? reference : undefined);
  if (!(model instanceof Model))
    refuse('ERR_RANGE', 'model', 'a model of "logodds"', tell(model), 'give the one whose features these are');
  const notes: string[] = [];
  const before = sideOf(model, 'reference', reference, null, notes);
  const now = sideOf(model, 'current', current, before, notes);
  const shifts = logitShifts(model, before, now);
  const [of, summed] = [before.features, now.features];
  const byName = new Map(shifts[0].features.map((one) => [one.feature, one]));
  const found = before.plan.map((plan) => {
    const tests = compareFeature(before, now, plan);
    return { plan, tests, p: jointP(tests, plan.columns[0].kept === 'codes') };
  });
  const adjusted = adjustP(
    found.map(({ p }) => p),
    adjust,
  );
  const features = found.map(({ plan, tests, p }, i): FeatureDrift => {
    const { feature: name, ...was } = of[i];
    const { feature: _, ...is } = summed[i];
    const isLeftOut = plan.columns[0].kept === 'none';
    const hides = (before.hides || now.hides) && isHidden(plan);
    const own = shifts.length === 1 && !isLeftOut && !hides ? byName.get(name) : undefined;
    return {
      feature: name,
      drifted: isDrifted(adjusted[i], tests, alpha, least),
      p,
      adjustedP: adjusted[i],
      tests,
      logitShift: own?.shift ?? null,
      towards: own?.towards ?? null,
      slots: plan.feature.private ? [] : (own?.slots.slice(0, 5) ?? []),
      reference: was,
      current: is,
      ...((isLeftOut || p === null) && {
        note: isLeftOut ? `the baseline leaves out its values` : `no value of ${plan.feature.name} on a side`,
      }),
    };
  });
  const score = scoreDrift(model, before, now, alpha, least);
  const { total, observed, features: ranked } = shifts[0];
  const { without = [] } = before.bins;
  if (without.length > 0)
    notes.push(`the split of the shift is without ${list(without)}, which the baseline leaves out`);
  const hidden = before.hides || now.hides ? before.plan.filter(isHidden).map(({ feature: { name } }) => name) : [];
  if (hidden.length > 0)
    notes.push(`the split of the shift is without ${list(hidden)}, whose numbers are private: they are in no sum`);
  return {
    rows: { reference: before.rows, current: now.rows },
    refused: { reference: before.refused, current: now.refused },
    score,
    features,
    logitShift: {
      total,
      observed,
      ranked: ranked.filter(({ shift }) => shift !== 0).map((one) => one.feature),
      ...(shifts.length > 1 && { classes: shifts }),
    },
    alpha,
    adjust,
    notes,
  };
}

function sideOf(model: Model, what: string, given: DriftSide, bins: Summary | null, notes: string[]): Summary {
  let found: Summary;
  if (given instanceof Summary) found = given;
  else if (given instanceof Model) {
    const { whole, isCurrent } = baselineOf(given);
    if (!isCurrent)
      notes.push(`the ${what} was scored with another calibration or decision: mean probabilities are not comparable`);
    found = whole;
  } else {
    const rows = Array.isArray(given) ? given.length : (given as { readonly rows?: number })?.rows;
    if (rows === 0) refuse('ERR_DATA', what, 'one row or more', 'none', 'wait for rows');
    found = summarise(model, given as Data, bins?.bins);
  }
  if (!(found.rows > 0)) refuse('ERR_DATA', what, 'one row or more', 'none', 'wait for rows');
  if (bins && JSON.stringify(bins.bins) !== JSON.stringify(found.bins))
    refuse(
      'ERR_SCHEMA',
      what,
      'a summary on the bins of the reference',
      'other bins',
      'make both with the bins of one baseline',
    );
  if (found.plan.length !== model.manifest.schema.features.length)
    refuse('ERR_SCHEMA', what, 'a summary of this model', 'one of another', 'make it with this model');
  if (found.sample > 1) notes.push(`numbers of the ${what} are those of one block of rows in ${found.sample}`);
  return found;
}

function isDrifted(
  adjusted: number | null,
  { psi, missing, unseen }: DriftTests,
  alpha: number,
  least: number,
): boolean {
  if (adjusted === null || adjusted > alpha) return false;
  if (!psi) return true;
  const shares = [missing, unseen].some((one) => one && Math.abs(one.value) >= Math.sqrt(least) / 4);
  return shares || psi.value - (psi.noise ?? 0) >= least;
}

function scoreDrift(model: Model, before: Summary, now: Summary, alpha: number, least: number): ScoreDrift {
  const { classes, positive } = model.manifest;
  const two = positive !== null;
  const planes = two ? [0] : before.planes.map((_, k) => k);
  const found = planes.map((k) => ({ k, tests: compareNumbers(before.planes[k], now.planes[k]) ?? {} }));
  const most = found.reduce((a, b) => ((b.tests.psi?.value ?? 0) > (a.tests.psi?.value ?? 0) ? b : a));
  const own = jointP(most.tests, false);
  const p = own === null ? null : Math.min(1, own * planes.length);
  const { psi, ks, js, kl, wasserstein } = most.tests;
  const probability = two ? 1 : most.k;
  return {
    drifted: isDrifted(p, most.tests, alpha, least),
    psi: psi?.value ?? null,
    ks: ks?.value ?? null,
    js: js?.value ?? null,
    kl: kl?.value ?? null,
    wasserstein: wasserstein?.value ?? null,
    p,
    tests: most.tests,
    class: positive ?? classes[most.k],
    meanProbability: { reference: before.planes[probability].mean, current: now.planes[probability].mean },
  };
}
