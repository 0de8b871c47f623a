import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { FULL } from '../full.ts';
import { runWarm } from './warm/command.ts';

const COMMAND = fileURLToPath(new URL('../../cli/bin/logodds.js', import.meta.url));

/** A data set with a published fit. */
export const oracle = (file: string) => fileURLToPath(new URL(`../fixtures/oracles/${file}`, import.meta.url));

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  /** options of node itself */
  readonly node?: readonly string[];
  /** shell text before the command, e.g. a limit */
  readonly shell?: string;
  /** further variables of the environment */
  readonly env?: NodeJS.ProcessEnv;
}

/** A folder that is removed after the tests of the file, and the command run in it. */
export function workspace() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (args: readonly string[], { stdin = '', node = [], shell, env }: RunOptions = {}): Run => {
    // `npm run test:rest` gives every run a process of its own
    if (!(FULL || node.length || shell || env)) return runWarm(folder, args, stdin);
    const argv = [process.execPath, ...node, COMMAND, ...args];
    const [file, ...rest] = shell ? ['bash', '-c', `${shell}; exec "$@"`, 'bash', ...argv] : argv;
    const { status, stdout, stderr } = spawnSync(file, rest, {
      cwd: folder,
      env: { ...process.env, ...env },
      input: stdin,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    return { status, stdout, stderr };
  };

  return {
    folder,
    run,
    /** writes a file of the folder. @returns its name */
    write(name: string, content: string | Uint8Array): string {
      writeFileSync(join(folder, name), content);
      return name;
    },
    path: (name: string) => join(folder, name),
    /** every name in the folder, hidden ones too */
    names: () => readdirSync(folder).sort(),
    /** starts the command without waiting */
    start: (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      spawn(process.execPath, [COMMAND, ...args], { cwd: folder, env: { ...process.env, ...env } }),
    /** the object that a run with --json prints; fails unless it is all there is on standard output */
    json(args: readonly string[], options?: RunOptions) {
      const { status, stdout, stderr } = run([...args, '--json'], options);
      if (status !== 0) throw new Error(`logodds ${args.join(' ')}: status ${status}: ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}
