import { choice, number, period } from '../options/kinds.ts';
import type { OptionTable } from '../options/tableFile.ts';
import { promDuration } from './burn.ts';

/**
 * What is compared with a limit. The rules of Prometheus and what `serve --slo` evaluates are made of it, so that both say the same.
 *
 *   gauge   each sample of the family by itself, without `less` (a number, or the family whose samples of equal labels are taken from it); `abs`: its size.
 *           It is over the limit, or equal to `is`
 *   grew    how much all samples of a counter grew together within `window` seconds
 *   share   by how much a counter grew within `window` seconds of what another one grew, by their labels `by`; `least` is how much it must have grown itself
 *   ends    a time in seconds since 1970 that is nearer than `above` days
 *   up      whether anything answers; it is so where nothing does
 */
export type Measure =
  | {
      readonly kind: 'gauge';
      readonly family: string;
      readonly less?: number | string;
      readonly abs?: true;
      readonly is?: number;
    }
  | { readonly kind: 'grew'; readonly family: string; readonly window: number }
  | {
      readonly kind: 'share';
      readonly family: string;
      readonly all: string;
      readonly window: number;
      readonly by: readonly string[];
      readonly least: number;
    }
  | { readonly kind: 'ends'; readonly family: string }
  | { readonly kind: 'up' };

/** What must not be, and has no budget. */
export interface Condition {
  /** name of the alert */
  readonly alert: string;
  readonly about: string;
  readonly severity: 'page' | 'ticket' | 'off';
  /** how long it is so before somebody is told */
  readonly lasting: string;
  /** the limit where nobody says; null: it has none */
  readonly above: number | null;
  readonly measure: Measure;
  /** what is told, with the labels of the sample */
  readonly summary: string;
  /** a page of docs/runbooks */
  readonly runbook: string;
}

export const DAY = 86_400;
const MINUTES = 60;

/** An expression of Prometheus that has a sample where a condition is so. @param job  `job="logodds"` */
export function conditionExpr({ measure }: Condition, job: string, above: number): string {
  switch (measure.kind) {
    case 'gauge': {
      const { family, less, abs, is } = measure;
      const taken = less === undefined ? '' : ` - ${typeof less === 'number' ? less : `${less}{${job}}`}`;
      const value = `${family}{${job}}${taken}`;
      const compared = is === undefined ? `> ${above}` : `== ${is}`;
      return `${abs ? `abs(${value})` : value} ${compared}`;
    }
    case 'grew':
      return `sum(increase(${measure.family}{${job}}[${promDuration(measure.window)}])) > ${above}`;
    case 'share': {
      const { family, all, window, by, least } = measure;
      // what is folded into those that were replaced long ago is no event of now
      const grew = (name: string) =>
        `sum by (${by.join(', ')}) (increase(${name}{${job},version!="earlier"}[${promDuration(window)}]))`;
      return `${grew(family)} / ${grew(all)} > ${above} and ${grew(family)} >= ${least}`;
    }
    case 'ends':
      return `${measure.family}{${job}} - time() < ${above * DAY}`;
    case 'up':
      return `absent(up{${job}} == 1)`;
  }
}

