import {
  diagnose,
  type Engine,
  type FindingCode,
  type FitOptions,
  LogoddsError,
  type Severity,
  type Table,
  type Warning,
} from '../../../src/index.ts';
import { FINDING_CODES, list, show } from '../../../src/internal.ts';
import { findingsInFlags } from '../figures/flags.ts';
import { counted } from '../figures/wording.ts';
import { fitMissing } from '../read/gaps.ts';
import type { Part, Unreadable } from '../read/roles.ts';
import { lazyDatabase, type SourceOptions } from '../read/source.ts';
import { NOTE, similarLabels } from '../read/text/judge.ts';
import { type Roles, readTraining } from '../read/training.ts';
import { startPhase } from '../terminal/progress.ts';
import { engineFor } from './engine.ts';

/** Options of `logodds doctor`, as values. */
export interface DoctorOptions
  extends SourceOptions,
    Omit<Roles, 'holdoutBy'>,
    Pick<FitOptions, 'positive' | 'weightKind' | 'engine'> {
  /** used if no engine is given; 1 when absent */
  readonly threads?: number;
  /** called when there are fewer threads than asked for */
  readonly warn?: (message: string) => void;
}

/** Findings of reading, the worst first. They come before those of `diagnose`. */
const READING_CODES = [
  'UNREADABLE_CELLS',
  'UNREADABLE_COLUMN',
  'NO_TARGET',
  'INCOMPLETE_ROWS',
  'SIMILAR_LABELS',
] as const;

/** A finding of `diagnose`, or of reading. */
export interface CommandFinding {
  readonly code: FindingCode | (typeof READING_CODES)[number];
  readonly severity: Severity;
  readonly features: readonly string[];
  readonly evidence: string;
  readonly advice: string;
}

export interface DoctorResult {
  readonly findings: readonly CommandFinding[];
  readonly rows: number;
  readonly features: readonly string[];
  readonly seconds: number;
}

/**
 * Reads a data set and finds its problems for a logistic regression.
 * @throws the errors of reading (ERR_DATA, ERR_SCHEMA, ERR_RECORD) and of `diagnose`
 */
export async function doctorCommand(options: DoctorOptions): Promise<DoctorResult> {
  const engine: Engine = options.engine ?? engineFor(options.threads, options.warn);
  const started = performance.now();
  const database = lazyDatabase();
  const found: CommandFinding[] = [];
  const unreadable: Unreadable = (part, error) => {
    if (part.role !== 'feature' || !(error instanceof LogoddsError)) return false;
    found.push(unreadableFinding(part, error));
    return true;
  };
  // similar labels are findings here
  const warn = (message: string) => message.startsWith(NOTE.variants) || options.warn?.(message);
  const { table, features, leftOut, placed } = await readTraining(
    database.get,
    { ...options, warn },
    options,
    0,
    unreadable,
  ).finally(() => database.close());
  found.push(...leftOut.map(leftOutFinding), ...labelFindings(table, options.target));
  const phase = startPhase('diagnose', false);
  try {
    const look = (columns: readonly string[]) =>
      diagnose(table, {
        target: options.target,
        positive: options.positive,
        schema: options.schema,
        features: [...columns],
        weight: options.weight,
        weightKind: options.weightKind,
        offset: options.offset,
        missing: fitMissing(options.missing),
        engine,
      });
    if (features.length > 0) found.push(...(options.schema ? look(features) : lookAtAll(look, features)));
    const classes = table.columns.find(({ name }) => name === options.target);
    if (classes?.kind === 'coded' && classes.levels.length > 2) found.push(ONE_INFLUENCE);
    return {
      findings: sorted(findingsInFlags(found)),
      rows: table.rows,
      features,
      seconds: (performance.now() - started) / 1000,
    };
  } catch (error) {
    throw await placed(error);
  } finally {
    phase.end();
  }
}

