import { names } from '../names.ts';
import type { Step } from '../parts.ts';
import type { Plan } from '../plan.ts';
import { infix, printNum, printTest, type Words } from '../print.ts';
import { runtimeText } from '../runtime.ts';
import type { Target } from '../target.ts';

/** A module without dependencies, of the bits of `Model.score`. */
export const python: Target = {
  exact: 'bits',
  print: (plan) => [{ ending: '.py', text: moduleOf(plan()) }],
};

const KEYWORDS =
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield row record math bisect datetime';

const text = (value: string): string =>
  `"${value.replace(/[^ !#-[\]-~]/gu, (c) => {
    const code = c.codePointAt(0)!;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  })}"`;

const number = (value: number): string =>
  Object.is(value, -0) ? '-0.0' : Number.isFinite(value) ? String(value) : `${value < 0 ? '-' : ''}_math.inf`;

const tuple = (parts: readonly string[]): string => (parts.length === 0 ? '()' : `(${parts.join(', ')},)`);
const list = (values: ArrayLike<number>): string => tuple(Array.from(values, number));

function moduleOf(plan: Plan): string {
  const { inputs, steps, columns, weights, intercept, classes, positive, decision, calibration, sha256 } = plan;
  const tables: string[] = [];
  const known = new Map<unknown, string>();
  const tableOf = (value: object, source: () => string): string => {
    let own = known.get(value);
    if (!own) {
      own = `_T${known.size}`;
      known.set(value, own);
      tables.push(`${own} = ${source()}`);
    }
    return own;
  };
  const texts = (of: ReadonlyMap<string, number>) =>
    tableOf(of, () => `{${[...of].map(([key, value]) => `${text(key)}: ${number(value)}`).join(', ')}}`);
  const numbers = (of: ReadonlyMap<number, number>) =>
    tableOf(of, () => `{${[...of].map(([key, value]) => `${number(key)}: ${number(value)}`).join(', ')}}`);
  const fields = names(
    inputs.map((input) => input.name),
    'f_',
    KEYWORDS,
  );
  const locals = names(
    steps.flatMap((step) => ('name' in step ? [step.name] : [])),
    'v_',
    KEYWORDS,
  );
  const words: Words = {
    number,
    field: (of) => fields.get(of)!,
    local: (of) => locals.get(of)!,
    missing: (of) => `${fields.get(of)} is None`,
    infinite: (of) => `not _math.isfinite(${of})`,
    choose: (test, then, other) => `(${then} if ${test} else ${other})`,
    ...infix('and', 'or'),
    call: (of, value) => (of === 'sqrt' ? `_math.sqrt(${value})` : `_${of}(${value})`),
    part: (part, of) => `_part(${fields.get(of)}, ${text(part)})`,
    text: (of, table, other) => `${texts(table)}.get(${fields.get(of)}, ${other})`,
    unknown: (of, table) => `${fields.get(of)} not in ${texts(table)}`,
    among: (of, table, other) => `${numbers(table)}.get(${of}, ${other})`,
    step: (of, edges, values) =>
      `_step(${of}, ${tableOf(edges, () => list(edges.slice(0, -1)))}, ${tableOf(values, () => list(values))})`,
    hash: (of, buckets) => `_hashed(${fields.get(of)}, ${buckets})`,
    not: (test) => `not (${test})`,
  };
  const stepLines = (step: Step): string[] =>
    'name' in step
      ? [`${locals.get(step.name)} = ${printNum(step.value, words)}`]
      : [
          `if ${printTest(step.test, words)}:`,
          `    raise RecordError(${text(step.field)}, ${text(step.rule)}, ${fields.get(step.field) ?? 'None'})`,
        ];
  const count = (tests: Plan['defaulted']) =>
    tests.length === 0 ? '0' : tests.map((test) => `bool(${printTest(test, words)})`).join(' + ');
  const body = [
    ...inputs.map(({ name, holds }) => `${fields.get(name)} = _${holds}(record, ${text(name)})`),
    ...steps.flatMap(stepLines),
    'row = (',
    ...columns.map(({ value }) => `    ${printNum(value, words)},`),
    ')',
    `defaulted = ${count(plan.defaulted)}`,
    `outside = ${count(plan.outOfRange)}`,
    `return row, ${plan.offset === null ? '0.0' : fields.get(plan.offset)}, defaulted, outside`,
  ];
  const calibrators = (calibration?.calibrators ?? []).map((one) => {
    if (one.method === 'platt') return `("platt", ${number(one.a)}, ${number(one.b)})`;
    if (one.method === 'beta') return `("beta", ${number(one.a)}, ${number(one.b)}, ${number(one.c)})`;
    if (one.method === 'temperature') return `("temperature", ${number(one.inverse)})`;
    return `("isotonic", ${list(one.logits)}, ${list(one.probabilities)})`;
  });
  const { costs, abstain } = decision;
  return `"""Scores records of a model: score(record), probability(record).

Written by logodds export, without dependencies. The bits are those of logodds. Export again instead of editing this.
"""
import bisect as _bisect
import datetime as _datetime
import math as _math

SHA256 = ${sha256 === null ? 'None' : text(sha256)}
CLASSES = ${tuple(classes.map(text))}
FIELDS = ${tuple(inputs.map(({ name }) => text(name)))}

_POSITIVE = ${positive === null ? 'None' : classes.indexOf(positive)}
_THRESHOLD = ${number(decision.threshold)}
_REVIEW = ${abstain ? list([abstain.low, abstain.high]) : 'None'}
_COSTS = ${positive === null && costs ? tuple(costs.map(list)) : 'None'}
_OVR = ${plan.multiclass === 'ovr' ? 'True' : 'False'}
_METHOD = ${calibration ? text(calibration.method) : 'None'}
_CALIBRATORS = ${tuple(calibrators)}
_SHIFT = ${calibration && calibration.shift.length > 0 ? list(calibration.shift) : '()'}
_SOURCES = ${plan.sources}
_SLOTS = ${plan.slots}
_HAS_OFFSET = ${plan.offset === null ? 'False' : 'True'}
_INTERCEPT = ${list(intercept)}
_WEIGHTS = ${list(weights)}
# of each column its first slot; of a code ~slot
_FIRST = ${tuple(columns.map(({ kind, slot }) => String(kind === 'code' ? ~slot : slot)))}
${tables.length > 0 ? `\n${tables.join('\n')}\n` : ''}

${runtimeText('runtime.py')}

def _encoded(record):
${body.map((line) => `    ${line}`).join('\n')}
`;
}
