import { LogoddsError } from '../../../../../src/index.ts';
import { commandError } from '../../../errors.ts';
import { names } from '../names.ts';
import type { Step } from '../parts.ts';
import type { Plan } from '../plan.ts';
import { infix, printNum, printTest, type Words } from '../print.ts';
import { runtimeText } from '../runtime.ts';
import type { Target } from '../target.ts';
import { Tables } from './tables.ts';

/** A class for Java 8 or newer that needs the JDK alone, of the bits of `Model.score`. */
export const java: Target = {
  exact: 'bits',
  print: (plan, { name }) => [{ ending: '.java', text: classOf(plan(), name) }],
};

const KEYWORDS =
  'abstract assert boolean break byte case catch char class const continue default do double else enum extends final finally float for goto if implements import instanceof int interface long native new package private protected public return short static strictfp super switch synchronized this throw throws transient try void volatile while row offset defaulted outOfRange';

/** What is imported, and what java.lang has that is used here. */
const CLASSES =
  'ArithmeticException Arrays BigDecimal Boolean Byte Calibrator Collections Date DateTimeException Double Float HashMap IllegalArgumentException Instant Integer List LocalDate LocalDateTime Long Map Math MathContext Number Object OffsetDateTime Override RecordException Row Score Short StandardCharsets String StringBuilder StringTokenizer ZoneOffset ZonedDateTime';

/** Characters of a constant: at most 65,535 bytes, three a character. */
const MOST_CHARACTERS = 20_000;
/** Statements of a method: longer ones are not compiled by the machine. */
const STATEMENTS = 40;

const text = (value: string): string =>
  `"${value.replace(/[^ !#-[\]-~]/g, (unit) => {
    const code = unit.charCodeAt(0);
    // \\u000a would end the line before the text is read
    return code < 32 || unit === '"' || unit === '\\'
      ? `\\${code.toString(8).padStart(3, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  })}"`;

function number(value: number): string {
  if (!Number.isFinite(value)) return `Double.${value < 0 ? 'NEGATIVE' : 'POSITIVE'}_INFINITY`;
  const digits = Object.is(value, -0) ? '-0.0' : String(value);
  const whole = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return value < 0 || Object.is(value, -0) ? `(${whole})` : whole;
}

/** A long text as several constants. */
function pieces(all: string): string {
  const found: string[] = [];
  for (let at = 0; at < all.length; at += MOST_CHARACTERS) found.push(text(all.slice(at, at + MOST_CHARACTERS)));
  return found.map((piece) => `, ${piece}`).join('');
}

/** Numbers in constants, which end between two numbers. */
function doubles(values: ArrayLike<number>): string {
  const found: string[] = [];
  let own = '';
  for (const value of Array.from(values)) {
    if (own.length > MOST_CHARACTERS) {
      found.push(own);
      own = '';
    }
    own += `${own && ' '}${Object.is(value, -0) ? '-0.0' : value}`;
  }
  if (own) found.push(own);
  return `doubles(${found.map(text).join(', ')})`;
}

/** A character that none of the texts has. @throws ERR_FORMAT */
function betweenOf(keys: readonly string[]): string {
  const found = Array.from({ length: 32 }, (_, code) => String.fromCharCode(31 - code)).find(
    (unit) => !keys.some((key) => key.includes(unit)),
  );
  if (found === undefined)
    throw new LogoddsError(
      'ERR_FORMAT',
      'levels: expected a control character that none of them has, got all 32; export to js',
    );
  return found;
}

