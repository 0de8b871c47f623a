import { LogoddsError } from '../../../../../src/index.ts';
import { mapEnds, type Num, number } from '../expression.ts';
import type { Column } from '../parts.ts';
import type { Plan } from '../plan.ts';
import { infix, printNum, printTest, type Words } from '../print.ts';
import type { Dialect } from './dialects.ts';
import { Lookups } from './lookups.ts';

export interface SqlOptions {
  /** the table or view of the records, as the database writes its name */
  readonly table: string;
  /** name of the view that is made, as the database writes it; null: a query */
  readonly view: string | null;
  /** columns that are passed on beside the scores; absent: those that the model reads */
  readonly keep?: readonly string[];
  /** before the names of the columns that are added */
  readonly prefix?: string;
}

/**
 * Returns a query of columns of a table and the scores of its rows: logit, probability, label, (review,) refused. A row that the model refuses has a
 * reason and no scores.
 * @throws ERR_FORMAT for what a query cannot compute, and for two columns of one name
 */
export function sqlOf(plan: Plan, dialect: Dialect, options: SqlOptions): string {
  const { table, view, prefix = '', keep = plan.inputs.map(({ name }) => name) } = options;
  const lookups = new Lookups(dialect);
  const words = wordsOf(plan, dialect, lookups);
  const num = (of: Num) => printNum(of, words);
  const { fence = '', bounded } = dialect;
  const checks = plan.steps.filter((step) => 'test' in step);
  const tests = checks.map(({ test }) => printTest(test, words));
  const refusals = checks.map(({ field, rule }, i) => {
    const said = rule === FINITE && bounded ? bounded.rule : rule;
    return `WHEN ${tests[i]} THEN ${dialect.text(`${field}: expected ${said}`)}`;
  });
  const numbers = plan.inputs.filter(({ holds }) => holds === 'number').map(({ name }) => words.field(name));
  const guards = [
    ...(bounded && numbers.length > 0 ? [bounded.anyBeyond(numbers)] : []),
    ...tests.filter((_, i) => !(bounded && checks[i].rule === FINITE)),
  ];
  const isRefused = guards.join('\n      OR ');
  const refused =
    guards.length === 0
      ? dialect.string('NULL')
      : `CASE WHEN ${isRefused} THEN CASE\n      ${refusals.join('\n      ')} END END`;
  const { classes, positive } = plan;
  const isMany = positive === null;
  const vectors = isMany ? classes.map((_, k) => k) : [0];
  const kept = keep.map((name, i) => `r.${dialect.name(name)} AS k${i}`);
  const logits = vectors.map((k) => {
    const logit = logitOf(plan, k, num, dialect);
    return `${guards.length === 0 ? logit : `CASE WHEN ${isRefused} THEN NULL\n      ELSE ${logit} END`} AS z${k}`;
  });
  // else what names a column of another query computes it again
  const { method = 'none' } = plan.calibration ?? {};
  const end = isMany || method === 'isotonic' || method === 'beta' ? fence : '';
  const lost = vectors.map((k) => `z${k} IS NULL OR ${dialect.infinite(`z${k}`)}`).join(' OR ');
  const whole = dialect.text('numbers: expected ones whose terms in the logit do not overflow');
  const levels = [
    // where a product that overflows ends the query, there is none
    [bounded ? 'why AS refused' : `CASE WHEN why IS NOT NULL THEN why WHEN ${lost} THEN ${whole} END AS refused`],
    ...(isMany ? several(plan, dialect) : two(plan, dialect)),
  ];
  const parts = [
    `SELECT\n  ${[...kept, `${refused} AS why`, ...logits].join(',\n  ')}\nFROM ${table} AS r${lookups.joins}${end}`,
    ...levels.map((columns, i) => `SELECT s${i}.*,\n  ${columns.join(',\n  ')}\nFROM s${i}${end}`),
  ];
  const shown = (of: string) => `CASE WHEN refused IS NULL THEN ${of} END`;
  const scores: [string, string][] = isMany
    ? [
        ...classes.map((label, k): [string, string] => [`logit_${label}`, shown(`z${k}`)]),
        ...classes.map((label, k): [string, string] => [`probability_${label}`, `p${k}`]),
      ]
    : [
        ['logit', shown('z0')],
        ['probability', 'p0'],
      ];
  scores.push(['label', 'label'], ...(plan.decision.abstain ? [['review', 'review'] as [string, string]] : []), [
    'refused',
    'refused',
  ]);
  const outputs = [
    ...keep.map((name, i): [string, string] => [name, `k${i}`]),
    ...scores.map(([name, of]): [string, string] => [prefix + name, of]),
  ];
  const twice = outputs.find(
    ([name], i) => outputs.findIndex(([other]) => other.toLowerCase() === name.toLowerCase()) < i,
  );
  if (twice)
    throw new LogoddsError(
      'ERR_FORMAT',
      `column "${twice[0]}": expected a name of its own, got it twice; set --prefix, or name others by --keep`,
    );
  const steps = parts.map((part, i) => `s${i} AS (\n${part}\n)`).join(',\n');
  const last = outputs.map(([name, of]) => `${of} AS ${dialect.name(name)}`).join(',\n  ');
  const query = `WITH ${steps}\nSELECT\n  ${last}\nFROM s${parts.length - 1}`;
  return view === null ? `${query};\n` : `CREATE VIEW ${view} AS\n${query};\n`;
}

