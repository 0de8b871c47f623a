import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { CHAMPION, type ModelRegistry } from '../../../../registry/src/index.ts';
import type { OpenRun, Stage } from './journal.ts';
import type { TrainingSet } from './trainingSet.ts';
import type { Workplace } from './workplace.ts';

/** How often a run is taken up: one that kills its process each time must not do so for ever. */
const MOST = 3;

/** What of a run is there, and is not made again. */
export interface Remains {
  readonly stage: Stage;
  readonly set: TrainingSet | null;
  readonly version: number | null;
}

/** A run that begins. */
export const NOTHING: Remains = { stage: 'nothing', set: null, version: null };

/** Why what a run did stands in the registry: by this it is known again. */
export const reasonOf = (run: number, by: readonly string[]): string => `retraining ${run} (${by.join(', ')})`;

/**
 * Says what of a run that was cut short is there: in its folder, and in the registry, which knows what a command had done before its end was in the journal.
 * @returns what is there, or why it cannot be taken up
 */
export async function remainsOf(
  work: Workplace,
  open: OpenRun,
  registry: ModelRegistry,
): Promise<Remains | { readonly why: string; readonly version: number | null }> {
  const { name } = work.policy;
  const entry = (await registry.state()).entries.get(name)!;
  const hasRows = ['train.jsonl', 'holdout.jsonl'].every((file) => existsSync(work.file(file)));
  const set = hasRows ? setOf(open) : null;
  const candidate = set && digestOf(work.file('candidate.safetensors'));
  const same = [...entry.versions.values()].find(({ sha256 }) => sha256 === candidate);
  const version = open.version ?? same?.version ?? null;
  const cannot = (why: string) => ({ why, version });
  if (version !== null) {
    const found = entry.versions.get(version);
    if (!found) return { why: `version ${version} is not in the registry`, version: null };
    if (await hasRollout(registry, name, version, open)) return { stage: 'rollout', set, version };
    if (found.isRetired) return cannot(`version ${version} is retired`);
  }
  const champion = entry.aliases.get(CHAMPION);
  if (champion !== open.champion) return cannot(`version ${champion} is the champion since`);
  if (open.resumed >= MOST) return cannot(`it was taken up ${MOST} times before`);
  // without the rows there is nothing that a gate could look at
  if (set === null) return version === null ? NOTHING : cannot('the files of the run are gone');
  if (version !== null) return { stage: 'version', set, version };
  return { stage: candidate === null ? 'rows' : 'candidate', set, version: null };
}

/** Whether a rollout of a version began: one that the run has started, or, of a version that only this run has pushed, one that anybody has. */
export async function hasRollout(
  registry: ModelRegistry,
  name: string,
  version: number,
  { run, by }: Pick<OpenRun, 'run' | 'by'>,
): Promise<boolean> {
  const found = (await registry.state()).entries.get(name)?.versions.get(version);
  const isOwn = found?.tags['retraining'] === String(run);
  const own = reasonOf(run, by);
  return (await registry.events()).some(
    (one) =>
      one.event === 'rollout-started' && one.name === name && one.challenger === version && (isOwn || one.why === own),
  );
}

/** The rows of a run as the journal has them; null: it does not. */
function setOf({ set }: OpenRun): TrainingSet | null {
  if (set === null) return null;
  const isCounts = (value: unknown) => typeof value === 'object' && value !== null;
  if (!isCounts(set['classes']) || !isCounts(set['newestClasses'])) return null;
  const time = (value: unknown) => (typeof value === 'string' ? Date.parse(value) : null);
  return { ...set, oldest: time(set.oldest), newest: time(set.newest) } as unknown as TrainingSet;
}

/** The digest of a file, by which the registry knows it; null: there is no file. */
function digestOf(path: string): string | null {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : null;
}
