import { choice, number, period } from '../options/kinds.ts';
import type { OptionTable } from '../options/tableFile.ts';

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
  /** an expression of Prometheus that has a sample where it is so */
  readonly expr: (place: Place) => string;
  /** what is told, with the labels of the sample */
  readonly summary: string;
  /** a page of docs/runbooks */
  readonly runbook: string;
}

/** What expressions are made for. */
export interface Place {
  /** `job="logodds"` */
  readonly job: string;
  readonly above: number;
}

const grew =
  (family: string, window: string) =>
  ({ job, above }: Place): string =>
    `sum(increase(${family}{${job}}[${window}])) > ${above}`;

const DAY = 86_400;

export const CONDITIONS = {
  down: {
    alert: 'LogoddsDown',
    about: 'no process answers',
    severity: 'page',
    lasting: '1m',
    above: null,
    expr: ({ job }) => `absent(up{${job}} == 1)`,
    summary: 'no process of the service answers',
    runbook: 'errors',
  },
  notReady: {
    alert: 'LogoddsNotReady',
    about: 'a process answers and takes no requests',
    severity: 'ticket',
    lasting: '10m',
    above: null,
    expr: ({ job }) => `lr_ready{${job}} == 0`,
    summary: '{{ $labels.instance }} is not ready for new requests',
    runbook: 'cold-start',
  },
  modelsFailed: {
    alert: 'LogoddsModelsFailed',
    about: 'models that could not be loaded: what answered before goes on',
    severity: 'ticket',
    lasting: '5m',
    above: 0,
    expr: ({ job, above }) => `lr_models_failed{${job}} > ${above}`,
    summary: '{{ $value }} models of {{ $labels.instance }} could not be loaded',
    runbook: 'wrong-artifact',
  },
  untrusted: {
    alert: 'LogoddsModelsUntrusted',
    about: 'models that no trusted key has signed',
    severity: 'page',
    lasting: '1m',
    above: 0,
    expr: ({ job, above }) => `lr_models_untrusted{${job}} > ${above}`,
    summary: '{{ $value }} models of {{ $labels.instance }} have no signature of a trusted key',
    runbook: 'wrong-artifact',
  },
  signatureExpiry: {
    alert: 'LogoddsSignatureExpires',
    about: 'days until the first signature of a model that answers expires, counted down from `above`',
    severity: 'ticket',
    lasting: '1h',
    above: 14,
    expr: ({ job, above }) => `lr_signature_expiry_timestamp_seconds{${job}} - time() < ${above * DAY}`,
    summary: 'a signature of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}',
    runbook: 'wrong-artifact',
  },
  certificateExpiry: {
    alert: 'LogoddsCertificateExpires',
    about: 'days until the certificate of TLS expires, counted down from `above`',
    severity: 'ticket',
    lasting: '1h',
    above: 14,
    expr: ({ job, above }) => `lr_certificate_expiry_timestamp_seconds{${job}} - time() < ${above * DAY}`,
    summary: 'the certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}',
    runbook: 'errors',
  },
  staleFiles: {
    alert: 'LogoddsStaleFiles',
    about: 'files of keys and certificates that could not be read again',
    severity: 'ticket',
    lasting: '15m',
    above: 0,
    expr: ({ job, above }) => `lr_stale_files{${job}} > ${above}`,
    summary: '{{ $labels.instance }} cannot read {{ $value }} files of keys or certificates again',
    runbook: 'errors',
  },
  rolledBack: {
    alert: 'LogoddsRolledBack',
    about: 'rollouts that a guard has ended: the champion answers',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    expr: grew('lr_route_breaches_total', '15m'),
    summary: 'a guard has ended a rollout; the champion answers',
    runbook: 'rolled-back',
  },
  fallbacks: {
    alert: 'LogoddsFallbacks',
    about: 'requests in 15 minutes that another version had to answer',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    expr: grew('lr_route_fallbacks_total', '15m'),
    summary: '{{ $value | humanize }} requests were answered by a fallback within 15 minutes',
    runbook: 'errors',
  },
  workerRestarts: {
    alert: 'LogoddsWorkersRestart',
    about: 'processes of the service that ended by themselves within an hour',
    severity: 'ticket',
    lasting: '0s',
    above: 3,
    expr: grew('lr_worker_restarts_total', '1h'),
    summary: '{{ $value | humanize }} workers ended by themselves within an hour',
    runbook: 'errors',
  },
  auditLost: {
    alert: 'LogoddsAuditLost',
    about: 'requests that the audit log lost within 15 minutes',
    severity: 'page',
    lasting: '0s',
    above: 0,
    expr: grew('lr_audit_dropped_total', '15m'),
    summary: 'the audit log lost {{ $value | humanize }} requests within 15 minutes',
    runbook: 'lost-lines',
  },
  policyFailures: {
    alert: 'LogoddsPolicyFails',
    about: 'questions within 15 minutes that the policy did not answer',
    severity: 'ticket',
    lasting: '0s',
    above: 0,
    expr: grew('lr_policy_failures_total', '15m'),
    summary: 'the policy did not answer {{ $value | humanize }} questions within 15 minutes',
    runbook: 'errors',
  },
} as const satisfies Record<string, Condition>;

export type ConditionName = keyof typeof CONDITIONS;

/** What each condition may have. */
export const conditionOptions = ({ severity, lasting, above }: Condition): OptionTable => ({
  severity: [choice('page', 'ticket', 'off'), 'whom it wakes; off: nobody is told', severity],
  lasting: [period('0s', '7d'), 'how long it is so before somebody is told', lasting],
  ...(above !== null && { above: [number(0, 1e12), 'the limit', above] }),
});
