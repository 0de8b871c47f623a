/** What the actions of the commands share. */
import type { Command } from 'commander';
import { readSchema } from '../read/files.ts';
import type { ReportTarget } from '../report/write.ts';
import { note } from '../terminal/print.ts';
import { version } from '../version.ts';

export { note, print, printJson, warnAll } from '../terminal/print.ts';

/** DATA or --query, exactly one of them. */
export function dataOf(command: Command, data: string | undefined, query: string | undefined) {
  if ((data === undefined) === (query === undefined)) {
    command.error(`error: ${data === undefined ? 'name DATA, or give a --query' : 'give DATA or --query, not both'}`);
  }
  return { data, query };
}

/** Flags that are spelled otherwise than the options of the work. */
export interface SpelledFlags {
  readonly query?: string;
  readonly schema?: string;
  readonly reference?: Record<string, string>;
  readonly json?: boolean;
}

/** Flags as options of the work: the schema is read, rows come from DATA or --query, notes go to standard error. */
export function optionsOf<Flags extends SpelledFlags>(
  command: Command,
  data: string | undefined,
  { schema, reference, json: _, ...rest }: Flags,
) {
  return {
    ...rest,
    schema: readSchema(schema),
    ...dataOf(command, data, rest.query),
    references: reference,
    warn: note,
  };
}

/** What a report says of the run that makes it. */
export function reportTarget(path: string | undefined): ReportTarget | undefined {
  return path === undefined
    ? undefined
    : {
        path,
        argv: ['logodds', ...process.argv.slice(2)],
        versions: [
          ['logodds', version()],
          ['Node.js', process.version.slice(1)],
          ['platform', `${process.platform}, ${process.arch}`],
        ],
      };
}
