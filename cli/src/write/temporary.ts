import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { LogoddsError } from '../../../src/index.ts';
import { commandError } from '../errors.ts';
import { note } from '../terminal/print.ts';

/**
 * Files and folders that must not outlive the run under any name: removed on success, on error and on a signal.
 * Signal handlers exist only while such a file exists; otherwise a signal ends the process at once, as usual.
 */
const live = new Set<string>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a signal ends before the run: uploads, of which a store would keep the parts. */
const endings = new Set<() => Promise<unknown>>();

/** What a run says has been written when a signal ends it; null: nothing. */
let words: (() => string) | null = null;

export function wordsOnInterrupt(say: (() => string) | null): void {
  words = say;
}

/** How long that may take. */
const ENDING_MS = 5000;

/** @returns what forgets it */
export function onInterrupt(end: () => Promise<unknown>): () => void {
  listen();
  endings.add(end);
  return () => {
    endings.delete(end);
    unlisten();
  };
}

function listen(): void {
  if (live.size + endings.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unlisten(): void {
  if (live.size + endings.size === 0) for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  if (endings.size === 0) {
    stop(signal);
    return;
  }
  const ended = [...endings].map((end) => end().catch(() => {}));
  endings.clear();
  const late = new Promise((resolve) => setTimeout(resolve, ENDING_MS));
  Promise.race([Promise.all(ended), late]).then(() => stop(signal));
}

function stop(signal: NodeJS.Signals): void {
  // else the signal below would come here again
  for (const one of SIGNALS) process.off(one, onSignal);
  discardAll();
  writeSync(
    2,
    `${process.stderr.isTTY ? '\n' : ''}ERR_INTERRUPTED stopped by ${signal} before the end; ${words?.() ?? 'no output was written'}\n`,
  );
  process.kill(process.pid, signal);
}

/** Registers `path`, which this run made, for removal on every exit. @returns path */
function track(path: string): string {
  listen();
  live.add(path);
  return path;
}

function release(path: string): void {
  if (live.delete(path)) unlisten();
}

/** Removes a file or folder of this run. It never fails: a note names a path that cannot be removed. */
export function discard(path: string): void {
  if (!live.has(path)) return;
  tryRemoving(path, () => rmSync(path, { recursive: true, force: true }));
  if (
    base !== null &&
    dirname(path) === base &&
    ![...live].some((other) => other !== path && dirname(other) === base)
  ) {
    const emptied = base;
    base = null;
    tryRemoving(emptied, () => rmdirSync(emptied));
  }
  // from here on a signal ends the process at once
  release(path);
}

/** Removes all of them. Like `discard`, it never fails. */
export function discardAll(): void {
  for (const path of live) discard(path);
}

function tryRemoving(path: string, remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      note(`${path}: a temporary file cannot be removed (${reason(error)}); remove it by hand`);
  }
}

let place: string | null = null;

/**
 * Identifies the host and the namespace of process ids. A process id means nothing elsewhere, e.g. in another container that shares the
 * folder.
 */
export function placeHere(): string {
  if (place === null) {
    let namespace = '';
    try {
      namespace = readlinkSync('/proc/self/ns/pid');
    } catch {
      // not Linux: the host alone
    }
    place = createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
  }
  return place;
}

/** The part of a temporary's name that says whose it is, and that nobody can predict. */
const unique = (pid = process.pid): string => `${placeHere()}-${pid}-${randomBytes(6).toString('hex')}`;
const MAKER = /^([0-9a-f]{8})-(\d+)-[0-9A-Za-z]+(\.tmp)?$/;

/**
 * Removes the leftovers of killed runs from a folder: names with this beginning that belong to this user and whose process has ended. Only
 * ESRCH means that a process has ended; EPERM is a living process of another user.
 */
function sweep(folder: string, begin: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const made = name.startsWith(begin) ? MAKER.exec(name.slice(begin.length)) : null;
    if (made === null || made[1] !== placeHere() || !hasEnded(Number(made[2]))) continue;
    const path = join(folder, name);
    try {
      const { uid } = lstatSync(path);
      if (process.getuid === undefined || uid === process.getuid()) rmSync(path, { recursive: true, force: true });
    } catch {
      // another run is faster, or it is not ours to remove
    }
  }
}

/** Whether no process has this id here. */
export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

const BEGIN = 'logodds-';
/** The private folder of this run; null before it is made. */
let base: string | null = null;
let folders = 0;

