import { JSON_OUTPUT, MODEL, REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { print, printJson } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--trust <file...>', 'public keys in PEM of which one must have signed', { required: true }],
  [
    '--revoked <file>',
    'keys, models and signatures that are trusted no more: [{"key", "model" or "signature": SHA-256, "reason": "…"}]',
  ],
  ['--signature <file>', 'file of the signature (default: MODEL.sig; of a registry: that beside the version)'],
  ['--name <name>', 'name under which the model is to be served (default: any)'],
  REGISTRY,
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds verify loans.safetensors --trust release.pem
  logodds verify models:/loans@champion --trust release.pem
  logodds verify loans.safetensors --trust old.pem new.pem --revoked revoked.json --json

Exit status: 0 one of the keys signed this file, and the signature is valid now; 1 it is not, and why.`;

export const verify: CommandLine = {
  name: 'verify',
  description: 'verify the signature of a model file',
  takes: [MODEL],
  options: OPTIONS,
  help: HELP,
  run,
};

interface Flags {
  readonly trust: readonly string[];
  readonly revoked?: string;
  readonly signature?: string;
  readonly name?: string;
  readonly registry?: string;
  readonly json?: boolean;
}

async function run(model: string, { json, ...flags }: Flags): Promise<void> {
  const { verifyFile } = await import('../jobs/signing/verify.ts');
  const { error, ...found } = await verifyFile(model, flags);
  if (json) printJson({ model, verified: error === null, ...found });
  if (error) throw error;
  if (json) return;
  const { keyId, signedAt, expires } = found;
  print(
    `${model}: signed by key ${keyId}${signedAt === null ? '' : ` at ${signedAt}`}, ${expires === null ? 'without end' : `until ${expires}`}\n`,
  );
}