/** A column that cannot be read: its first bad cell and their number, or its type. */
function unreadableFinding({ name }: Part, error: LogoddsError): CommandFinding {
  const { cells } = error as { cells?: number };
  // the user has the data, so the finding shows the cell
  const [evidence, ...advice] = error.detail.split('; ');
  const like = cells === undefined ? '' : ` (${counted(cells, 'such cell')}, this is the first)`;
  return {
    code: error.code === 'ERR_RECORD' ? 'UNREADABLE_CELLS' : 'UNREADABLE_COLUMN',
    severity: 'error',
    features: [name],
    evidence: `${show(name)} cannot be read: ${evidence}${like}; nothing else was checked in this column`,
    advice: advice.join('; ') || 'correct the column',
  };
}

function leftOutFinding({ code, message, features }: Warning): CommandFinding {
  const at = message.lastIndexOf('; ');
  return {
    code: code as 'NO_TARGET' | 'INCOMPLETE_ROWS',
    severity: 'warning',
    features,
    evidence: message.slice(0, at),
    advice: message.slice(at + 2),
  };
}

/** Labels with the same meaning in several spellings. */
function labelFindings({ columns }: Table, target: string): CommandFinding[] {
  return columns.flatMap((column): CommandFinding[] => {
    if (column.kind !== 'coded') return [];
    const { name, levels, codes, missing } = column;
    const { alike, blank } = similarLabels(levels);
    const groups = [...alike, ...(blank.length > 0 && !alike.some(([first]) => blank.includes(first)) ? [blank] : [])];
    if (groups.length === 0) return [];
    const rows = new Map(levels.map((level) => [level, 0]));
    for (let i = 0; i < codes.length; i++) {
      const level = levels[codes[i]];
      if (!missing?.[i]) rows.set(level, rows.get(level)! + 1);
    }
    const shown = groups
      .slice(0, 5)
      .map((group) => group.map((label) => `${show(label)} ${rows.get(label)}`).join(', '));
    const more = groups.length > 5 ? `; and ${counted(groups.length - 5, 'more group')}` : '';
    const what = name === target ? 'classes' : 'levels';
    return [
      {
        code: 'SIMILAR_LABELS',
        severity: 'warning',
        features: [name],
        evidence: `${show(name)} has ${what} that differ in case or blanks only, or are blank (label and rows): ${shown.join('; ')}${more}`,
        advice: `write them alike if they mean the same: now they are different ${what}`,
      },
    ];
  });
}

/** If some columns are too wide for a check, runs it on the other columns; the finding names the ones left out. */
function lookAtAll(
  look: (columns: readonly string[]) => readonly CommandFinding[],
  features: readonly string[],
): CommandFinding[] {
  const all = look(features);
  const left = all.find(({ code, features: wide }) => code === 'NOT_CHECKED' && wide.length > 0);
  const narrow = features.filter((name) => !left?.features.includes(name));
  if (!left || narrow.length === 0) return [...all];
  const key = ({ code, features: of }: CommandFinding) => `${code} ${of}`;
  const known = new Set(all.map(key));
  const more = look(narrow).filter((finding) => OF_MATRICES.includes(finding.code) && !known.has(key(finding)));
  const named = left.features.length > 12 ? counted(left.features.length, 'column') : list(left.features);
  const one: CommandFinding = {
    ...left,
    evidence: `${left.evidence}; they were looked for in the other ${counted(narrow.length, 'column')}, without ${named}`,
  };
  return [...all.map((finding) => (finding === left ? one : finding)), ...more];
}

/** Findings of columns together. */
const OF_MATRICES: readonly string[] = [
  ...['SEPARATION', 'RANK_DEFICIENT', 'HIGH_VIF', 'CONDITION_NUMBER', 'INFLUENTIAL_ROWS', 'NOT_CHECKED'],
];

const ONE_INFLUENCE: CommandFinding = {
  code: 'NOT_CHECKED',
  severity: 'info',
  features: [],
  evidence: "influential rows were not checked: Cook's distance is computed for two classes only",
  advice: 'check each class against the rest, as a target of its own',
};

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];
const CODES: readonly string[] = [...READING_CODES, ...FINDING_CODES];

/** Sorts the worst first; ties keep their order. */
const sorted = (findings: readonly CommandFinding[]): CommandFinding[] =>
  [...findings].sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || CODES.indexOf(a.code) - CODES.indexOf(b.code),
  );
