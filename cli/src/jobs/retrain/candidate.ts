import { existsSync } from 'node:fs';
import type { ModelRegistry } from '../../../../registry/src/index.ts';
import { correctPrior } from '../../../../src/decide.ts';
import { LogoddsError, loadModel, type Model, saveModel } from '../../../../src/index.ts';
import { baselineOf } from '../../../../src/monitor.ts';
import { writeWhole } from '../../write/temporary.ts';
import { objectionsOf, sharesNow, sharesOf } from './bounds.ts';
import type { Outcome } from './journal.ts';
import { flagsLike, writeSchema } from './likeChampion.ts';
import { logSource } from './logs.ts';
import { hasRollout, type Remains, reasonOf } from './resume.ts';
import { type TrainingSet, WEIGHT, writeTrainingSet } from './trainingSet.ts';
import { need, type Workplace } from './workplace.ts';

/** How the way of a candidate ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly set: TrainingSet | null;
  readonly version: number | null;
  /** why it did not come to the traffic; null: it did */
  readonly why: string | null;
}

/** The champion, and the version that it is. */
export interface Champion {
  readonly model: Model;
  readonly champion: number;
}

/**
 * Takes a candidate all the way: rows with labels, a model like the champion, a version, its gate, its alias, its rollout. What is there already, of a run that was
 * cut short, is not made again.
 * @throws ERR_DATA with what a command said; the errors of reading
 */
export async function bringCandidate(
  work: Workplace,
  registry: ModelRegistry,
  { model, champion }: Champion,
  by: readonly string[],
  there: Remains,
): Promise<Ended> {
  const { policy } = work;
  const { name } = policy;
  if (there.stage === 'rollout') return { outcome: 'rollout', set: there.set, version: there.version, why: null };
  const set = there.set ?? (await rowsOf(work, model));
  const shares = model.manifest.baseline ? sharesOfBaseline(model) : null;
  const objections = objectionsOf(set, policy, shares);
  const others = objections.filter(({ kind }) => kind !== 'labelShift');
  const isShifted = objections.length > others.length;
  const corrects = isShifted && others.length === 0 && policy.onLabelShift === 'correct';
  if (objections.length > 0 && !corrects && there.version === null) {
    const why = objections.map(({ sentence }) => sentence);
    work.log('refused', { why });
    return { outcome: 'refused', set, version: null, why: why.join('; ') };
  }
  const candidate = work.file('candidate.safetensors');
  if (there.version === null && !existsSync(candidate)) {
    if (corrects) correct(work, model, shares!, sharesNow(set, policy.data.ofClass), candidate);
    else await fit(work, model, set, candidate);
  }
  const why = reasonOf(work.run, by);
  const version = there.version ?? (await push(work, champion, corrects ? 'holdout.jsonl' : 'train.jsonl', why));
  work.pushed = version;
  const verdict = await work.gate(version, champion, model.manifest.target, set, work.file('holdout.jsonl'));
  if (verdict.isError) throw new LogoddsError('ERR_DATA', `logodds gate: ${verdict.why}`);
  if (!verdict.passed) return { outcome: 'gate failed', set, version, why: verdict.why };
  const act = ['--why', why, ...work.registry()];
  need(await work.command(['registry', 'alias', name, String(version), policy.alias, ...act]));
  if (policy.rollout === null) return { outcome: 'named', set, version, why: null };
  const flags = ['--challenger', String(version), ...act, ...policy.rollout];
  const started = await work.command(['rollout', 'start', name, ...flags]);
  // the process of a run that was killed may have been at it still
  if (started.status !== 0 && !(await hasRollout(registry, name, version, { run: work.run, by }))) need(started);
  return { outcome: 'rollout', set, version, why: null };
}

async function rowsOf(work: Workplace, { manifest: { target, classes, positive } }: Model): Promise<TrainingSet> {
  const { data, name } = work.policy;
  const { now, warn } = work.options;
  const set = await writeTrainingSet(logSource(work.policy, now, warn), {
    ...{ data, name, target, classes, positive, now },
    train: work.file('train.jsonl'),
    holdout: work.file('holdout.jsonl'),
  });
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  work.log('set', { ...set, oldest: time(set.oldest), newest: time(set.newest) });
  return set;
}

/** A file that is a version already stays that one, so that what was killed within it may be done again. @returns the version */
async function push(work: Workplace, champion: number, data: string, why: string): Promise<number> {
  const pushed = await work.command([
    ...['push', work.file('candidate.safetensors'), '--name', work.policy.name, '--parent', String(champion)],
    ...['--tag', `retraining=${work.run}`, '--data', work.file(data), '--why', why, '--json', ...work.registry()],
  ]);
  need(pushed);
  const { version } = JSON.parse(pushed.out) as { readonly version: number };
  work.log('pushed', { version });
  return version;
}

/** The champion with the shares of the classes that the labels have. */
function correct(
  work: Workplace,
  model: Model,
  from: Readonly<Record<string, number>>,
  to: Readonly<Record<string, number>>,
  out: string,
): void {
  const corrected = correctPrior(loadModel(saveModel(model)), to, model.manifest.calibration?.prior ? undefined : from);
  writeWhole(out, saveModel(corrected));
  work.log('corrected', { from, to });
}

/** Trains a candidate: from the estimates of the champion where its levels are still those of the rows. */
async function fit(work: Workplace, champion: Model, set: TrainingSet, out: string): Promise<void> {
  const { train } = work.policy;
  const { warn } = work.options;
  const schema = train.some((flag) => flag.split('=')[0] === '--schema')
    ? { flags: [], notes: [] }
    : writeSchema(champion, train, work.file('schema.json'));
  for (const one of schema.notes) warn(`schema: ${one}`);
  const words = [
    ...['train', work.file('train.jsonl'), '--target', champion.manifest.target, '--no-holdout', '--out', out],
    ...['--json', ...schema.flags],
    ...(set.isWeighted ? ['--weight', WEIGHT] : []),
    ...flagsLike(champion, train),
    ...train,
  ];
  const warm = await work.command([...words, '--start', work.file('champion.safetensors')]);
  if (warm.status === 0) return;
  if (!/start: expected a model of the same features/.test(warm.said)) need(warm);
  warn('the rows have other levels than the champion: the fit does not start from it');
  need(await work.command(words));
}

function sharesOfBaseline(model: Model): Record<string, number> | null {
  const { classes } = baselineOf(model);
  if (classes.size === 0) return null;
  return sharesOf(Object.fromEntries([...classes].map(([label, { rows }]) => [label, rows])));
}
