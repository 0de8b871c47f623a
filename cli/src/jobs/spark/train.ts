/** `train --spark`: Python opens the session and runs this command again, with its rows behind a bridge. */
import { LogoddsError } from '../../../../src/index.ts';
import { commandError } from '../../errors.ts';
import { notPython, pythonCommand, runPython } from './python.ts';

/** Status of a Python that could not begin; its last line says why. */
const NOT_BEGUN = 90;

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
  const { status, said } = await runPython(python, task, ['ignore', 'inherit', 'pipe', process.stderr]);
  if (typeof status === 'string')
    throw commandError('ERR_INTERRUPTED', `stopped by ${status} before the end; nothing was saved`);
  if (status !== NOT_BEGUN && (status === 0 || status === 2 || said === BEGUN)) return status!;
  const error = errorOf(said);
  if (error) throw new LogoddsError(error.code as never, error.message);
  throw notPython(python, said || `status ${status}`);
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
