import { LogoddsError } from '../../../../../src/index.ts';
import { type Algebra, partOf } from '../civil.ts';
import type { Plan } from '../plan.ts';
import { printNum, printTest, type Words } from '../print.ts';
import type { Target } from '../target.ts';

/** A RegressionModel of PMML 4.4. Exponentials and logarithms are those of the engine. */
export const pmml: Target = {
  exact: 2e-14,
  print: (plan, { name }) => [{ ending: '.pmml', text: documentOf(plan(), name) }],
};

const refuse = (what: string, rule: string, got: string): never => {
  throw new LogoddsError('ERR_FORMAT', `${what}: expected ${rule}, got ${got}; export to another format`);
};

/** @throws ERR_FORMAT for a text that no document of XML has */
function escaped(text: string): string {
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(text))
    refuse(`text ${JSON.stringify(text)}`, 'characters that XML has', 'others');
  return text.replace(/[&<"\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Text of an element in one piece: an engine may take a reference for its end. */
function content(text: string): string {
  if (text.includes(']]>'))
    refuse(`text ${JSON.stringify(text)}`, 'one without ]]>, which ends a piece of text in XML', 'it');
  const plain = escaped(text);
  return /[&<]/.test(text) ? `<![CDATA[${text}]]>` : plain;
}

const number = (value: number): string => (Object.is(value, -0) ? '-0.0' : String(value));
const constant = (value: number): string =>
  Number.isFinite(value)
    ? `<Constant dataType="double">${number(value)}</Constant>`
    : `<Constant dataType="double">${value < 0 ? '-' : ''}INF</Constant>`;
const apply = (name: string, ...args: readonly string[]): string =>
  `<Apply function="${name}">${args.join('')}</Apply>`;
const reference = (name: string): string => `<FieldRef field="${escaped(name)}"/>`;

const BINARY = { add: '+', subtract: '-', multiply: '*', divide: '/' } as const;

/** What the format has a place for. @throws ERR_FORMAT, by name */
function checkOutcome({ decision, calibration, multiclass, positive, classes }: Plan): void {
  const method = calibration?.method ?? 'none';
  if (method === 'beta' || method === 'isotonic')
    refuse('calibration', 'none, platt or temperature, which a RegressionModel has', method);
  if (positive === null && method === 'platt')
    refuse('calibration', 'none or temperature with several classes, which a RegressionModel has', method);
  if (positive === null && multiclass === 'ovr')
    refuse('classes', 'a softmax of several classes, which a RegressionModel has', 'one against the rest');
  if (positive === null && decision.costs)
    refuse('decision', 'one without costs', `costs of ${classes.length} classes`);
  if (decision.abstain) refuse('decision', 'one without a review', 'a review');
}

class Document {
  /** derived fields in their order */
  readonly fields: string[] = [];
  readonly #tables = new Map<string, string>();
  #count = 0;

  /** A field of its own for an expression. @returns a reference to it */
  derive(expression: string, type: 'double' | 'integer' = 'double', name = `logodds ${this.#count++}`): string {
    const optype = type === 'double' ? 'continuous' : 'categorical';
    this.fields.push(
      `<DerivedField name="${escaped(name)}" optype="${optype}" dataType="${type}">${expression}</DerivedField>`,
    );
    return reference(name);
  }

  /** The same expression is one field. */
  once(expression: string, type?: 'double' | 'integer'): string {
    let own = this.#tables.get(expression);
    if (own === undefined) {
      own = this.derive(expression, type);
      this.#tables.set(expression, own);
    }
    return own;
  }
}

const nameOf = (ref: string): string => /field="([^"]*)"/.exec(ref)![1];

/** A table of values; what is none of its keys has another. */
const mapped = (field: string, rows: readonly (readonly [string, number])[], other: number): string =>
  `<MapValues outputColumn="out" dataType="double" defaultValue="${number(other)}"><FieldColumnPair field="${field}" column="in"/><InlineTable>${rows
    .map(([key, value]) => `<row><in>${content(key)}</in><out>${number(value)}</out></row>`)
    .join('')}</InlineTable></MapValues>`;

