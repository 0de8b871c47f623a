import { type ModelRegistry, parseReference, type Version } from '../../../../registry/src/index.ts';
import { note } from '../../terminal/print.ts';
import { openRegistry } from './open.ts';

export interface Fetched {
  readonly registry: ModelRegistry;
  readonly version: Version;
  readonly bytes: Uint8Array;
}

/** The file that a reference names. A version that is retired is said to be. @throws ERR_REGISTRY, ERR_STORE, ERR_FORMAT */
export async function fetchModel(reference: string, place?: string): Promise<Fetched> {
  const parsed = parseReference(reference);
  const registry = await openRegistry(place);
  const version = await registry.resolve(parsed);
  if (version.isRetired) note(`version ${version.version} of ${version.name} is retired`);
  return { registry, version, bytes: await registry.file(version) };
}
