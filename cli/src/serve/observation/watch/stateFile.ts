import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Label, WatcherState } from '../../../../../service/src/index.ts';
import { setAside } from '../../../write/temporary.ts';
import { FileLock } from '../fileLock.ts';

/*
 * The state of a watch in a folder. Each process of a service has a slot, from 1 on, and files of its own:
 *
 *   watch-SLOT.json          the state, written under another name and renamed: it is whole, or that of the time before
 *   watch-SLOT.json.lock     who writes it
 *   watch-SLOT.taken         rows that were taken, written as they come: what is beyond the state was lost by a kill
 *   watch-SLOT.labels        labels since the state, written before anybody is told that they are kept
 *   models/SHA256.safetensors    models of the states, which all slots share
 */

/** A state and how many rows it has. */
export interface SavedWatch {
  readonly format: 1;
  readonly rows: number;
  readonly state: WatcherState;
}

/** What a process finds that takes a slot. */
export interface Found {
  readonly saved: SavedWatch | null;
  /** labels that came after it */
  readonly labels: readonly Label[];
  /** rows that were taken after it, and lost */
  readonly lost: number;
  /** whether the process ended by itself, and could not write its state */
  readonly isUnkept: boolean;
  /** a file that is no state, under its new name; null: there was none */
  readonly damaged: string | null;
}

/** Another process may not have told yet what it has seen of a model. */
const NEW_MS = 3_600_000;
/** Ends the file of taken rows where the state could not be written at the end. */
const UNKEPT = '!';
const NAME = /^watch-(\d+)\.json$/;

