/** The Python that has logodds and pyspark: it runs `logodds.spark`, which speaks one event a line (see command.py there). */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { commandError } from '../../errors.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';

/** What Python says of its work. */
export interface Events {
  note(message: string): void;
  /** @param share  of the tasks of the running job */
  progress(share: number): void;
}

interface Event {
  readonly note?: string;
  readonly progress?: number;
  readonly result?: object;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Characters of standard error that are kept: what a Python says that cannot begin. */
const SAID = 20_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a task of `logodds.spark` in a process of its own, which ends with this one.
 * @param words  the task and its options
 * @param python  the command; absent: LOGODDS_PYTHON, else python3
 * @returns what the task made
 * @throws the error of the task; ERR_ENGINE where no Python has logodds and pyspark, or it ends before its work
 */
export async function runSpark<Result extends object>(
  words: readonly string[],
  events: Events,
  python: string = pythonCommand(),
): Promise<Result> {
  let last: Event = {};
  const { status, said } = await runPython(python, words, ['ignore', 'pipe', 'pipe'], (child) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const event = parsed(line);
      if (event.note !== undefined) events.note(event.note);
      else if (event.progress !== undefined) events.progress(event.progress);
      else if (event.result || event.error) last = event;
    });
  });
  if (last.error) throw new LogoddsError(last.error.code as never, last.error.message);
  if (last.result && status === 0) return last.result as Result;
  if (typeof status === 'string') {
    throw commandError('ERR_INTERRUPTED', `stopped by ${status} before the end; the output is not complete`);
  }
  throw notPython(python, said || `status ${status}`);
}

/** After it has ended, what it started may hold its pipes open so long. */
const LINGER_MS = 2000;

/**
 * Runs `logodds.spark` to its end. Signals of this process go to it. It is closed soon after it has ended, whatever it has started.
 * @returns its exit status, or the signal that ended it, and the last line of its standard error
 * @throws ERR_ENGINE where there is no such command
 */
export async function runPython(
  python: string,
  words: readonly string[],
  stdio: StdioOptions,
  started: (child: ChildProcess) => void = () => {},
): Promise<{ readonly status: number | NodeJS.Signals | null; readonly said: string }> {
  const child = spawn(python, ['-m', 'logodds.spark', ...words], { stdio });
  const leave = () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  child.on('exit', () => setTimeout(leave, LINGER_MS).unref());
  // who stops this process stops Spark, which takes back what it has begun
  const stop = (signal: NodeJS.Signals) => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  for (const signal of SIGNALS) process.on(signal, stop);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (part: string) => {
    said = (said + part).slice(-SAID);
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(signal ?? status));
  });
  try {
    started(child);
    const status = await ended;
    return { status, said: said.trim().split('\n').at(-1) ?? '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LogoddsError('ERR_ENGINE', `${python}: expected ${NEEDED}, got no such command; ${STEP}`);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

/** A Python that could not begin. @param said  what it said last */
export const notPython = (python: string, said: string): LogoddsError =>
  new LogoddsError('ERR_ENGINE', `${python}: expected ${NEEDED}, got ${show(withoutSecrets(said))}; ${STEP}`);

const NEEDED = 'a Python with logodds and pyspark';
const STEP = "pip install 'logodds[spark]', or name another Python in LOGODDS_PYTHON";

/** The Python of Spark: LOGODDS_PYTHON, else python3. */
export const pythonCommand = (): string =>
  process.env['LOGODDS_PYTHON'] || (process.platform === 'win32' ? 'python' : 'python3');

/** A line that is no event is none: Spark may say something on standard output. */
function parsed(line: string): Event {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === 'object' && event !== null ? event : {};
  } catch {
    return {};
  }
}
