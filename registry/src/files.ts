import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { registryError } from './errors.ts';
import type { Version } from './state.ts';
import type { Store } from './store.ts';

export const modelPath = (digest: string): string => `models/${digest}.safetensors`;
export const signaturePath = (digest: string): string => `${modelPath(digest)}.sig`;
/** What a collection has put aside. */
export const trashPath = (path: string): string => `${path}.trash`;

/** The version whose file is read. */
export type Stored = Pick<Version, 'sha256' | 'name' | 'version'> & Partial<Pick<Version, 'isRetired'>>;

/** Model files and their signatures, by the SHA-256 of the model files. */
export class ModelFiles {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The SHA-256 of a model file as it is now; null: it is not there. @throws ERR_STORE */
  async digest(digest: string): Promise<string | null> {
    const bytes = await this.find(modelPath(digest));
    return bytes && bytesToHex(sha256(bytes));
  }

  /** The file of a version, whose digest is checked. @throws ERR_STORE */
  async read({ sha256: digest, name, version, isRetired = false }: Stored): Promise<Uint8Array> {
    const { place } = this.#store;
    const bytes = await this.find(modelPath(digest));
    if (!bytes)
      throw registryError(
        'ERR_STORE',
        `${place}: expected the file of version ${version} of ${name} (${modelPath(digest)}), got none; ${isRetired ? 'it was collected: logodds push FILE --restore brings it back' : 'put it back from a copy'}`,
      );
    const found = bytesToHex(sha256(bytes));
    if (found !== digest)
      throw registryError(
        'ERR_STORE',
        `${place}: expected a file with the digest ${digest} for version ${version} of ${name}, got ${found}; it was changed: put it back from a copy`,
      );
    return bytes;
  }

  /** A file, wherever a collection has put it; null: it is not there. */
  async find(path: string): Promise<Uint8Array | null> {
    return (await this.#store.read(path)) ?? (await this.#store.read(trashPath(path))) ?? this.#store.read(path);
  }

  /** Writes a file by its digest, unless it is there whole. */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    const there = await this.#store.read(path);
    if (!there || !isSame(there, bytes)) await this.#store.write(path, bytes);
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, k) => byte === b[k]);