/**
 * Makes a folder that only this user can enter, for temporary files of one purpose: DuckDB's, rows in transit, standard input. All such
 * folders are in one folder of the run below TMPDIR, with an unpredictable name. Remove the folder with `discard`; the last one removes the
 * folder of the run. Folders of killed runs are removed first. Open files in it with the flag `wx` and the mode 0600.
 * @throws ERR_OUTPUT when there is no place for it
 */
export function runFolder(): string {
  const isFirst = base === null;
  if (isFirst) sweep(tmpdir(), BEGIN);
  base ??= join(tmpdir(), `${BEGIN}${unique()}`);
  // before it is there: a signal in between would leave it
  const folder = track(join(base, String(++folders)));
  try {
    if (isFirst) mkdirSync(base, { mode: 0o700 });
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  } catch (error) {
    discard(folder);
    const next = 'set TMPDIR to a folder that can be written';
    throw commandError(
      'ERR_OUTPUT',
      `${tmpdir()}: expected a place for temporary files, got an error (${reason(error)}); ${next}`,
      { cause: error },
    );
  }
}

/** The user's umask before this run changed it. */
let userMask: number | null = null;

/** A place for a folder of this run, which nobody can predict. Whoever makes it removes it; one that a killed run has left is removed by a later one. */
export const placeOfRun = (): string => join(tmpdir(), `${BEGIN}${unique()}`);

/** Makes all further files of this process private to its user. Outputs get the usual mode when they are complete. */
export function keepPrivate(): void {
  userMask ??= process.umask(0o077);
}

/** Does something whose files get the modes that the user's umask gives: what others may read. */
export function withUserMask<T>(work: () => T): T {
  if (userMask === null) return work();
  const own = process.umask(userMask);
  try {
    return work();
  } finally {
    process.umask(own);
  }
}

/** Largest number of characters of a foreign message that a message repeats. */
const MOST_SAID = 300;

/** A foreign message as part of a sentence: its first line, at most 300 characters, without full stops and blanks at its end. */
export function brief(text: string): string {
  const line = text.slice(0, MOST_SAID + 1).split('\n')[0]!;
  let end = Math.min(line.length, MOST_SAID);
  if (line.length > MOST_SAID) return `${line.slice(0, end)}…`;
  // a regular expression that ends in +$ takes quadratic time
  while (end > 0 && /[.\s]/.test(line[end - 1]!)) end--;
  return line.slice(0, end);
}

/** The sentence for a failed system call: its reason without path and stack. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const errno = /^E[A-Z0-9]+: ([^,]*),/.exec(text.slice(0, 10_000));
  return brief(errno ? errno[1]! : text);
}

export function outputError(path: string, error: unknown): LogoddsError {
  if (error instanceof LogoddsError) return error;
  const next = 'choose another path or free space, then run again; nothing was written there';
  return commandError('ERR_OUTPUT', `${path}: cannot be written (${reason(error)}); ${next}`, { cause: error });
}

const beginBeside = (path: string) => `.${basename(path).slice(0, 100)}.`;

/** A hidden, unpredictable name beside `path`, so that the rename at the end stays on one file system. */
export const temporaryBeside = (path: string, pid?: number): string =>
  join(dirname(path), `${beginBeside(path)}${unique(pid)}.tmp`);

/** Paths whose leftovers have been swept. */
const swept = new Set<string>();

/** How an output is unlike others. */
export interface OutputRules {
  /** its mode; default that of the file that it replaces, or of a new file */
  readonly mode?: number;
  /** nothing may be under its name, not even at the last moment */
  readonly isNew?: boolean;
}

/**
 * An output file that appears under its name only when it is complete: it is written beside that name and then renamed. Until then it is
 * private. Then it gets the mode of the file that it replaces, or the mode of a new file. A device or pipe (/dev/null) is written directly.
 * @throws ERR_OUTPUT
 */
export class OutputFile {
  readonly path: string;
  private readonly target: string;
  /** where the bytes go until commit; null: written directly */
  private readonly temporary: string | null;
  /** the file that will be replaced */
  private readonly replaced: Stats | null;
  private fd: number | null = null;
  private readonly rules: OutputRules;

