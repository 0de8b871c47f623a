import { type CodedColumn, LogoddsError, type NumericColumn, type Table, type Warning } from '../../../src/index.ts';
import { list, nearest, show } from '../../../src/internal.ts';
import { type ExperimentResult, type ExperimentRows, experimentOf, sharesOf } from '../figures/experiment.ts';
import { conclusionOf } from '../figures/experimentWords.ts';
import { counted, whole } from '../figures/wording.ts';
import { lazyDatabase, type SourceOptions } from '../read/source.ts';
import { readTraining } from '../read/training.ts';
import { experimentPage } from '../report/experiment.ts';
import { originOf, type ReportTarget, writePage } from '../report/write.ts';
import { assertWritable } from '../write/temporary.ts';

export interface ExperimentOptions extends SourceOptions {
  readonly arm: string;
  readonly outcome: string;
  readonly positive?: string;
  readonly score?: string;
  readonly by?: string;
  readonly control?: string;
  readonly shares?: Readonly<Record<string, number>>;
  readonly time?: string;
  readonly key?: string;
  readonly alpha?: number;
  readonly tightestAt?: number;
  readonly report?: ReportTarget;
  readonly warn?: (message: string) => void;
}

const POSITIVE = ['1', 'true', 'yes'];
const CONTROL = ['control', 'champion'];
const KEYS_SHOWN = 5;

/** Reads the rows of an experiment and compares its arms. @throws the errors of reading; ERR_DATA, ERR_RANGE, ERR_SCHEMA */
export async function experimentCommand(options: ExperimentOptions): Promise<ExperimentResult> {
  const { arm, outcome, score, by, key, time, alpha = 0.05, tightestAt = 10_000 } = options;
  if (options.report) assertWritable(options.report.path, options.data);
  const columns = { arm, outcome, score, by, key, time };
  const used = Object.entries(columns).filter(([, name]) => name !== undefined) as [string, string][];
  for (const [i, [role, name]] of used.entries()) {
    const other = used.slice(0, i).find(([, one]) => one === name);
    if (!other) continue;
    const next = 'name another column';
    throw new LogoddsError(
      'ERR_SCHEMA',
      `--${role}: expected a column beside --${other[0]}, got ${show(name)}; ${next}`,
    );
  }
  const coded = [by, key].filter((name) => name !== undefined);
  const database = lazyDatabase();
  const roles = {
    target: arm,
    time,
    features: [outcome, score, by, key].filter((name) => name !== undefined),
    categorical: coded,
    numeric: score === undefined ? [] : [score],
    // a row without one of them says nothing: it is left out and counted
    missing: 'drop' as const,
  };
  const { table, leftOut } = await readTraining(database.get, options, roles, 0).finally(() => database.close());
  const warnings: Warning[] = [...leftOut];
  const say = options.warn ?? (() => {});
  const arms = codedColumn(table, arm);
  const read = outcomesOf(table, outcome, options.positive);
  const { kept, duplicates, assigned } = keysOf(table, arms, key, warnings);
  const order = inOrder(table, time, kept);
  if (time === undefined) say('rows are looked at in their order in the data; --time says another');
  const control = controlOf(arms.levels, options.control, say);
  const shares = sharesOf(arms.levels, options.shares);
  if (!options.shares) say(`--shares not given: equal shares of ${counted(arms.levels.length, 'arm')} are tested`);
  const at = (values: ArrayLike<number>) => Float64Array.from(order, (row) => values[row]);
  const groups = by === undefined ? null : codedColumn(table, by);
  const rows: ExperimentRows = {
    arms: arms.levels,
    arm: at(arms.codes),
    outcome: at(read.values),
    kind: read.kind,
    score: score === undefined ? null : at(numericColumn(table, score).values),
    groups: groups?.levels ?? [],
    group: groups && at(groups.codes),
    assigned,
  };
  const found = experimentOf(rows, { control, shares, alpha, tightestAt });
  const result: ExperimentResult = {
    ...found,
    rows: order.length,
    outcome,
    positive: read.positive,
    score: score ?? null,
    by: by ?? null,
    time: time ?? null,
    duplicates,
    conclusion: conclusionOf(found, outcome),
    warnings,
  };
  if (options.report)
    writePage(options.report.path, await experimentPage(result, await originOf(options.report, options)));
  return result;
}

function codedColumn(table: Table, name: string): CodedColumn {
  const column = table.columns.find((one) => one.name === name);
  if (column?.kind === 'coded') return column;
  throw new LogoddsError('ERR_SCHEMA', `column ${show(name)}: expected labels, got numbers; name another column`);
}

function numericColumn(table: Table, name: string): NumericColumn {
  const column = table.columns.find((one) => one.name === name);
  if (column?.kind === 'numeric') return column;
  throw new LogoddsError('ERR_SCHEMA', `column ${show(name)}: expected numbers, got labels; name another column`);
}

