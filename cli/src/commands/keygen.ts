import { JSON_OUTPUT } from '../options/shared.ts';
import { PASSPHRASE } from '../options/signing.ts';
import type { OptionRow } from '../options/table.ts';
import { print, printJson } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  [
    '--out <file>',
    'file of the private key, for this user alone; the public key is written beside it',
    { required: true },
  ],
  [
    '--algorithm <name>',
    'P-256, P-384, P-521 or Ed25519; model_signing does not know the last (default: P-256)',
    { choices: ['P-256', 'P-384', 'P-521', 'Ed25519'] },
  ],
  PASSPHRASE,
  ['--force', 'replace keys that are there'],
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds keygen --out release.key              # writes release.key and release.pem
  LOGODDS_PASSPHRASE=… logodds keygen --out release.key

Sign by release.key, and keep it away from services. Give release.pem to all that verify.`;

export const keygen: CommandLine = {
  name: 'keygen',
  description: 'make a key that signs models',
  takes: [],
  options: OPTIONS,
  help: HELP,
  run,
};

interface Flags {
  readonly out: string;
  readonly algorithm?: string;
  readonly passphrase?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

async function run({ json, ...flags }: Flags): Promise<void> {
  const { makeKey } = await import('../jobs/signing/keys.ts');
  const made = await makeKey(flags);
  if (json) {
    printJson(made);
    return;
  }
  const { privateKey, publicKey, keyId, algorithm, encrypted } = made;
  print(
    `${privateKey}: private key, ${algorithm}, ${encrypted ? 'encrypted' : 'not encrypted: LOGODDS_PASSPHRASE or --passphrase encrypt it'}\n${publicKey}: public key\nkey id: ${keyId}\n`,
  );
}
