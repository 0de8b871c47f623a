import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { loadModel, type ModelBytes } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { pushed, sameFile, signed } from './changes/versions.ts';
import type { Lineage, Metrics, Tags } from './event.ts';
import { type ModelFiles, modelPath, signaturePath } from './files.ts';
import { checkName } from './reference.ts';
import type { Given, Signatures, Unmet } from './signatures.ts';
import type { TrustTexts } from './signing/trust.ts';
import type { State, Version } from './state.ts';
import type { Act, LogWriter } from './writer.ts';

/** A model file that becomes a version. */
export interface Push extends Act {
  readonly name: string;
  readonly file: Uint8Array;
  /** whether a version of this file that is retired is to be used again; default false: it is refused */
  readonly restore?: boolean;
  /** put beside the model, if it is one of this file */
  readonly signature?: Uint8Array;
  /** keys of which one must have made the signature; default: any, and those that the registry demands are tried */
  readonly trust?: TrustTexts;
  readonly tags?: Tags;
  readonly metrics?: Metrics;
  readonly lineage?: Lineage;
}

/** What a push did. */
export interface Pushed {
  readonly version: Version;
  /** false: the file was a version of this name before */
  readonly isNew: boolean;
  /** ids of the keys that are known to have made the signature that was given */
  readonly signedBy: readonly string[];
  /** signatures that aliases demand, and that the version has not */
  readonly unmet: readonly Unmet[];
}

/** Puts model files and signatures into a registry. */
export class Pusher {
  readonly #log: LogWriter;
  readonly #files: ModelFiles;
  readonly #signatures: Signatures;

  constructor(log: LogWriter, files: ModelFiles, signatures: Signatures) {
    this.#log = log;
    this.#files = files;
    this.#signatures = signatures;
  }

  /** As of `Registry.push`. */
  async push(push: Push): Promise<Pushed> {
    const { file, restore = false, signature, trust, tags, metrics, lineage, ...act } = push;
    const name = checkName(push.name);
    const { sha256: modelSha256 } = loadModel(file as ModelBytes, allStages);
    const digest = bytesToHex(sha256(file));
    let isNew = false;
    const next = (state: State) => {
      isNew = sameFile(state, name, digest) === undefined;
      return pushed(state, { name, sha256: digest, modelSha256, bytes: file.length, tags, metrics, lineage }, restore);
    };
    // what is refused leaves no file
    next((await this.#log.read()).state);
    const signedBy = signature ? await this.#accept({ sha256: digest, name, signature, trust }) : [];
    await this.#files.put(modelPath(digest), file);
    if (signature) await this.#sign(digest, signature, signedBy, act);
    await this.#log.commit(act, next);
    // a collection that began before may have taken it away
    await this.#files.put(modelPath(digest), file);
    if (signature && !(await this.#files.find(signaturePath(digest))))
      await this.#files.put(signaturePath(digest), signature);
    const { state, history } = await this.#log.read();
    const version = sameFile(state, name, digest)!;
    const unmet = await this.#signatures.unmet(state, version, this.#log.times(history).at);
    return { version, isNew, signedBy, unmet };
  }

  /** As of `Registry.sign`. */
  async sign(version: Version, signature: Uint8Array, act: Act, trust?: TrustTexts): Promise<string[]> {
    const { sha256: digest, name } = version;
    const signedBy = await this.#accept({ sha256: digest, name, signature, trust });
    await this.#sign(digest, signature, signedBy, act);
    return signedBy;
  }

  async #accept(given: Given): Promise<string[]> {
    const { state, history } = await this.#log.read();
    return this.#signatures.accept(state, given, this.#log.times(history).at);
  }

  async #sign(digest: string, signature: Uint8Array, signedBy: readonly string[], act: Act): Promise<void> {
    await this.#files.put(signaturePath(digest), signature);
    for (const keyId of signedBy) await this.#log.commit(act, (state) => signed(state, digest, keyId));
  }
}
