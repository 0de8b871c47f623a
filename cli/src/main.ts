import { inspect as inspectError } from 'node:util';
import { Command, CommanderError } from 'commander';
import { LogoddsError } from '../../src/index.ts';
import { audit } from './commands/audit.ts';
import { addCommand } from './commands/command.ts';
import { forgetNotes } from './commands/common.ts';
import { cv } from './commands/cv.ts';
import { doctor } from './commands/doctor.ts';
import { drift } from './commands/drift.ts';
import { evaluate } from './commands/eval.ts';
import { experiment } from './commands/experiment.ts';
import { explain } from './commands/explain.ts';
import { exporting } from './commands/export.ts';
import { gate } from './commands/gate.ts';
import { inspect } from './commands/inspect.ts';
import { keygen } from './commands/keygen.ts';
import { migrate } from './commands/migrate.ts';
import { monitor } from './commands/monitor.ts';
import { path } from './commands/path.ts';
import { prior } from './commands/prior.ts';
import { pull } from './commands/pull.ts';
import { push } from './commands/push.ts';
import { registry } from './commands/registry.ts';
import { retrain } from './commands/retrain.ts';
import { rollout } from './commands/rollout.ts';
import { runs } from './commands/runs.ts';
import { schema } from './commands/schema.ts';
import { score } from './commands/score.ts';
import { serve } from './commands/serve.ts';
import { sign } from './commands/sign.ts';
import { slo } from './commands/slo.ts';
import { stack } from './commands/stack.ts';
import { stream } from './commands/stream.ts';
import { train } from './commands/train.ts';
import { verify } from './commands/verify.ts';
import { isWrongUsage } from './errors.ts';
import { inFlags } from './figures/flags.ts';
import { forgetFolders } from './stores/arrivals.ts';
import { printable, say } from './terminal/print.ts';
import { withoutSecrets } from './terminal/secrets.ts';
import { version } from './version.ts';
import { discardAll, keepPrivate, reason } from './write/temporary.ts';

export { LogoddsError, loadModel } from '../../src/index.ts';
export { inspectJson, inspectReport } from './commands/inspect.ts';
export { lazyEvaluation } from './figures/evaluation.ts';
export { metricsOf as evaluateScores } from './figures/metrics.ts';
export { fitFacts } from './figures/model.ts';
export { type EvalOptions, type EvalResult, evalCommand } from './jobs/eval.ts';
export { type ScoreOptions, type StreamResult, scoreCommand } from './jobs/score.ts';
export { trainCommand } from './jobs/train.ts';
export type { TrainOptions, TrainResult } from './jobs/trainOptions.ts';
export { readModel } from './read/files.ts';
export { reportData } from './report/data.ts';
export { reportPage } from './report/page.ts';
export { evaluationText } from './terminal/evaluation.ts';

const HELP = `
Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds score loans.safetensors new.csv --out scores.csv
  logodds eval loans.safetensors labelled.csv --target default
  logodds inspect loans.safetensors
  logodds doctor loans.csv --target default
  logodds schema loans.csv --target default --out loans.schema.json
  logodds explain loans.safetensors --record '{"age": 41, "income": 32000}'

Exit status: 0 done; 1 failed, with an error code and one sentence on standard error, or a gate that does not pass; 2 wrong
usage; 3 done, but --track could not keep the run, or --keep-going left parts out.`;

/** In the order of help. */
const COMMANDS = [
  train,
  path,
  cv,
  stack,
  score,
  evaluate,
  doctor,
  schema,
  explain,
  inspect,
  drift,
  gate,
  experiment,
  monitor,
  runs,
  push,
  pull,
  registry,
  rollout,
  retrain,
  serve,
  stream,
  slo,
  audit,
  keygen,
  sign,
  verify,
  prior,
  exporting,
  migrate,
];

function createProgram(ended: (status: number) => void): Command {
  const program = new Command('logodds')
    .description('Logistic regression from files: fit, score, evaluate, inspect.')
    .version(version())
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(printable(text)),
      writeErr: (text) => process.stderr.write(printable(text)),
    });
  for (const command of COMMANDS) addCommand(program, command, ended);
  return program;
}

/**
 * Runs the command line.
 * @param argv  as process.argv
 * @returns exit status: 0 done, 1 failed, 2 wrong usage, 3 done but not tracked
 */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  keepPrivate();
  forgetNotes();
  forgetFolders();
  let status = 0;
  const ended = (last: number) => {
    status = last;
  };
  try {
    await createProgram(ended).parseAsync([...argv]);
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const sentence =
      error instanceof LogoddsError
        ? `${error.code} ${inFlags(error.detail, error.code)}`
        : `ERR_INTERNAL ${reason(error)}`;
    say(withoutSecrets(sentence));
    if (!(error instanceof LogoddsError) && process.env['LOGODDS_DEBUG'])
      process.stderr.write(printable(withoutSecrets(`${inspectError(error)}\n`)));
    if (error instanceof LogoddsError && isWrongUsage(error)) return 2;
    return error instanceof LogoddsError && (error.code as string) === 'ERR_TRACKING' ? 3 : 1;
  } finally {
    discardAll();
  }
}
