import { registryError } from '../errors.ts';
import type { Happening } from '../event.ts';
import { CHAMPION, type State } from '../state.ts';
import { allow, running } from './allow.ts';
import { entryOf, isRunning, versionOf } from './find.ts';

/** An alias names a version, or none; null: it is so. @throws ERR_REGISTRY, ERR_SIGNATURE */
export function aliased(state: State, name: string, version: number | null, alias: string): Happening | null {
  const entry = entryOf(state, name);
  const from = entry.aliases.get(alias) ?? null;
  if (version === from) return null;
  if (alias === CHAMPION && isRunning(entry)) throw running(entry, 'end it first: logodds rollout abort');
  if (version === null) return { event: 'aliased', name, alias, version, from };
  allow(state, versionOf(state, { name, version }), alias);
  if (alias !== CHAMPION) return { event: 'aliased', name, alias, version, from };
  return { event: 'promoted', name, version, from };
}

/** `champion` names a version that it named before; null: it is so. @param to  null: the one before @throws ERR_REGISTRY, ERR_SIGNATURE */
export function rolledBack(state: State, name: string, to: number | null): Happening | null {
  const entry = entryOf(state, name);
  const from = entry.aliases.get(CHAMPION);
  const isOn = isRunning(entry);
  const before =
    to ??
    (isOn
      ? from
      : entry.champions.filter((version) => version !== from && !entry.versions.get(version)!.isRetired).at(-1));
  if (from === undefined || before === undefined)
    throw registryError(
      'ERR_REGISTRY',
      `${name}: expected a version that was champion before, got none; logodds registry alias ${name} VERSION champion promotes one`,
    );
  if (from === before) {
    return isOn ? { event: 'rollout-ended', name, outcome: 'rolled-back', version: from } : null;
  }
  const version = versionOf(state, { name, version: before });
  // what was never champion has not gone through what is demanded of one
  if (!entry.champions.includes(before))
    throw registryError(
      'ERR_REGISTRY',
      `version ${before} of ${name}: expected one that was champion before (${entry.champions.join(', ')}), got another; logodds registry alias ${name} ${before} champion promotes it`,
    );
  allow(state, version, CHAMPION, true);
  return { event: 'rolled-back', name, version: before, from };
}
