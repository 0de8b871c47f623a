import { WRITES } from '../options/registry.ts';
import type { OptionRow } from '../options/table.ts';
import { finiteNumber, numbersByName, pairs, positiveInteger, several } from '../options/values.ts';
import { type CommandLine, later } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--name <name>', 'name of the model in the registry', { required: true }],
  ['--alias <alias>', 'have this alias name the version then; to move champion is to promote'],
  ['--tag <pairs>', 'tags of the version: team=risk,ticket=17', { parse: pairs }],
  [
    '--metric <pairs>',
    'figures of the version: auc=0.71,logLoss=0.52; the model file has those of its fit, which are taken too',
    { parse: numbersByName(finiteNumber) },
  ],
  ['--parent <version>', 'version whose estimates the fit started from', { parse: positiveInteger }],
  [
    '--data <file>',
    'file of the training data, given once for each: SHA-256 of their bytes, in the order of their names, is kept',
    { parse: several },
  ],
  ['--command <text>', 'command that trained the model; secrets of known form are taken out'],
  [
    '--trust <file...>',
    'public keys in PEM, of which one must have signed MODEL.sig (default: keys that the registry demands are tried)',
  ],
  ['--revoked <file>', 'what is trusted no more, as of logodds verify'],
  ['--restore', 'take a retired version of the same file back into use'],
  ...WRITES,
];

const HELP = `
The version is printed on standard output, what happened on standard error. A file that is a version of that name already keeps its number.
MODEL.sig beside MODEL goes with it, if it is a signature of this file. What aliases demand and it has not is said.

Examples:
  logodds push fraud.safetensors --name fraud --alias challenger --why "trained on October"
  logodds push fraud.safetensors --name fraud --data october.csv --metric auc=0.71 --registry s3://models/prod`;

export const push: CommandLine = {
  name: 'push',
  description: 'make a model file a version in a registry',
  takes: [['<model>', 'model file']],
  options: OPTIONS,
  help: HELP,
  run: later(() => import('./registry/files.ts'), 'push'),
};
