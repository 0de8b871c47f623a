import { WRITES } from '../options/registry.ts';
import { MODEL } from '../options/shared.ts';
import { PASSPHRASE, validity } from '../options/signing.ts';
import type { OptionRow } from '../options/table.ts';
import { print, printJson } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--key <file>', 'private key in PEM, of logodds keygen or openssl', { required: true }],
  ['--out <file>', 'file of the signature (default: MODEL.sig; of a registry: beside the version, there)'],
  ['--name <name>', 'the only name that the model may be served as (default: any)'],
  [
    '--expires <when>',
    'end of the signature: 365d, 12h, or a time as 2030-01-31 (default: never)',
    { parse: validity },
  ],
  [
    '--not-before <when>',
    'begin of the signature: 1d, 12h, or a time as 2030-01-31 (default: now)',
    { parse: validity },
  ],
  PASSPHRASE,
  ...WRITES,
];

const HELP = `
Examples:
  logodds sign loans.safetensors --key release.key --expires 365d
  logodds sign models:/loans/3 --key release.key --why "passed its gate"
  model_signing verify key loans.safetensors --public_key release.pem --signature loans.safetensors.sig

The signature has the format of OpenSSF model signing. A file that is renamed keeps its signature, if that is renamed with it.`;

export const sign: CommandLine = {
  name: 'sign',
  description: 'sign a model file',
  takes: [MODEL],
  options: OPTIONS,
  help: HELP,
  run,
};

interface Flags {
  readonly key: string;
  readonly out?: string;
  readonly name?: string;
  readonly expires?: (now: number) => number;
  readonly notBefore?: (now: number) => number;
  readonly passphrase?: string;
  readonly registry?: string;
  readonly why?: string;
  readonly by?: string;
  readonly json?: boolean;
}

async function run(model: string, { json, ...flags }: Flags): Promise<void> {
  const { signFile } = await import('../jobs/signing/sign.ts');
  const signed = await signFile(model, flags);
  if (json) printJson(signed);
  else
    print(
      `${signed.signature}: signature of ${model} by key ${signed.keyId}, ${signed.expires === null ? 'without end' : `until ${signed.expires}`}\n`,
    );
}
