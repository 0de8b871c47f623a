import { LogoddsError } from '../../../../../src/index.ts';
import { names } from '../names.ts';
import type { Step } from '../parts.ts';
import type { Plan } from '../plan.ts';
import { infix, printNum, printTest, type Words } from '../print.ts';
import { runtimeText } from '../runtime.ts';
import type { Target } from '../target.ts';
import { Tables } from './tables.ts';

/** A package of Go that needs its standard library alone, of the bits of `Model.score`. */
export const go: Target = {
  exact: 'bits',
  print: (plan, { name }) => [{ ending: '.go', text: packageOf(plan(), packageName(name)) }],
};

const KEYWORDS =
  'break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var main';

/** Lower case, and no keyword. A package of the name main cannot be imported. */
const packageName = (name: string): string => {
  const own = name.toLowerCase();
  return KEYWORDS.split(' ').includes(own) ? `model_${own}` : own;
};

/** @throws ERR_FORMAT for a text that Go cannot have */
function text(value: string): string {
  if (!isWhole(value))
    throw new LogoddsError(
      'ERR_FORMAT',
      `text ${JSON.stringify(value)}: expected one of whole characters, got half a pair of UTF-16, which no text of Go has; export to js`,
    );
  return `"${value.replace(/[^ !#-[\]-~]/gu, (c) => {
    const code = c.codePointAt(0)!;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  })}"`;
}

/** Half of a pair of UTF-16, which no text of Go has. */
const isWhole = (value: string): boolean => !/\p{Surrogate}/u.test(value);

function number(value: number): string {
  if (Object.is(value, -0)) return 'math.Copysign(0, -1)';
  if (Number.isFinite(value)) return String(value);
  return `math.Inf(${value < 0 ? -1 : 1})`;
}

const floats = (values: ArrayLike<number>): string => `[]float64{${Array.from(values, number).join(', ')}}`;

