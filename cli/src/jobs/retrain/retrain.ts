import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHAMPION, isRunning, type ModelRegistry, versionOf } from '../../../../registry/src/index.ts';
import { LogoddsError, loadModel, saveModel } from '../../../../src/index.ts';
import { counted } from '../../figures/wording.ts';
import { FileLock, Taken } from '../../serve/observation/fileLock.ts';
import { outputError, reason, writeWhole } from '../../write/temporary.ts';
import { openRegistry } from '../registry/open.ts';
import { bringCandidate, type Champion, type Ended } from './candidate.ts';
import { evaluate } from './evaluate.ts';
import { type History, historyOf, type Looked, type OpenRun, type Outcome, type Stage } from './journal.ts';
import { logSource } from './logs.ts';
import { writeMetrics } from './metricsFile.ts';
import type { Policy, TriggerName } from './policy.ts';
import { NOTHING, type Remains, remainsOf } from './resume.ts';
import { sightOf } from './sight.ts';
import type { TrainingSet } from './trainingSet.ts';
import { lookAt } from './triggers.ts';
import { makeFolder, type RetrainOptions, Workplace } from './workplace.ts';

/** What a run came to. */
export interface RetrainResult {
  readonly run: number;
  readonly champion: number;
  /** none where a run that was cut short went on: it had looked before */
  readonly triggers: readonly Looked[];
  /** triggers that began it */
  readonly by: readonly string[];
  /** how far an earlier process had come with it; null: it is a run of its own */
  readonly resumed: Stage | null;
  /** null: nothing was begun */
  readonly outcome: Outcome | null;
  /** the version that came of it; null: none */
  readonly version: number | null;
  /** why nothing was begun, or why it did not come to the traffic */
  readonly why: string | null;
  readonly set: TrainingSet | null;
}

/**
 * Looks whether a model is to be trained again, and does it: the rows of the log that have a label, a candidate like the champion, its gate, and a rollout. Each
 * step is in the journal before the next one begins; a run that was killed goes on from there. Whatever fails, the champion goes on answering.
 * @throws ERR_REGISTRY without a champion; ERR_DATA where another process works on the policy; the errors of reading
 */
export async function retrain(options: RetrainOptions): Promise<RetrainResult> {
  // who only looks leaves nothing, not even a folder
  if (options.dryRun) return go(options);
  const { folder } = options.policy;
  makeFolder(folder);
  const lock = await take(join(folder, 'journal.jsonl'));
  // a process that is thought gone would share its files
  const touching = setInterval(() => lock.touch(), 1000);
  try {
    return await go(options);
  } finally {
    clearInterval(touching);
    lock.release();
  }
}

async function take(path: string): Promise<FileLock> {
  try {
    return await FileLock.take(path);
  } catch (error) {
    if (!(error instanceof Taken)) throw outputError(path, error);
    throw new LogoddsError('ERR_DATA', `${path}: ${error.message}`, { cause: error });
  }
}

async function go(options: RetrainOptions): Promise<RetrainResult> {
  const { policy, warn, dryRun = false } = options;
  const work = new Workplace(options);
  const registry = await openRegistry(policy.registry ?? undefined);
  const own = await championOf(registry, policy.name);
  const { damaged, entries } = work.journal;
  if (damaged > 0)
    warn(
      `journal: ${counted(damaged, 'line cannot', 'lines cannot')} be read and ${damaged === 1 ? 'is' : 'are'} left out`,
    );
  const history = historyOf(entries, own.champion);
  if (dryRun) {
    if (history.open) warn(`run ${history.open.run} was cut short before its end: without --dry-run it goes on`);
    return look(work, registry, own, history);
  }
  begin(work, own, history);
  await evaluate(work, registry, own, history.evaluated);
  const resumed = history.open && (await resume(work, registry, own, history.open));
  const result = resumed ?? (await look(work, registry, own, history));
  const { metrics } = policy;
  if (metrics !== null) writeMetrics(metrics, policy.name, historyOf(work.journal.entries, own.champion));
  work.tidy();
  return result;
}

/** Begins a folder for this look. */
function begin(work: Workplace, { model }: Registered, { next }: History): void {
  work.run = next;
  work.clear();
  writeWhole(work.file('champion.safetensors'), saveModel(model));
}

/** Goes on with a run that was cut short. @returns null: it cannot be, and a look follows */
async function resume(
  work: Workplace,
  registry: ModelRegistry,
  own: Registered,
  open: OpenRun,
): Promise<RetrainResult | null> {
  const { warn } = work.options;
  const { run: fresh, place } = work;
  work.run = open.run;
  const there = await remainsOf(work, open, registry);
  const { version } = there;
  if ('why' in there) {
    const left = version === null ? '' : `. ${work.left(version)}`;
    warn(`run ${open.run} was cut short before its end, and is not taken up: ${there.why}${left}`);
    work.log('ended', { outcome: 'cut short', version, why: there.why });
    work.run = fresh;
    return null;
  }
  rmSync(place, { recursive: true, force: true });
  const { run, by } = open;
  const result = { run, champion: own.champion, triggers: [], by, resumed: there.stage };
  const { rollout } = own;
  if (rollout !== null && there.stage !== 'rollout') {
    const why = `run ${run} was cut short and goes on when the rollout of version ${rollout} has ended`;
    return { ...result, outcome: null, version, why, set: null };
  }
  warn(`run ${run} was cut short before its end: ${SAID[there.stage](version)}`);
  work.log('resumed', { from: there.stage, version });
  if (there.stage === 'nothing') {
    work.clear();
    writeWhole(work.file('champion.safetensors'), saveModel(own.model));
  }
  return { ...result, ...(await bring(work, registry, own, by, there)) };
}

