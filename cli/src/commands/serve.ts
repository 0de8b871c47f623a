import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { OBSERVATION_OPTIONS } from '../serve/observation/flags.ts';
import type { ServeOptions } from '../serve/start.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--host <address>', 'address to listen at', { default: '127.0.0.1' }],
  ['--port <number>', 'port to listen at; 0 takes a free one', { default: '8080' }],
  ['--grpc-port <number>', 'port for gRPC; 0 takes a free one', { default: '8081' }],
  ['--no-grpc', 'no gRPC'],
  ['--open', 'listen beyond this machine without API keys'],
  ['--cert <file>', 'certificate for TLS, with --key'],
  ['--key <file>', 'private key of the certificate'],
  ['--tokens <file>', 'API keys with their scopes; read again when it changes'],
  ['--jwks <url|file>', 'keys of an issuer whose JSON web tokens are taken, with --issuer and --audience'],
  ['--issuer <name>', 'iss of these tokens'],
  ['--audience <name...>', 'aud of these tokens, one of them'],
  ['--scope-claim <name...>', 'claims that have their scopes (default: scope, scp and roles)'],
  ['--opa <url>', 'rule of the Open Policy Agent that is asked about each request: …/v1/data/logodds/allow'],
  ['--opa-open', 'let requests in while the agent does not answer'],
  ['--cors <origin...>', 'origins of pages that may read answers in browsers'],
  ...OBSERVATION_OPTIONS,
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

async function run(models: readonly string[], options: ServeOptions): Promise<void> {
  // what the other commands need not load
  const { startService } = await import('../serve/start.ts');
  await startService(models, options);
}
