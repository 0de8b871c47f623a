import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Precision } from '../bindings/layout.ts';
import type { Contestant } from './race.ts';
import type { Rival } from './timings.ts';

const VENV = 'bench/build/venv';
const DATA = 'bench/build/data';
/** what a fit may take beside its own time: the request, the parameters */
const ASIDE_MS = 1000;
/** setTimeout takes more as none */
const LONGEST_TIMER = 2 ** 31;
/** built by run.mjs */
const RUST = 'bench/build/rust/release/logodds-rivals';

interface Answer {
  readonly error?: string;
  readonly ms?: number;
  readonly precision?: Precision;
  readonly rivals?: string[];
  readonly rungs?: string[][];
  readonly iterations?: number | null;
  /** those whose time is not that of the call: they are not stopped */
  readonly unstopped?: string[];
  /** what does not take part, a sentence each */
  readonly missing?: string | string[];
}

/** The interpreter of the environment of requirements.txt; none when there is no environment. */
export function pythonCommand(): string | undefined {
  return [`${VENV}/bin/python`, `${VENV}/Scripts/python.exe`].find(existsSync);
}

/**
 * Rivals in another language: a child process (rivals.py, rivals.R, rust/) that is told "open this case", "run this rival", a line
 * of JSON each. It runs only while this process waits for its answer, so that both have the machine to themselves in turn.
 * Arrays pass through files.
 */
export class Peer {
  readonly #command: string;
  readonly #script: string | undefined;
  readonly #name: string;
  readonly #folder: string;
  #child!: ChildProcessWithoutNullStreams;
  #lines!: AsyncIterator<string>;
  #reader!: Interface;
  /** the case that is open, and whether the child, which replaces one that was stopped, knows of it */
  #case: object = {};
  #knows = true;
  /** name and version of each package, and the core that OpenBLAS picked */
  versions: Record<string, string> = {};

  /** @param script  absent: the command is the program */
  private constructor(command: string, script?: string) {
    this.#command = command;
    this.#script = script;
    this.#name = script ?? command;
    this.#folder = `${DATA}/${basename(this.#name)}`;
    mkdirSync(this.#folder, { recursive: true });
    this.#spawn();
  }

  #spawn(): void {
    const args = [...(this.#script ? [`bench/${this.#script}`] : []), this.#folder];
    this.#child = spawn(this.#command, args, { stdio: ['pipe', 'pipe', 'inherit'] }) as never;
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @returns null when there is no environment for it */
  static async python(): Promise<Peer | null> {
    const command = pythonCommand();
    try {
      return command ? await Peer.#start(command, 'rivals.py') : null;
    } catch (error) {
      console.error(`bench: ${(error as Error).message}`);
      return null;
    }
  }

  /** @returns null when R or one of the packages it needs is not there */
  static async r(): Promise<Peer | null> {
    const needed = 'stopifnot(requireNamespace("glmnet"), requireNamespace("jsonlite"))';
    const found = spawnSync('Rscript', ['-e', needed], { stdio: 'ignore' }).status === 0;
    return found ? Peer.#start('Rscript', 'rivals.R') : null;
  }

  /** @returns null when they are not built */
  static async rust(): Promise<Peer | null> {
    const command = [RUST, `${RUST}.exe`].find(existsSync);
    return command ? Peer.#start(command) : null;
  }

  static async #start(command: string, script?: string): Promise<Peer> {
    const peer = new Peer(command, script);
    peer.versions = (await peer.#ask({ op: 'versions' })) as Record<string, string>;
    return peer;
  }

  async #ask(request: object): Promise<Answer> {
    const answer = await this.#askWithin(request, Number.POSITIVE_INFINITY);
    if (!answer) throw new Error(`${this.#name} ended at ${JSON.stringify(request)}`);
    return answer;
  }

  /** @returns null when the child was stopped after that time; another one takes its place */
  async #askWithin(request: object, limitMs: number): Promise<Answer | null> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    let stopped = false;
    const stop = () => {
      stopped = true;
      this.#child.kill('SIGKILL');
    };
    const timer = limitMs < LONGEST_TIMER ? setTimeout(stop, limitMs) : undefined;
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done) {
      if (!stopped) throw new Error(`${this.#name} ended at ${JSON.stringify(request)}`);
      this.#spawn();
      this.#knows = false;
      return null;
    }
    const answer = JSON.parse(value) as Answer;
    if (answer.error) throw new Error(`${this.#name}: ${answer.error}`);
    return answer;
  }

  #open(kind: string, numbers: Record<string, unknown>, arrays: Record<string, ArrayBufferView>): Promise<Answer> {
    for (const [name, array] of Object.entries(arrays)) {
      writeFileSync(`${this.#folder}/${name}.bin`, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    }
    this.#case = { op: 'open', kind, ...numbers };
    this.#knows = true;
    return this.#ask(this.#case);
  }

  #output(precision: Precision): Float32Array | Float64Array {
    const { buffer } = Uint8Array.from(readFileSync(`${this.#folder}/output.bin`));
    return precision === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
  }

  /** Opens a case of this kind with these numbers and arrays, closing the one before. @returns its rivals */
  async open(
    kind: string,
    numbers: Record<string, unknown>,
    arrays: Record<string, ArrayBufferView>,
  ): Promise<Rival[]> {
    const { rivals = [] } = await this.#open(kind, numbers, arrays);
    return rivals.map((name) => ({
      name,
      sample: async (timeMs) => (await this.#ask({ op: 'time', name, timeMs })).ms!,
      output: async () => this.#output((await this.#ask({ op: 'output', name })).precision!),
    }));
  }

  /** The same for a case of training. @returns those who fit */
  async train(
    kind: string,
    numbers: Record<string, unknown>,
    arrays: Record<string, ArrayBufferView>,
  ): Promise<Contestant[]> {
    const { rivals = [], rungs = [], missing = [], unstopped = [] } = await this.#open(kind, numbers, arrays);
    for (const sentence of [missing].flat()) console.error(`bench: ${sentence}`);
    return [rivals].flat().map((name, i) => ({
      name,
      rungs: [rungs[i]].flat(),
      fit: async (rung, limitMs = Number.POSITIVE_INFINITY) => {
        if (!this.#knows) {
          await this.#ask(this.#case);
          this.#knows = true;
        }
        const within = unstopped.includes(name) ? Number.POSITIVE_INFINITY : limitMs + ASIDE_MS;
        const answer = await this.#askWithin({ op: 'fit', name, rung }, within);
        if (!answer) return null;
        const { ms, iterations } = answer;
        return { ms: ms!, iterations: iterations ?? undefined, params: this.#output('f64') as Float64Array };
      },
    }));
  }

  end(): void {
    this.#reader.close();
    this.#child.stdin.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
