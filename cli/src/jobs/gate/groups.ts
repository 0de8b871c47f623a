import { normalQuantile } from '../../../../src/kernels.ts';
import { aucInterval, type Compared, type Difference } from '../../../../src/metrics.ts';
import { counted, significant, whole } from '../../figures/wording.ts';
import { type Context, type Finding, finding, JUDGED, type Judging, within } from './finding.ts';
import { areasOf, compared, differencesOf, pairedOf } from './performance.ts';
import { ofCompared } from './population.ts';
import type { ComparedRows, ModelScores } from './rows.ts';
import type { Given, RuleName } from './rules.ts';

/** The rows of one group. */
interface Group {
  readonly name: string;
  readonly rows: Uint32Array;
}

/** Groups of a column that are large enough. The others are named in a note, with their rows. */
function groupsOf(
  context: Context,
  rows: ComparedRows,
  rule: RuleName,
  column: string,
  options: Given,
): readonly Group[] {
  const { codes, names } = rows.groups.get(column)!;
  const { y, isBinary } = pairedOf(context, rows);
  const members: number[][] = names.map(() => []);
  codes.forEach((code, row) => {
    members[code].push(row);
  });
  const [minRows, minPositives] = [options['minRows'] as number, options['minPositives'] as number];
  const large: Group[] = [];
  const small: string[] = [];
  names.forEach((name, k) => {
    const own = members[k];
    const positives = isBinary ? own.reduce((sum, row) => sum + y[row], 0) : 0;
    const fewest = Math.min(positives, own.length - positives);
    if (own.length >= minRows && (!isBinary || fewest >= minPositives))
      large.push({ name, rows: Uint32Array.from(own) });
    else
      small.push(
        `${JSON.stringify(name)} ${whole(own.length)}${isBinary ? ` (${whole(fewest)} of the rarer class)` : ''}`,
      );
  });
  if (small.length > 0) {
    const list =
      small.length > 12 ? `${small.slice(0, 12).join(', ')} and ${small.length - 12} more` : small.join(', ');
    context.note(
      `${rule}, column ${JSON.stringify(column)}: ${whole(small.length)} of ${counted(names.length, 'group')} ${small.length === 1 ? 'has too few rows and is' : 'have too few rows and are'} not judged: ${list}`,
    );
  }
  return large;
}

/** The rows of a group alone. */
export function rowsOf(rows: ComparedRows, { rows: own }: Group): ComparedRows {
  const pick = <T extends Float64Array | Uint32Array>(cells: T): T => {
    const picked = cells.slice(0, own.length) as T;
    own.forEach((row, k) => {
      picked[k] = cells[row];
    });
    return picked;
  };
  const scores = ({ logits, probabilities, labels }: ModelScores): ModelScores => ({
    logits: logits.map(pick),
    probabilities: probabilities.map(pick),
    labels: pick(labels),
  });
  return {
    ...rows,
    codes: pick(rows.codes),
    weight: rows.weight && pick(rows.weight),
    cluster: rows.cluster && pick(rows.cluster),
    candidate: scores(rows.candidate),
    champion: scores(rows.champion),
  };
}

const tooSmall = (column: string) => `column ${JSON.stringify(column)} has no group with enough rows`;

export const groups = ofCompared('groups', (context, rows, options) => {
  const metric = options['metric'] as Compared;
  const by = options['judgedBy'] as Judging;
  return (options['columns'] as readonly string[]).flatMap((column): Finding[] => {
    const large = groupsOf(context, rows, 'groups', column, options);
    if (large.length === 0) return [finding('groups', options, 'not checked', tooSmall(column), {}, column)];
    // any one of them may be worse by chance
    const level = by === 'evidence' ? 1 - (1 - context.rules.level) / large.length : context.rules.level;
    return large.map((group) => {
      const of = `${column}=${group.name} ${metric}`;
      const own = rowsOf(rows, group);
      const { method, found }: { readonly method: string; readonly found: Difference | null } =
        metric === 'auc'
          ? areasOf(context, own, undefined, level)
          : { method: 'bootstrap', found: differencesOf(context, own, level)[metric] };
      if (!found)
        return finding(
          'groups',
          options,
          'not checked',
          `${of}: there is no interval (a log loss is infinite, or a class is missing)`,
          {},
          of,
        );
      return compared('groups', options, metric, found, {
        greaterIsBetter: metric === 'auc',
        margin: options['margin'] as number,
        by,
        method: `${method}, ${counted(own.codes.length, 'row')}`,
        of,
      });
    });
  });
});

interface Measured {
  readonly value: number;
  readonly stdError: number;
}

type Cells = { readonly y: Uint32Array; readonly called: Uint8Array; readonly p: Float64Array };

