import { registryError } from '../errors.ts';
import type { Happening, Lineage, Metrics, Tags } from '../event.ts';
import { aliasesOf, nextVersion, type State, type Version } from '../state.ts';
import { retired, running } from './allow.ts';
import { entryOf, isRunning, versionOf, versionsOf } from './find.ts';

/** What is known of a file that becomes a version. */
export interface PushedFile {
  readonly name: string;
  readonly sha256: string;
  /** the digest that the model has inside */
  readonly modelSha256: string | null;
  readonly bytes: number;
  readonly tags?: Tags;
  readonly metrics?: Metrics;
  readonly lineage?: Lineage;
}

/** The version of a name that a file is; undefined: none. */
export const sameFile = ({ entries }: State, name: string, sha256: string): Version | undefined =>
  [...(entries.get(name)?.versions.values() ?? [])].find((version) => version.sha256 === sha256);

/** A file becomes a version; null: it is one. @param restore  a retired one is used again @throws ERR_REGISTRY */
export function pushed(state: State, file: PushedFile, restore: boolean): Happening | null {
  const { name, sha256, modelSha256, bytes, tags, metrics, lineage } = file;
  const same = sameFile(state, name, sha256);
  if (same?.isRetired) {
    if (!restore) throw retired(same, 'logodds push --restore takes it back into use');
    return { event: 'retired', name, version: same.version, retired: false };
  }
  if (same) return null;
  return {
    event: 'pushed',
    ...{ name, version: nextVersion(state.entries.get(name)), sha256 },
    ...(modelSha256 !== null && { modelSha256 }),
    bytes,
    ...(tags && { tags }),
    ...(metrics && { metrics }),
    ...(lineage && { lineage }),
  };
}

/** A key has signed a file; null: that is known. */
export const signed = ({ signatures }: State, sha256: string, keyId: string): Happening | null =>
  signatures.get(sha256)?.includes(keyId) ? null : { event: 'signed', sha256, keyId };

/** Tags of a version change; null: none does. @throws ERR_REGISTRY */
export function tagged(
  state: State,
  name: string,
  version: number,
  tags: Readonly<Record<string, string | null>>,
): Happening | null {
  const { tags: before } = versionOf(state, { name, version });
  const changed = Object.entries(tags).filter(([key, text]) => (before[key] ?? null) !== text);
  return changed.length === 0 ? null : { event: 'tagged', name, version, tags: Object.fromEntries(changed) };
}

/** A version goes out of use, or back into it; null: it is so. @param hasFile  whether its file is there @throws ERR_REGISTRY */
export function retirement(
  state: State,
  name: string,
  version: number,
  isRetired: boolean,
  hasFile: boolean,
): Happening | null {
  const entry = entryOf(state, name);
  const found = versionOf(state, { name, version });
  if (found.isRetired === isRetired) return null;
  if (!isRetired && !hasFile)
    throw registryError(
      'ERR_REGISTRY',
      `version ${version} of ${name}: expected its file, got none: it was collected; logodds push FILE --restore brings it back`,
    );
  const aliases = aliasesOf(entry, version);
  if (isRetired && aliases.length > 0)
    throw registryError(
      'ERR_REGISTRY',
      `version ${version} of ${name}: expected one that no alias names, got ${aliases.join(', ')}; move it, or take it away by logodds registry alias ${name} ${version} ${aliases[0]} --remove`,
    );
  if (isRetired && isRunning(entry) && versionsOf(entry).includes(version))
    throw running(entry, 'end it first: logodds rollout abort');
  return { event: 'retired', name, version, retired: isRetired };
}

/** What a gate said of a version. */
export interface Verdict {
  readonly against: number | null;
  readonly passed: boolean;
  readonly failed: readonly string[];
}

/** A gate has judged a version. @throws ERR_REGISTRY */
export function gated(state: State, name: string, version: number, said: Verdict): Happening {
  versionOf(state, { name, version });
  return { event: 'gated', name, version, ...said };
}