export const CONDITIONS = {
  down: {
    alert: 'LogoddsDown',
    about: 'no process answers',
    severity: 'page',
    lasting: '1m',
    above: null,
    measure: { kind: 'up' },
    summary: 'no process of the service answers',
    runbook: 'errors',
  },
  notReady: {
    alert: 'LogoddsNotReady',
    about: 'a process answers and takes no requests',
    severity: 'ticket',
    lasting: '10m',
    above: null,
    measure: { kind: 'gauge', family: 'lr_ready', is: 0 },
    summary: '{{ $labels.instance }} is not ready for new requests',
    runbook: 'cold-start',
  },
  modelsFailed: {
    alert: 'LogoddsModelsFailed',
    about: 'models that could not be loaded: what answered before goes on',
    severity: 'ticket',
    lasting: '5m',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_models_failed' },
    summary: 'models of {{ $labels.instance }} that could not be loaded: {{ $value }}',
    runbook: 'wrong-artifact',
  },
  untrusted: {
    alert: 'LogoddsModelsUntrusted',
    about: 'models that no trusted key has signed',
    severity: 'page',
    lasting: '1m',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_models_untrusted' },
    summary: 'models of {{ $labels.instance }} without a signature of a trusted key: {{ $value }}',
    runbook: 'wrong-artifact',
  },
  signatureExpiry: {
    alert: 'LogoddsSignatureExpires',
    about: 'days until the first signature of a model that answers expires, counted down from `above`',
    severity: 'ticket',
    lasting: '1h',
    above: 14,
    measure: { kind: 'ends', family: 'lr_signature_expiry_timestamp_seconds' },
    summary: 'a signature of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}',
    runbook: 'wrong-artifact',
  },
  certificateExpiry: {
    alert: 'LogoddsCertificateExpires',
    about: 'days until the certificate of TLS expires, counted down from `above`',
    severity: 'ticket',
    lasting: '1h',
    above: 14,
    measure: { kind: 'ends', family: 'lr_certificate_expiry_timestamp_seconds' },
    summary: 'the certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}',
    runbook: 'errors',
  },
  staleFiles: {
    alert: 'LogoddsStaleFiles',
    about: 'files of keys and certificates that could not be read again',
    severity: 'ticket',
    lasting: '15m',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_stale_files' },
    summary: 'files of keys or certificates that {{ $labels.instance }} cannot read again: {{ $value }}',
    runbook: 'errors',
  },
  rolledBack: {
    alert: 'LogoddsRolledBack',
    about: 'rollouts that a guard has ended: the champion answers',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    measure: { kind: 'grew', family: 'lr_route_breaches_total', window: 15 * MINUTES },
    summary: 'a guard has ended a rollout; the champion answers',
    runbook: 'rolled-back',
  },
  fallbacks: {
    alert: 'LogoddsFallbacks',
    about: 'requests in 15 minutes that another version had to answer',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    measure: { kind: 'grew', family: 'lr_route_fallbacks_total', window: 15 * MINUTES },
    summary: 'requests that a fallback answered within 15 minutes: {{ $value | humanize }}',
    runbook: 'errors',
  },
  workerRestarts: {
    alert: 'LogoddsWorkersRestart',
    about: 'processes of the service that ended by themselves within an hour',
    severity: 'ticket',
    lasting: '0s',
    above: 3,
    measure: { kind: 'grew', family: 'lr_worker_restarts_total', window: 60 * MINUTES },
    summary: 'workers that ended by themselves within an hour: {{ $value | humanize }}',
    runbook: 'errors',
  },
  auditLost: {
    alert: 'LogoddsAuditLost',
    about: 'requests that the audit log lost within 15 minutes',
    severity: 'page',
    lasting: '0s',
    above: 0,
    measure: { kind: 'grew', family: 'lr_audit_dropped_total', window: 15 * MINUTES },
    summary: 'requests that the audit log lost within 15 minutes: {{ $value | humanize }}',
    runbook: 'lost-lines',
  },
  policyFailures: {
    alert: 'LogoddsPolicyFails',
    about: 'questions within 15 minutes that the policy did not answer',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    measure: { kind: 'grew', family: 'lr_policy_failures_total', window: 15 * MINUTES },
    summary: 'questions that the policy did not answer within 15 minutes: {{ $value | humanize }}',
    runbook: 'errors',
  },
  scoreDrift: {
    alert: 'LogoddsScoreDrift',
    about: 'PSI of the scores of a window against those of training; 0.1 is much, 0.25 is a lot',
    severity: 'ticket',
    lasting: '1h',
    above: 0.25,
    measure: { kind: 'gauge', family: 'lr_score_psi' },
    summary: 'the scores of {{ $labels.model }} have drifted: their PSI is {{ $value | humanize }}',
    runbook: 'drift',
  },
  featureDrift: {
    alert: 'LogoddsFeatureDrift',
    about: 'PSI of a feature in a window against training; 0.1 is much, 0.25 is a lot',
    severity: 'ticket',
    lasting: '1h',
    above: 0.25,
    measure: { kind: 'gauge', family: 'lr_drift_psi' },
    summary: '{{ $labels.feature }} of {{ $labels.model }} has drifted: its PSI is {{ $value | humanize }}',
    runbook: 'drift',
  },
  missingFeature: {
    alert: 'LogoddsFeatureMissing',
    about: 'share of rows in which a feature is missing: the store that has it is away or stale',
    severity: 'ticket',
    lasting: '30m',
    above: 0.5,
    measure: { kind: 'gauge', family: 'lr_feature_missing_ratio' },
    summary: '{{ $labels.feature }} of {{ $labels.model }} is missing in {{ $value | humanizePercentage }} of the rows',
    runbook: 'stale-features',
  },
  unseenLevels: {
    alert: 'LogoddsFeatureUnseen',
    about: 'share of rows in which a feature has a value that training has not seen',
    severity: 'ticket',
    lasting: '30m',
    above: 0.1,
    measure: { kind: 'gauge', family: 'lr_feature_unseen_ratio' },
    summary:
      '{{ $labels.feature }} of {{ $labels.model }} is new to it in {{ $value | humanizePercentage }} of the rows',
    runbook: 'schema-change',
  },
  refusedRows: {
    alert: 'LogoddsRowsRefused',
    about: 'share of the rows of 15 minutes that a model refuses: callers send what its schema does not take',
    severity: 'ticket',
    lasting: '0s',
    above: 0.05,
    measure: {
      kind: 'share',
      ...{ family: 'lr_refused_rows_total', all: 'lr_rows_total' },
      ...{ window: 15 * MINUTES, by: ['model'], least: 10 },
    },
    summary: '{{ $labels.model }} refuses {{ $value | humanizePercentage }} of the rows: they are not of its schema',
    runbook: 'schema-change',
  },
  staleFeature: {
    alert: 'LogoddsFeatureStale',
    about: 'share of the rows of 15 minutes in which the value of a feature was older than --watch-max-age',
    severity: 'page',
    lasting: '0s',
    above: 0.2,
    measure: {
      kind: 'share',
      ...{ family: 'lr_feature_stale_rows_total', all: 'lr_feature_timed_rows_total' },
      ...{ window: 15 * MINUTES, by: ['model', 'feature'], least: 10 },
    },
    summary: '{{ $labels.feature }} of {{ $labels.model }} is too old in {{ $value | humanizePercentage }} of the rows',
    runbook: 'stale-features',
  },
  candidatesRefused: {
    alert: 'LogoddsCandidateRefused',
    about: 'versions newer than the champion whose gate said no, and that nobody has retired',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_candidates_refused' },
    summary: 'candidates beside the models of {{ $labels.instance }} that failed their gate: {{ $value }}',
    runbook: 'leak',
  },
  labelsMissing: {
    alert: 'LogoddsLabelsMissing',
    about: 'share of the scores of ripe windows whose labels have not come',
    severity: 'ticket',
    lasting: '1d',
    above: 0.5,
    measure: { kind: 'gauge', family: 'lr_labels_missing_ratio' },
    summary: '{{ $value | humanizePercentage }} of the labels of {{ $labels.model }} have not come',
    runbook: 'late-labels',
  },
  logLoss: {
    alert: 'LogoddsLogLoss',
    about: 'nats by which the log loss that came true is above the one that the probabilities themselves promise',
    severity: 'ticket',
    lasting: '1h',
    above: 0.1,
    measure: { kind: 'gauge', family: 'lr_log_loss', less: 'lr_estimated_log_loss' },
    summary: 'the log loss of {{ $labels.model }} is {{ $value | humanize }} above what its probabilities promise',
    runbook: 'decalibration',
  },
  calibrationSlope: {
    alert: 'LogoddsCalibrationSlope',
    about: 'distance of the slope of calibration from 1: scores say too much or too little',
    severity: 'ticket',
    lasting: '1h',
    above: 0.3,
    measure: { kind: 'gauge', family: 'lr_calibration_slope', less: 1, abs: true },
    summary: 'the slope of calibration of {{ $labels.model }} is {{ $value | humanize }} from 1',
    runbook: 'decalibration',
  },
  calibrationIntercept: {
    alert: 'LogoddsCalibrationIntercept',
    about: 'size of the intercept of calibration, in log-odds: the share of positives has moved',
    severity: 'ticket',
    lasting: '1h',
    above: 0.4,
    measure: { kind: 'gauge', family: 'lr_calibration_intercept', abs: true },
    summary: 'the intercept of calibration of {{ $labels.model }} is {{ $value | humanize }} from 0',
    runbook: 'class-imbalance',
  },
  calibrationError: {
    alert: 'LogoddsCalibrationError',
    about: 'how far the calibration error is above what chance alone would give',
    severity: 'ticket',
    lasting: '1h',
    above: 0.02,
    measure: { kind: 'gauge', family: 'lr_calibration_error', less: 'lr_calibration_error_floor' },
    summary: 'the calibration error of {{ $labels.model }} is {{ $value | humanize }} above what chance gives',
    runbook: 'decalibration',
  },
  changed: {
    alert: 'LogoddsChanged',
    about: 'a test that may be looked at all the time says that scores are no more calibrated',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_change' },
    summary: 'the {{ $labels.figure }} of {{ $labels.model }} has changed',
    runbook: 'decalibration',
  },
  scoreSkew: {
    alert: 'LogoddsScoreSkew',
    about: 'logged scores that their model does not give again to the bit',
    severity: 'ticket',
    lasting: '5m',
    above: 0,
    measure: { kind: 'gauge', family: 'lr_score_skew_rows' },
    summary: 'scores of {{ $labels.model }} that are not those of its file: {{ $value }}',
    runbook: 'wrong-artifact',
  },
} as const satisfies Record<string, Condition>;

export type ConditionName = keyof typeof CONDITIONS;

/** What each condition may have. */
export const conditionOptions = ({ severity, lasting, above }: Condition): OptionTable => ({
  severity: [choice('page', 'ticket', 'off'), 'whom it wakes; off: nobody is told', severity],
  lasting: [period('0s', '7d'), 'how long it is so before somebody is told', lasting],
  ...(above !== null && { above: [number(0, 1e12), 'the limit', above] }),
});