function wordsOf(plan: Plan, dialect: Dialect, lookups: Lookups): Words {
  const holds = new Map(plan.inputs.map(({ name, holds }) => [name, holds]));
  const cell = (of: string) => `r.${dialect.name(of)}`;
  const value = (of: string) => (holds.get(of) === 'text' ? dialect.string(cell(of)) : dialect.double(cell(of)));
  const locals = new Map(plan.steps.flatMap((step) => ('name' in step ? [[step.name, step.value] as const] : [])));
  const words: Words = {
    number: dialect.number,
    field: value,
    // a query has no names within a row: what they stand for is written again
    local: (of) => printNum(locals.get(of)!, words),
    missing: (of) => `${cell(of)} IS NULL`,
    // what is missing is neither
    infinite: dialect.infinite,
    choose: (test, then, other) => `CASE WHEN ${test} THEN ${then} ELSE ${other} END`,
    ...infix('AND', 'OR'),
    call: (of, x) => {
      if (of === 'ln') return `CASE WHEN ${x} > 0 THEN ${dialect.ln}(${x}) END`;
      if (of === 'ln1p') return `CASE WHEN ${x} > -1 THEN ${dialect.ln}(1 + ${x}) END`;
      if (of === 'sqrt') return `CASE WHEN ${x} >= 0 THEN sqrt(${x}) END`;
      return of === 'exp' ? `exp(${x})` : `(exp(${x}) - 1)`;
    },
    part: (part, of) => dialect.part(part, cell(of)),
    text: (of, table, other) => lookups.text(value(of), table, other),
    unknown: (of, table) => lookups.unknown(value(of), table),
    among: (of, table, other) => lookups.among(of, table, other),
    step: (of, edges, values) => tree(of, edges, values, dialect, 0, values.length),
    hash: (of) => {
      throw new LogoddsError(
        'ERR_FORMAT',
        `field "${of}": expected a feature without a hash, which a query cannot compute, got a hashed one; export to js, c, go, java or python`,
      );
    },
    not: (test) => `NOT (${test})`,
  };
  return words;
}

/** The rule of a number that is there. */
const FINITE = 'a finite number';

