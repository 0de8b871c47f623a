import { LogoddsError } from '../../../../../src/index.ts';
import { names } from '../names.ts';
import type { Step } from '../parts.ts';
import type { Plan } from '../plan.ts';
import { infix, printNum, printTest, type Words } from '../print.ts';
import { runtimeText } from '../runtime.ts';
import type { Target } from '../target.ts';
import { Tables } from './tables.ts';

/** One header of C99 without a library, of the bits of `Model.score`. */
export const c: Target = {
  exact: 'bits',
  print: (plan, { name }) => [{ ending: '.h', text: headerOf(plan()).replaceAll(/\blr_/g, `${name}_`) }],
};

/** Of C, and of C++, which may include the header. */
export const KEYWORDS =
  'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while alignas alignof and and_eq asm bitand bitor bool catch class compl concept const_cast consteval constexpr constinit co_await co_return co_yield decltype delete dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast requires static_assert static_cast template this thread_local throw true try typeid typename using virtual wchar_t xor xor_eq';

/** A text in UTF-8. @throws ERR_FORMAT for one with a zero byte */
function text(value: string): string {
  if (value.includes('\0'))
    throw new LogoddsError(
      'ERR_FORMAT',
      `text ${JSON.stringify(value)}: expected one without a zero byte, which ends a text of C; export to js`,
    );
  const bytes = [...new TextEncoder().encode(value)];
  return `"${bytes.map((b) => (b < 32 || b > 126 || b === 34 || b === 63 || b === 92 ? `\\${b.toString(8).padStart(3, '0')}` : String.fromCharCode(b))).join('')}"`;
}

const number = (value: number): string => {
  if (!Number.isFinite(value)) return value < 0 ? '-lr_infinity()' : 'lr_infinity()';
  const digits = Object.is(value, -0) ? '-0.0' : String(value);
  const whole = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return value < 0 || Object.is(value, -0) ? `(${whole})` : whole;
};

const comment = (value: string): string => value.replace(/[^ -~]|\*\/|\/\*|\\/g, '?');

