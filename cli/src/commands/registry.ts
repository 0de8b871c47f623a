import { READS, WRITES } from '../options/registry.ts';
import { REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { duration, positiveInteger, several } from '../options/values.ts';
import { type CommandGroup, type CommandLine, later } from './command.ts';

const NAME = ['<name>', 'name of the model'] as const;
const VERSION = ['<version>', 'number of the version'] as const;

const changes = () => import('./registry/changes.ts');
const views = () => import('./registry/views.ts');

const command = (
  name: string,
  description: string,
  takes: CommandLine['takes'],
  options: readonly OptionRow[],
  run: CommandLine['run'],
  help = '',
): CommandLine => ({ name, description, takes, options, run, help });

const DIFF_HELP = `
Coefficients are compared per unit of the feature, and on one scale: multiplied by the standard deviation that the feature had in training of A.

Examples:
  logodds registry diff models:/fraud@champion models:/fraud@challenger
  logodds registry diff old.safetensors new.safetensors --json`;

export const registry: CommandGroup = {
  name: 'registry',
  description: 'versions of models, their aliases and their history',
  commands: [
    command('list', 'models, and what their aliases name', [], READS, later(views, 'list')),
    command(
      'show',
      'versions of a model, or the one that a digest is of',
      [
        [
          '<name>',
          'name of the model, models:/NAME@ALIAS, or the SHA-256 of a model file or of an answer, of which twelve digits are enough',
        ],
      ],
      READS,
      later(views, 'show'),
    ),
    command(
      'diff',
      'what changed between two models',
      [
        ['<a>', 'model file, models:/NAME@ALIAS or models:/NAME/VERSION'],
        ['<b>', 'another one'],
      ],
      [...READS, ['--all', 'print every coefficient, not the forty that changed most']],
      later(() => import('./registry/diff.ts'), 'diff'),
      DIFF_HELP,
    ),
    command('log', 'who did what, when and why', [['[name]', 'of this model alone']], READS, later(views, 'log')),
    command(
      'alias',
      'have an alias name a version; to move champion is to promote',
      [NAME, VERSION, ['<alias>', 'champion, challenger or any other']],
      [['--remove', 'take the alias away from that version'], ...WRITES],
      later(changes, 'alias'),
    ),
    command(
      'rollback',
      'have champion name the version that it named before; a rollout that goes on ends',
      [NAME],
      [['--to <version>', 'another version that was champion', { parse: positiveInteger }], ...WRITES],
      later(changes, 'rollback'),
    ),
    command(
      'retire',
      'say that a version must not be used any more',
      [NAME, VERSION],
      [['--undo', 'take that back'], ...WRITES],
      later(changes, 'retire'),
    ),
    command(
      'tag',
      'set tags of a version',
      [NAME, VERSION, ['[tags]', 'team=risk,ticket=17']],
      [['--remove <key>', 'take this tag away; may be given several times', { parse: several }], ...WRITES],
      later(changes, 'tag'),
    ),
    command(
      'demand',
      'say what a version must have before an alias names it; without an alias: print that',
      [
        ['[name]', "name of the model, or '*' for every model"],
        ['[alias]', 'champion, for example'],
      ],
      [
        [
          '--key <file>',
          'a signature of this public key (PEM), or of another one that is given; it is verified whenever the alias is moved',
          { parse: several },
        ],
        ['--revoked <file>', 'keys, models and signatures that are not taken any more, as of logodds verify'],
        ['--gate', 'a gate that was passed'],
        ['--none', 'nothing', { conflicts: ['key', 'gate', 'revoked'] }],
        ...WRITES,
      ],
      later(changes, 'demand'),
    ),
    command(
      'verify',
      'check the log, every file, and the signatures that aliases demand',
      [],
      READS,
      later(views, 'verify'),
    ),
    command(
      'gc',
      'remove files that no version has, and those of retired versions',
      [],
      [
        ['--dry-run', 'say what would be removed'],
        [
          '--older <time>',
          'how old a file that no version has must be, since a push writes the file first (default: 1h)',
          { parse: duration },
        ],
        ...WRITES,
      ],
      later(changes, 'gc'),
    ),
  ],
  help: `
Examples:
  logodds registry list
  logodds registry alias fraud 3 champion --why "passed its gate"
  logodds registry demand fraud champion --key release.pem --gate
  logodds registry rollback fraud --why "worse in the south"

Each command takes ${REGISTRY[0]}.`,
};