function wordsOf(document: Document): Words {
  const algebra: Algebra = {
    number: constant,
    binary: (sign, a, b) => document.once(apply(BINARY[sign], a, b)),
    floor: (a, by) => document.once(apply('floor', apply('/', a, constant(by)))),
    less: (a, b) => apply('lessThan', a, b),
    choose: (test, then, other) => document.once(apply('if', test, then, other)),
  };
  /** the value of a key, and what is behind it where there is none */
  const readFrom = (field: string, rows: readonly (readonly [string, number])[], other: string): string => {
    const place = document.once(
      mapped(
        field,
        rows.map(([key], i) => [key, i] as const),
        -1,
      ),
    );
    const fixed = /^<Constant dataType="double">([^<]*)<\/Constant>$/.exec(other);
    if (fixed) return document.once(mapped(field, rows, Number(fixed[1])));
    return apply('if', apply('lessThan', place, constant(0)), other, document.once(mapped(field, rows, 0)));
  };
  const rowsOf = (field: string, table: ReadonlyMap<string, number>) => {
    // an engine trims the cells of a table
    const odd = [...table.keys()].find((key) => key !== key.trim() || key === '');
    if (odd !== undefined)
      refuse(`field ${JSON.stringify(field)}`, 'levels without blanks at their ends', JSON.stringify(odd));
    return [...table];
  };
  return {
    number: constant,
    field: reference,
    local: reference,
    missing: (of) => apply('isMissing', reference(of)),
    infinite: (of) => apply('not', apply('lessOrEqual', apply('abs', of), constant(Number.MAX_VALUE))),
    choose: (test, then, other) => apply('if', test, then, other),
    binary: (sign, a, b) => apply(BINARY[sign], a, b),
    compare: (how, a, b) => apply(how === 'less' ? 'lessThan' : 'lessOrEqual', a, b),
    logic: (how, a, b) => apply(how === 'both' ? 'and' : 'or', a, b),
    not: (test) => apply('not', test),
    call(name, of) {
      return apply(name, of);
    },
    part: (part, of) => partOf(algebra, part, reference(of)),
    text: (field, table, other) => readFrom(escaped(field), rowsOf(field, table), other),
    unknown: (field, table) =>
      apply(
        'lessThan',
        document.once(
          mapped(
            escaped(field),
            rowsOf(field, table).map(([key], i) => [key, i] as const),
            -1,
          ),
        ),
        constant(0),
      ),
    among(of, table, other) {
      const whole = document.once(of, 'integer');
      return readFrom(
        nameOf(whole),
        [...table].map(([key, value]) => [String(key), value] as const),
        other,
      );
    },
    step(of, edges, values) {
      const field = nameOf(document.once(of));
      const bins = values.map((value, i) => {
        const left = i === 0 ? '' : ` leftMargin="${number(edges[i])}"`;
        const right = i === values.length - 1 ? '' : ` rightMargin="${number(edges[i + 1])}"`;
        return `<DiscretizeBin binValue="${number(value)}"><Interval closure="${i === 0 ? 'openOpen' : 'closedOpen'}"${left}${right}/></DiscretizeBin>`;
      });
      return document.once(`<Discretize field="${field}" dataType="double">${bins.join('')}</Discretize>`);
    },
    hash: (field) => refuse(`field ${JSON.stringify(field)}`, 'a kind of feature that PMML has', 'a hash of texts'),
  };
}