/** A step function as halves of halves, so that many steps are few comparisons. */
function tree(
  x: string,
  edges: readonly number[],
  values: readonly number[],
  dialect: Dialect,
  from: number,
  to: number,
): string {
  if (to - from === 1) return dialect.number(values[from]);
  const middle = (from + to) >> 1;
  const [low, high] = [tree(x, edges, values, dialect, from, middle), tree(x, edges, values, dialect, middle, to)];
  return `CASE WHEN ${x} < ${dialect.number(edges[middle])} THEN ${low} ELSE ${high} END`;
}

/** The sum of the columns in their order, so that it has the bits of the engine. */
function logitOf(plan: Plan, k: number, num: (of: Num) => string, dialect: Dialect): string {
  const { columns, weights, intercept, slots, offset } = plan;
  const locals = new Map(plan.steps.flatMap((step) => ('name' in step ? [[step.name, step.value] as const] : [])));
  const term = ({ kind, value, slot, slots: count }: Column): string => {
    const at = k * slots + slot;
    if (kind === 'number') return `${operand(num(value))} * ${dialect.number(weights[at])}`;
    const whole = value.op === 'local' ? locals.get(value.name)! : value;
    const own = mapEnds(whole, (code) => weights[at + Math.max(code, 0)]);
    if (own) return operand(num(own));
    // a code that is computed
    const table = new Map(Array.from({ length: count }, (_, code) => [code, weights[at + code]]));
    return operand(num({ op: 'among', of: whole, table, other: number(0) }));
  };
  const terms = columns.map((column) => `\n      + ${term(column)}`);
  const last = offset === null ? '' : `\n      + ${num({ op: 'field', field: offset })}`;
  return `${dialect.number(intercept[k])}${terms.join('')}${last}`;
}

const operand = (text: string): string => (/^CASE/.test(text) ? `(${text})` : text);

/** 1/(1 + exp(−z)), by exponents that no database refuses; 0 below −700. */
const sigmoid = (z: string, { greatest }: Dialect): string =>
  `CASE WHEN ${z} < -700 THEN 0 ELSE 1 / (1 + exp(${greatest}(-${z}, -700))) END`;

const softplus = (z: string, { ln, greatest }: Dialect): string =>
  `(${greatest}(${z}, 0) + ${ln}(1 + exp(${greatest}(-abs(${z}), -700))))`;

type Calibrator = NonNullable<Plan['calibration']>['calibrators'][number];

/** The calibrated logit; of isotonic ones the probability. */
function calibrated(by: Calibrator | undefined, z: string, shift: number, dialect: Dialect): string {
  const { number } = dialect;
  if (by?.method === 'isotonic') return interpolated(by, z, dialect);
  let of = z;
  if (by?.method === 'platt') of = `${number(by.a)} * ${z} + ${number(by.b)}`;
  else if (by?.method === 'temperature') of = `${z} * ${number(by.inverse)}`;
  else if (by)
    of = `${number(by.b)} * ${softplus(z, dialect)} - ${number(by.a)} * ${softplus(`(-${z})`, dialect)} + ${number(by.c)}`;
  return shift === 0 ? `(${of})` : `(${of} + ${number(shift)})`;
}

function interpolated(
  { logits, probabilities }: Extract<Calibrator, { method: 'isotonic' }>,
  z: string,
  dialect: Dialect,
): string {
  const { number } = dialect;
  const last = logits.length - 1;
  const piece = (i: number): string => {
    if (i < 0) return number(probabilities[0]);
    if (i >= last) return number(probabilities[last]);
    const slope = `(${z} - ${number(logits[i])}) / ${number(logits[i + 1] - logits[i])}`;
    return `${dialect.least}(${number(probabilities[i + 1])}, ${number(probabilities[i])} + ${number(probabilities[i + 1] - probabilities[i])} * (${slope}))`;
  };
  const half = (from: number, to: number): string => {
    if (from === to) return piece(from);
    const middle = (from + to + 1) >> 1;
    return `CASE WHEN ${z} < ${number(logits[middle])} THEN ${half(from, middle - 1)} ELSE ${half(middle, to)} END`;
  };
  return half(-1, last);
}

