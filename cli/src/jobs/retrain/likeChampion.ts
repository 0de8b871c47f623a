import type { ChosenThreshold } from '../../../../src/decide.ts';
import { LogoddsError, type Model } from '../../../../src/index.ts';
import { writeWhole } from '../../write/temporary.ts';
import { RULES, type Rule } from '../gate/rules.ts';
import { declarationOf } from './declaration.ts';

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

/** The flags of `train` that make a model like the champion, for what the policy does not say itself. */
export const flagsLike = (champion: Model, given: readonly string[]): readonly string[] => {
  const names = new Set(given.map((flag) => flag.split('=')[0]));
  return GROUPS.flatMap(([group, flags]) => (group.some((name) => names.has(name)) ? [] : flags(champion)));
};

/**
 * The schema that candidates are trained by, in a file: columns become features as in the champion.
 * @throws ERR_SCHEMA for features that training has decided too much of, and for columns that the log does not have
 */
export function writeSchema(champion: Model, path: string): readonly string[] {
  const { declaration, unclear } = declarationOf(champion.manifest.schema);
  if (unclear.length > 0)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `train: expected --schema in the policy, as the champion has features that cannot be declared from its file (${unclear.slice(0, 5).join(', ')}), got none; name the schema it was trained by`,
    );
  writeWhole(path, JSON.stringify(declaration, null, 2));
  return ['--schema', path];
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
