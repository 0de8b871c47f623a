import type { Warning } from '../model/manifest.ts';

/**
 * `error`: estimates do not exist or are meaningless. `warning`: estimates or their errors are doubtful. `info`: good to know.
 */
export type Severity = 'error' | 'warning' | 'info';

/** A problem with a data set, or with a fit to it, that its user should know. */
export interface Finding {
  /** kind of problem, for programs; see `diagnose` */
  readonly code: FindingCode;
  readonly severity: Severity;
  /** names of the features it is about; empty when it is about the whole data set */
  readonly features: readonly string[];
  /** the observation, with figures */
  readonly evidence: string;
  /** what to do */
  readonly advice: string;
}

/** Every code, the worst first; within a severity findings stand in this order. */
export const FINDING_CODES = [
  'SEPARATION',
  'LEAKAGE',
  'UNDERDETERMINED',
  'RANK_DEFICIENT',
  'DUPLICATE_COLUMN',
  'CONSTANT_COLUMN',
  'IDENTIFIER',
  'LOW_EVENTS',
  'HIGH_VIF',
  'INFLUENTIAL_ROWS',
  'CONDITION_NUMBER',
  'CLASS_IMBALANCE',
  'RARE_LEVELS',
  'MISSING',
  'NOT_CHECKED',
] as const;

/** The kinds of findings; `diagnose` says what each one means. */
export type FindingCode = (typeof FINDING_CODES)[number];

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** The worst first; equals keep their order. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity, code }: Finding) =>
    SEVERITIES.indexOf(severity) * FINDING_CODES.length + FINDING_CODES.indexOf(code);
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

/** A finding as a warning of a fit: evidence and advice in one sentence. */
export function asWarning({ code, severity, features, evidence, advice }: Finding): Warning {
  return { code, severity, message: `${evidence}; ${advice}`, features };
}