/** Levels of a query, each of columns that are made of those before. */
function two(plan: Plan, dialect: Dialect): string[][] {
  const { calibration, decision, classes, positive } = plan;
  const { threshold, abstain } = decision;
  const shift = calibration?.shift[0] ?? 0;
  const by = calibration?.calibrators[0];
  const other = classes.find((label) => label !== positive)!;
  const odds = `q0 * ${dialect.number(Math.exp(shift))}`;
  const p =
    by?.method === 'isotonic' ? (shift === 0 ? 'q0' : `${odds} / (${odds} + (1 - q0))`) : sigmoid('q0', dialect);
  const [at, low, high] = [threshold, abstain?.low ?? 0, abstain?.high ?? 0].map(dialect.number);
  return [
    [
      by?.method === 'isotonic'
        ? `CASE WHEN refused IS NULL THEN ${interpolated(by, 'z0', dialect)} END AS q0`
        : `${calibrated(by, 'z0', shift, dialect)} AS q0`,
    ],
    [`CASE WHEN refused IS NULL THEN ${p} END AS p0`],
    [
      `CASE WHEN refused IS NOT NULL THEN NULL WHEN p0 > ${at} THEN ${dialect.text(positive!)} ELSE ${dialect.text(other)} END AS label`,
      ...(abstain ? [`(p0 >= ${low} AND p0 <= ${high}) AS review`] : []),
    ],
  ];
}

function several(plan: Plan, dialect: Dialect): string[][] {
  const { calibration, decision, classes, multiclass } = plan;
  const { costs, abstain } = decision;
  const method = calibration?.method ?? 'none';
  const joint = method === 'temperature' || (method === 'none' && multiclass !== 'ovr');
  const shift = calibration?.shift ?? [];
  const of = (what: string) => classes.map((_, k) => `${what}${k}`);
  const [z, q, u, p] = [of('z'), of('q'), of('u'), of('p')];
  const most = (list: readonly string[]) => `${dialect.greatest}(${list.join(', ')})`;
  const inner = classes.map((_, k) => {
    const by = method === 'none' ? undefined : calibration!.calibrators[joint ? 0 : k];
    return `CASE WHEN refused IS NULL THEN ${calibrated(by, z[k], joint ? (shift[k] ?? 0) : 0, dialect)} END AS ${q[k]}`;
  });
  const raised = classes.map((_, k) => {
    const factor = !joint && shift.length > 0 ? ` * ${dialect.number(Math.exp(shift[k]))}` : '';
    if (method === 'isotonic') return `${q[k]}${factor} AS ${u[k]}`;
    const size = joint
      ? `exp(${dialect.greatest}(${q[k]} - ${most(q)}, -700))`
      : `(${sigmoid(q[k], dialect)})${factor}`;
    return `${size} AS ${u[k]}`;
  });
  const sum = `(${u.join(' + ')})`;
  const even = dialect.number(1 / classes.length);
  const shares = classes.map((_, k) => `CASE WHEN ${sum} = 0 THEN ${even} ELSE ${u[k]} / ${sum} END AS ${p[k]}`);
  const costOf = (k: number) => `(${costs!.map((row, j) => `${p[j]} * ${dialect.number(row[k])}`).join(' + ')})`;
  const scores = costs ? classes.map((_, k) => costOf(k)) : calibration ? p : z;
  const best = costs ? `${dialect.least}(${scores.join(', ')})` : most(scores);
  const label = classes.map((own, k) => `WHEN ${scores[k]} = ${best} THEN ${dialect.text(own)}`).join(' ');
  return [
    inner,
    raised,
    shares,
    [
      `CASE WHEN refused IS NULL THEN CASE ${label} END END AS label`,
      ...(abstain ? [`${most(p)} < ${dialect.number(abstain.high)} AS review`] : []),
    ],
  ];
}
