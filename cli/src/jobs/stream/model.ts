import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { parseReference } from '../../../../registry/src/index.ts';
import { loadModel } from '../../../../src/index.ts';
import { readModelFile } from '../../read/files.ts';
import { reason } from '../../write/temporary.ts';
import type { ModelInUse } from './formats/format.ts';

/** What a look for another model has found. */
export type Look = { readonly found: ModelInUse } | { readonly failed: string } | null;

/** A model that is followed: a file by its time and size, a reference by the version that it names. What cannot be read leaves the model as it is. */
export class FollowedModel {
  readonly #given: string;
  readonly #registry: string | undefined;
  #seen = '';
  #failed = '';
  current: ModelInUse;

  /** @throws ERR_DATA, ERR_FORMAT, ERR_REGISTRY, ERR_STORE */
  static async open(given: string, registry?: string): Promise<FollowedModel> {
    const stamp = given.startsWith('models:/') ? '' : stampOf(given);
    const { used, seen } = await read(given, registry);
    return new FollowedModel(given, registry, used, stamp || seen);
  }

  private constructor(given: string, registry: string | undefined, current: ModelInUse, seen: string) {
    this.#given = given;
    this.#registry = registry;
    this.current = current;
    this.#seen = seen;
  }

  /** Looks whether another model is meant now. It never rejects. */
  async look(): Promise<Look> {
    try {
      const now = this.#given.startsWith('models:/')
        ? await resolved(this.#given, this.#registry)
        : stampOf(this.#given);
      if (now === this.#seen) return null;
      const { used } = await read(this.#given, this.#registry);
      this.#seen = now;
      this.#failed = '';
      if (used.sha256 === this.current.sha256 && used.version === this.current.version) return null;
      return { found: used };
    } catch (error) {
      const failed = reason(error);
      // once for as long as it lasts
      if (failed === this.#failed) return null;
      this.#failed = failed;
      return { failed };
    }
  }
}

/** What changes when a file does; empty: it is not there. */
function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : '';
}

async function resolved(reference: string, place: string | undefined): Promise<string> {
  const { openRegistry } = await import('../registry/open.ts');
  const { version, sha256 } = await (await openRegistry(place, { quiet: true })).resolve(parseReference(reference));
  return `${version} ${sha256}`;
}

async function read(given: string, place: string | undefined): Promise<{ used: ModelInUse; seen: string }> {
  if (!given.startsWith('models:/')) {
    const { model } = readModelFile(given);
    const used = { name: basename(given).replace(/\.[^.]+$/, ''), version: null, sha256: model.sha256 ?? '', model };
    return { used, seen: '' };
  }
  const { fetchModel } = await import('../registry/fetch.ts');
  const { version, bytes } = await fetchModel(given, place);
  const model = loadModel(bytes);
  const used = { name: version.name, version: String(version.version), sha256: model.sha256 ?? '', model };
  return { used, seen: `${version.version} ${version.sha256}` };
}
