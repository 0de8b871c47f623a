import { isTemporary } from './collect.ts';
import type { ModelFiles } from './files.ts';
import type { Fault } from './log.ts';
import type { Signatures } from './signatures.ts';
import type { Version } from './state.ts';
import type { Stored } from './store.ts';
import type { Read } from './writer.ts';

/** What a verification found. */
export interface Verified {
  readonly events: number;
  readonly files: number;
  readonly faults: readonly Fault[];
  /** what is wrong with events, files and signatures: one sentence each */
  readonly problems: readonly string[];
}

const KNOWN = /^models\/[0-9a-f]{64}\.safetensors(\.sig)?(\.trash)?$/;

/**
 * Checks the log, every file, and the signatures that aliases demand. What cannot be read is a problem among others.
 * @param at  when signatures must be valid, in ISO 8601
 * @param stored  the files that are there
 */
export async function verification(
  { history, state }: Read,
  at: string,
  stored: readonly Stored[],
  files: ModelFiles,
  signatures: Signatures,
): Promise<Verified> {
  const problems = new Set(state.misfits.map(({ seq, reason }) => `event ${seq} counts for nothing: ${reason}`));
  const tell = async (look: () => Promise<readonly (string | null)[]>): Promise<void> => {
    try {
      for (const problem of await look()) if (problem !== null) problems.add(problem);
    } catch (error) {
      problems.add((error as Error).message);
    }
  };
  const used = new Map<string, Version>();
  for (const { versions } of state.entries.values())
    for (const version of versions.values()) if (!version.isRetired) used.set(version.sha256, version);
  for (const version of used.values()) {
    await tell(async () => {
      await files.read(version);
      return [];
    });
    await tell(async () => [await signatures.fault(version)]);
  }
  await tell(() => signatures.standing(state, at));
  for (const { path } of stored)
    if (!KNOWN.test(path) && !isTemporary(path)) problems.add(`${path} is no file of a registry`);
  return { events: history.events.length, files: used.size, faults: history.faults, problems: [...problems] };
}
