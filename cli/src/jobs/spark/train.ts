/** `train --spark`: Python opens the session and runs this command again, with its rows behind a bridge. */
import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { commandError } from '../../errors.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { NEEDED, pythonCommand, SIGNALS, STEP, startPython } from './python.ts';

/** Status of a Python that could not begin; its last line says why. */
const NOT_BEGUN = 90;
const SAID = 20_000;

/**
 * Runs a command line of `train` with DATA on Spark.
 * @param words  the program and its arguments, as process.argv has them
 * @returns its exit status
 * @throws ERR_ENGINE where no Python has logodds and pyspark; the errors of opening DATA
 */
export async function trainBySpark(spark: string, data: string, words: readonly string[]): Promise<number> {
  const python = pythonCommand();
  const task = ['train', `--master=${spark}`, `--data=${data}`, '--', ...words];
  // what the command says on standard error stays apart from what Spark says
  const child = startPython(python, task, ['ignore', 'inherit', 'pipe', process.stderr]);
  const stop = (signal: NodeJS.Signals) => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  for (const signal of SIGNALS) process.on(signal, stop);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (part: string) => {
    said = (said + part).slice(-SAID);
  });
  try {
    const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(signal ?? code));
    });
    if (typeof status === 'string')
      throw commandError('ERR_INTERRUPTED', `stopped by ${status} before the end; nothing was saved`);
    const last = said.trim().split('\n').at(-1) ?? '';
    if (status !== NOT_BEGUN && (status === 0 || status === 2 || last === BEGUN)) return status!;
    const error = errorOf(last);
    if (error) throw new LogoddsError(error.code as never, error.message);
    const reason = withoutSecrets(last || `status ${status}`);
    throw new LogoddsError('ERR_ENGINE', `${python}: expected ${NEEDED}, got ${show(reason)}; ${STEP}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LogoddsError('ERR_ENGINE', `${python}: expected ${NEEDED}, got no such command; ${STEP}`);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

/** The last line of a Python whose command has said what was wrong. */
const BEGUN = '{"begun":true}';

function errorOf(line: string): { readonly code: string; readonly message: string } | null {
  try {
    return (JSON.parse(line) as { error?: { code: string; message: string } }).error ?? null;
  } catch {
    return null;
  }
}