/** What is said of a run that goes on. */
const SAID: Readonly<Record<Stage, (version: number | null) => string>> = {
  nothing: () => 'its rows are gathered anew',
  rows: () => 'its rows are there, and it goes on with the training',
  candidate: () => 'its candidate is trained, and it goes on with the push',
  version: (version) => `version ${version} is pushed, and it goes on with the gate`,
  rollout: (version) => `the rollout of version ${version} had begun, and nothing was left to do`,
};

/** Looks at the triggers, and trains where they say so. */
async function look(
  work: Workplace,
  registry: ModelRegistry,
  own: Registered,
  history: History,
): Promise<RetrainResult> {
  const { warn, now, force = false, dryRun = false } = work.options;
  const { policy } = work;
  const { champion, model, trained } = own;
  work.run ||= history.next;
  const sight = await sightOf(policy, {
    champion: model,
    source: logSource(policy, now, warn),
    since: Math.max(...[trained, history.begun.at(-1) ?? null].filter((at) => at !== null)),
    newest: history.newest,
    now,
    warn,
  });
  const triggers = lookAt(policy.triggers, sight);
  const by: TriggerName[] = triggers.flatMap(({ trigger, isOn }) =>
    isOn && !history.spent.has(trigger) ? [trigger] : [],
  );
  const why = force ? null : against(triggers, by, own, history, policy, now);
  const goes = why === null && !dryRun;
  const result = {
    ...{ run: work.run, champion, triggers, by: force ? ['force', ...by] : by },
    resumed: null,
  };
  if (!dryRun) work.log('looked', { champion, triggers, by: goes ? by : [], decision: why ?? 'train again' });
  if (!goes) {
    if (!dryRun) rmSync(work.place, { recursive: true, force: true });
    return { ...result, outcome: null, version: null, why, set: null };
  }
  work.log('started', { champion, by: result.by });
  return { ...result, ...(await bring(work, registry, own, result.by, NOTHING)) };
}

/** Takes a candidate all the way, and notes how that ended. */
async function bring(
  work: Workplace,
  registry: ModelRegistry,
  own: Champion,
  by: readonly string[],
  there: Remains,
): Promise<Ended> {
  try {
    const ended = await bringCandidate(work, registry, own, by, there);
    const { outcome, version, why } = ended;
    work.log('ended', { outcome, version, why });
    return ended;
  } catch (error) {
    const { pushed: version } = work;
    work.log('ended', { outcome: 'failed', version, why: reason(error) });
    const { metrics, name } = work.policy;
    if (metrics !== null) writeMetrics(metrics, name, historyOf(work.journal.entries, own.champion));
    work.tidy();
    if (version === null || !(error instanceof LogoddsError)) throw error;
    throw new LogoddsError(error.code, `${error.detail}. ${work.left(version)}`, { cause: error });
  }
}

/** Why nothing is begun; null: something is. */
function against(
  looked: readonly Looked[],
  by: readonly TriggerName[],
  { rollout }: Registered,
  { spent, begun }: History,
  { minGapMs }: Policy,
  now: number,
): string | null {
  const last = begun.at(-1);
  if (by.length === 0) {
    const held = looked.filter(({ trigger, isOn }) => isOn && spent.has(trigger)).map(({ trigger }) => trigger);
    if (held.length === 0) return 'no trigger speaks';
    return `${held.join(', ')}: has begun a retraining before and has not ended since`;
  }
  if (rollout !== null) return 'a rollout is running: another one waits for its end';
  if (last !== undefined && now - last < minGapMs)
    return `the last retraining was begun ${new Date(last).toISOString()}: minGap is not over`;
  return null;
}

/** The champion, and what the registry says beside it. */
interface Registered extends Champion {
  /** when it was pushed, in milliseconds since 1970 */
  readonly trained: number;
  /** the challenger of a rollout that is running; null: none is */
  readonly rollout: number | null;
}

/** @throws ERR_REGISTRY without a champion; ERR_SCHEMA for one with private features, which no log has */
async function championOf(registry: ModelRegistry, name: string): Promise<Registered> {
  const state = await registry.state();
  const entry = state.entries.get(name);
  const champion = entry?.aliases.get(CHAMPION);
  if (!entry || champion === undefined)
    throw new LogoddsError(
      'ERR_REGISTRY' as never,
      `${name}: expected a champion in ${registry.place}, which candidates are held against, got none; logodds registry alias ${name} VERSION champion`,
    );
  const version = versionOf(state, { name, version: champion });
  const model = loadModel(await registry.file(version));
  const hidden = model.manifest.schema.features.filter((feature) => feature.private).map((feature) => feature.name);
  if (hidden.length > 0)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${name}: expected a champion whose inputs are logged, got private features, which are in no log: ${hidden.slice(0, 5).join(', ')}; train it with logodds train on data that has them`,
    );
  const rollout = isRunning(entry) ? entry.rollout!.challenger : null;
  return { champion, model, trained: Date.parse(version.at), rollout };
}
