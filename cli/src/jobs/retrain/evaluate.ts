import { isRunning, type ModelRegistry, versionOf } from '../../../../registry/src/index.ts';
import { counted, whole } from '../../figures/wording.ts';
import type { Champion } from './candidate.ts';
import { logSource } from './logs.ts';
import { writeTrainingSet } from './trainingSet.ts';
import { need, type Workplace } from './workplace.ts';

/** Holds the challenger against the champion again, on rows that were scored since it was pushed. One that fails loses its rollout. */
export async function evaluate(
  work: Workplace,
  registry: ModelRegistry,
  { model, champion }: Champion,
  evaluated: ReadonlyMap<number, number>,
): Promise<void> {
  const { warn, now } = work.options;
  const { name, alias, evaluate: how, data } = work.policy;
  const { target, classes, positive } = model.manifest;
  const state = await registry.state();
  const entry = state.entries.get(name)!;
  const challenger = entry.aliases.get(alias);
  if (!how || challenger === undefined || challenger === champion) return;
  const last = evaluated.get(challenger);
  if (last !== undefined && now - last < how.everyMs) return;
  const set = await writeTrainingSet(logSource(work.policy, now, warn), {
    ...{ data, name, target, classes, positive, now },
    after: Date.parse(versionOf(state, { name, version: challenger }).at),
    ...{ train: work.file('before.jsonl'), holdout: work.file('since.jsonl') },
  });
  const rows = set.holdoutRows;
  if (rows < how.rows) {
    warn(
      `version ${challenger} is not evaluated yet: ${counted(rows, 'row')} with labels since it was pushed, of ${whole(how.rows)}`,
    );
    return;
  }
  const { passed, isError, why } = await work.gate(challenger, champion, target, set, work.file('since.jsonl'));
  if (isError) {
    warn(`version ${challenger} could not be evaluated: ${why}`);
    return;
  }
  if (!passed) {
    warn(`version ${challenger} no longer passes its gate: ${why}`);
    // before it is noted: one that is killed between them evaluates again
    if (isRunning(entry) && entry.rollout!.challenger === challenger) {
      const reason = `evaluation: ${why}`.slice(0, 500);
      need(await work.command(['rollout', 'abort', name, '--why', reason, ...work.registry()]));
    }
  }
  work.log('evaluated', { challenger, champion, rows, passed, why });
}