function classOf(plan: Plan, name: string): string {
  if (` ${KEYWORDS} ${CLASSES} `.includes(` ${name} `))
    throw commandError(
      'ERR_OUTPUT',
      `${name}.java: expected a name that Java does not use, got one that it does; rename it`,
    );
  const { inputs, steps, columns, weights, intercept, classes, positive, decision, calibration, sha256 } = plan;
  const tables = new Tables('TABLE_');
  const constant = (type: string, source: string) => (own: string) =>
    `    private static final ${type} ${own} = ${source};`;
  const list = (values: ArrayLike<number>, key: object = values) =>
    tables.of(key, constant('double[]', doubles(values)));
  const texts = (of: ReadonlyMap<string, number>) => {
    const keys = [...of.keys()];
    const between = betweenOf(keys);
    return tables.of(
      of,
      constant(
        'Map<String, Double>',
        `texts((char) ${between.charCodeAt(0)}, ${doubles([...of.values()])}${pieces(keys.map((key) => key + between).join(''))})`,
      ),
    );
  };
  const numbers = (of: ReadonlyMap<number, number>) =>
    tables.of(of, constant('Map<Double, Double>', `numbers(${doubles([...of.keys()])}, ${doubles([...of.values()])})`));
  const variables = names(
    [
      ...inputs.map((input) => `f ${input.name}`),
      ...steps.flatMap((step) => ('name' in step ? [`v ${step.name}`] : [])),
    ],
    '',
    KEYWORDS,
  );
  const cell = (of: string) => variables.get(`f ${of}`)!;
  const holds = new Map(inputs.map((input) => [input.name, input.holds]));
  const words: Words = {
    number,
    field: cell,
    local: (of) => variables.get(`v ${of}`)!,
    missing: (of) => (holds.get(of) === 'text' ? `(${cell(of)} == null)` : `(${cell(of)} != ${cell(of)})`),
    infinite: (of) => `isInfinite(${of})`,
    choose: (test, then, other) => `(${test} ? ${then} : ${other})`,
    ...infix('&&', '||'),
    call: (of, value) => (of === 'sqrt' ? `Math.sqrt(${value})` : `${of}(${value})`),
    part: (part, of) => `part(${cell(of)}, ${text(part)})`,
    text: (of, table, other) => `text(${cell(of)}, ${texts(table)}, ${other})`,
    unknown: (of, table) => `!${texts(table)}.containsKey(${cell(of)})`,
    among: (of, table, other) => `among(${of}, ${numbers(table)}, ${other})`,
    step: (of, edges, values) => `${list(values)}[place(${of}, ${list(edges.slice(0, -1), edges)})]`,
    hash: (of, buckets) => `hashed(${cell(of)}, ${buckets})`,
    not: (test) => `!(${test})`,
  };
  const stepLine = (step: Step): string =>
    'name' in step
      ? `${words.local(step.name)} = ${printNum(step.value, words)};`
      : `if (${printTest(step.test, words)}) throw new RecordException(${text(step.field)}, ${text(step.rule)}, ${holds.has(step.field) ? `record.get(${text(step.field)})` : 'null'});`;
  const counted = (of: string, tests: Plan['defaulted']) =>
    tests.map((test) => `if (${printTest(test, words)}) ${of}++;`);
  const statements = [
    ...inputs.map((input) => `${cell(input.name)} = ${input.holds}Of(record, ${text(input.name)});`),
    ...steps.map(stepLine),
    ...columns.map(({ value }, j) => `row[${j}] = ${printNum(value, words)};`),
    ...counted('defaulted', plan.defaulted),
    ...counted('outOfRange', plan.outOfRange),
    ...(plan.offset === null ? [] : [`offset = ${cell(plan.offset)};`]),
  ];
  const methods = Array.from({ length: Math.ceil(statements.length / STATEMENTS) }, (_, i) =>
    statements.slice(i * STATEMENTS, (i + 1) * STATEMENTS),
  );
  const members = [
    ...inputs.map((input) => `${input.holds === 'text' ? 'String' : 'double'} ${cell(input.name)}`),
    ...steps.flatMap((step) => ('name' in step ? [`double ${words.local(step.name)}`] : [])),
  ];
  const calibrators = (calibration?.calibrators ?? []).map((one) => {
    const [a, b, c] =
      one.method === 'platt'
        ? [one.a, one.b, 0]
        : one.method === 'beta'
          ? [one.a, one.b, one.c]
          : [one.method === 'temperature' ? one.inverse : 0, 0, 0];
    const points = one.method === 'isotonic' ? `${doubles(one.logits)}, ${doubles(one.probabilities)}` : 'null, null';
    return `new Calibrator(${text(one.method)}, ${[a, b, c].map(number).join(', ')}, ${points})`;
  });
  const { costs, abstain } = decision;
  const costRows = positive === null && costs ? costs.map(doubles) : [];
  return `import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;

/**
 * Scores records of a model: {@code ${name}.score(record)}.
 *
 * <p>Written by logodds export for Java 8 or newer. It needs the JDK alone; the bits are those of logodds. Export again instead of editing this.
 */
public final class ${name} {
    private ${name}() {}

    /** The digest of the model file. */
    public static final String SHA256 = ${text(sha256 ?? '')};

    /** The labels. */
    public static final List<String> CLASSES = Collections.unmodifiableList(Arrays.asList(${classes.map(text).join(', ')}));

    /** The fields of a record. */
    public static final List<String> FIELDS = Collections.unmodifiableList(Arrays.<String>asList(${inputs.map((input) => text(input.name)).join(', ')}));

${runtimeText('runtime.java')}

    private static final int POSITIVE = ${positive === null ? -1 : classes.indexOf(positive)};
    private static final int SLOTS = ${plan.slots};
    private static final int SOURCES = ${plan.sources};
    private static final boolean HAS_OFFSET = ${plan.offset !== null};
    private static final boolean HAS_REVIEW = ${Boolean(abstain)};
    private static final boolean IS_SEPARATE = ${plan.multiclass === 'ovr'};
    private static final double THRESHOLD = ${number(decision.threshold)};
    private static final double REVIEW_LOW = ${number(abstain?.low ?? 0)};
    private static final double REVIEW_HIGH = ${number(abstain?.high ?? 0)};
    private static final String METHOD = ${text(calibration?.method ?? '')};
    private static final double[][] COSTS = {${costRows.join(', ')}};
    private static final Calibrator[] CALIBRATORS = {${calibrators.join(', ')}};
    private static final double[] SHIFTS = ${doubles(calibration?.shift ?? [])};
    private static final double[] INTERCEPT = ${doubles(intercept)};
    private static final double[] WEIGHTS = ${doubles(weights)};
    /** of each column its first slot; of a code the complement of it */
    private static final int[] FIRST = whole(${doubles(columns.map(({ kind, slot }) => (kind === 'code' ? ~slot : slot)))});
${tables.text}

    private static int[] whole(double[] values) {
        int[] found = new int[values.length];
        for (int i = 0; i < values.length; i++) found[i] = (int) values[i];
        return found;
    }

    /** A record as the numbers of the model. */
    private static final class Row {
        final double[] row = new double[${columns.length}];
        int defaulted, outOfRange;
        double offset;
${members.map((member) => `        private ${member};`).join('\n')}

        Row(Map<String, ?> record) {
${methods.map((_, i) => `            step${i}(record);`).join('\n')}
        }
${methods
  .map(
    (lines, i) => `
        private void step${i}(Map<String, ?> record) {
${lines.map((line) => `            ${line}`).join('\n')}
        }
`,
  )
  .join('')}    }
}
`;
}
