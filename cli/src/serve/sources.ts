import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ModelSource, Shelf } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** Where models are: a file with the name of its model, or a folder of them. */
export type Place =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string };

const ENDING = '.safetensors';

/** A MODEL of the command line: name=FILE, FILE, or a folder. @throws ERR_DATA for what is not there */
export function placeOf(given: string): Place {
  const [, name, path] = /^([^=/\\]+)=(.+)$/.exec(given) ?? [null, null, given];
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

/** The files of places, by the name of their models. @throws ERR_DATA for a name that two files have */
export function filesOf(places: readonly Place[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const place of places) {
    const found =
      place.kind === 'file'
        ? [[place.name, place.path] as const]
        : readdirSync(place.path)
            .filter((file) => file.endsWith(ENDING) && !file.startsWith('.'))
            .sort()
            .map((file) => [nameOf(file), join(place.path, file)] as const);
    for (const [name, path] of found) {
      const other = files.get(name);
      if (other !== undefined && other !== path)
        throw new LogoddsError(
          'ERR_DATA',
          `${path}: expected a name of its own, got ${name}, which ${other} has; give it another by NAME=${path}`,
        );
      files.set(name, path);
    }
  }
  return files;
}

/** Called when a model was put, could not be put, or is gone. */
export type Told = (line: {
  readonly event: string;
  readonly model: string;
  readonly [field: string]: unknown;
}) => void;

/** Puts the models of files on a shelf, and others in their place when the files change. */
export class Sources {
  readonly #places: readonly Place[];
  readonly #shelf: Shelf;
  readonly #tell: Told;
  /** by name, what a file was when it was read: a change of it is seen by this */
  readonly #seen = new Map<string, string>();

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
    return { name, model: readFileSync(path) };
  }

  /** Reads what is new or has changed, and takes away what is gone. A file that cannot be read leaves the model as it is. */
  look(): void {
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
    for (const [name, path] of files) this.#lookAt(name, path);
  }

  #lookAt(name: string, path: string): void {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (this.#seen.get(name) === now) return;
      this.#seen.set(name, now);
      const begin = performance.now();
      const bytes = readFileSync(path);
      const { version, sha256 } = this.#shelf.replace({ name, model: bytes });
      this.#tell({ event: 'loaded', model: name, version, sha256, path, seconds: (performance.now() - begin) / 1000 });
    } catch (error) {
      // a file that is no model has been noted
      if (!this.#shelf.failures.has(name)) this.#shelf.fail(name, reason(error));
      this.#tell({ event: 'failed', model: name, path, reason: reason(error) });
    }
  }
}
