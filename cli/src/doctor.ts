import { diagnose, type Engine, type Finding, type FitOptions } from '../../src/index.ts';
import { openDatabase } from './database.ts';
import { engineFor } from './engine.ts';
import { startPhase } from './progress.ts';
import type { DataOptions } from './source.ts';
import { type Roles, readTraining } from './training.ts';

/** Options of `logodds doctor`, as values. */
export interface DoctorOptions extends DataOptions, Omit<Roles, 'holdoutBy'>, Pick<FitOptions, 'positive' | 'engine'> {
  /** where no engine is given; 1 when absent */
  readonly threads?: number;
  /** told when there are fewer threads than asked for */
  readonly warn?: (message: string) => void;
}

export interface DoctorResult {
  readonly findings: readonly Finding[];
  readonly rows: number;
  readonly features: readonly string[];
  readonly seconds: number;
}

/**
 * Reads a data set and says what is wrong with it for a logistic regression.
 * @throws the errors of reading (ERR_DATA, ERR_SCHEMA, ERR_RECORD) and of `diagnose`
 */
export async function doctorCommand(options: DoctorOptions): Promise<DoctorResult> {
  const engine: Engine = options.engine ?? engineFor(options.threads, options.warn);
  const started = performance.now();
  const database = await openDatabase();
  const { table, features } = await readTraining(database.connection, options, options, 0).finally(() =>
    database.close(),
  );
  const phase = startPhase('diagnose', false);
  try {
    const findings = diagnose(table, {
      target: options.target,
      positive: options.positive,
      schema: options.schema,
      features: [...features],
      weight: options.weight,
      offset: options.offset,
      engine,
    });
    return { findings, rows: table.rows, features, seconds: (performance.now() - started) / 1000 };
  } finally {
    phase.end();
  }
}

/** The object of `doctor --json`. */
export function doctorJson({ findings }: DoctorResult): object {
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

/** Width of the text: that of the terminal, within what reads well. */
const lineWidth = () => Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);

/** Words in lines of at most so many characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const CHECKED =
  'separation, collinear, constant and duplicate columns, variance inflation, condition number, events for each weight, influential rows, ' +
  'class imbalance, leakage, identifiers, rare levels, missing cells';

/** What `doctor` prints: findings, the worst first, each with its evidence and what to do. */
export function doctorReport(
  source: string,
  target: string,
  { findings, rows, features, seconds }: DoctorResult,
): string {
  const whole = (n: number) => n.toLocaleString('en-US');
  const width = lineWidth();
  const head = `${source}: ${whole(rows)} rows, ${whole(features.length)} ${features.length === 1 ? 'feature' : 'features'}, target ${target}, examined in ${seconds.toFixed(2)} s`;
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
