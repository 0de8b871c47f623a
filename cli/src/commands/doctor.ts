import type { Command } from 'commander';
import { counted, sentence, word } from '../figures/wording.ts';
import { type DoctorOptions, type DoctorResult, doctorCommand } from '../jobs/doctor.ts';
import { READING } from '../options/reading.ts';
import { COLUMNS, DATA, JSON_OUTPUT, QUERY, TARGET, THREADS } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import type { CommandLine } from './command.ts';
import { optionsOf, print, printJson, type SpelledFlags } from './common.ts';

const HELP = `
The exit status is 0 even when there are findings.

Examples:
  logodds doctor loans.csv --target default
  logodds doctor births.csv --target low --drop id --categorical race --json`;

const OPTIONS: readonly OptionRow[] = [
  TARGET,
  QUERY,
  ...READING,
  ['--positive <label>', 'class whose probability is modelled'],
  ...COLUMNS,
  THREADS,
  JSON_OUTPUT,
];

export const doctor: CommandLine = {
  name: 'doctor',
  description: 'find what is wrong with a data set (separation, collinearity, leakage, …) and list the worst first',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type DoctorFlags = Omit<DoctorOptions, 'data' | 'schema'> & SpelledFlags;

async function run(data: string | undefined, flags: DoctorFlags, command: Command): Promise<void> {
  const result = await doctorCommand(optionsOf(command, data, flags));
  if (flags.json) printJson(doctorJson(result));
  else print(doctorReport(data ?? 'query', flags.target, result));
}

/** The object of `doctor --json`. */
function doctorJson({ findings }: DoctorResult): object {
  return {
    findings: findings.map(({ code, severity, features, evidence, advice }) => ({
      code,
      severity,
      features,
      evidence,
      advice,
    })),
  };
}

/** Width of the text: that of the terminal, within 60 to 120 characters. */
const lineWidth = () => Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);

/** Breaks text into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const next of text.split(' ')) {
    if (line !== '' && line.length + 1 + next.length > width) {
      lines.push(line);
      line = next;
    } else line = line === '' ? next : `${line} ${next}`;
  }
  return [...lines, line];
}

const CHECKED =
  'separation, collinear, constant and duplicate columns, variance inflation, condition number, events for each weight, influential rows, ' +
  'class imbalance, leakage, identifiers, rare levels, missing cells, cells and dates that cannot be read, missing targets, labels that differ in case or blanks only';

/** The output of `doctor`: findings, the worst first, each with evidence and advice. */
function doctorReport(source: string, target: string, { findings, rows, features, seconds }: DoctorResult): string {
  const width = lineWidth();
  const head = `${word(source)}: ${counted(rows, 'row')}, ${counted(features.length, 'feature')}, target ${word(target)}, examined in ${seconds.toFixed(2)} s`;
  if (findings.length === 0) {
    return `${head}\n\nnothing found\n${wrap(`checked: ${CHECKED}`, width - 2)
      .map((line) => `  ${line}`)
      .join('\n')}\n`;
  }
  const tally = (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count > 1 && severity !== 'info' ? 's' : ''}`];
  });
  const blocks = findings.map(({ code, severity, evidence, advice }) => {
    const lines = [...wrap(sentence(evidence), width - 10), ...wrap(`→ ${sentence(advice)}`, width - 10)];
    return `${severity.padEnd(8)}  ${code}\n${lines.map((line) => `          ${line}`).join('\n')}`;
  });
  return `${head}\n\n${blocks.join('\n\n')}\n\n${tally.join(', ')}\n`;
}
