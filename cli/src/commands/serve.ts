import { createService, type LogLine } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { listen } from '../serve/host.ts';
import { placeOf, Sources } from '../serve/sources.ts';
import { say } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';
import { printJson } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--host <address>', 'address to listen at', { default: '127.0.0.1' }],
  ['--port <number>', 'port to listen at; 0 takes a free one', { default: '8080' }],
  ['--open', 'listen beyond this machine without API keys'],
  ['--cert <file>', 'certificate for TLS, with --key'],
  ['--key <file>', 'private key of the certificate'],
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds serve loans.safetensors
  logodds serve fraud=models/fraud-3.safetensors models/ --port 9000`;

export const serve: CommandLine = {
  name: 'serve',
  description: 'answer scoring requests over HTTP',
  takes: [['[model...]', 'name=FILE, FILE (its stem is the name), or a folder, which is watched']],
  options: OPTIONS,
  help: HELP,
  run,
};

interface ServeOptions {
  readonly host: string;
  readonly port: string;
  readonly open?: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** How often files are looked at. */
const LOOK_MS = 1000;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

async function run(models: readonly string[], options: ServeOptions): Promise<void> {
  const { host, open, cert, key, json } = options;
  const port = Number(options.port);
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536))
    throw new LogoddsError(
      'ERR_RANGE',
      `--port: expected a whole number from 0 to 65535, got ${options.port}; 8080 is usual`,
    );
  if (!LOOPBACK.test(host) && !open)
    throw new LogoddsError(
      'ERR_RANGE',
      `--host ${host}: expected API keys where others can ask, got none; give --tokens FILE, or --open for no keys`,
    );
  if (models.length === 0)
    throw new LogoddsError('ERR_DATA', 'serve: expected a model, got none; name a file or a folder');
  const log = (line: LogLine) => {
    if (line.level !== 'info') process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  };
  let sources: Sources;
  const service = createService({ log, source: (name) => sources.source(name) });
  sources = new Sources(models.map(placeOf), service.models, ({ event, ...line }) =>
    log({ level: event === 'failed' ? 'error' : 'info', event, ...line }),
  );
  sources.look();
  const listening = await listen(service, { host, port, ...(cert && key && { cert, key }) });
  sources.watch(LOOK_MS);
  const ready = service.models.all().map(({ name, version, sha256 }) => ({ name, version, sha256 }));
  if (json) printJson({ event: 'ready', url: listening.url, grpc: null, models: ready });
  else say(`${ready.map(({ name }) => name).join(', ') || 'no model'} at ${listening.url}`);
  await stopped();
  sources.stop();
  await listening.close();
}

/** Resolves at the first signal to stop. */
const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
