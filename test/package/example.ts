// Runs the example of a docstring, and compares each line with its comment:
//
//   expression; // value          the value of the expression, also of `const name = expression; // value`
//   expression; // throws CODE    an error of this code
//
// A value is written as JavaScript: numbers are compared to the digits written, arrays (typed ones too), objects and texts as a whole.
import ts from 'typescript';
import { expect } from 'vitest';

/** The examples of the docstring of a declaration. */
export function examplesOf(declaration: ts.Node): string[] {
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
    await expect(compute(), line).rejects.toMatchObject({
      name: expect.stringMatching(/^(Logodds|Service)Error$/),
      code,
    });
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

/** Runs an example. @param scope  the names that it sees */
export async function runExample(code: string, scope: Readonly<Record<string, unknown>>): Promise<void> {
  const { text, checks } = instrumented(code);
  expect(code.split('\n').length, 'lines').toBeLessThanOrEqual(8);
  expect(checks, 'lines with a value').toBeGreaterThan(0);
  const names = { ...scope, check };
  const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...values: unknown[]) => unknown;
  await new AsyncFunction(...Object.keys(names), `{${text}}`)(...Object.values(names));
}