/** The outcome as numbers: 1 for the positive one of two labels, or numbers as they are. @throws ERR_TARGET */
function outcomesOf(
  table: Table,
  name: string,
  positive: string | undefined,
): { readonly values: ArrayLike<number>; readonly kind: 'rate' | 'mean'; readonly positive: string | null } {
  const column = table.columns.find((one) => one.name === name)!;
  if (column.kind === 'numeric') {
    const values = column.values.subarray(0, table.rows);
    const isRate = values.every((value) => value === 0 || value === 1);
    if (positive !== undefined && !(isRate && (positive === '0' || positive === '1'))) {
      const got = isRate ? show(positive) : 'numbers';
      throw new LogoddsError(
        'ERR_TARGET',
        `--positive: expected one of the two outcomes 0 and 1, got ${got}; leave it out`,
      );
    }
    if (isRate && positive === '0') return { values: values.map((value) => 1 - value), kind: 'rate', positive: '0' };
    return { values, kind: isRate ? 'rate' : 'mean', positive: isRate ? '1' : null };
  }
  const present = column.levels.filter((_, code) => column.codes.subarray(0, table.rows).includes(code));
  if (present.length > 2) {
    const next = 'derive 0 and 1 with --query';
    throw new LogoddsError('ERR_TARGET', `outcome ${show(name)}: expected two labels, got ${list(present)}; ${next}`);
  }
  const sorted = [...present].sort();
  const chosen =
    positive ?? sorted.find((label) => POSITIVE.includes(label.toLowerCase())) ?? sorted[sorted.length - 1];
  if (!present.includes(chosen)) {
    throw new LogoddsError(
      'ERR_TARGET',
      `--positive: expected one of ${list(present)}, got ${show(chosen)}; correct it`,
    );
  }
  const code = column.levels.indexOf(chosen);
  return { values: Float64Array.from(column.codes, (one) => (one === code ? 1 : 0)), kind: 'rate', positive: chosen };
}

/** Which rows are compared, keys in several arms, and what was assigned to each arm: keys, or rows without keys. */
function keysOf(table: Table, arms: CodedColumn, key: string | undefined, warnings: Warning[]) {
  const all = Array.from({ length: table.rows }, (_, row) => row);
  const assigned = arms.levels.map(() => 0);
  if (key === undefined) {
    for (const row of all) assigned[arms.codes[row]]++;
    return { kept: all, duplicates: null, assigned };
  }
  const keys = codedColumn(table, key);
  /** of each key its arm; −2 in several */
  const armOf = new Int32Array(keys.levels.length).fill(-1);
  const counts = new Uint32Array(keys.levels.length);
  for (const row of all) {
    const [one, own] = [keys.codes[row], arms.codes[row]];
    armOf[one] = armOf[one] === -1 || armOf[one] === own ? own : -2;
    counts[one]++;
  }
  let [mixed, repeated] = [0, 0];
  const examples: string[] = [];
  armOf.forEach((own, one) => {
    if (own >= 0) {
      assigned[own]++;
      if (counts[one] > 1) repeated++;
    }
    if (own !== -2) return;
    mixed++;
    if (examples.length < KEYS_SHOWN) examples.push(keys.levels[one]);
  });
  const kept = all.filter((row) => armOf[keys.codes[row]] !== -2);
  const rows = all.length - kept.length;
  if (mixed > 0) {
    warnings.push({
      code: 'KEYS_IN_SEVERAL_ARMS',
      severity: 'warning',
      message: `${whole(mixed)} of ${counted(armOf.length, 'key is', 'keys are')} in several arms (${list(examples)}${mixed > examples.length ? ', …' : ''}), and their ${counted(rows, 'row is', 'rows are')} left out; find out why assignment was not sticky`,
      features: [key],
    } as unknown as Warning);
  }
  if (repeated > 0) {
    warnings.push({
      code: 'KEYS_REPEATED',
      severity: 'warning',
      message: `${counted(repeated, 'key has', 'keys have')} several rows, which are not independent, so intervals are too narrow; make one row a key with --query`,
      features: [key],
    } as unknown as Warning);
  }
  return { kept, duplicates: { keys: mixed, rows, examples }, assigned };
}

/** Rows in order of time, equal times in their own order. */
function inOrder(table: Table, time: string | undefined, kept: readonly number[]): readonly number[] {
  if (time === undefined) return kept;
  const { values } = numericColumn(table, time);
  return [...kept].sort((a, b) => values[a] - values[b] || a - b);
}

function controlOf(arms: readonly string[], given: string | undefined, say: (message: string) => void): number {
  if (given !== undefined) {
    if (arms.includes(given)) return arms.indexOf(given);
    const guess = nearest(given, arms);
    const next = guess ? `did you mean ${show(guess)}?` : `arms are ${list(arms)}`;
    throw new LogoddsError('ERR_RANGE', `--control: expected an arm of the data, got ${show(given)}; ${next}`);
  }
  const sorted = [...arms].sort();
  const chosen = sorted.find((arm) => CONTROL.includes(arm.toLowerCase())) ?? sorted[0] ?? '';
  say(`--control not given: the arms are compared with ${show(chosen)}`);
  return arms.indexOf(chosen);
}
