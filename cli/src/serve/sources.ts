import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isReference, parseReference } from '../../../registry/src/index.ts';
import { SIGNATURE_ENDING, type SignatureReason } from '../../../registry/src/signing/index.ts';
import type { Followed, ModelSource, Shelf } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';
import { readSignature, stampOf } from './trust.ts';

/** Where models are: a file with the name of its model, a folder of them, or a registry. */
export type Place =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'registry'; readonly model: Followed }
  | { readonly kind: 'folder'; readonly path: string };

const ENDING = '.safetensors';

/** A MODEL of the command line: name=FILE, FILE, a folder, models:/NAME@ALIAS. @throws ERR_DATA for what is not there; ERR_REGISTRY */
export function placeOf(given: string): Place {
  const [, name, path] = /^([^=/\\:]+)=(.+)$/.exec(given) ?? [null, null, given];
  if (isReference(path)) {
    const { name: of, alias, version, sha256 } = parseReference(path);
    if (sha256 !== undefined)
      throw new LogoddsError(
        'ERR_DATA',
        `${path}: expected models:/NAME@ALIAS or models:/NAME/VERSION to follow, got a digest; logodds registry show ${path} has its version`,
      );
    const which = alias === undefined ? { version: version! } : { alias };
    return { kind: 'registry', model: { name: name ?? of, of, ...which } };
  }
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a model file or a folder of them, got an error (${reason(error)}); check the path`,
      {
        cause: error,
      },
    );
  }
  if (!isFolder) return { kind: 'file', name: name ?? nameOf(path), path };
  if (name !== null)
    throw new LogoddsError(
      'ERR_DATA',
      `${given}: expected a file behind the name, got a folder; leave out ${name}=, the files have names`,
    );
  return { kind: 'folder', path };
}

const nameOf = (path: string): string => basename(path).replace(/\.[^.]+$/, '');

/** The files of places, by the name of their models. @throws ERR_DATA for a name that two files have, or a file and a reference */
export function filesOf(places: readonly Place[]): Map<string, string> {
  const files = new Map<string, string>();
  const references = new Map<string, string>();
  for (const place of places) {
    if (place.kind !== 'registry') continue;
    const { name, of, alias, version } = place.model;
    const reference = `models:/${of}${alias === undefined ? `/${version}` : `@${alias}`}`;
    refuseTwice(reference, name, references.get(name));
    references.set(name, reference);
  }
  for (const place of places) {
    if (place.kind === 'registry') continue;
    const found =
      place.kind === 'file'
        ? [[place.name, place.path] as const]
        : readdirSync(place.path)
            .filter((file) => file.endsWith(ENDING) && !file.startsWith('.'))
            .sort()
            .map((file) => [nameOf(file), join(place.path, file)] as const);
    for (const [name, path] of found) {
      refuseTwice(path, name, files.get(name) ?? references.get(name));
      files.set(name, path);
    }
  }
  return files;
}

/** @throws ERR_DATA for a name that another place has */
function refuseTwice(place: string, name: string, other: string | undefined): void {
  if (other === undefined || other === place) return;
  throw new LogoddsError(
    'ERR_DATA',
    `${place}: expected a name of its own, got ${name}, which ${other} has; give it another by NAME=${place}`,
  );
}

/** Called when a model was put, could not be put, or is gone. */
export type Told = (line: {
  readonly event: string;
  readonly model: string;
  readonly [field: string]: unknown;
}) => void;

/** Signatures that time alone may mend, or a clock that is put right. */
const MENDED_BY_TIME: readonly SignatureReason[] = ['not-yet', 'expired'];
/** What a model and its signature are while one of the two has come. */
const HALF: readonly SignatureReason[] = ['missing', 'truncated', 'malformed', 'altered', 'other-file'];

const signatureReason = (error: unknown): SignatureReason | null => {
  const { code, reason } = error as { readonly code?: string; readonly reason?: SignatureReason };
  return code === 'ERR_SIGNATURE' ? (reason ?? null) : null;
};

/** Puts the models of files on a shelf, and others in their place when the files change. */
export class Sources {
  readonly #places: readonly Place[];
  readonly #shelf: Shelf;
  readonly #tell: Told;
  /** by name, what a file and its signature were when they were read: a change of them is seen by this */
  readonly #seen = new Map<string, string>();
  /** by name, what a file and a signature were that did not fit at first sight: one of the two may be on its way */
  readonly #halves = new Map<string, string>();
  /** names of models that time may let in */
  readonly #early = new Set<string>();
  /** by name, why a model that answers is trusted no more */
  readonly #doubts = new Map<string, string>();

  constructor(places: readonly Place[], shelf: Shelf, tell: Told) {
    this.#places = places;
    this.#shelf = shelf;
    this.#tell = tell;
  }

  /** The file of a model. @throws ERR_DATA */
  source(name: string): ModelSource {
    const path = filesOf(this.#places).get(name);
    if (path === undefined)
      throw new LogoddsError('ERR_DATA', `model ${name}: expected a file of it, got none; put it there first`);
    return this.#read(name, path);
  }

  #read(name: string, path: string): ModelSource {
    const model = readFileSync(path);
    return { name, model, ...(this.#shelf.asksSignatures && { signature: readSignature(path) }) };
  }

  /** What could not be loaded is read again: something else is trusted now. */
  again(): void {
    for (const name of this.#shelf.failures.keys()) this.#seen.delete(name);
  }

  /** Reads what is new or has changed, and takes away what is gone. A file that cannot be read, or is not trusted, leaves the model as it is. */
  async look(): Promise<void> {
    let files: Map<string, string>;
    try {
      files = filesOf(this.#places);
    } catch (error) {
      this.#tell({ event: 'failed', model: '', reason: reason(error) });
      return;
    }
    for (const name of [...this.#seen.keys()].filter((name) => !files.has(name))) {
      this.#seen.delete(name);
      this.#shelf.remove(name);
      this.#tell({ event: 'removed', model: name });
    }
    for (const [name, path] of files) await this.#lookAt(name, path);
    this.#lookForDoubts();
  }

  async #lookAt(name: string, path: string): Promise<void> {
    let now = '';
    try {
      const { mtimeMs, size, ino } = statSync(path);
      now = `${mtimeMs} ${size} ${ino}${this.#shelf.asksSignatures ? ` ${stampOf(path + SIGNATURE_ENDING)}` : ''}`;
      const isSeen = this.#seen.get(name) === now;
      if (isSeen && !this.#early.has(name)) return;
      this.#seen.set(name, now);
      const begin = performance.now();
      let source: ModelSource;
      try {
        source = await this.#shelf.verified(this.#read(name, path));
      } catch (error) {
        if (isSeen || this.#isHalf(name, now, signatureReason(error))) return;
        this.#shelf.fail(name, (error as Error).message);
        throw error;
      }
      this.#early.delete(name);
      this.#halves.delete(name);
      const { version, sha256, signed } = this.#shelf.replace(source);
      this.#tell({
        event: 'loaded',
        model: name,
        version,
        sha256,
        path,
        ...(signed && { keyId: signed.keyId }),
        seconds: (performance.now() - begin) / 1000,
      });
    } catch (error) {
      const why = signatureReason(error);
      if (why !== null && MENDED_BY_TIME.includes(why)) this.#early.add(name);
      else this.#early.delete(name);
      // a file that is no model has been noted
      if (!this.#shelf.failures.has(name)) this.#shelf.fail(name, reason(error));
      this.#tell({
        event: 'failed',
        model: name,
        path,
        reason: reason(error),
        ...(why !== null && { signature: why }),
      });
    }
  }

  /** Whether a model that answers waits for the other half of the next one: a file and a signature do not come at once. They have until the next look. */
  #isHalf(name: string, now: string, why: SignatureReason | null): boolean {
    if (why === null || !HALF.includes(why) || this.#shelf.versions(name).length === 0) return false;
    if (this.#halves.get(name) === now) return false;
    this.#halves.set(name, now);
    this.#seen.set(name, '');
    return true;
  }

  /** Tells of models that answer and are trusted no more, once each, and of those that are trusted again. */
  #lookForDoubts(): void {
    for (const served of this.#shelf.all()) {
      const { name, version } = served;
      const doubt = this.#shelf.doubt(served);
      const told = this.#doubts.get(`${name} ${version}`) !== undefined;
      if (doubt !== null && !told) {
        this.#doubts.set(`${name} ${version}`, doubt);
        this.#tell({ event: 'untrusted', model: name, version, reason: `${doubt}; it goes on to answer` });
      } else if (doubt === null && told) {
        this.#doubts.delete(`${name} ${version}`);
        this.#tell({ event: 'trusted', model: name, version });
      }
    }
  }
}
