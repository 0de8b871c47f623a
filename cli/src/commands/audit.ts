import { LogoddsError } from '../../../src/index.ts';
import { counted } from '../figures/wording.ts';
import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { print, printJson } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [JSON_OUTPUT];

const HELP = `
Examples:
  logodds audit verify audit.jsonl
  logodds audit verify audit.000000120000.jsonl audit.jsonl --json

Exit status: 0 every line is the one that was written; 1 one is not, or a file cannot be read.`;

export const audit: CommandLine = {
  name: 'audit',
  description: 'check the audit log of logodds serve',
  takes: [
    ['<action>', 'verify'],
    ['<file...>', 'files of one log, in any order'],
  ],
  options: OPTIONS,
  help: HELP,
  run,
};

async function run(action: string, files: readonly string[], { json }: { readonly json?: boolean }): Promise<void> {
  if (action !== 'verify') throw new LogoddsError('ERR_RANGE', `audit: expected verify, got ${action}; correct it`);
  const { verifyAudit } = await import('../serve/observation/auditVerify.ts');
  const found = verifyAudit(files);
  const { problem, lines, first, last, head, torn, open, dropped } = found;
  if (json) printJson(found);
  if (problem)
    throw new LogoddsError(
      'ERR_DATA',
      `${problem.file}, line ${problem.line}: ${problem.why}; nothing behind it is proven`,
    );
  if (json) return;
  const notes = [
    first !== null && first > 1 ? `what came before line ${first} was not given` : '',
    torn > 0 ? `${torn} torn by a crash, as the log tells` : '',
    open ? 'the last line is not complete' : '',
    dropped > 0 ? `${counted(dropped, 'request was', 'requests were')} dropped, as the log tells` : '',
  ].filter(Boolean);
  const range = lines === 0 ? '' : ` (${first} to ${last})`;
  print(
    `valid: ${counted(lines, 'line')}${range}${notes.map((note) => `; ${note}`).join('')}\n${head === null ? '' : `last: ${head}\n`}`,
  );
}
