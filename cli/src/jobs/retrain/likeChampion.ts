import type { ChosenThreshold } from '../../../../src/decide.ts';
import { LogoddsError, type Model } from '../../../../src/index.ts';
import { writeWhole } from '../../write/temporary.ts';
import { RULES, type Rule } from '../gate/rules.ts';
import { declarationOf, notesOf } from './declaration.ts';

/** Flags of `train` that say the same thing: one that is given stands for all. */
const GROUPS: readonly (readonly [names: readonly string[], flags: (model: Model) => readonly string[]])[] = [
  [
    ['--C', '--lambda', '--no-penalty', '--firth'],
    ({ manifest: { objective } }) => (objective.C === null ? ['--no-penalty'] : ['--C', String(objective.C)]),
  ],
  [
    ['--l1-ratio', '--no-penalty', '--firth'],
    ({ manifest: { objective } }) => (objective.l1Ratio > 0 ? ['--l1-ratio', String(objective.l1Ratio)] : []),
  ],
  [['--positive'], ({ manifest: { positive } }) => (positive === null ? [] : ['--positive', positive])],
  [
    ['--calibrate'],
    ({ manifest: { calibration } }) =>
      calibration && calibration.method !== 'none' ? ['--calibrate', calibration.method] : [],
  ],
  [['--threshold', '--costs', '--maximize', '--min-precision', '--min-recall', '--budget'], decisionFlags],
];

/** By what a threshold was chosen, as flags. */
const CHOSEN: Readonly<Record<ChosenThreshold['by'], (chosen: ChosenThreshold) => readonly string[]>> = {
  cost: ({ costs }) =>
    costs ? ['--costs', `FP=${costs.fp},FN=${costs.fn},TP=${costs.tp ?? 0},TN=${costs.tn ?? 0}`] : [],
  fbeta: ({ parameter }) => ['--maximize', `f${parameter}`],
  recall: ({ parameter }) => ['--min-precision', String(parameter)],
  precision: ({ parameter }) => ['--min-recall', String(parameter)],
  budget: ({ parameter }) => ['--budget', parameter! < 1 ? `${100 * parameter!}%` : String(parameter)],
};

function decisionFlags({ manifest: { decision, positive } }: Model): readonly string[] {
  const { chosen, threshold } = decision;
  if (positive === null) return [];
  const flags = chosen ? CHOSEN[chosen.by](chosen) : [];
  return flags.length > 0 || threshold === 0.5 ? flags : ['--threshold', String(threshold)];
}

const flagNames = (flags: readonly string[]): ReadonlySet<string> => new Set(flags.map((flag) => flag.split('=')[0]));

/** The flags of `train` that make a model like the champion, for what the policy does not say itself. */
export const flagsLike = (champion: Model, given: readonly string[]): readonly string[] => {
  const names = flagNames(given);
  return GROUPS.flatMap(([group, flags]) => (group.some((name) => names.has(name)) ? [] : flags(champion)));
};

/**
 * The schema that candidates are trained by, in a file: columns become features as in the champion.
 * @param given  flags of the policy, which stand for those of the champion
 * @returns flags of `train`, and what is to be said of the schema
 * @throws ERR_SCHEMA for a stack, whose features are logits of other models
 */
export function writeSchema(
  { manifest: { schema, stack, fit } }: Model,
  given: readonly string[],
  path: string,
): { readonly flags: readonly string[]; readonly notes: readonly string[] } {
  if (stack)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `train: expected --schema in the policy, as the champion is a stack of ${stack.bases.map(({ name }) => name).join(', ')}, whose training is not in its file, got none; stack its bases anew by logodds stack, or name the schema of one model`,
    );
  const declarable = declarationOf(schema, fit.rows);
  writeWhole(path, JSON.stringify(declarable.declaration, null, 2));
  const { flags } = declarable;
  const names = flagNames(given);
  const own = flags.flatMap((flag, i) => (i % 2 === 0 && !names.has(flag) ? [flag, flags[i + 1]] : []));
  return { flags: ['--schema', path, ...own], notes: notesOf(declarable) };
}

/**
 * The rules of a gate where the policy names none: the default ones without `scorePsi`. Who trains again because the world has changed wants other scores.
 */
export function rulesOf(given: readonly string[], path: string): readonly string[] {
  if (given.some((flag) => flag.split('=')[0] === '--rules')) return [];
  const rules = Object.entries<Rule>(RULES).filter(([name, { inForce }]) => inForce && name !== 'scorePsi');
  writeWhole(path, JSON.stringify({ rules: Object.fromEntries(rules.map(([name]) => [name, {}])) }, null, 2));
  return ['--rules', path];
}
