import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LogoddsError } from '../../../../src/index.ts';
import { hasEnded, OutputFile, outputError, placeHere, reason } from '../../write/temporary.ts';
import { type Listed, type RunRecord, recordIn, recordText, type Shelf, type Sink } from './record.ts';

/** A file of a run: its id and .json. */
const FILE = /^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}\.json$/;

/**
 * Runs in a folder: a file of JSON for each, and a folder of its artifacts beside it. Each file appears under its name when it is whole, and no two runs share
 * one, so any number of them may go on at once, and each may be killed at any moment.
 */
export class RunFolder implements Sink, Shelf {
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async start(record: RunRecord): Promise<string> {
    this.#make(this.place);
    this.#write(`${record.id}.json`, new TextEncoder().encode(recordText(record)));
    return record.id;
  }

  async go(record: RunRecord): Promise<void> {
    this.#write(`${record.id}.json`, new TextEncoder().encode(recordText(record)));
  }

  async end(record: RunRecord, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    this.#make(this.place);
    for (const [name, bytes] of Object.entries(files)) {
      this.#make(join(this.place, record.id));
      this.#write(join(record.id, name), bytes);
    }
    // last: what it names is there
    this.#write(`${record.id}.json`, new TextEncoder().encode(recordText(record)));
  }

  async list(experiment: string | undefined): Promise<Listed> {
    const notes: string[] = [];
    const runs: RunRecord[] = [];
    for (const name of this.#names()) {
      const found = this.#read(name);
      if (typeof found === 'string') notes.push(found);
      else if (experiment === undefined || found.experiment === experiment) runs.push(found);
    }
    return {
      runs: runs.sort((a, b) => (a.started < b.started || (a.started === b.started && a.id < b.id) ? 1 : -1)),
      notes,
    };
  }

  async find(id: string): Promise<RunRecord | null> {
    // a part of the id that no other run has
    const names = this.#names().filter((name) => name === `${id}.json` || (id.length >= 4 && name.includes(id)));
    if (names.length !== 1) return null;
    const found = this.#read(names[0]);
    if (typeof found === 'string') throw new LogoddsError('ERR_DATA', found);
    return found;
  }

  #names(): string[] {
    let names: string[];
    try {
      if (!statSync(this.place).isDirectory()) throw new Error('it is a file');
      names = readdirSync(this.place);
    } catch (error) {
      throw new LogoddsError(
        'ERR_DATA',
        `${this.place}: expected a folder of runs, got none (${reason(error)}); logodds train … --track makes one`,
      );
    }
    return names.filter((name) => FILE.test(name));
  }

  /** A run, or the sentence that says why the file is none. */
  #read(name: string): RunRecord | string {
    const path = join(this.place, name);
    const left = (why: string) => `${path}: expected a run, got ${why}; it is left out`;
    try {
      const record = recordIn(readFileSync(path, 'utf8'));
      return record ? judged(record) : left('something else');
    } catch (error) {
      return left(`an error (${reason(error)})`);
    }
  }

  #make(folder: string): void {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw outputError(folder, error);
    }
  }

  #write(name: string, bytes: Uint8Array): void {
    const file = new OutputFile(join(this.place, name));
    file.write(bytes);
    file.commit();
  }
}

/** A run that says it goes on, though its process has ended: it was killed. */
export const judged = (record: RunRecord): RunRecord =>
  record.status === 'running' && record.process.place === placeHere() && hasEnded(record.process.pid)
    ? { ...record, status: 'unfinished' }
    : record;
