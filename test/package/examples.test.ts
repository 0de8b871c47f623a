// Runs the `@example` of every docstring of what the entries export, against the sources, and compares each line with its comment:
//
//   expression; // value          the value of the expression, also of `const name = expression; // value`
//   expression; // throws CODE    a LogoddsError of this code
//
// A value is written as JavaScript: numbers are compared to the digits written, arrays (typed ones too), objects and texts as a whole.
//
// An example sees every name of its own entry, every name of `logodds`, and this prelude, made anew for each example:
//
//   records   30 flights { distance, origin, late }: distance in miles, origin "ATL", "LAS" or "MCI", late "yes" or "no"
//   table     the same as a table
//   model     fit(records, { target: 'late', penalty: 'none', inference: true }).model
//   flight    { distance: 1200, origin: 'LAS' }
//   bytes     saveModel(model)
//   engine    pickEngine() of `logodds`
//   module    the bytes of `logodds/kernels.wasm`
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as compile from '../../src/compile.ts';
import * as decide from '../../src/decide.ts';
import * as index from '../../src/index.ts';
import * as js from '../../src/js.ts';
import * as kernels from '../../src/kernels.ts';
import * as metrics from '../../src/metrics.ts';
import * as score from '../../src/score.ts';
import * as slim from '../../src/slim.ts';
import * as stages from '../../src/stages.ts';
import * as threads from '../../src/threads.ts';

const ENTRIES = { index, score, stages, slim, js, metrics, decide, kernels, threads, compile };
type Entry = keyof typeof ENTRIES;

function prelude() {
  const origins = ['ATL', 'LAS', 'MCI'];
  const records = Array.from({ length: 30 }, (_, i) => {
    const distance = 200 + ((i * 379) % 2000);
    const origin = origins[i % 3];
    const late = distance + (origin === 'LAS' ? 600 : 0) + ((i * 577) % 1900) > 2200 ? 'yes' : 'no';
    return { distance, origin, late };
  });
  const { model } = index.fit(records, { target: 'late', penalty: 'none', inference: true });
  return {
    records,
    table: index.tableFromRecords(records),
    model,
    flight: { distance: 1200, origin: 'LAS' },
    bytes: index.saveModel(model),
    engine: index.pickEngine(),
    module: readFileSync('dist/kernels.wasm'),
  };
}

interface Documented {
  readonly entry: Entry;
  /** of a member with its class */
  readonly name: string;
  readonly callable: boolean;
  readonly examples: readonly string[];
}

/** What the entries export, each once, by the first entry that has it (as a value, if one does), and the members that have examples. */
function documented(): Documented[] {
  const config = ts.readConfigFile('tsconfig.build.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, '.');
  const names = Object.keys(ENTRIES) as Entry[];
  const program = ts.createProgram(
    names.map((name) => `src/${name}.ts`),
    { ...options, noLib: true },
  );
  const checker = program.getTypeChecker();
  const exported = names.flatMap((entry) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(`src/${entry}.ts`)!)!)
      .map((symbol) => ({
        entry,
        name: symbol.name,
        value: (ENTRIES[entry] as Record<string, unknown>)[symbol.name],
        symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      })),
  );
  const once = new Map(
    [
      ...exported.filter(({ value }) => value === undefined),
      ...exported.filter(({ value }) => value !== undefined).reverse(),
    ].map((one) => [one.symbol, one]),
  );
  return [...once.values()].flatMap(({ entry, name, value, symbol }) => {
    const declarations = symbol.declarations ?? [];
    const members = declarations.flatMap((declaration) =>
      ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)
        ? [...(declaration.members as Iterable<ts.ClassElement | ts.TypeElement>)]
        : [],
    );
    return [
      { entry, name, callable: typeof value === 'function', examples: declarations.flatMap(examplesOf) },
      ...members.map((member) => ({
        entry,
        name: `${name}.${member.name?.getText() ?? 'constructor'}`,
        callable: false,
        examples: examplesOf(member),
      })),
    ];
  });
}

function examplesOf(declaration: ts.Node): string[] {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts
    .getJSDocTags(node)
    .filter(({ tagName, parent }) => tagName.text === 'example' && parent.parent === node)
    .map((tag) =>
      tag
        .getText()
        .replace(/^@example\s*/, '')
        .split('\n')
        .map((line) => line.replace(/^\s*\*( |$)/, ''))
        .join('\n')
        .trim(),
    );
}

