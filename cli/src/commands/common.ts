/** Shared parts of the commands' actions. */

import type { Command } from 'commander';
import type { Warning } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { inFlags } from '../figures/flags.ts';
import { counted } from '../figures/wording.ts';
import { readSchema } from '../read/files.ts';
import type { ReportTarget } from '../report/write.ts';
import { note as sayNote, warnAll as sayWarnings } from '../terminal/print.ts';
import { version } from '../version.ts';

export { print, printJson } from '../terminal/print.ts';

/** Largest number of notes before the result. */
const MOST = 5;
let notes = 0;

/** Resets the count of notes at the beginning of a run. */
export const forgetNotes = () => {
  notes = 0;
};

export const note = (message: string) => {
  notes++;
  sayNote(inFlags(message));
};

/** A note of one command that its output has as well, as a warning NOTE. */
export function noting() {
  const warnings: Warning[] = [];
  return {
    warnings,
    note(message: string) {
      note(message);
      warnings.push({ code: 'NOTE', message: inFlags(message), features: [], severity: 'info' });
    },
  };
}

/** The share in a message about missing cells, with which such warnings are joined. */
const SHARES = /(\d[\d.]*) %\)/;

/** Joins the warnings about missing cells of many columns. */
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
    message: `cells are missing in ${counted(columns.length, 'column')}: ${shown.join(', ')}${more}; find out why (${missing.some(({ message }) => /weight of their own/.test(message)) ? 'each has a weight of its own' : 'they take the mean, or the most frequent level of a category'})`,
    features: missing.flatMap(({ features }) => features),
  };
  return warnings.flatMap((warning) => (warning === missing[0] ? [one] : missing.includes(warning) ? [] : [warning]));
}

const RANKS = ['error', 'warning', 'info'];

/**
 * Prints the worst of the warnings before the result, and the number of the others.
 * @param verbose  true prints all of them, each column separately
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
    `${counted(rest.length, 'more note', 'more notes')} (${counts}): --verbose prints them, and --report and --json include them`,
  );
}

/** DATA or --query, exactly one of them. */
export function dataOf(command: Command, data: string | undefined, query: string | undefined) {
  if ((data === undefined) === (query === undefined)) {
    command.error(`error: ${data === undefined ? 'name DATA, or give a --query' : 'give DATA or --query, not both'}`);
  }
  return { data, query };
}

/** Flags whose names differ from the options of the job. */
export interface SpelledFlags {
  readonly query?: string;
  readonly schema?: string;
  readonly reference?: Record<string, string>;
  readonly json?: boolean;
  /** every note before the result, not the worst alone */
  readonly verbose?: boolean;
}

/** Turns flags into options of the job: reads the schema, takes rows from DATA or --query, and sends notes to standard error. */
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

/** Facts about the run for its report. */
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