/** Figures that are means: of each row its value, and null where it does not count. */
const MEANS: Readonly<Record<string, (cells: Cells) => (row: number) => number | null>> = {
  selectionRate:
    ({ called }) =>
    (row) =>
      called[row],
  tpr:
    ({ y, called }) =>
    (row) =>
      y[row] === 1 ? called[row] : null,
  fpr:
    ({ y, called }) =>
    (row) =>
      y[row] === 0 ? called[row] : null,
  precision:
    ({ y, called }) =>
    (row) =>
      called[row] === 1 ? y[row] : null,
  accuracy:
    ({ y, called }) =>
    (row) =>
      Number(called[row] === y[row]),
  brier:
    ({ y, p }) =>
    (row) =>
      (p[row] - y[row]) ** 2,
};

/** A figure of the candidate with its standard error; null: it does not exist. */
function measure(context: Context, rows: ComparedRows, metric: string): Measured | null {
  const { y, isBinary } = pairedOf(context, rows);
  const { weight, weightKind, cluster } = rows;
  const { classes, positive } = context.candidate.model.manifest;
  const { labels, probabilities } = rows.candidate;
  if (metric === 'auc') {
    const found = aucInterval(probabilities[0], y, weight, { weightKind });
    return found && { value: found.auc, stdError: found.stdError };
  }
  const code = classes.indexOf(positive!);
  const called = isBinary
    ? Uint8Array.from(labels, (label) => Number(label === code))
    : Uint8Array.from(labels, (label, row) => (label === y[row] ? 1 : 0));
  const cells = isBinary ? { y, called, p: probabilities[0] } : { y: y.map(() => 1), called, p: probabilities[0] };
  const figureOf = MEANS[metric](cells);
  const share = (row: number) => (weight ? weight[row] : 1);
  let total = 0;
  let sum = 0;
  for (let row = 0; row < y.length; row++) {
    const value = figureOf(row);
    if (value === null) continue;
    total += share(row);
    sum += share(row) * value;
  }
  const value = sum / total;
  // what a row, or a cluster, adds to the sum of deviations; a count stands for that many rows
  const isCount = weightKind === 'count' && !cluster && weight !== null;
  const parts = new Map<number, number>();
  let squares = 0;
  let draws = 0;
  for (let row = 0; row < y.length; row++) {
    const own = figureOf(row);
    if (own === null || !(share(row) > 0)) continue;
    const apart = own - value;
    if (cluster) parts.set(cluster[row], (parts.get(cluster[row]) ?? 0) + share(row) * apart);
    else squares += (isCount ? share(row) : share(row) ** 2) * apart ** 2;
    draws += isCount ? share(row) : 1;
  }
  if (cluster) {
    for (const part of parts.values()) squares += part ** 2;
    draws = parts.size;
  }
  return total > 0 && draws > 1 ? { value, stdError: Math.sqrt((squares * draws) / (draws - 1)) / total } : null;
}

export const groupGap = ofCompared('groupGap', (context, rows, options) => {
  const metric = options['metric'] as string;
  const most = options['most'] as number;
  const by = options['judgedBy'] as Judging;
  const { isBinary } = pairedOf(context, rows);
  return (options['columns'] as readonly string[]).map((column): Finding => {
    const of = `${column} ${metric}`;
    const unchecked = (why: string) => finding('groupGap', options, 'not checked', why, {}, of);
    if (!isBinary && metric !== 'accuracy')
      return unchecked(`${metric} is of two classes, and the models have more; accuracy is of any`);
    if (metric === 'auc' && rows.cluster)
      return unchecked('the AUC of a group has no interval by clusters; choose another metric');
    const large = groupsOf(context, rows, 'groupGap', column, options);
    const found = large.flatMap((group) => {
      const measured = measure(context, rowsOf(rows, group), metric);
      return measured ? [{ ...group, ...measured }] : [];
    });
    if (found.length < 2)
      return unchecked(
        large.length === 0
          ? tooSmall(column)
          : `column ${JSON.stringify(column)} has fewer than two groups with enough rows and a ${metric}`,
      );
    const [least, greatest] = [
      found.reduce((a, b) => (b.value < a.value ? b : a)),
      found.reduce((a, b) => (b.value > a.value ? b : a)),
    ];
    const value = greatest.value - least.value;
    const half = -normalQuantile((1 - context.rules.level) / 2) * Math.hypot(least.stdError, greatest.stdError);
    const [low, high] = [value - half, value + half];
    const ends = { greatest: most };
    const sentence = `${metric} is ${significant(greatest.value, 3)} in ${JSON.stringify(greatest.name)} (${counted(greatest.rows.length, 'row')}) and ${significant(least.value, 3)} in ${JSON.stringify(least.name)} (${whole(least.rows.length)}): a gap of ${significant(value, 3)}, interval ${significant(low, 3)} to ${significant(high, 3)}; expected ${JUDGED[by]} at or below ${most}`;
    return finding(
      'groupGap',
      options,
      within(by, { value, low, high }, ends),
      sentence,
      { value, low, high, ...ends },
      of,
    );
  });
});
