import { CheckedTable } from '../encode/checkedTable.ts';
import { asCoded } from '../encode/columns.ts';
import { constantReason, isRounding } from '../encode/infer.ts';
import type { CategoricalFeature, NumericFeature } from '../encode/schema.ts';
import type { CodedColumn, Column, NumericColumn, Table } from '../encode/table.ts';
import { countClasses, countPairs } from '../encode/tally.ts';
import { list, show } from '../messages.ts';
import { auc } from '../metrics/binary.ts';
import type { Finding } from './finding.ts';

/** A data set, for checks of its columns one by one. */
export interface Subject {
  readonly table: Table;
  readonly features: readonly (NumericFeature | CategoricalFeature)[];
  readonly target: string;
  /** the classes; y is an index into them or, with two classes, the share of the second */
  readonly labels: readonly string[];
  readonly y: ArrayLike<number>;
  /** number of rows that each row represents; 0 leaves it out; null: one each */
  readonly count: Float64Array | null;
}

/** AUC above which a single feature almost determines the target. */
const LEAK_AUC = 0.99;
/** Smallest number of rows of each class for such a finding: a random number separates ten of each once in 1e5 columns. */
const LEAK_ROWS = 10;
/** Below this AUC on `SCREEN_ROWS` rows of each class, the full AUC is not computed; its standard error at 0.99 is below 0.01. */
const SCREEN_AUC = 0.93;
const SCREEN_ROWS = 100;
/** Levels with fewer rows than this are pooled, because their class shares are unreliable. */
const POOLED_ROWS = 5;
/** Share of the rarest class below which the threshold 0.5 and accuracy are misleading. */
const IMBALANCE = 0.05;
/**
 * With fewer rows than this, the weight of a level is mostly noise: ten events are recommended for each parameter (Peduzzi et al. 1996).
 */
const RARE_ROWS = 10;
/** Share of rows with a unique level above which a column counts as an identifier, given at least `IDENTIFIER_ROWS` rows. */
const IDENTIFIER_SHARE = 0.9;
const IDENTIFIER_ROWS = 20;
/** Share of missing cells above which a column has little other information. */
const MOSTLY_MISSING = 0.5;
/** Number of rows that are compared first, before full columns are. */
const SIGNATURE_ROWS = 16;

/**
 * Findings about the columns of a training table that need no fit: CLASS_IMBALANCE, CONSTANT_COLUMN, DUPLICATE_COLUMN, IDENTIFIER, LEAKAGE,
 * MISSING and RARE_LEVELS. It takes one pass over categories and missing cells, and a sort of each number that almost determines the target in a
 * sample.
 */
export function columnFindings(subject: Subject): Finding[] {
  const { table, features, labels } = subject;
  const columns = CheckedTable.of(table).all(features.map((feature) => feature.name));
  const totals = classTotals(subject);
  const total = totals.reduce((sum, rows) => sum + rows, 0);
  // with two classes, one of them is enough; and both sides need enough rows
  const classes = (labels.length > 2 ? labels.map((_, k) => k) : [1]).filter(
    (k) => Math.min(totals[k], total - totals[k]) >= LEAK_ROWS,
  );
  const samples = classes.map((label) => ({ label, sides: sampleSides(subject, totals, label, SCREEN_ROWS) }));
  return [
    ...imbalance(subject, totals),
    ...duplicates(subject, columns),
    ...features.flatMap((feature, j) => {
      const column = columns[j];
      return feature.kind === 'numeric' && column.kind === 'numeric'
        ? numberFindings(subject, column, feature, totals, samples)
        : levelFindings(
            subject,
            asCoded(column, table.rows, 0, true),
            totals,
            classes,
            !('missing' in feature) || feature.missing === 'slot',
          );
    }),
  ];
}

