import { basename } from 'node:path';
import { LogoddsError } from '../../../../src/index.ts';
import { note, print, printJson } from '../../commands/common.ts';
import { wrongUsage } from '../../errors.ts';
import { readModel } from '../../read/files.ts';
import { exportModel, type TargetName } from './export.ts';
import type { DialectName } from './sql/dialects.ts';

interface Flags {
  readonly to: TargetName;
  readonly out: string;
  readonly name?: string;
  readonly dialect?: DialectName;
  readonly table?: string;
  readonly view?: string;
  readonly keep?: readonly string[];
  readonly prefix?: string;
  readonly json?: boolean;
}

const OF_QUERIES = ['dialect', 'table', 'view', 'keep', 'prefix'] as const;

/** Languages whose files have a name of their own inside. */
const NAMED: ReadonlySet<TargetName> = new Set(['c', 'go']);

export function run(path: string, flags: Flags): void {
  const { to, out, name, dialect, table = 'records', view = null, keep, prefix, json } = flags;
  const others = to === 'sql' ? [] : OF_QUERIES.filter((option) => flags[option] !== undefined);
  if (others.length > 0) throw usage(`--${others[0]}: expected with --to sql, got --to ${to}; leave it out`);
  if (name !== undefined && !NAMED.has(to))
    throw usage(`--name: expected with --to ${[...NAMED].join(' or ')}, got --to ${to}; leave it out`);
  if (name !== undefined && !/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name))
    throw usage(`--name: expected a letter, then letters, digits and _, got ${JSON.stringify(name)}; choose another`);
  const own =
    name ??
    (basename(out)
      .replace(/\..*$/, '')
      .replace(/[^A-Za-z0-9_]+/g, '_')
      .replace(/^(?![A-Za-z])/, 'model_') ||
      'model');
  // a class has the name of its file
  if (to === 'java' && `${own}.java` !== basename(out))
    throw usage(
      `--out: expected a name of a class, as in Flights.java, got ${JSON.stringify(basename(out))}; rename it`,
    );
  const { files, bytes, exact } = exportModel(readModel(path), {
    ...{ to, out, from: path, name: own, table, view },
    ...(dialect && { dialect }),
    ...(keep && { keep }),
    ...(prefix !== undefined && { prefix }),
  });
  if (json) {
    printJson({ model: path, to, files, bytes, exact });
    return;
  }
  if (to === 'sql' && !dialect) note('the query is for DuckDB; name another database by --dialect');
  const how = exact === 'bits' ? 'the bits of logodds' : `probabilities within ${exact}`;
  print(`${files.join(', ')}: ${(bytes / 1000).toFixed(1)} kB, ${how}\n`);
}

const usage = (message: string) => wrongUsage(new LogoddsError('ERR_RANGE', message));
