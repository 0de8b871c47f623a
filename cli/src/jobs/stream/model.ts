import { basename } from 'node:path';
import { parseReference } from '../../../../registry/src/index.ts';
import { loadModel } from '../../../../src/index.ts';
import { readModelFile } from '../../read/files.ts';
import { readSignature, stampOf, type TrustFiles } from '../../serve/trust.ts';
import { reason } from '../../write/temporary.ts';
import type { ModelInUse } from './formats/format.ts';

/** Where models are, and who must have signed them. */
export interface Place {
  readonly registry?: string;
  /** null: no signature is asked for */
  readonly trusted: TrustFiles | null;
}

/** What a look for another model has found. */
export type Look = { readonly found: ModelInUse } | { readonly failed: string } | null;

/**
 * A model that is followed: a file by its time and size, a reference by the version that it names. What cannot be read, or is not trusted, leaves the model as it is.
 */
export class FollowedModel {
  readonly #given: string;
  readonly #place: Place;
  #seen = '';
  #failed = '';
  /** why the model in use is trusted no more */
  #doubt = '';
  current: ModelInUse;

  /** @throws ERR_DATA, ERR_FORMAT, ERR_REGISTRY, ERR_STORE, ERR_SIGNATURE */
  static async open(given: string, place: Place): Promise<FollowedModel> {
    const stamp = given.startsWith('models:/') ? '' : stampOf(given);
    const { used, seen } = await read(given, place);
    return new FollowedModel(given, place, used, stamp || seen);
  }

  private constructor(given: string, place: Place, current: ModelInUse, seen: string) {
    this.#given = given;
    this.#place = place;
    this.current = current;
    this.#seen = seen;
  }

  /** Looks whether another model is meant now. It never rejects. */
  async look(): Promise<Look> {
    try {
      let failed = '';
      await this.#place.trusted?.look((line) => {
        if (line.event === 'failed') failed = String(line.reason);
      });
      if (failed !== '') return { failed };
      const now = this.#given.startsWith('models:/')
        ? await resolved(this.#given, this.#place.registry)
        : stampOf(this.#given);
      if (now === this.#seen) return this.#doubted();
      const { used } = await read(this.#given, this.#place);
      this.#seen = now;
      this.#failed = '';
      if (used.sha256 === this.current.sha256 && used.version === this.current.version) return null;
      this.#doubt = '';
      return { found: used };
    } catch (error) {
      const failed = reason(error);
      // once for as long as it lasts
      if (failed === this.#failed) return null;
      this.#failed = failed;
      return { failed };
    }
  }

  /** Whether the model in use is trusted still, once for as long as it is not: files of keys are read again when they change. */
  #doubted(): Look {
    const { name, signed } = this.current;
    const doubt = (signed && this.#place.trusted?.trust.doubt(name, signed)) ?? '';
    if (doubt === this.#doubt) return null;
    this.#doubt = doubt;
    return doubt === '' ? null : { failed: doubt };
  }
}

async function resolved(reference: string, place: string | undefined): Promise<string> {
  const { openRegistry } = await import('../registry/open.ts');
  const { version, sha256 } = await (await openRegistry(place, { quiet: true })).resolve(parseReference(reference));
  return `${version} ${sha256}`;
}

async function read(given: string, { registry: place, trusted }: Place): Promise<{ used: ModelInUse; seen: string }> {
  const checked = async (name: string, bytes: Uint8Array, signature: Uint8Array | null) =>
    trusted ? trusted.trust.check({ name, bytes, signature }) : null;
  if (!given.startsWith('models:/')) {
    const { model, bytes } = readModelFile(given);
    const name = basename(given).replace(/\.[^.]+$/, '');
    const signed = await checked(name, bytes, trusted ? readSignature(given) : null);
    return { used: { name, version: null, sha256: model.sha256 ?? '', model, signed }, seen: '' };
  }
  const { fetchModel } = await import('../registry/fetch.ts');
  const { registry, version, bytes } = await fetchModel(given, place);
  const { name } = version;
  const signed = await checked(name, bytes, trusted ? ((await registry.signature(version)) ?? null) : null);
  const model = loadModel(bytes);
  const used = { name, version: String(version.version), sha256: model.sha256 ?? '', model, signed };
  return { used, seen: `${version.version} ${version.sha256}` };
}
