import { registryError } from '../errors.ts';
import type { Happening, Outcome } from '../event.ts';
import type { RolloutPlan } from '../rollout.ts';
import { CHAMPION, type State } from '../state.ts';
import { allow, notRetired, notRunning, running } from './allow.ts';
import { entryOf, isRunning, versionOf } from './find.ts';

/** A rollout starts. @throws ERR_REGISTRY, ERR_SIGNATURE */
export function started(state: State, name: string, challenger: number, plan: RolloutPlan): Happening {
  const entry = entryOf(state, name);
  if (isRunning(entry)) throw running(entry, 'abort it, or let it end');
  const champion = entry.aliases.get(CHAMPION);
  if (champion === undefined)
    throw registryError(
      'ERR_REGISTRY',
      `${name}: expected a champion, beside which the challenger answers, got none; logodds registry alias ${name} VERSION champion`,
    );
  for (const version of [challenger, ...(plan.arms ?? []).map(({ version }) => version)])
    notRetired(versionOf(state, { name, version }));
  if (challenger === champion)
    throw registryError(
      'ERR_REGISTRY',
      `${name}: expected a challenger that is not the champion, got version ${champion} as both; name another`,
    );
  allowAnswers(state, name, challenger, plan);
  return { event: 'rollout-started', name, champion, challenger, plan };
}

/** What answers in the place of the champion, or may become it, must be fit for it; a shadow answers nobody. @throws ERR_REGISTRY */
function allowAnswers(state: State, name: string, challenger: number, plan: RolloutPlan): void {
  const answers = plan.kind !== 'shadow' && plan.steps.some(({ share }) => share > 0);
  const arms = (plan.arms ?? []).flatMap(({ version, share }) => (share > 0 ? [version] : []));
  for (const version of answers || plan.promotes ? [challenger, ...arms] : arms)
    allow(state, versionOf(state, { name, version }), CHAMPION);
}

/** A rollout goes on. @param from  the step that was seen; null: another one goes on @throws ERR_REGISTRY, ERR_SIGNATURE */
export function advanced(state: State, name: string, from: number | undefined): Happening | null {
  const entry = entryOf(state, name);
  if (!isRunning(entry)) {
    if (from !== undefined) return null;
    throw notRunning(name);
  }
  const { plan, step, challenger } = entry.rollout!;
  if (from !== undefined && from !== step) return null;
  // a gate may have failed one since the step before
  allowAnswers(state, name, challenger, plan);
  if (step + 1 < plan.steps.length) return { event: 'rollout-advanced', name, step: step + 1 };
  allow(state, versionOf(state, { name, version: challenger }), CHAMPION);
  return { event: 'rollout-ended', name, outcome: 'promoted', version: challenger };
}

/** A rollout ends. @param of  the event that started it; null: another one goes on @throws ERR_REGISTRY */
export function ended(
  state: State,
  name: string,
  outcome: Exclude<Outcome, 'promoted'>,
  of: number | undefined,
): Happening | null {
  const entry = entryOf(state, name);
  if (!isRunning(entry)) {
    if (of !== undefined) return null;
    throw notRunning(name);
  }
  if (of !== undefined && of !== entry.rollout!.seq) return null;
  return { event: 'rollout-ended', name, outcome, version: entry.rollout!.champion };
}
