import { registryError } from '../errors.ts';
import type { Reference } from '../reference.ts';
import { CHAMPION, type Entry, nextVersion, type State, type Version } from '../state.ts';

/** @throws ERR_REGISTRY */
export function entryOf({ entries }: State, name: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  const names = [...entries.keys()];
  const said = names.slice(0, 10).join(', ') + (names.length > 10 ? `, and ${names.length - 10} more` : '');
  throw registryError(
    'ERR_REGISTRY',
    `${name}: expected a model of the registry (${said || 'it is empty'}), got another name; logodds push puts one there`,
  );
}

/** @throws ERR_REGISTRY */
export function versionOf(state: State, { name, version, alias }: Reference): Version {
  const entry = entryOf(state, name);
  const number = alias === undefined ? version : entry.aliases.get(alias);
  if (number === undefined) {
    const known = [...entry.aliases.keys()].join(', ') || 'none';
    throw registryError(
      'ERR_REGISTRY',
      `${name}: expected one of its aliases (${known}), got ${alias}; see logodds registry show ${name}`,
    );
  }
  const found = entry.versions.get(number);
  if (found) return found;
  throw registryError(
    'ERR_REGISTRY',
    `${name}: expected one of its versions (1 to ${nextVersion(entry) - 1}), got ${number}; see logodds registry show ${name}`,
  );
}

export const isRunning = ({ rollout }: Entry): boolean => rollout !== null && rollout.outcome === null;

/** Versions that answer in a rollout. */
export const versionsOf = ({ rollout, aliases }: Entry): number[] => [
  ...(rollout && rollout.outcome === null
    ? [rollout.champion, rollout.challenger, ...(rollout.plan.arms ?? []).map(({ version }) => version)]
    : [aliases.get(CHAMPION)].filter((version) => version !== undefined)),
];
