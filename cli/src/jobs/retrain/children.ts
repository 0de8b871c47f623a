import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withoutSecrets } from '../../terminal/secrets.ts';

/** What a command said. */
export interface Ran {
  /** as a person would write it */
  readonly command: string;
  readonly status: number;
  readonly seconds: number;
  readonly out: string;
  /** what it said on standard error: its last line is the sentence of its error */
  readonly said: string;
}

/** The status of `timeout` of the shell, and how long a command has to end by itself. */
const TIMED_OUT = 124;
const GRACE_MS = 10_000;

/** The last characters of standard error that are kept. */
const SAID = 20_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The command: beside its build, or beside the sources. */
const BIN = ['../bin/logodds.js', '../../../bin/logodds.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

/**
 * Runs a command of logodds in a process of its own: what it takes of memory is given back, and if it is killed this one can tell.
 * @param words  the command and its flags
 * @param limitMs  it is stopped when it has run for longer
 */
export function runCommand(words: readonly string[], home: string, limitMs: number): Promise<Ran> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN!, ...words], { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said = (said + part).slice(-SAID);
    });
    // who stops this process stops what it has begun, and only then it ends
    const stop = (signal: NodeJS.Signals) => {
      child.removeAllListeners('close');
      child.on('close', () => process.kill(process.pid, signal));
      for (const one of SIGNALS) process.off(one, stop);
      child.kill(signal);
    };
    for (const one of SIGNALS) process.on(one, stop);
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGTERM');
      // one that does not hear it
      setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
    }, limitMs);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      for (const one of SIGNALS) process.off(one, stop);
      clearTimeout(limit);
      const late = `expected an end within ${limitMs / 1000} s (timeLimit of the policy), got none: it was stopped`;
      resolve({
        command: withoutSecrets(`logodds ${words.map(quoted).join(' ')}`),
        // as a shell has it
        status: isLate ? TIMED_OUT : (status ?? 128),
        seconds: (performance.now() - start) / 1000,
        out: Buffer.concat(out).toString('utf8'),
        said: withoutSecrets(
          isLate
            ? `${said.trim()}\nERR_DATA ${words[0]}: ${late}`.trim()
            : signal
              ? `${said}stopped by ${signal}`
              : said.trim(),
        ),
      });
    });
  });
}

/** A word of a command line, in quotes where a shell would divide it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
