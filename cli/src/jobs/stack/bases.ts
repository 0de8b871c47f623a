import {
  type FitOptions,
  fit,
  LogoddsError,
  type Model,
  outOfFold,
  type Table,
  type Warning,
} from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import type { Phase } from '../../terminal/progress.ts';
import { declaredNote, sameRows } from './checks.ts';
import type { StackOptions } from './options.ts';
import { declaredOnly } from './rows.ts';
import { CLIP, logitsBy, logitsIn, lookAtScores, refuseClasses } from './scores.ts';

interface Bases {
  readonly features: readonly string[];
  readonly models: Map<string, Model>;
  readonly options: StackOptions;
  readonly common: FitOptions;
  readonly classes: readonly string[];
  readonly positive: string;
  readonly notes: Warning[];
  readonly phase: Phase;
}

/** Logits of each base that is a model, by models that did not see the row. NaN: there is none. */
export function baseLogits(
  train: Table,
  { features, models, options, common, classes, positive, notes, phase }: Bases,
): Map<string, Float64Array> {
  const { target, weight, folds, groups, time, seed, scores = [], fits = {}, outOfFold: given = {} } = options;
  const { clip = CLIP, drop = [] } = options;
  const declared = declaredOnly(models, fits);
  const logits = new Map<string, Float64Array>();
  const usedByOthers = new Set([
    ...scores,
    ...Object.values(given),
    ...[groups, time, weight].filter((one) => one !== undefined),
  ]);
  const free = features.filter((name) => !usedByOthers.has(name) && !drop.includes(name));
  const others = free.filter((name) => !declared.includes(name));
  const isOfAll = Object.values(fits).some((recipe) => recipe.features === null && !recipe.schema);
  if (isOfAll && others.length < free.length) notes.push(declaredNote(free.filter((name) => declared.includes(name))));
  for (const [name, recipe] of Object.entries(fits)) {
    phase.update(null, `base ${name}`);
    const own: FitOptions = {
      ...common,
      ...recipe.fit,
      schema: recipe.schema,
      features: recipe.schema ? undefined : [...(recipe.features ?? others)],
    } as FitOptions;
    const found = outOfFold(train, { ...own, folding: { folds, groups, time, seed } });
    logits.set(name, found.planes[0]);
    const { model, warnings } = fit(train, own);
    models.set(name, model);
    notes.push(...warnings.map((one) => ({ ...one, message: `base ${show(name)}: ${one.message}` })));
  }
  for (const [name, model] of models) {
    refuseClasses(name, model, classes);
    if (logits.has(name)) continue;
    const column = given[name];
    logits.set(
      name,
      column === undefined
        ? logitsBy(model, train, positive)
        : logitsIn(train, lookAtScores(train, column, options.scoreKind, clip), clip),
    );
    if (column === undefined) notes.push(...sameRows(name, model, train, target));
  }
  return logits;
}

/** Rows that have a logit of every base: by time the earliest have none. @throws ERR_DATA for none */
export function scoredRows(rows: number, logits: ReadonlyMap<string, Float64Array>): Uint32Array {
  const kept: number[] = [];
  for (let i = 0; i < rows; i++) if ([...logits.values()].every((z) => !Number.isNaN(z[i]))) kept.push(i);
  if (kept.length === 0)
    throw new LogoddsError(
      'ERR_DATA',
      'stack: expected rows with a score of every base, got none; fill the columns of --out-of-fold',
    );
  return Uint32Array.from(kept);
}