const parse = (code: string) => ts.createSourceFile('example.js', code, ts.ScriptTarget.Latest, true);

/** Whether a value is what a comment says. */
function agrees(said: ts.Expression, value: unknown): boolean {
  if (ts.isParenthesizedExpression(said)) return agrees(said.expression, value);
  if (ts.isNumericLiteral(said)) {
    const [digits, power = '0'] = said.getText().toLowerCase().split('e');
    const unit = 10 ** (Number(power) - (digits.split('.')[1]?.length ?? 0));
    return typeof value === 'number' && Math.abs(value - Number(said.getText())) <= unit * 0.500001;
  }
  if (ts.isPrefixUnaryExpression(said))
    return typeof value === 'number' && agrees(said.operand as ts.Expression, -value);
  if (ts.isStringLiteral(said)) return value === said.text;
  if (ts.isArrayLiteralExpression(said)) {
    const list = Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as ArrayLike<unknown>) : null;
    return list?.length === said.elements.length && said.elements.every((each, i) => agrees(each, list[i]));
  }
  if (ts.isObjectLiteralExpression(said)) {
    const fields = said.properties as unknown as readonly ts.PropertyAssignment[];
    const record = Object(value) as Record<string, unknown>;
    const names = fields.map(({ name }) => (ts.isStringLiteral(name) ? name.text : name.getText()));
    return (
      names.join() === Object.keys(record).join() &&
      fields.every(({ initializer }, i) => agrees(initializer, record[names[i]]))
    );
  }
  const words: Record<string, unknown> = { true: true, false: false, null: null, undefined };
  const word = said.getText();
  if (word === 'Infinity') return value === Number.POSITIVE_INFINITY;
  if (word === 'NaN') return Number.isNaN(value);
  return word in words && value === words[word];
}

type Check = (line: string, said: string, compute: () => unknown) => Promise<unknown>;

/** The example with each line that has a comment turned into a call of `check`. */
function instrumented(code: string): { readonly text: string; readonly checks: number } {
  const file = parse(code);
  let checks = 0;
  const lines = file.statements.map((statement) => {
    const line = statement.getText();
    const said = /^[ \t]*\/\/ (.*)/.exec(code.slice(statement.end))?.[1].trim();
    if (said === undefined) return line;
    const call = (expression: string) => {
      checks++;
      return `await check(${JSON.stringify(line)}, ${JSON.stringify(said)}, async () => (${expression}))`;
    };
    if (ts.isExpressionStatement(statement)) return `${call(statement.expression.getText())};`;
    if (ts.isVariableStatement(statement)) {
      const [{ name, initializer }] = statement.declarationList.declarations;
      return `const ${name.getText()} = ${call(initializer!.getText())};`;
    }
    throw new Error(`${line}: expected an expression or a const before its value`);
  });
  return { text: lines.join('\n'), checks };
}

const check: Check = async (line, said, compute) => {
  const code = /^throws (ERR_\w+)$/.exec(said)?.[1];
  if (code !== undefined) {
    await expect(compute(), line).rejects.toMatchObject({ name: 'LogoddsError', code });
    return undefined;
  }
  const value = await compute();
  const statement = parse(`(${said})`).statements[0] as ts.ExpressionStatement;
  if (!agrees(statement.expression, value)) expect(show(value), line).toBe(said);
  return value;
};

const show = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (ArrayBuffer.isView(each) ? Array.from(each as Float64Array) : each)) ??
  String(value);

const all = documented();

describe('every function and class has an example', () => {
  test.each(Object.keys(ENTRIES) as Entry[])('%s', (entry) => {
    const without = all
      .filter((one) => one.entry === entry && one.callable && one.examples.length === 0)
      .map(({ name }) => name);
    expect(without).toEqual([]);
  });
});

const examples = all.flatMap(({ entry, name, examples }) =>
  examples.map((code) => ({ entry, title: `${entry} ${name}`, code })),
);

test.each(examples)('$title', async ({ entry, code }) => {
  const { text, checks } = instrumented(code);
  const lines = code.split('\n').length;
  expect(lines, 'lines').toBeLessThanOrEqual(8);
  expect(checks, 'lines with a value').toBeGreaterThan(0);
  const scope = { ...index, ...prelude(), ...ENTRIES[entry], check };
  const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...values: unknown[]) => unknown;
  await new AsyncFunction(...Object.keys(scope), `{${text}}`)(...Object.values(scope));
});