/** What a tag of JSON may name. */
const isTag = (name: string): boolean => name !== '-' && /^[\p{L}\p{Nd}!#$%&()*+\-./:;<=>?@[\]^_{|}~ ]+$/u.test(name);

const TYPES = { number: '*float64', text: '*string', time: '*time.Time' } as const;

function packageOf(plan: Plan, name: string): string {
  const { inputs, steps, columns, weights, intercept, classes, positive, decision, calibration, sha256 } = plan;
  const tables = new Tables('table');
  const texts = (of: ReadonlyMap<string, number>) => {
    const entries = [...of].filter(([key]) => isWhole(key)).map(([key, value]) => `${text(key)}: ${number(value)}`);
    return tables.of(of, (own) => `var ${own} = map[string]float64{${entries.join(', ')}}`);
  };
  const numbers = (of: ReadonlyMap<number, number>) => {
    const entries = [...of].map(([key, value]) => `${number(key)}: ${number(value)}`);
    return tables.of(of, (own) => `var ${own} = map[float64]float64{${entries.join(', ')}}`);
  };
  const list = (values: readonly number[], key: object = values) =>
    tables.of(key, (own) => `var ${own} = ${floats(values)}`);
  const members = names(
    inputs.map((input) => input.name),
    'F',
  );
  // exported names begin with a capital letter
  const fieldOf = new Map([...members].map(([of, own]) => [of, capital(own.slice(1))]));
  const clash = new Set([...fieldOf.values()]).size < fieldOf.size;
  const memberOf = (of: string) => (clash ? members : fieldOf).get(of)!;
  const locals = names(
    [
      ...inputs.map((input) => `f ${input.name}`),
      ...steps.flatMap((step) => ('name' in step ? [`v ${step.name}`] : [])),
    ],
    'x_',
  );
  const cell = (of: string) => locals.get(`f ${of}`)!;
  const holds = new Map(inputs.map((input) => [input.name, input.holds]));
  const words: Words = {
    number,
    field: cell,
    local: (of) => locals.get(`v ${of}`)!,
    missing: (of) => (holds.get(of) === 'text' ? `!${cell(of)}_is` : `${cell(of)} != ${cell(of)}`),
    infinite: (of) => `isInfinite(${of})`,
    choose: (test, then, other) => `pick(${test}, ${then}, ${other})`,
    ...infix('&&', '||'),
    // a product that is converted is not fused with a sum
    binary: (sign, a, b) => (sign === 'multiply' ? `float64(${a} * ${b})` : infix('', '').binary(sign, a, b)),
    call: (of, value) => (of === 'sqrt' ? `math.Sqrt(${value})` : `${of}(${value})`),
    part: (part, of) => `part(${cell(of)}, ${text(part)})`,
    text: (of, table, other) => `lookUp(${texts(table)}, ${cell(of)}, ${other})`,
    unknown: (of, table) => `!isIn(${texts(table)}, ${cell(of)})`,
    among: (of, table, other) => `among(${numbers(table)}, ${of}, ${other})`,
    step: (of, edges, values) => `${list(values)}[place(${of}, ${list(edges.slice(0, -1), edges)})]`,
    hash: (of, buckets) => `hashed(${cell(of)}, ${buckets})`,
    not: (test) => `!(${test})`,
  };
  const read = (of: string): string[] => {
    const own = cell(of);
    if (holds.get(of) === 'text')
      return [`${own}, ${own}_is := textOf(record.${memberOf(of)})`, `_, _ = ${own}, ${own}_is`];
    if (holds.get(of) === 'number') return [`${own} := numberOf(record.${memberOf(of)})`, `_ = ${own}`];
    return [
      `${own} := math.NaN()`,
      `if record.${memberOf(of)} != nil {`,
      `\t${own} = float64(record.${memberOf(of)}.UnixMilli())`,
      '}',
    ];
  };
  const stepLines = (step: Step): string[] =>
    'name' in step
      ? [`${locals.get(`v ${step.name}`)} := ${printNum(step.value, words)}`]
      : [
          `if ${printTest(step.test, words)} {`,
          `\treturn 0, &RecordError{${text(step.field.replace(/\p{Surrogate}/gu, '\ufffd'))}, ${text(step.rule)}}`,
          '}',
        ];
  const count = (tests: Plan['defaulted']) =>
    tests.length === 0 ? '0' : tests.map((test) => `one(${printTest(test, words)})`).join(' + ');
  const body = [
    ...inputs.flatMap((input) => read(input.name)),
    ...steps.flatMap(stepLines),
    ...columns.map(({ value }, j) => `row[${j}] = ${printNum(value, words)}`),
    `score.Defaulted = (${count(plan.defaulted)}) / ${plan.sources}`,
    `score.OutOfRange = (${count(plan.outOfRange)}) / ${plan.sources}`,
    `return ${plan.offset === null ? '0' : cell(plan.offset)}, nil`,
  ];
  const calibrators = (calibration?.calibrators ?? []).map((one) => {
    if (one.method === 'platt') return `{method: "platt", a: ${number(one.a)}, b: ${number(one.b)}}`;
    if (one.method === 'beta') return `{method: "beta", a: ${number(one.a)}, b: ${number(one.b)}, c: ${number(one.c)}}`;
    if (one.method === 'temperature') return `{method: "temperature", a: ${number(one.inverse)}}`;
    return `{method: "isotonic", logits: ${floats(one.logits)}, probabilities: ${floats(one.probabilities)}}`;
  });
  const { costs, abstain } = decision;
  const isCosted = positive === null && costs;
  const imports = ['errors', 'fmt', 'math', ...(inputs.some((one) => one.holds === 'time') ? ['time'] : [])];
  return `// Package ${name} scores records of a model: ScoreOf(&Record{...}).
//
// Code generated by logodds export. DO NOT EDIT. It needs the standard library alone; the bits are those of logodds.
package ${name}

import (
${imports.map((one) => `\t"${one}"`).join('\n')}
)

// SHA256 is the digest of the model file.
const SHA256 = ${text(sha256 ?? '')}

// Record is what is scored. A nil is a missing value.
type Record struct {
${inputs
  .map(({ name, holds }) => {
    const tag = isTag(name) ? ` \`json:"${name}"\`` : '';
    return `\t${memberOf(name)} ${TYPES[holds]}${tag} // ${JSON.stringify(name)}`;
  })
  .join('\n')}
}

// Of is a pointer to a value, for a field of Record.
func Of[T any](value T) *T { return &value }

// Classes are the labels.
var Classes = []string{${classes.map(text).join(', ')}}

const (
	columns    = ${columns.length}
	vectors    = ${intercept.length}
	slots      = ${plan.slots}
	positive   = ${positive === null ? -1 : classes.indexOf(positive)}
	hasOffset  = ${plan.offset !== null}
	hasReview  = ${Boolean(abstain)}
	reviewLow  = ${abstain ? number(abstain.low) : '0.0'}
	reviewHigh = ${abstain ? number(abstain.high) : '0.0'}
	threshold  = ${number(decision.threshold)}
	isSeparate = ${plan.multiclass === 'ovr'}
	method     = ${text(calibration?.method ?? '')}
)

var costs = [][]float64{${isCosted ? costs.map((row) => floats(row).slice('[]float64'.length)).join(', ') : ''}}
var calibrators = []calibrator{${calibrators.join(', ')}}
var shifts = ${floats(calibration?.shift ?? [])}
var intercept = ${floats(intercept)}
var weights = ${floats(weights)}

// of each column its first slot; of a code the complement of it
var first = []int{${columns.map(({ kind, slot }) => (kind === 'code' ? ~slot : slot)).join(', ')}}
${tables.text}

func encode(record *Record, row *[columns]float64, score *Score) (float64, error) {
${body.map((line) => `\t${line}`).join('\n')}
}

${runtimeText('runtime.go')}
`;
}

const capital = (word: string): string =>
  /^[A-Za-z]/.test(word) ? word[0].toUpperCase() + word.slice(1) : `F_${word}`;
