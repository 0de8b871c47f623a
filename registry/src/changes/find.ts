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
export function versionOf(state: State, { name, version, alias, sha256 }: Reference): Version {
  const entry = entryOf(state, name);
  if (sha256 !== undefined) return oneOf(entry, sha256);
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

/** Versions that have a digest, or one that begins so: of their file, or inside. */
export const withDigest = ({ versions }: Entry, digest: string): Version[] =>
  [...versions.values()].filter(
    ({ sha256, modelSha256 }) => sha256.startsWith(digest) || modelSha256?.startsWith(digest),
  );

/** @throws ERR_REGISTRY */
function oneOf(entry: Entry, digest: string): Version {
  const found = withDigest(entry, digest);
  if (found.length === 1) return found[0]!;
  const { name } = entry;
  const got = found.length === 0 ? 'none' : `versions ${found.map(({ version }) => version).join(', ')}`;
  const untold = [...entry.versions.values()].filter(({ modelSha256 }) => modelSha256 === null).length;
  const next =
    found.length === 0
      ? `see logodds registry show ${name}${untold > 0 ? `, where ${untold} of ${entry.versions.size} have no digest of the model, since they were pushed before it was kept` : ''}`
      : 'give more digits';
  throw registryError('ERR_REGISTRY', `${name}: expected a version with the digest ${digest}, got ${got}; ${next}`);
}

export const isRunning = ({ rollout }: Entry): boolean => rollout !== null && rollout.outcome === null;

/** Versions that answer in a rollout. */
export const versionsOf = ({ rollout, aliases }: Entry): number[] => [
  ...(rollout && rollout.outcome === null
    ? [rollout.champion, rollout.challenger, ...(rollout.plan.arms ?? []).map(({ version }) => version)]
    : [aliases.get(CHAMPION)].filter((version) => version !== undefined)),
];
