import { closeSync, openSync, readSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import { reason } from '../../write/temporary.ts';
import { chainLine, digestOf, FIRST } from './auditFile.ts';

/** What was found in the files of an audit log. */
export interface Verified {
  readonly valid: boolean;
  readonly lines: number;
  /** numbers of the first and the last line */
  readonly first: number | null;
  readonly last: number | null;
  /** SHA-256 of the last line: who keeps it can tell later that nothing was cut off */
  readonly head: string | null;
  /** lines that a crash has torn and that the chain tells of */
  readonly torn: number;
  /** the file ends within a line: it is being written, or a crash has torn it */
  readonly open: boolean;
  /** requests that the log itself says it has lost */
  readonly dropped: number;
  /** the first line that does not fit; null: all do */
  readonly problem: { readonly file: string; readonly line: number; readonly why: string } | null;
}

/** Checks that lines of an audit log are those that were written. @param paths  files of one log, in any order @throws ERR_DATA */
export function verifyAudit(paths: readonly string[]): Verified {
  const files = paths.map((path) => ({ path, first: firstOf(path) })).sort((a, b) => a.first - b.first);
  const chain = new Chain();
  let open = false;
  for (const { path } of files) {
    open = false;
    let line = 0;
    for (const { text, hasEnd } of linesOf(path)) {
      line++;
      open = !hasEnd;
      const why = chain.add(text, hasEnd);
      if (why) return chain.found({ file: path, line: chain.isTorn ? chain.tornAt : line, why }, open);
      chain.line = line;
    }
    const left = chain.leftTorn();
    if (left) return chain.found({ file: path, line: chain.tornAt, why: left }, open);
  }
  return chain.found(null, open);
}

/** Follows the lines. */
class Chain {
  line = 0;
  tornAt = 0;
  #lines = 0;
  #first: number | null = null;
  #seq: number | null = null;
  #prev: string | null = null;
  #tornLines = 0;
  #dropped = 0;
  /** bytes of lines that are none, until a line tells of them */
  #torn: string[] = [];

  get isTorn(): boolean {
    return this.#torn.length > 0;
  }

  /** Returns why a line does not fit; null: it does. */
  add(text: string, hasEnd: boolean): string | null {
    const found = chainLine(text);
    if (!found) {
      // the last one may be under way
      if (!hasEnd) return null;
      if (!this.isTorn) this.tornAt = this.line + 1;
      this.#torn.push(text);
      return null;
    }
    if (this.isTorn) {
      const bytes = this.#torn.join('\n');
      const { event, torn } = found;
      const tells = event === 'torn' && torn?.sha256 === digestOf(Buffer.from(bytes, 'latin1'));
      if (!tells) return 'expected a line of JSON with seq and prev, got something that no later line tells of';
      this.#torn = [];
      this.#tornLines++;
    } else if (found.event === 'torn') return 'expected a torn line before the one that tells of it, got none';
    if (this.#seq === null) {
      if (found.seq === 1 && found.prev !== FIRST) return 'prev: expected zeros in the first line, got something else';
      this.#first = found.seq;
    } else {
      if (found.seq !== this.#seq + 1) return `seq: expected ${this.#seq + 1}, got ${found.seq}`;
      if (found.prev !== this.#prev)
        return 'prev: expected the SHA-256 of the line before, got another: one of the two was changed';
    }
    this.#seq = found.seq;
    this.#prev = digestOf(Buffer.from(text, 'latin1'));
    this.#lines++;
    if (found.event === 'dropped') this.#dropped += (found as { count?: number }).count ?? 0;
    return null;
  }

  /** Why a file must not end here; null: it may. */
  leftTorn(): string | null {
    this.line = 0;
    return this.isTorn ? 'expected a line of JSON with seq and prev, got something that no later line tells of' : null;
  }

  found(problem: Verified['problem'], open: boolean): Verified {
    return {
      valid: problem === null,
      lines: this.#lines,
      first: this.#first,
      last: this.#seq,
      head: this.#prev,
      torn: this.#tornLines,
      open,
      dropped: this.#dropped,
      problem,
    };
  }
}

/** The number of the first line that has one. */
function firstOf(path: string): number {
  for (const { text } of linesOf(path)) {
    const found = chainLine(text);
    if (found) return found.seq;
  }
  return Number.POSITIVE_INFINITY;
}

/** The lines of a file, a character a byte. @throws ERR_DATA */
function* linesOf(path: string): Generator<{ readonly text: string; readonly hasEnd: boolean }> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a file of an audit log, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
  try {
    const chunk = Buffer.alloc(2 ** 20);
    let rest = '';
    for (;;) {
      let got: number;
      try {
        got = readSync(fd, chunk);
      } catch (error) {
        throw new LogoddsError('ERR_DATA', `${path}: expected a file, got an error (${reason(error)}); check the path`);
      }
      if (got === 0) break;
      const lines = (rest + chunk.toString('latin1', 0, got)).split('\n');
      rest = lines.pop()!;
      for (const text of lines) yield { text, hasEnd: true };
    }
    if (rest !== '') yield { text: rest, hasEnd: false };
  } finally {
    closeSync(fd);
  }
}
