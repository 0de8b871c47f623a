import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Precision } from '../bindings/layout.ts';
import type { Rival } from './harness.ts';
import type { Contestant } from './race.ts';

const VENV = 'bench/build/venv';
const DATA = 'bench/build/data';

interface Answer {
  readonly error?: string;
  readonly ms?: number;
  readonly precision?: Precision;
  readonly rivals?: string[];
  readonly rungs?: string[][];
  readonly iterations?: number | null;
  /** what does not take part, a sentence each */
  readonly missing?: string | string[];
}

/** The interpreter of the environment of requirements.txt; none when there is no environment. */
export function pythonCommand(): string | undefined {
  return [`${VENV}/bin/python`, `${VENV}/Scripts/python.exe`].find(existsSync);
}

/**
 * Rivals in another language: a child process (rivals.py, rivals.R) that is told "open this case", "run this rival", a line
 * of JSON each. It runs only while this process waits for its answer, so that both have the machine to themselves in turn.
 * Arrays pass through files.
 */
export class Peer {
  readonly #name: string;
  readonly #folder: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  /** name and version of each package, and the core that OpenBLAS picked */
  versions: Record<string, string> = {};

  private constructor(command: string, script: string) {
    this.#name = script;
    this.#folder = `${DATA}/${script}`;
    mkdirSync(this.#folder, { recursive: true });
    this.#child = spawn(command, [`bench/${script}`, this.#folder], { stdio: ['pipe', 'pipe', 'inherit'] }) as never;
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

  static async #start(command: string, script: string): Promise<Peer> {
    const peer = new Peer(command, script);
    peer.versions = (await peer.#ask({ op: 'versions' })) as Record<string, string>;
    return peer;
  }

  async #ask(request: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended at ${JSON.stringify(request)}`);
    const answer = JSON.parse(value) as Answer;
    if (answer.error) throw new Error(`${this.#name}: ${answer.error}`);
    return answer;
  }

  #open(kind: string, numbers: Record<string, unknown>, arrays: Record<string, ArrayBufferView>): Promise<Answer> {
    for (const [name, array] of Object.entries(arrays)) {
      writeFileSync(`${this.#folder}/${name}.bin`, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    }
    return this.#ask({ op: 'open', kind, ...numbers });
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
    const { rivals = [], rungs = [], missing = [] } = await this.#open(kind, numbers, arrays);
    for (const sentence of [missing].flat()) console.error(`bench: ${sentence}`);
    return [rivals].flat().map((name, i) => ({
      name,
      rungs: [rungs[i]].flat(),
      fit: async (rung) => {
        const { ms, iterations } = await this.#ask({ op: 'fit', name, rung });
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
