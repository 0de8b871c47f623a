// Mutants of a source, all in one text: each is on where `globalThis.__m` is its number.
import ts from 'typescript';

const K = ts.SyntaxKind;
/** What becomes of an operator. L and R: one side alone. */
const OPERATORS = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['R'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
};
const TWINS = { min: 'max', max: 'min', some: 'every', every: 'some' };

/** Does what an operator says, or the one that stands for it. It stands before the text. */
const HELPERS = `const __x = (ids, op, l, r) => {
  const found = ids.find(([k]) => k === globalThis.__m);
  switch (found ? found[1] : op) {
    case '<': return l() < r(); case '<=': return l() <= r(); case '>': return l() > r(); case '>=': return l() >= r();
    case '===': return l() === r(); case '!==': return l() !== r(); case '&&': return l() && r(); case '||': return l() || r();
    case '??': return l() ?? r(); case '+': return l() + r(); case '-': return l() - r(); case '*': return l() * r(); case '/': return l() / r();
    case 'L': return l(); default: return r();
  }
};
const __c = (k, of) => (globalThis.__m === k ? true : globalThis.__m === k + 1 ? false : of());
`;

const isText = (node) =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) && (isText(node.left) || isText(node.right)));

/** Whether an expression cannot stand in a function of its own. */
function waits(node) {
  let found = false;
  const look = (one) => {
    if (ts.isAwaitExpression(one) || ts.isYieldExpression(one)) found = true;
    else if (!ts.isFunctionLike(one)) ts.forEachChild(one, look);
  };
  look(node);
  return found;
}

/** @param mutants  list to which the mutants are added @returns the text with all of them */
export function mutate(path, source, mutants) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const brief = (text) => text.replace(/\s+/g, ' ').slice(0, 100);
  const add = (node, from, to) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    mutants.push({ path, line: line + 1, from: brief(from), to: brief(to), text: brief(`${from} → ${to}`) });
    return mutants.length - 1;
  };
  /** the text of a node whose children are replaced */
  const inner = (node) => {
    let text = '';
    let at = node.getStart();
    ts.forEachChild(node, (child) => {
      if (child.getStart() < at) return;
      text += source.slice(at, child.getStart()) + gen(child);
      at = child.end;
    });
    return text + source.slice(at, node.end);
  };
  const condition = (node) => {
    if (waits(node)) return gen(node);
    const text = node.getText();
    const k = add(node, text, 'true');
    add(node, text, 'false');
    return `__c(${k}, () => ${gen(node)})`;
  };
  // what runs when a module is loaded runs before a mutant is on
  let depth = 0;
  const gen = (node) => {
    const isFunction = ts.isFunctionLike(node) && !ts.isTypeNode(node);
    if (isFunction) depth++;
    try {
      return depth === 0 || ts.isParameter(node) ? inner(node) : mutated(node);
    } finally {
      if (isFunction) depth--;
    }
  };
  const mutated = (node) => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
      return node.getText();
    if (ts.isBinaryExpression(node)) {
      const op = node.operatorToken.getText();
      const to = OPERATORS[op];
      if (to && !waits(node) && !(op === '+' && isText(node))) {
        const [left, right] = [node.left.getText(), node.right.getText()];
        const ids = to.map((other) => [
          add(node, `${left} ${op} ${right}`, other === 'R' ? right : `${left} ${other} ${right}`),
          other,
        ]);
        return `__x(${JSON.stringify(ids)}, '${op}', () => (${gen(node.left)}), () => (${gen(node.right)}))`;
      }
    }
    if (ts.isConditionalExpression(node) && !waits(node.condition))
      return `(${condition(node.condition)} ? ${gen(node.whenTrue)} : ${gen(node.whenFalse)})`;
    if (ts.isIfStatement(node)) {
      const rest = node.elseStatement ? ` else ${gen(node.elseStatement)}` : '';
      return `if (${condition(node.expression)}) ${gen(node.thenStatement)}${rest}`;
    }
    if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken && !waits(node)) {
      const k = add(node, node.getText(), node.operand.getText());
      return `((of) => (globalThis.__m === ${k} ? of : !of))(${gen(node.operand)})`;
    }
    // digits of what is shown
    if (
      ts.isCallExpression(node.parent) &&
      /^(significant|percent)$/.test(node.parent.expression.getText()) &&
      node.parent.arguments[1] === node
    )
      return node.getText();
    if (ts.isNumericLiteral(node) && !ts.isLiteralTypeNode(node.parent)) {
      const isName =
        (ts.isPropertyAssignment(node.parent) && node.parent.name === node) || ts.isBindingElement(node.parent);
      if (!isName) {
        const k = add(
          node,
          node.parent.getText(),
          node.parent.getText().replace(node.getText(), `(${node.getText()} + 1)`),
        );
        return `(globalThis.__m === ${k} ? ${node.getText()} + 1 : ${node.getText()})`;
      }
    }
    if (
      ts.isPropertyAccessExpression(node) &&
      TWINS[node.name.text] &&
      ts.isCallExpression(node.parent) &&
      node.parent.expression === node &&
      !node.questionDotToken
    ) {
      const other = TWINS[node.name.text];
      const k = add(node, node.getText(), `${node.expression.getText()}.${other}`);
      return `${gen(node.expression)}[globalThis.__m === ${k} ? '${other}' : '${node.name.text}']`;
    }
    return inner(node);
  };
  return HELPERS + gen(file);
}
