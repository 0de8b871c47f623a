import { LogoddsError } from '../../../../src/index.ts';
import { counted } from '../../figures/wording.ts';
import type { SourceOptions } from '../../read/source.ts';
import { latency, size } from './budgets.ts';
import { coefficients, incomparable, schema } from './compatibility.ts';
import type { Check, Context, Finding } from './finding.ts';
import { groupGap, groups } from './groups.ts';
import {
  auc,
  brierRule,
  calibrationError,
  calibrationIntercept,
  calibrationSlope,
  logLossRule,
} from './performance.ts';
import { labelCoverage, positives, rows as rowsRule, scored, scorePsi } from './population.ts';
import { readRules } from './readRules.ts';
import { resolveModel } from './resolveModel.ts';
import { type ComparedRows, readRows } from './rows.ts';
import { type GateRules, RULES, type Rule, type RuleName } from './rules.ts';

export interface GateOptions extends SourceOptions {
  readonly candidate: string;
  readonly against: string;
  readonly data: string;
  readonly target: string;
  readonly weight?: string;
  /** as in the champion when absent */
  readonly weightKind?: 'sampling' | 'count';
  /** file of rules; the default ones when absent */
  readonly rules?: string;
  /** where models:/ are; absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
  readonly warn: (message: string) => void;
}

/** A model that took part. */
interface Side {
  readonly model: string;
  readonly sha256: string | null;
  readonly bytes: number;
}

/** What a gate found. */
export interface GateResult {
  readonly passed: boolean;
  readonly candidate: Side;
  readonly champion: Side;
  readonly data: string;
  readonly target: string;
  readonly rows: ComparedRows['counts'] | null;
  /** rules in force, complete */
  readonly rules: GateRules;
  /** whether they are the default ones */
  readonly areDefault: boolean;
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

const CHECKS: Readonly<Record<RuleName, Check>> = {
  schema,
  scored,
  rows: rowsRule,
  positives,
  labelCoverage,
  logLoss: logLossRule,
  auc,
  brier: brierRule,
  calibrationError,
  calibrationIntercept,
  calibrationSlope,
  groups,
  groupGap,
  scorePsi,
  coefficients,
  latency,
  size,
};

/** Whether a finding lets the gate pass: what is broken never does, what is not checked where its rule is optional. */
export const lets = ({ status, optional }: Finding): boolean =>
  status === 'pass' || (status === 'not checked' && optional);

/** Rules that hold in every file. They say that a candidate can take the place of a champion, and nothing of how good it is. */
const ALWAYS: readonly string[] = Object.entries<Rule>(RULES).flatMap(([name, { inForce }]) =>
  inForce === 'always' ? [name] : [],
);

/** Whether a gate says something of a candidate: one that passed without a rule that was checked does not. */
export const says = ({ passed, findings }: Pick<GateResult, 'passed' | 'findings'>): boolean =>
  !passed || findings.some(({ rule, status }) => status === 'pass' && !ALWAYS.includes(rule));

/**
 * Holds a candidate against the champion by rules, on labelled rows.
 * @throws ERR_DATA, ERR_FORMAT, ERR_RANGE, ERR_SCHEMA, ERR_RECORD when something cannot be read: then nothing is decided
 */
export async function runGate(options: GateOptions): Promise<GateResult> {
  const rules = await readRules(options.rules);
  const [candidate, champion] = [
    await resolveModel(options.candidate, options.registry),
    await resolveModel(options.against, options.registry),
  ];
  if (options.data === '-')
    throw new LogoddsError(
      'ERR_DATA',
      '--data: expected a file, which is read once for each model, got standard input; write it to a file first',
    );
  const notes = new Set<string>();
  const note = (message: string) => {
    if (!notes.has(message)) options.warn(message);
    notes.add(message);
  };
  if (candidate.model.sha256 !== null && candidate.model.sha256 === champion.model.sha256)
    note('the candidate is the champion: the same file by its digest');
  const rows = await compare(candidate.model, champion.model, rules, options, note);
  const context: Context = { rules, candidate, champion, rows, note };
  if (typeof rows !== 'string') {
    const { championRefuses, bothRefuse } = rows.counts;
    if (championRefuses > 0)
      note(
        `the champion refuses ${counted(championRefuses, 'row')}, ${bothRefuse} of which the candidate refuses too (${rows.championReason}); they are not compared`,
      );
  }
  const findings = (Object.keys(CHECKS) as RuleName[]).flatMap((name) =>
    (rules.rules[name] ?? []).flatMap((given) => CHECKS[name](context, given)),
  );
  const passed = findings.every(lets);
  if (!says({ passed, findings }))
    note(
      `no rule was checked but ${ALWAYS.join(' and ')}, which every gate has: a registry does not take this for a gate that was passed; give rules with --rules`,
    );
  const side = ({ text, bytes, model }: typeof candidate): Side => ({
    model: text,
    sha256: model.sha256,
    bytes: bytes.length,
  });
  return {
    passed,
    candidate: side(candidate),
    champion: side(champion),
    data: options.data,
    target: options.target,
    rows: typeof rows === 'string' ? null : rows.counts,
    rules,
    areDefault: options.rules === undefined,
    findings,
    notes: [...notes],
  };
}

/** The rows, or why there are none to compare. */
async function compare(
  candidate: Context['candidate']['model'],
  champion: typeof candidate,
  { rules, cluster }: GateRules,
  options: GateOptions,
  note: (message: string) => void,
): Promise<ComparedRows | string> {
  const apart = incomparable(candidate, champion);
  if (apart !== null) return apart;
  const columns = (['groups', 'groupGap'] as const).flatMap((name) =>
    (rules[name] ?? []).flatMap((one) => one['columns'] as readonly string[]),
  );
  const weightKind = options.weightKind ?? champion.manifest.weightKind ?? 'sampling';
  return readRows(candidate, champion, { ...options, columns, cluster, weightKind }, note);
}