  constructor(path: string, rules: OutputRules = {}) {
    this.path = path;
    this.rules = rules;
    try {
      if (rules.isNew && lstatSync(path, { throwIfNoEntry: false })) throw isThere(path);
      this.target = existsSync(path) ? realpathSync(path) : path;
      const stat = existsSync(path) ? statSync(path) : null;
      if (stat?.isDirectory()) throw new Error('it is a folder');
      if (stat) accessSync(path, constants.W_OK);
      this.replaced = stat?.isFile() ? stat : null;
      if (stat && !stat.isFile()) {
        this.temporary = null;
        this.fd = openSync(this.target, 'a');
        return;
      }
      if (!swept.has(this.target)) sweep(dirname(this.target), beginBeside(this.target));
      swept.add(this.target);
      this.temporary = track(temporaryBeside(this.target));
      try {
        // tracked before it exists: a signal between the two would leave it
        this.fd = openSync(this.temporary, 'wx', 0o600);
      } catch (error) {
        release(this.temporary);
        throw error;
      }
    } catch (error) {
      throw outputError(path, error);
    }
  }

  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd!, bytes, at);
    } catch (error) {
      this.discard();
      throw outputError(this.path, error);
    }
  }

  /** Renames the complete file to its name. */
  commit(): void {
    try {
      if (this.temporary !== null) {
        this.setMode();
        this.close();
        if (this.rules.isNew) linkSync(this.temporary, this.target);
        else {
          renameSync(this.temporary, this.target);
          release(this.temporary);
        }
      }
      this.discard();
    } catch (error) {
      this.discard();
      const isTaken = this.rules.isNew && (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw isTaken ? isThere(this.path) : outputError(this.path, error);
    }
  }

  /** Removes the written bytes. An existing file of that name stays unchanged. */
  discard(): void {
    this.close();
    if (this.temporary !== null) discard(this.temporary);
  }

  /** The mode of the file that is replaced. If its group cannot be kept, the new group gets no more rights than everybody. */
  private setMode(): void {
    const fd = this.fd!;
    if (process.getuid === undefined) return; // Windows has no modes
    if (this.rules.mode !== undefined) {
      fchmodSync(fd, this.rules.mode);
      return;
    }
    let mode = this.replaced === null ? 0o666 & ~(userMask ?? process.umask()) : this.replaced.mode & 0o777;
    if (this.replaced !== null && this.replaced.gid !== process.getegid!()) {
      try {
        fchownSync(fd, -1, this.replaced.gid);
      } catch {
        mode &= ~0o070 | ((mode & 0o007) << 3);
      }
    }
    fchmodSync(fd, mode);
  }

  private close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }
}

const isThere = (path: string): LogoddsError =>
  commandError(
    'ERR_OUTPUT',
    `${path}: expected a path where nothing is, got one that is taken; choose another, or --force`,
  );

/**
 * Checks the output path, so that a failure comes before the work.
 * @param others  as of `refuseShared`
 * @throws ERR_OUTPUT
 */
export function assertWritable(path: string, ...others: readonly (string | undefined)[]): void {
  refuseShared(path, ...others);
  new OutputFile(path).discard();
}

/**
 * @param others  other files that the run reads or writes, which an output must not replace; files found by a pattern are not compared
 * @throws ERR_OUTPUT
 */
export function refuseShared(path: string, ...others: readonly (string | undefined)[]): void {
  const own = placeOf(path);
  if (own === null || !others.some((other) => other !== undefined && placeOf(other) === own)) return;
  throw commandError(
    'ERR_OUTPUT',
    `${path}: expected a path that the run does not use otherwise, got one that it reads or writes; choose another path`,
  );
}

/** The file that a path resolves to; null for a device or pipe, which is never replaced. */
function placeOf(path: string): string | null {
  if (existsSync(path)) return statSync(path).isFile() ? realpathSync(path) : null;
  const folder = dirname(path);
  return join(existsSync(folder) ? realpathSync(folder) : resolve(folder), basename(path));
}

/** Makes a folder and those above it. (Node's own never ends where one of them cannot be, as in a working folder that is deleted.) @throws of the system */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path && above !== '.') makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Writes a file whole: it appears when it is complete. @throws ERR_OUTPUT */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const file = new OutputFile(path);
  file.write(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  file.commit();
}

/** Gives a file that cannot be used another name. @returns that name; null: it has its own still */
export function setAside(path: string): string | null {
  // an earlier one stays: it may be what somebody looks for
  let aside = `${path}.damaged`;
  for (let k = 2; existsSync(aside); k++) aside = `${path}.damaged-${k}`;
  try {
    renameSync(path, aside);
    return aside;
  } catch {
    return null;
  }
}
