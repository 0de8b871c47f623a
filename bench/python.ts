import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Precision } from '../bindings/batch.ts';
import type { Rival } from './harness.ts';

const VENV = 'bench/build/venv';
const FOLDER = 'bench/build/data';

/**
 * The Python rivals: one child process (rivals.py) that is told "open this case", "run this rival", a line of JSON each.
 * It runs only while this process waits for its answer, so that both have the machine to themselves in turn. Arrays pass
 * through files.
 */
export class Python {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  /** name and version of each package, and the core that OpenBLAS picked */
  versions: Record<string, string> = {};

  private constructor(command: string) {
    this.#child = spawn(command, ['bench/rivals.py', FOLDER], { stdio: ['pipe', 'pipe', 'inherit'] }) as never;
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @returns null when there is no environment for it */
  static async start(): Promise<Python | null> {
    const command = [`${VENV}/bin/python`, `${VENV}/Scripts/python.exe`].find(existsSync);
    if (!command) return null;
    mkdirSync(FOLDER, { recursive: true });
    const python = new Python(command);
    python.versions = (await python.#ask({ op: 'versions' })) as unknown as Record<string, string>;
    return python;
  }

  async #ask(request: object): Promise<{ ms?: number; rivals?: string[]; precision?: Precision }> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`rivals.py ended at ${JSON.stringify(request)}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`rivals.py: ${answer.error}`);
    return answer;
  }

  /** Opens a case of this kind with these numbers and arrays, closing the one before. @returns its rivals */
  async open(
    kind: string,
    numbers: Record<string, unknown>,
    arrays: Record<string, ArrayBufferView>,
  ): Promise<Rival[]> {
    for (const [name, array] of Object.entries(arrays)) {
      writeFileSync(`${FOLDER}/${name}.bin`, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    }
    const { rivals = [] } = await this.#ask({ op: 'open', kind, ...numbers });
    return rivals.map((name) => ({
      name,
      sample: async (timeMs) => (await this.#ask({ op: 'time', name, timeMs })).ms!,
      output: async () => {
        const { precision } = await this.#ask({ op: 'output', name });
        const { buffer } = Uint8Array.from(readFileSync(`${FOLDER}/output.bin`));
        return precision === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
      },
    }));
  }

  end(): void {
    this.#reader.close();
    this.#child.stdin.end();
    rmSync(FOLDER, { recursive: true, force: true });
  }
}