/** The files of a slot. */
export class StateFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #taken: number;
  readonly #labels: number;
  readonly found: Found;
  /** states of other slots, by name and the time and size of their file */
  readonly #others = new Map<string, { readonly stamp: string; readonly saved: SavedWatch | null }>();

  /** Takes a slot. @throws Taken, or the error of the system */
  static async open(folder: string, slot: number): Promise<StateFile> {
    mkdirSync(join(folder, 'models'), { recursive: true });
    const path = join(folder, `watch-${slot}.json`);
    return new StateFile(folder, path, await FileLock.take(path));
  }

  private constructor(folder: string, path: string, lock: FileLock) {
    this.#folder = folder;
    this.#path = path;
    this.#lock = lock;
    const stem = path.slice(0, -'.json'.length);
    try {
      this.found = foundAt(path, stem);
      this.#taken = openSync(`${stem}.taken`, constants.O_RDWR | constants.O_CREAT, 0o640);
      this.#labels = openSync(`${stem}.labels`, 'a+', 0o640);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Notes how many rows were taken. @param isUnkept  the process ends, and its state could not be written */
  took(rows: number, isUnkept = false): void {
    // one write of one length: it is there, or what was before. It needs no room, so that a full disk takes it
    writeSync(this.#taken, `${String(rows).padStart(20)}${isUnkept ? UNKEPT : '\n'}`, 0);
  }

  /** Keeps labels that are in no state yet. */
  addLabels(labels: readonly Label[]): void {
    writeSync(this.#labels, labels.map((label) => `${JSON.stringify(label)}\n`).join(''));
  }

  /** Writes a state. @throws the error of the system; the one before is there then */
  save(rows: number, state: WatcherState): void {
    const part = `${this.#path}.part`;
    writeFileSync(part, JSON.stringify({ format: 1, rows, state } satisfies SavedWatch), { mode: 0o640 });
    renameSync(part, this.#path);
    ftruncateSync(this.#labels);
  }

  /** The states of other slots, as they were written last. */
  others(): WatcherState[] {
    const names = readdirSync(this.#folder).filter((name) => NAME.test(name) && !this.#path.endsWith(`/${name}`));
    for (const name of names) {
      const path = join(this.#folder, name);
      const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
      const stamp = `${mtimeMs} ${size}`;
      if (this.#others.get(name)?.stamp !== stamp) this.#others.set(name, { stamp, saved: savedAt(path) });
    }
    return names.flatMap((name) => this.#others.get(name)!.saved?.state ?? []);
  }

  /** Takes over the states of slots that no process has any more. @param slots  how many there are */
  async adopt(slots: number): Promise<WatcherState[]> {
    const states: WatcherState[] = [];
    for (const name of readdirSync(this.#folder)) {
      const slot = Number(NAME.exec(name)?.[1] ?? 0);
      if (slot <= slots) continue;
      const path = join(this.#folder, name);
      try {
        const lock = await FileLock.take(path, 0);
        const saved = savedAt(path);
        if (saved) states.push(saved.state);
        lock.release();
      } catch {
        // somebody has it
      }
    }
    return states;
  }

  /** Removes the states of slots that were adopted, when the own one has them. */
  forget(slots: number): void {
    for (const name of readdirSync(this.#folder)) {
      const slot = Number(/^watch-(\d+)\./.exec(name)?.[1] ?? 0);
      if (slot > slots) rmSync(join(this.#folder, name), { force: true });
    }
  }

  /** The file of a model; null: there is none. */
  model(sha256: string): Uint8Array | null {
    try {
      return readFileSync(this.#modelPath(sha256));
    } catch {
      return null;
    }
  }

  putModel(sha256: string, bytes: Uint8Array): void {
    const path = this.#modelPath(sha256);
    if (statSync(path, { throwIfNoEntry: false })) return;
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, bytes, { mode: 0o640 });
    renameSync(part, path);
  }

  /** Removes files of models of which no state says anything, unless they are new. @param used  by the own state */
  keepModels(used: ReadonlySet<string>): void {
    const others = new Set(this.others().flatMap(({ watches }) => watches.map(({ sha256 }) => sha256)));
    for (const name of readdirSync(join(this.#folder, 'models'))) {
      const path = join(this.#folder, 'models', name);
      const sha256 = name.slice(0, 64);
      const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
      if (used.has(sha256) || others.has(sha256) || Date.now() - mtimeMs < NEW_MS) continue;
      rmSync(path, { force: true });
    }
  }

  #modelPath(sha256: string): string {
    return join(this.#folder, 'models', `${/^[\da-f]{64}$/.test(sha256) ? sha256 : 'none'}.safetensors`);
  }

  /** Says that the owner lives. */
  touch(): void {
    this.#lock.touch();
  }

  close(): void {
    closeSync(this.#taken);
    closeSync(this.#labels);
    this.#lock.release();
  }
}

function foundAt(path: string, stem: string): Found {
  const text = read(path);
  const saved = text === null ? null : parsed(text);
  let damaged: string | null = null;
  if (text !== null && !saved) {
    damaged = setAside(path);
  }
  const noted = (read(`${stem}.taken`) ?? '0').trim();
  const isUnkept = noted.endsWith(UNKEPT);
  const taken = Number(isUnkept ? noted.slice(0, -UNKEPT.length) : noted);
  const lines = (read(`${stem}.labels`) ?? '').split('\n');
  return {
    saved,
    // a kill may have cut the last one, of which nobody was told then
    labels: lines.flatMap((line) => (line === '' ? [] : (labelOf(line) ?? []))),
    lost: Number.isSafeInteger(taken) ? Math.max(0, taken - (saved?.rows ?? 0)) : 0,
    isUnkept,
    damaged,
  };
}

const savedAt = (path: string): SavedWatch | null => parsed(read(path) ?? '');

function parsed(text: string): SavedWatch | null {
  try {
    const saved = JSON.parse(text) as SavedWatch;
    return saved.format === 1 && saved.state.kind === 'watcher' && Number.isSafeInteger(saved.rows) ? saved : null;
  } catch {
    return null;
  }
}

function labelOf(line: string): Label | null {
  try {
    const label = JSON.parse(line) as Label;
    return typeof label.id === 'string' && typeof label.model === 'string' ? label : null;
  } catch {
    return null;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
