import { LogoddsError } from '../../../src/index.ts';
import { printJson, say } from '../terminal/print.ts';
import { accessOf } from './access.ts';
import { type Config, NO_CONFIG, optionsOf, type Problem, readConfig, told } from './config.ts';
import { clearSocket } from './listening.ts';
import { BY_KEY, type ServeOptions } from './options.ts';
import { logLine, type Ready, run } from './server.ts';
import { placeOf } from './sources.ts';
import { TrustFiles } from './trust.ts';
import { fromEnvironment } from './vertex.ts';

/** Flags that were given, by their keys. */
export interface Flags {
  readonly config?: string;
  readonly check?: string;
  readonly json?: boolean;
  readonly [key: string]: unknown;
}

/**
 * Serves models until a signal stops it. Exit status: 0 when all that had come was answered, 1 when some was cut.
 * @param models  MODEL arguments of the command line
 * @throws ERR_DATA, ERR_RANGE
 */
export async function startService(models: readonly string[], { config, check, ...flags }: Flags): Promise<void> {
  if (check !== undefined) return checkFile(check, models, flags);
  const file = config === undefined ? NO_CONFIG : await readConfig(config);
  const { values, aliases, problems: ofEnvironment } = fromEnvironment(process.env);
  const { options, problems } = optionsOf(models, flags, file, values);
  refuse([...problems, ...ofEnvironment], file);
  if (file.isEmpty) logLine({ level: 'warn', event: 'configuration has no keys', path: file.file });
  if (options.models.length === 0)
    throw new LogoddsError('ERR_DATA', 'serve: expected a model, got none; name a file or a folder');
  // what is not there is said before anything starts
  options.models.map(placeOf);
  accessOf(options);
  await TrustFiles.of(options);
  if (options.socket !== undefined && (await clearSocket(options.socket)))
    logLine({ level: 'warn', event: 'stale socket removed', path: options.socket });
  await serve(options, aliases);
}

/** A service that answers, in this process or in several. */
interface Serving {
  stop(): Promise<number>;
  kill(): void;
}

async function serve(options: ServeOptions, aliases: Readonly<Record<string, string>>): Promise<void> {
  let serving: Serving;
  let ready: Ready;
  if (options.workers > 1) {
    // what one process need not load
    const { Workers } = await import('./workers.ts');
    const workers = new Workers(options, aliases);
    ready = await workers.start();
    serving = workers;
  } else {
    const running = await run(options, aliases, null);
    ready = running.ready;
    serving = { stop: () => running.stop(), kill() {} };
  }
  tellReady(options, ready);
  await stopped(() => serving.kill());
  const cut = await serving.stop();
  if (cut === 0) return;
  throw new LogoddsError(
    'ERR_DATA',
    `serve: expected all requests answered within ${options.grace} s, got ${cut} that were not and were cut; give more time by --grace`,
  );
}

function tellReady({ json, workers, socket, socketMode }: ServeOptions, ready: Ready): void {
  if (json) {
    printJson({
      event: 'ready',
      ...ready,
      ...(workers > 1 && { workers }),
      ...(socket !== undefined && { mode: socketMode }),
    });
    return;
  }
  const names = [...new Set(ready.models.map(({ name }) => name))].join(', ') || 'no model';
  say(`${names} at ${ready.url}${socket === undefined ? '' : ` (mode ${socketMode})`}`);
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** Resolves at the first signal to stop; the second ends at once. */
const stopped = (kill: () => void): Promise<void> =>
  new Promise((resolve) => {
    let isStopping = false;
    for (const [signal, number] of Object.entries(SIGNALS))
      process.on(signal, () => {
        if (isStopping) {
          kill();
          process.exit(128 + number);
        }
        isStopping = true;
        resolve();
      });
  });

/** @throws ERR_RANGE when something is wrong; all of it is said before */
function refuse(problems: readonly Problem[], config: Config): void {
  if (problems.length === 0) return;
  const lines = problems.map((problem) => told(problem, config));
  if (lines.length === 1) throw new LogoddsError('ERR_RANGE', lines[0]);
  for (const line of lines) say(line);
  throw new LogoddsError('ERR_RANGE', `serve: expected options that fit, got ${lines.length} that do not; see above`);
}

/** Says what is wrong with a configuration file. @throws ERR_RANGE when something is */
async function checkFile(file: string, models: readonly string[], flags: Flags): Promise<void> {
  const config = await readConfig(file);
  const { options, problems, from } = optionsOf(models, flags, config);
  const { faultsOf } = await import('./check.ts');
  const isRead = !problems.some(({ path }) => path === '');
  const faults = isRead ? await faultsOf(options, new Set(problems.map(({ path }) => path)), from) : [];
  const all = [...problems, ...faults];
  if (flags.json)
    printJson({
      event: 'checked',
      file,
      problems: all.map((problem) => ({ ...problem, line: config.lineOf(problem.path) })),
    });
  else if (all.length === 0)
    say(`${file}: nothing is wrong with it${config.isEmpty ? ', but it has no keys: all is the default' : ''}`);
  refuse(all, config);
}

/** Flags that were given, of all that commander has. */
export const givenFlags = (
  all: Readonly<Record<string, unknown>>,
  sourceOf: (key: string) => string | undefined,
): Flags =>
  Object.fromEntries(
    [...BY_KEY.keys(), 'config', 'check'].filter((key) => sourceOf(key) === 'cli').map((key) => [key, all[key]]),
  );
