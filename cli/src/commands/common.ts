/** What the actions of the commands share. */
import type { Command } from 'commander';
import type { Warning } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { inFlags } from '../figures/flags.ts';
import { readSchema } from '../read/files.ts';
import type { ReportTarget } from '../report/write.ts';
import { note as sayNote, warnAll as sayWarnings } from '../terminal/print.ts';
import { version } from '../version.ts';

export { print, printJson } from '../terminal/print.ts';

/** Notes before the result at most. */
const MOST = 5;
let notes = 0;

/** A run begins: it has said nothing yet. */
export const forgetNotes = () => {
  notes = 0;
};

export const note = (message: string) => {
  notes++;
  sayNote(inFlags(message));
};

/** Findings of one code, of which one line says all. */
const SHARES = /(\d[\d.]*) %\)/;

/** Missing cells of many columns as one warning. */
function joined(warnings: readonly Warning[]): Warning[] {
  const missing = warnings.filter(({ code, message }) => code === 'MISSING' && SHARES.test(message));
  if (missing.length < 2) return [...warnings];
  const columns = missing
    .map(({ features, message }) => ({ name: features.join(', '), share: Number(SHARES.exec(message)![1]) }))
    .sort((a, b) => b.share - a.share);
  const shown = columns.slice(0, 12).map(({ name, share }) => `${show(name)} ${share} %`);
  const more = columns.length > shown.length ? ` and ${columns.length - shown.length} more` : '';
  const one: Warning = {
    code: 'MISSING',
    severity: missing.some(({ severity }) => severity !== 'info') ? 'warning' : 'info',
    message: `cells are missing in ${columns.length} columns: ${shown.join(', ')}${more}; find out why (${missing.some(({ message }) => /weight of their own/.test(message)) ? 'each has a weight of its own' : 'they take the mean, or the most frequent level of a category'})`,
    features: missing.flatMap(({ features }) => features),
  };
  return warnings.flatMap((warning) => (warning === missing[0] ? [one] : missing.includes(warning) ? [] : [warning]));
}

const RANKS = ['error', 'warning', 'info'];

/**
 * Says the worst of the warnings before the result, and how many more there are.
 * @param verbose  true says all of them, each column on its own
 */
export function warnAll(warnings: readonly Warning[], verbose = false): void {
  if (verbose) {
    sayWarnings(warnings);
    return;
  }
  const rank = ({ severity = 'warning' }: Warning) => RANKS.indexOf(severity);
  const list = joined(warnings).sort((a, b) => rank(a) - rank(b));
  const room = Math.max(1, MOST - notes);
  const shown = list.length > room ? list.slice(0, Math.max(0, room - 1)) : list;
  sayWarnings(shown);
  const rest = list.slice(shown.length);
  if (rest.length === 0) return;
  const codes = [...new Set(rest.map(({ code }) => code))];
  const counts = codes.map((code) => `${code} ${rest.filter((one) => one.code === code).length}`).join(', ');
  sayNote(
    `${rest.length} more ${rest.length === 1 ? 'note' : 'notes'} (${counts}): --verbose prints them, and --report and --json include them`,
  );
}

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
  /** every note before the result, not the worst alone */
  readonly verbose?: boolean;
}

/** Flags as options of the work: the schema is read, rows come from DATA or --query, notes go to standard error. */
export function optionsOf<Flags extends SpelledFlags>(
  command: Command,
  data: string | undefined,
  { schema, reference, json: _, verbose: __, ...rest }: Flags,
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