function headerOf(plan: Plan): string {
  const { inputs, steps, columns, weights, intercept, classes, positive, calibration, sha256 } = plan;
  const tables = new Tables();
  const doubles = (values: ArrayLike<number>, key: object = values) =>
    tables.of(
      key,
      (own) => `static const double ${own}[] = {${values.length > 0 ? Array.from(values, number).join(', ') : '0'}};`,
    );
  const texts = (of: ReadonlyMap<string, number>) => {
    // a lone half of a pair is no text of UTF-8
    const entries = [...of]
      .filter(([key]) => !/\p{Surrogate}/u.test(key))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const name = tables.of(
      of,
      (own) =>
        `static const char *const ${own}[] = {${entries.length > 0 ? entries.map(([key]) => text(key)).join(', ') : '0'}};\n` +
        `static const double ${own}v[] = {${entries.length > 0 ? entries.map(([, value]) => number(value)).join(', ') : '0'}};`,
    );
    return { name, count: entries.length };
  };
  const numbers = (of: ReadonlyMap<number, number>) => {
    const entries = [...of].sort(([a], [b]) => a - b);
    const all = (values: number[]) => (values.length > 0 ? values.map(number).join(', ') : '0');
    const name = tables.of(
      of,
      (own) =>
        `static const double ${own}[] = {${all(entries.map(([key]) => key))}};\nstatic const double ${own}v[] = {${all(entries.map(([, value]) => value))}};`,
    );
    return { name, count: entries.length };
  };
  const fields = names(
    inputs.map((input) => input.name),
    '',
    KEYWORDS,
  );
  const locals = names(
    steps.flatMap((step) => ('name' in step ? [step.name] : [])),
    'v_',
  );
  const holds = new Map(inputs.map((input) => [input.name, input.holds]));
  const read = (of: string) => `record->${fields.get(of)}`;
  const words: Words = {
    number,
    field: read,
    local: (of) => locals.get(of)!,
    missing: (of) => (holds.get(of) === 'text' ? `(${read(of)} == 0)` : `(${read(of)} != ${read(of)})`),
    infinite: (of) => `!(${of} - ${of} == 0)`,
    choose: (test, then, other) => `(${test} ? ${then} : ${other})`,
    ...infix('&&', '||'),
    call: (of, value) => `lr_${of}(${value})`,
    part: (part, of) => `lr_part(${read(of)}, lr_${part})`,
    text: (of, table, other) => {
      const { name, count } = texts(table);
      return `lr_text(${read(of)}, ${name}, ${name}v, ${count}, ${other})`;
    },
    unknown: (of, table) => {
      const { name, count } = texts(table);
      return `(lr_find(${read(of)}, ${name}, ${count}) < 0)`;
    },
    among: (of, table, other) => {
      const { name, count } = numbers(table);
      return `lr_among(${of}, ${name}, ${name}v, ${count}, ${other})`;
    },
    step: (of, edges, values) =>
      `${doubles(values)}[lr_place(${of}, ${doubles(edges.slice(0, -1), edges)}, ${values.length})]`,
    hash: (of, buckets) => `lr_hashed(${read(of)}, ${buckets})`,
    not: (test) => `!${test}`,
  };
  const stepLine = (step: Step): string =>
    'name' in step
      ? `  double ${locals.get(step.name)} = ${printNum(step.value, words)};`
      : `  if (${printTest(step.test, words)}) return ${text(`field "${step.field.replaceAll('\0', '')}": expected ${step.rule}`)};`;
  const count = (tests: Plan['defaulted']) => ['0', ...tests.map((test) => printTest(test, words))].join(' + ');
  const vectors = intercept.length;
  const lines = [
    ...steps.map(stepLine),
    ...columns.map(({ value }, j) => `  row[${j}] = ${printNum(value, words)};`),
    `  score->defaulted = (${count(plan.defaulted)}) / ${number(plan.sources)};`,
    `  score->out_of_range = (${count(plan.outOfRange)}) / ${number(plan.sources)};`,
  ];
  const calibrators = (calibration?.calibrators ?? []).map((one) => {
    if (one.method === 'platt') return `{lr_platt, ${number(one.a)}, ${number(one.b)}, 0, 0, 0, 0}`;
    if (one.method === 'beta') return `{lr_beta, ${number(one.a)}, ${number(one.b)}, ${number(one.c)}, 0, 0, 0}`;
    if (one.method === 'temperature') return `{lr_temperature, ${number(one.inverse)}, 0, 0, 0, 0, 0}`;
    return `{lr_isotonic, 0, 0, 0, ${doubles(one.logits)}, ${doubles(one.probabilities)}, ${one.logits.length}}`;
  });
  if (calibrators.length > 0)
    tables.add(`static const struct lr_calibrator lr_calibrators[] = {\n  ${calibrators.join(',\n  ')}\n};`);
  const { shift = [] } = calibration ?? {};
  const outcome = positive === null ? several(plan) : two(plan);
  return `/*
 * Scores records of a model: lr_score_of(&record, &score) returns 0, or what is wrong with the record.
 * Written by logodds export. C99, without any library; the bits are those of logodds. Export again instead of editing this.
 * Compilers may not fuse a multiplication and an addition, nor compile with -ffast-math.
 */
#ifndef lr_HEADER
#define lr_HEADER
#include <stdint.h>
#ifdef __FAST_MATH__
#error "fast math changes the scores, and what is missing cannot be told: compile without -ffast-math"
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#elif defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#define lr_SHA256 ${text(sha256 ?? '')}
#define lr_CLASSES ${classes.length}
#define lr_VECTORS ${vectors}

/* A number that is not a number, and a text that is 0, is missing. Times are milliseconds since 1970-01-01 00:00 UTC. Texts are UTF-8. */
typedef struct lr_record {
${inputs.map(({ name, holds }) => `  ${holds === 'text' ? 'const char *' : 'double '}${fields.get(name)}; /* ${comment(name)}${holds === 'time' ? ', a time' : ''} */`).join('\n')}
${inputs.length === 0 ? '  char nothing;' : ''}} lr_record;

typedef struct lr_score {
  double logit, probability;
  /* shares of the features that took a default, and that are outside the range of training */
  double defaulted, out_of_range;
  const char *label;
  /* index of the label in lr_classes, and whether a person should look */
  int class_index, review;
  /* of more than two classes those of each class */
  double logits[lr_VECTORS], probabilities[lr_VECTORS];
} lr_score;

static const char *const lr_classes[] = {${classes.map(text).join(', ')}};

${runtimeText('runtime.h')}

static const double lr_weights[] = {${weights.length > 0 ? Array.from(weights, number).join(', ') : '0'}};
static const double lr_intercept[] = {${Array.from(intercept, number).join(', ')}};
/* of each column its first slot; of a code ~slot */
static const int lr_first[] = {${columns.length > 0 ? columns.map(({ kind, slot }) => (kind === 'code' ? ~slot : slot)).join(', ') : '0'}};
${shift.length > 0 ? `static const double lr_shift[] = {${shift.map(number).join(', ')}};\n` : ''}${tables.text}

static inline double lr_logit(const double *row, int k) {
  double z = lr_intercept[k];
  const double *w = lr_weights + k * ${plan.slots};
  int j;
  for (j = 0; j < ${columns.length}; j++) z += lr_first[j] < 0 ? w[~lr_first[j] + (int)row[j]] : row[j] * w[lr_first[j]];
  return z;
}

static inline const char *lr_score_of(const lr_record *record, lr_score *score) {
  double row[${columns.length || 1}];
  int k;
${inputs.length === 0 ? '  (void)record;\n' : ''}${columns.length === 0 ? '  (void)row;\n' : ''}${lines.join('\n')}
  for (k = 0; k < lr_VECTORS; k++) score->logits[k] = lr_logit(row, k)${plan.offset === null ? '' : ` + ${read(plan.offset)}`};
${outcome}
  return 0;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
#endif
`;

  function two({ classes, positive, decision }: Plan): string {
    const { threshold, abstain } = decision;
    const k = classes.indexOf(positive!);
    const z = 'score->logits[0]';
    const by = calibrators.length > 0 ? 'lr_calibrators' : '0';
    const shifted = shift.length > 0 ? 'lr_shift[0]' : '0.0';
    const isIsotonic = calibration?.calibrators[0]?.method === 'isotonic';
    const p =
      !calibration && !abstain
        ? [`  score->probability = lr_sigmoid(${z});`]
        : isIsotonic
          ? [
              `  score->probability = lr_interpolated(lr_calibrators, ${z});`,
              ...(shift.length > 0 && shift[0] !== 0
                ? [
                    '  score->probability *= lr_exp(lr_shift[0]);',
                    `  score->probability /= score->probability + (1 - lr_interpolated(lr_calibrators, ${z}));`,
                  ]
                : []),
            ]
          : [`  score->probability = lr_sigmoid(lr_calibrated_logit(${by}, ${z}, ${shifted}));`];
    return [
      `  score->logit = ${z};`,
      ...p,
      `  if (!(score->probability >= 0)) return "numbers: expected ones whose terms in the logit do not overflow";`,
      `  score->class_index = score->probability > ${number(threshold)} ? ${k} : ${1 - k};`,
      `  score->review = ${abstain ? `score->probability >= ${number(abstain.low)} && score->probability <= ${number(abstain.high)}` : '0'};`,
      '  score->probabilities[0] = score->probability;',
      '  score->label = lr_classes[score->class_index];',
    ].join('\n');
  }

  function several(plan: Plan): string {
    const { decision, multiclass, calibration } = plan;
    const { costs, abstain } = decision;
    const K = classes.length;
    const ovr = multiclass === 'ovr';
    const p = 'score->probabilities';
    const method = calibration?.method ?? 'none';
    const isPlain = !(calibration || costs || abstain);
    const joint = method === 'temperature' || (method === 'none' && !ovr);
    const hasShift = shift.length > 0;
    const each = (body: string) => `  for (k = 0; k < ${K}; k++) ${body}`;
    const lines = [
      '  {',
      '    double top = score->logits[lr_greatest(score->logits, lr_VECTORS)];',
      '    int rivals = 0;',
      '    for (k = 0; k < lr_VECTORS; k++) rivals += score->logits[k] < top ? 0 : 1;',
      '    if (rivals > 1 && !(top - top == 0)) return "numbers: expected ones whose terms in the logit do not overflow";',
      '  }',
    ];
    if (isPlain) lines.push(each(`${p}[k] = score->logits[k];`), `  lr_softmax(${p}, ${K}, ${ovr ? 1 : 0});`);
    else {
      const by = method === 'none' ? '0' : joint ? 'lr_calibrators' : 'lr_calibrators + k';
      lines.push(
        each(
          method === 'isotonic'
            ? `${p}[k] = lr_interpolated(lr_calibrators + k, score->logits[k]);`
            : `${p}[k] = lr_calibrated_logit(${by}, score->logits[k], ${joint && hasShift ? 'lr_shift[k]' : '0.0'});`,
        ),
      );
      if (method !== 'isotonic') lines.push(`  lr_softmax(${p}, ${K}, ${joint ? 0 : 1});`);
      if (method === 'isotonic' || (hasShift && !joint)) {
        lines.push(
          '  {',
          '    double sum = 0;',
          ...(hasShift ? [each(`${p}[k] *= lr_exp(lr_shift[k]);`)] : []),
          each(`sum += ${p}[k];`),
          each(`${p}[k] = sum == 0 ? 1.0 / ${K} : ${p}[k] / sum;`),
          '  }',
        );
      }
    }
    if (costs) {
      lines.push(
        '  {',
        `    static const double cost_of[] = {${costs.flat().map(number).join(', ')}};`,
        '    double least = lr_infinity(), cost;',
        '    int j;',
        '    score->class_index = 0;',
        `    for (k = 0; k < ${K}; k++) {`,
        '      cost = 0;',
        `      for (j = 0; j < ${K}; j++) cost += ${p}[j] * cost_of[j * ${K} + k];`,
        '      if (cost < least) {',
        '        least = cost;',
        '        score->class_index = k;',
        '      }',
        '    }',
        '  }',
      );
    } else lines.push(`  score->class_index = lr_greatest(${calibration ? p : 'score->logits'}, ${K});`);
    lines.push(
      '  k = score->class_index;',
      '  score->logit = score->logits[k];',
      `  score->probability = ${p}[k];`,
      '  if (!(score->probability >= 0)) return "numbers: expected ones whose terms in the logit do not overflow";',
      `  score->review = ${abstain ? `${p}[lr_greatest(${p}, ${K})] < ${number(abstain.high)}` : '0'};`,
      '  score->label = lr_classes[k];',
    );
    return lines.join('\n');
  }
}
