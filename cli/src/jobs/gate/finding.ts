import type { ResolvedModel } from './resolveModel.ts';
import type { ComparedRows } from './rows.ts';
import type { GateRules, Given, RuleName } from './rules.ts';

export type Status = 'pass' | 'fail' | 'not checked';

/** Figures of a finding. One that does not exist is absent. */
export interface FindingFigures {
  /** of the candidate, and of the champion where it is compared */
  readonly candidate?: number;
  readonly champion?: number;
  /** what is judged: the figure, or candidate less champion */
  readonly value?: number;
  /** its interval */
  readonly low?: number;
  readonly high?: number;
  /** ends within which it passes */
  readonly least?: number;
  readonly greatest?: number;
}

/** What a check of a rule found. */
export interface Finding extends FindingFigures {
  readonly rule: RuleName;
  /** what of the rule: a group, a coefficient, a time */
  readonly of: string | null;
  readonly status: Status;
  /** true: that it is not checked does not fail the gate */
  readonly optional: boolean;
  /** what was found, or why nothing was */
  readonly sentence: string;
}

/** What checks look at. */
export interface Context {
  readonly rules: GateRules;
  readonly candidate: ResolvedModel;
  readonly champion: ResolvedModel;
  /** a text: why there are no rows to compare */
  readonly rows: ComparedRows | string;
  /** remarks that decide nothing */
  readonly note: (message: string) => void;
}

/** The check of a rule with its options. */
export type Check = (context: Context, options: Given) => readonly Finding[];

export type Judging = 'interval' | 'estimate' | 'evidence';

/** A finding of one rule. */
export const finding = (
  rule: RuleName,
  { optional }: Given,
  status: Status | boolean,
  sentence: string,
  figures: FindingFigures = {},
  of: string | null = null,
): Finding => ({
  rule,
  of,
  status: typeof status === 'string' ? status : status ? 'pass' : 'fail',
  optional,
  sentence,
  ...Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value))),
});

/** Whether a figure with an interval is within its ends. */
export function within(
  by: Judging,
  { value, low, high }: { readonly value: number; readonly low: number; readonly high: number },
  { least = Number.NEGATIVE_INFINITY, greatest = Number.POSITIVE_INFINITY }: Pick<FindingFigures, 'least' | 'greatest'>,
): boolean {
  if (by === 'estimate') return value >= least && value <= greatest;
  return by === 'interval' ? low >= least && high <= greatest : high >= least && low <= greatest;
}

/** Says how a figure is judged, for its sentence. */
export const JUDGED: Readonly<Record<Judging, string>> = {
  interval: 'its whole interval',
  estimate: 'the figure',
  evidence: 'a part of its interval',
};