function documentOf(plan: Plan, name: string): string {
  checkOutcome(plan);
  const { inputs, steps, columns, weights, slots, intercept, classes, positive, decision, calibration, sha256 } = plan;
  const document = new Document();
  const words = wordsOf(document);
  const refused: string[] = [];
  for (const step of steps)
    if ('name' in step) document.derive(printNum(step.value, words), 'double', step.name);
    else refused.push(printTest(step.test, words));
  // a number that is missing makes the result missing; a category that is missing does not
  const known =
    refused.length === 0
      ? ''
      : `<NumericPredictor name="${nameOf(
          document.once(
            apply(
              'if',
              apply(
                'not',
                refused.reduce((all, one) => apply('or', all, one)),
              ),
              constant(0),
            ),
          ),
        )}" coefficient="1"/>`;
  const cells = columns.map(({ value, kind }) =>
    nameOf(document.derive(printNum(value, words), kind === 'code' ? 'integer' : 'double')),
  );
  const [by] = calibration?.calibrators ?? [];
  const slope = by?.method === 'platt' ? by.a : by?.method === 'temperature' ? by.inverse : 1;
  const added = by?.method === 'platt' ? by.b : 0;
  const tableOf = (label: string, k: number): string => {
    const predictors = columns.map(({ kind, slot, slots: count }, j) => {
      const own = (i: number) => weights[k * slots + slot + i] * slope;
      if (kind === 'number') return `<NumericPredictor name="${cells[j]}" coefficient="${number(own(0))}"/>`;
      return Array.from(
        { length: count },
        (_, i) => `<CategoricalPredictor name="${cells[j]}" value="${i}" coefficient="${number(own(i))}"/>`,
      ).join('');
    });
    const offset =
      plan.offset === null ? '' : `<NumericPredictor name="${escaped(plan.offset)}" coefficient="${number(slope)}"/>`;
    return `<RegressionTable targetCategory="${escaped(label)}" intercept="${number(intercept[k] * slope + added + (calibration?.shift[k] ?? 0))}">${known}${predictors.join('')}${offset}</RegressionTable>`;
  };
  const target = freeName(plan, 'label');
  const tables =
    positive === null
      ? classes.map((label, k) => tableOf(label, k))
      : [
          tableOf(positive, 0),
          `<RegressionTable targetCategory="${escaped(classes.find((one) => one !== positive)!)}" intercept="0">${known}</RegressionTable>`,
        ];
  const outputs = classes.map((label) => `probability(${label})`);
  const other = classes.find((one) => one !== positive);
  const text = (value: string) => `<Constant dataType="string">${content(value)}</Constant>`;
  const decided =
    positive === null
      ? `<OutputField name="predicted_label" optype="categorical" dataType="string" feature="predictedValue"/>`
      : `<OutputField name="predicted_label" optype="categorical" dataType="string" feature="transformedValue">${apply('if', apply('greaterThan', reference(`probability(${positive})`), constant(decision.threshold)), text(positive), text(other!))}</OutputField>`;
  const types = { number: ['continuous', 'double'], text: ['categorical', 'string'], time: ['continuous', 'double'] };
  return `<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
<Header description="${escaped(name)}"><Application name="logodds"/><Annotation>SHA-256 of the model: ${sha256 ?? 'none'}</Annotation></Header>
<DataDictionary>
${inputs.map((input) => `<DataField name="${escaped(input.name)}" optype="${types[input.holds][0]}" dataType="${types[input.holds][1]}"/>`).join('\n')}
<DataField name="${escaped(target)}" optype="categorical" dataType="string">${classes.map((label) => `<Value value="${escaped(label)}"/>`).join('')}</DataField>
</DataDictionary>
<RegressionModel functionName="classification" normalizationMethod="${positive === null ? 'softmax' : 'logit'}" modelName="${escaped(name)}">
<MiningSchema>
${inputs.map((input) => `<MiningField name="${escaped(input.name)}" invalidValueTreatment="asIs"/>`).join('\n')}
<MiningField name="${escaped(target)}" usageType="target"/>
</MiningSchema>
<Output>
${outputs.map((one, k) => `<OutputField name="${escaped(one)}" optype="continuous" dataType="double" feature="probability" value="${escaped(classes[k])}"/>`).join('\n')}
${decided}
</Output>
<LocalTransformations>
${document.fields.join('\n')}
</LocalTransformations>
${tables.join('\n')}
</RegressionModel>
</PMML>
`;
}

function freeName({ inputs }: Plan, name: string): string {
  let own = name;
  while (inputs.some((input) => input.name === own)) own += '_';
  return own;
}
