/** What was answered already, in a file: a fit that is run again gives the same questions in the same order, and goes on where it was. */
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import type { Remote } from '../../../../src/internal.ts';
import { outputError } from '../../write/temporary.ts';

const BEGIN = Buffer.from('logodds answers 1\n');
/** Questions whose answers are parameters' sums, and small beside the rows. */
const KEPT = ['loss', 'at', 'hessian', 'classHessian', 'hessianVector', 'gram', 'separates', 'scores'];
const KEY = 32;
const CHECK = 8;

/**
 * Answers of another `Remote`, kept in a file. A solver has no chance and no clock, so the resumed fit has the bits of one that was not stopped.
 *
 *   "logodds answers 1\n"   digest of the encoded rows, 32 bytes   then records:   key 32   count u32   count f64   first 8 bytes of their SHA-256
 */
export class Checkpoint implements Remote {
  readonly #path: string;
  readonly #remote: Remote;
  readonly #known = new Map<string, Float64Array>();
  #rows: Buffer | null = null;
  #file: number | null = null;
  /** answers that came from the file */
  answered = 0;

  constructor(path: string, remote: Remote) {
    this.#path = path;
    this.#remote = remote;
  }

  ask(question: Parameters<Remote['ask']>[0], values: readonly Float64Array[] = []): ReturnType<Remote['ask']> {
    if (!KEPT.includes(question.op)) {
      const answer = this.#remote.ask(question, values);
      if (question.op === 'encode') this.#open(digest(JSON.stringify(question), [answer.values]));
      return answer;
    }
    const key = digest(JSON.stringify(question), values);
    const known = this.#known.get(key.toString('hex'));
    if (known) {
      this.answered++;
      return { facts: null, values: known.slice() };
    }
    const answer = this.#remote.ask(question, values);
    this.#append(key, answer.values);
    return answer;
  }

  /** Removes the file: the fit is done. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  /** @param rows  digest of the encoded rows. @throws ERR_DATA for a file of other rows; ERR_OUTPUT */
  #open(rows: Buffer): void {
    this.#rows = rows;
    let bytes = Buffer.alloc(0);
    let isThere = false;
    try {
      bytes = readFileSync(this.#path);
      isThere = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw outputError(this.#path, error);
    }
    const header = Buffer.concat([BEGIN, rows]);
    const first = header.length;
    const begun = bytes.length >= first;
    // of a process that ended at its first write a part of it is there
    if (!header.subarray(0, bytes.length).equals(bytes.subarray(0, first))) {
      throw new LogoddsError(
        'ERR_DATA',
        `--checkpoint ${this.#path}: expected a checkpoint of these rows, partitions and options, got another file; remove it, or name another`,
      );
    }
    let end = begun ? first : 0;
    // a record that was not finished when the process ended is written again
    for (let at = end; begun && at + KEY + 4 <= bytes.length; ) {
      const size = 8 * bytes.readUInt32LE(at + KEY);
      const from = at + KEY + 4;
      if (from + size + CHECK > bytes.length) break;
      const answer = bytes.subarray(from, from + size);
      if (!checkOf(answer).equals(bytes.subarray(from + size, from + size + CHECK))) break;
      this.#known.set(bytes.subarray(at, at + KEY).toString('hex'), new Float64Array(Uint8Array.from(answer).buffer));
      at = end = from + size + CHECK;
    }
    try {
      this.#file = openSync(this.#path, isThere ? 'r+' : 'wx', 0o600);
      ftruncateSync(this.#file, end);
      if (!begun) this.#write(header, 0);
    } catch (error) {
      throw outputError(this.#path, error);
    }
    this.#end = begun ? end : first;
  }

  #end = 0;

  #append(key: Buffer, values: Float64Array): void {
    if (!this.#rows) return;
    const count = Buffer.alloc(4);
    count.writeUInt32LE(values.length);
    const answer = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const record = Buffer.concat([key, count, answer, checkOf(answer)]);
    try {
      this.#write(record, this.#end);
    } catch (error) {
      throw outputError(this.#path, error);
    }
    this.#end += record.length;
    this.#known.set(key.toString('hex'), values.slice());
  }

  #write(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file!, bytes, at, bytes.length - at, position + at);
  }
}

function digest(text: string, values: readonly Float64Array[]): Buffer {
  const hash = createHash('sha256').update(text);
  for (const one of values) hash.update(new Uint8Array(one.buffer, one.byteOffset, one.byteLength));
  return hash.digest();
}

const checkOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest().subarray(0, CHECK);
