import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LogoddsError } from '../../../src/index.ts';

/**
 * Files that must not outlive the run under any name: removed on success, on error and on a signal.
 * Signal handlers exist only while such a file exists; otherwise a signal ends the process at once, as usual.
 */
const live = new Set<string>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function onSignal(signal: NodeJS.Signals): void {
  discardAll();
  writeSync(
    2,
    `${process.stderr.isTTY ? '\n' : ''}ERR_INTERRUPTED stopped by ${signal} before the end; no output was written\n`,
  );
  process.kill(process.pid, signal);
}

/** Promises that `path` (a file or folder) is removed whatever happens. @returns path */
export function track(path: string): string {
  if (live.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  live.add(path);
  return path;
}

function release(path: string): void {
  if (live.delete(path) && live.size === 0) for (const signal of SIGNALS) process.off(signal, onSignal);
}

export function discard(path: string): void {
  rmSync(path, { recursive: true, force: true });
  release(path);
}

export function discardAll(): void {
  for (const path of live) discard(path);
}

/** The sentence for a failed system call: its reason without path and stack. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const errno = /^E[A-Z0-9]+: ([^,]*),/.exec(text);
  return errno ? errno[1]! : text.split('\n')[0]!;
}

export function outputError(path: string, error: unknown): LogoddsError {
  const next = 'choose another path or free space, then run again; nothing was written there';
  return new LogoddsError('ERR_OUTPUT', `${path}: cannot be written (${reason(error)}); ${next}`, { cause: error });
}

/** A hidden name beside `path`, so that the rename at the end stays on one file system. */
export function temporaryName(path: string, suffix = 'tmp'): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${suffix}`);
}

/**
 * An output file that appears under its name only when it is whole: written beside it, then renamed.
 * A device or pipe (/dev/null) is written directly.
 * @throws ERR_OUTPUT
 */
export class OutputFile {
  readonly path: string;
  /** where the bytes go until commit */
  readonly temporary: string;
  private readonly target: string;
  private fd: number | null = null;

  constructor(path: string) {
    this.path = path;
    try {
      this.target = existsSync(path) ? realpathSync(path) : path;
      const stat = existsSync(path) ? statSync(path) : null;
      if (stat?.isDirectory()) throw new Error('it is a folder');
      if (stat) accessSync(path, constants.W_OK);
      const direct = stat !== null && !stat.isFile();
      this.temporary = direct ? this.target : temporaryName(this.target);
      this.fd = openSync(this.temporary, direct ? 'a' : 'w');
      if (!direct) track(this.temporary);
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

  /** Gives the whole file its name. */
  commit(): void {
    try {
      this.close();
      if (this.temporary === this.target) return;
      renameSync(this.temporary, this.target);
      release(this.temporary);
    } catch (error) {
      this.discard();
      throw outputError(this.path, error);
    }
  }

  discard(): void {
    this.close();
    if (this.temporary !== this.target) discard(this.temporary);
  }

  private close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }
}

/**
 * Fails now rather than after the work.
 * @param others  as of `refuseShared`
 * @throws ERR_OUTPUT
 */
export function assertWritable(path: string, ...others: readonly (string | undefined)[]): void {
  refuseShared(path, ...others);
  new OutputFile(path).discard();
}

/**
 * @param others  further files that the run reads or writes, which an output must not replace; files that a glob finds are not compared
 * @throws ERR_OUTPUT
 */
export function refuseShared(path: string, ...others: readonly (string | undefined)[]): void {
  const own = placeOf(path);
  if (own === null || !others.some((other) => other !== undefined && placeOf(other) === own)) return;
  throw new LogoddsError(
    'ERR_OUTPUT',
    `${path}: expected a path of its own, got one that the run reads or writes besides; choose another path`,
  );
}

/** The file that a path leads to; null for a device or pipe, which nothing replaces. */
function placeOf(path: string): string | null {
  if (existsSync(path)) return statSync(path).isFile() ? realpathSync(path) : null;
  const folder = dirname(path);
  return join(existsSync(folder) ? realpathSync(folder) : resolve(folder), basename(path));
}