/** Rows of a class and rows of the other classes, to compare a number between. A row of counts of both is in both. */
interface Sample {
  readonly label: number;
  readonly sides: readonly [Int32Array, Int32Array];
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 || share > 0.9 ? 1 : 0)} %`;
const rowsText = (count: number) => `${Number(count.toFixed(1))} ${count === 1 ? 'row' : 'rows'}`;

/** rows by class */
function classTotals({ labels, y, count }: Subject): Float64Array {
  if (isPlain(y, count)) return countClasses(y, labels.length);
  const totals = new Float64Array(labels.length);
  for (let i = 0; i < y.length; i++) addRow(totals, 0, labels.length, y[i], count ? count[i] : 1);
  return totals;
}

/** Whether rows count once and have one class each, so that they are counted without arithmetic. There may be millions. */
const isPlain = (y: ArrayLike<number>, count: Float64Array | null): y is Uint8Array =>
  y instanceof Uint8Array && count === null;

/**
 * Counts the rows of each code by class: codes × classes, row-major.
 * @param last  code of missing cells, and of codes above it
 */
function countCodes(
  { labels, y, count }: Subject,
  codes: Uint8Array | Uint16Array | Uint32Array,
  missing: Uint8Array | null,
  last: number,
): Float64Array {
  const classes = labels.length;
  const rows = y.length;
  if (isPlain(y, count)) {
    if (classes === 2 && !missing) return countPairs(codes.subarray(0, rows), y, last + 1);
    const counts = new Int32Array((last + 1) * classes);
    if (missing) {
      for (let i = 0; i < rows; i++) counts[(missing[i] || codes[i] > last ? last : codes[i]) * classes + y[i]]++;
    } else {
      for (let i = 0; i < rows; i++) {
        const code = codes[i];
        counts[(code < last ? code : last) * classes + y[i]]++;
      }
    }
    return Float64Array.from(counts);
  }
  const counts = new Float64Array((last + 1) * classes);
  for (let i = 0; i < rows; i++) {
    const code = missing?.[i] ? last : Math.min(codes[i], last);
    addRow(counts, code * classes, classes, y[i], count ? count[i] : 1);
  }
  return counts;
}

/** Adds a row to the counts of its class, or by its shares to both. */
function addRow(counts: Float64Array, at: number, classes: number, y: number, count: number): void {
  if (classes > 2) counts[at + y] += count;
  else {
    counts[at] += count * (1 - y);
    counts[at + 1] += count * y;
  }
}

function imbalance({ target, labels }: Subject, totals: Float64Array): Finding[] {
  const total = totals.reduce((sum, count) => sum + count, 0);
  const rarest = totals.indexOf(Math.min(...totals));
  const share = totals[rarest] / total;
  if (!(share < IMBALANCE)) return [];
  return [
    {
      code: 'CLASS_IMBALANCE',
      severity: 'info',
      features: [target],
      evidence: `class ${show(labels[rarest])} of ${show(target)} has ${rowsText(totals[rarest])} of ${Number(total.toFixed(1))} (${percent(share)})`,
      advice: 'judge by log loss and AUC, not by accuracy, and choose the threshold by the cost of errors',
    },
  ];
}

/** Columns that repeat an earlier one: the same numbers, or levels that group the same rows, whatever their names. */
function duplicates({ features, count }: Subject, columns: readonly Column[]): Finding[] {
  const earlier = new Map<string, Column[]>();
  return features.flatMap((feature, j): Finding[] => {
    const { name } = feature;
    const column = columns[j];
    if (feature.kind === 'numeric' ? feature.min === feature.max : feature.levels.length === 1) return [];
    const key = signature(column, count);
    const group = earlier.get(key) ?? [];
    const original = group.find((other) => sameColumn(other, column, count));
    if (!original) {
      earlier.set(key, [...group, column]);
      return [];
    }
    return [
      {
        code: 'DUPLICATE_COLUMN',
        severity: 'warning',
        features: [name, original.name],
        evidence: `${show(name)} repeats ${show(original.name)} in every row`,
        advice: `drop ${show(name)}`,
      },
    ];
  });
}

const isMissing = ({ missing }: Column, i: number): boolean => (missing?.[i] ? missing[i] !== 0 : false);

/** The cells of some rows; codes are numbered by first appearance, so that names do not matter. */
function signature(column: Column, count: Float64Array | null): string {
  const cells = column.kind === 'numeric' ? column.values : column.codes;
  const rows = cells.length;
  const order = new Map<number, number>();
  const parts: (string | number)[] = [column.kind];
  for (let k = 0; k < SIGNATURE_ROWS; k++) {
    const i = Math.floor((k * rows) / SIGNATURE_ROWS);
    if (count && count[i] === 0) continue;
    if (isMissing(column, i)) parts.push('-');
    else if (column.kind === 'numeric') parts.push(cells[i]);
    else {
      if (!order.has(cells[i])) order.set(cells[i], order.size);
      parts.push(order.get(cells[i]) as number);
    }
  }
  return parts.join(' ');
}

function sameColumn(a: Column, b: Column, count: Float64Array | null): boolean {
  const [x, z] = [a, b].map((column) => (column.kind === 'numeric' ? column.values : column.codes));
  const forth = new Map<number, number>();
  const taken = new Set<number>();
  for (let i = 0; i < x.length; i++) {
    if (count && count[i] === 0) continue;
    const missing = isMissing(a, i);
    if (missing !== isMissing(b, i)) return false;
    if (missing) continue;
    if (a.kind === 'numeric') {
      if (x[i] !== z[i]) return false;
      continue;
    }
    if (!forth.has(x[i]) && !taken.has(z[i])) {
      forth.set(x[i], z[i]);
      taken.add(z[i]);
    }
    if (forth.get(x[i]) !== z[i]) return false;
  }
  return true;
}

function numberFindings(
  subject: Subject,
  column: NumericColumn,
  feature: NumericFeature,
  totals: Float64Array,
  samples: readonly Sample[],
): Finding[] {
  const { labels, table } = subject;
  const { name, min, max } = feature;
  const absent = column.missing
    ? countCodes(subject, column.missing, null, 1).subarray(labels.length)
    : new Float64Array(labels.length);
  const gaps = absent.reduce((sum, n) => sum + n, 0);
  if (gaps === 0) {
    if (min === max) return [constant(name, min)];
    if (isRounding(feature, table.rows)) return [constant(name, feature.mean, 'rounding')];
  }
  const leaks = [
    ...leakOfLevels(
      subject,
      name,
      [totals.map((n, k) => n - absent[k]), absent],
      totals,
      samples.map(({ label }) => label),
      'whether the cell is missing',
    ),
    ...leakOfNumbers(subject, totals, column, samples),
  ];
  return [
    ...missingFinding(name, gaps, totals, feature.indicator),
    ...(gaps === 0 && numbersRows(column, subject, max - min)
      ? [identifierFinding(name, `a different whole number in each row, from ${min} to ${max}`)]
      : []),
    ...leaks.slice(0, 1),
  ];
}

/** Whether a column without missing cells has a different whole number in each row: ascending, descending, or almost without gaps. */
function numbersRows({ values }: NumericColumn, { table, count }: Subject, spread: number): boolean {
  const seen = new Set<number>();
  let order: number | null = null;
  let last = Number.NaN;
  for (let i = 0; i < table.rows; i++) {
    if (count && count[i] === 0) continue;
    const value = values[i];
    if (!Number.isInteger(value) || value === last) return false;
    const direction = Math.sign(value - last);
    if (!Number.isNaN(direction)) order = order === null || order === direction ? direction : 0;
    if (order === 0 && spread >= 2 * table.rows) return false;
    if (spread < 2 * table.rows) {
      if (seen.has(value)) return false;
      seen.add(value);
    }
    last = value;
  }
  return table.rows >= IDENTIFIER_ROWS;
}

function levelFindings(
  subject: Subject,
  column: CodedColumn,
  totals: Float64Array,
  toTell: readonly number[],
  own: boolean,
): Finding[] {
  const { labels, table, count } = subject;
  const { name, codes, levels } = column;
  const classes = labels.length;
  const absent = column.missing ?? null;
  const cells = countCodes(subject, codes, absent, levels.length);
  let rows = table.rows;
  if (count || absent) for (let i = 0; i < table.rows; i++) if (absent?.[i] || count?.[i] === 0) rows--;
  const byLevel = Array.from({ length: levels.length + 1 }, (_, code) =>
    cells.subarray(code * classes, (code + 1) * classes),
  );
  const sizes = byLevel.map((counts) => counts.reduce((sum, n) => sum + n, 0));
  const gaps = sizes[levels.length];
  const seen = levels.flatMap((level, code) => (sizes[code] > 0 ? [{ level, size: sizes[code] }] : []));
  if (seen.length <= 1 && gaps === 0) return [constant(name)];
  const missing = missingFinding(name, gaps, totals, own);
  if (rows >= IDENTIFIER_ROWS && seen.length >= IDENTIFIER_SHARE * rows) {
    return [...missing, identifierFinding(name, `${seen.length} levels in ${rowsText(rows)}`)];
  }
  const rare = seen.filter(({ size }) => size < RARE_ROWS).sort((a, b) => a.size - b.size);
  return [
    ...missing,
    ...(rare.length > 0
      ? [
          {
            code: 'RARE_LEVELS' as const,
            severity: 'info' as const,
            features: [name],
            evidence: `${show(name)}: ${rare.length} of ${seen.length} levels ${rare.length === 1 ? 'has' : 'have'} fewer than ${RARE_ROWS} rows (${list(rare.map(({ level }) => level))}; the rarest ${rowsText(rare[0].size)})`,
            advice: 'merge them with similar levels, or penalise (C or lambda)',
          },
        ]
      : []),
    ...leakOfLevels(subject, name, byLevel, totals, toTell, 'its level'),
  ];
}

function constant(name: string, mean = 0, values: 'one' | 'rounding' = 'one'): Finding {
  const { evidence, advice } = constantReason(values, mean);
  return {
    code: 'CONSTANT_COLUMN',
    severity: 'warning',
    features: [name],
    evidence: `${show(name)}: ${evidence}, so the weight is held at 0`,
    advice,
  };
}

function identifierFinding(name: string, evidence: string): Finding {
  return {
    code: 'IDENTIFIER',
    severity: 'warning',
    features: [name],
    evidence: `${show(name)} looks like an identifier: ${evidence}`,
    advice: 'drop the column, because new rows will have other values',
  };
}

/** @param own  missing cells have a weight of their own */
function missingFinding(name: string, gaps: number, totals: Float64Array, own: boolean): Finding[] {
  const total = totals.reduce((sum, n) => sum + n, 0);
  const share = gaps / total;
  if (gaps === 0) return [];
  return [
    {
      code: 'MISSING',
      severity: share >= MOSTLY_MISSING ? 'warning' : 'info',
      features: [name],
      evidence: `${show(name)}: ${Number(gaps.toFixed(1))} of ${Number(total.toFixed(1))} cells missing (${percent(share)})`,
      advice:
        share >= MOSTLY_MISSING
          ? 'find out why, and drop the column unless a missing cell is informative'
          : own
            ? 'find out why; they have a weight of their own'
            : 'find out why; they take the mean, or the most frequent level of a category',
    },
  ];
}

function leak({ target, labels }: Subject, name: string, by: string, area: number, label: number): Finding {
  return {
    code: 'LEAKAGE',
    severity: 'error',
    features: [name],
    evidence: `${show(name)} almost determines ${show(target)}${labels.length > 2 ? ` = ${show(labels[label])}` : ''} by ${by}: AUC ${area.toFixed(4)} on its own`,
    advice: 'check that it is known before the outcome; if it is not, drop it',
  };
}

/** AUC of the best order of levels, by their share of a class; levels with few rows count as one. */
function leakOfLevels(
  subject: Subject,
  name: string,
  byLevel: readonly Float64Array[],
  totals: Float64Array,
  classes: readonly number[],
  by: string,
): Finding[] {
  const total = totals.reduce((sum, n) => sum + n, 0);
  for (const k of classes) {
    const pooled = { inside: 0, outside: 0 };
    const groups = [pooled];
    for (const counts of byLevel) {
      const size = counts.reduce((sum, n) => sum + n, 0);
      const group = { inside: counts[k], outside: size - counts[k] };
      if (size >= POOLED_ROWS) groups.push(group);
      else {
        pooled.inside += group.inside;
        pooled.outside += group.outside;
      }
    }
    groups.sort((a, b) => a.inside * b.outside - b.inside * a.outside);
    let area = 0;
    let below = 0;
    for (const { inside, outside } of groups) {
      area += inside * (below + outside / 2);
      below += outside;
    }
    area /= totals[k] * (total - totals[k]);
    if (area >= LEAK_AUC) return [leak(subject, name, by, area, k)];
  }
  return [];
}

function leakOfNumbers(
  subject: Subject,
  totals: Float64Array,
  column: NumericColumn,
  samples: readonly Sample[],
): Finding[] {
  for (const { label, sides } of samples) {
    if (areaOf(subject, column, label, sides) < SCREEN_AUC) continue;
    const area = areaOf(subject, column, label, sampleSides(subject, totals, label, Number.POSITIVE_INFINITY));
    if (area >= LEAK_AUC) return [leak(subject, column.name, 'its value', area, label)];
  }
  return [];
}

/** Share of a row that is of a class. */
const shareOf = ({ labels, y }: Subject, label: number, i: number) =>
  labels.length > 2 ? Number(y[i] === label) : y[i];

/** At most `most` rows of each side, evenly spaced. */
function sampleSides(
  { y, count, labels }: Subject,
  totals: Float64Array,
  label: number,
  most: number,
): Sample['sides'] {
  if (isPlain(y, count)) return plainSides(y, label, totals[label], most);
  const many = labels.length > 2;
  const present = (i: number) => !(count && count[i] === 0);
  const isOutside = (i: number) => present(i) && (many ? y[i] !== label : y[i] < 1);
  const isInside = (i: number) => present(i) && (many ? y[i] === label : y[i] > 0);
  let [outside, inside] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    outside += isOutside(i) ? 1 : 0;
    inside += isInside(i) ? 1 : 0;
  }
  const sides = [new Spaced(outside, most), new Spaced(inside, most)] as const;
  for (let i = 0; i < y.length; i++) {
    if (isOutside(i)) sides[0].pass(i);
    if (isInside(i)) sides[1].pass(i);
  }
  return [sides[0].rows, sides[1].rows];
}

/** The same of millions of rows: of a large side the next row from evenly spaced places on, so that few rows are looked at. */
function plainSides(y: Uint8Array, label: number, inside: number, most: number): Sample['sides'] {
  const sides = [new Spaced(y.length - inside, most), new Spaced(inside, most)] as const;
  return [take(y, false, label, sides[0]), take(y, true, label, sides[1])];
}

function take(y: Uint8Array, own: boolean, label: number, spaced: Spaced): Int32Array {
  const { rows, size } = spaced;
  if (size > rows.length) {
    let [at, i] = [0, 0];
    for (; at < rows.length; at++) {
      i = Math.max(i, Math.floor((at * y.length) / rows.length));
      while (i < y.length && (y[i] === label) !== own) i++;
      if (i === y.length) break;
      rows[at] = i++;
    }
    if (at === rows.length) return rows;
  }
  // all of a small side, and of rows that are sorted by class
  for (let i = 0; i < y.length; i++) if ((y[i] === label) === own) spaced.pass(i);
  return rows;
}

/** Takes at most `most` of `size` rows that pass, evenly spaced. */
class Spaced {
  readonly rows: Int32Array;
  readonly size: number;
  #passed = 0;
  #taken = 0;
  #next = 0;

  constructor(size: number, most: number) {
    this.rows = new Int32Array(Math.min(size, most));
    this.size = size;
  }

  pass(i: number): void {
    if (this.#passed++ < this.#next || this.#taken === this.rows.length) return;
    this.rows[this.#taken++] = i;
    this.#next = Math.floor((this.#taken * this.size) / this.rows.length);
  }
}

/** max(AUC, 1 − AUC) of a number between two sides, over the rows where it is not missing; 0 if a side has none */
function areaOf(subject: Subject, column: NumericColumn, label: number, sides: Sample['sides']): number {
  const [outside, inside] = sides.map((rows) => rows.filter((i) => !isMissing(column, i)));
  if (outside.length === 0 || inside.length === 0) return 0;
  const values = new Float64Array(outside.length + inside.length);
  const marks = new Uint8Array(values.length).fill(1, outside.length);
  const weights = new Float64Array(values.length);
  values.forEach((_, at) => {
    const i = marks[at] ? inside[at - outside.length] : outside[at];
    const share = shareOf(subject, label, i);
    values[at] = column.values[i];
    weights[at] = (subject.count ? subject.count[i] : 1) * (marks[at] ? share : 1 - share);
  });
  const area = auc(values, marks, weights) ?? 0.5;
  return Math.max(area, 1 - area);
}
