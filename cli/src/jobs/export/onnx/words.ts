/** Expressions of a plan as nodes: what is printed is the name of a tensor of one value a row, or of one for all rows. */

import { LogoddsError } from '../../../../../src/index.ts';
import { type Algebra, partOf } from '../civil.ts';
import type { Plan } from '../plan.ts';
import type { Words } from '../print.ts';
import type { GraphBuilder } from './graph.ts';

const BINARY = { add: 'Add', subtract: 'Sub', multiply: 'Mul', divide: 'Div' } as const;

/** The place of a value among edges, from 0: how many are not above it, less one, and at least 0. */
export function placeOf(graph: GraphBuilder, of: string, edges: ArrayLike<number>): string {
  const reached = graph.cast(graph.add('GreaterOrEqual', [graph.column(of), graph.doubles(edges)]), 'int64');
  const count = graph.add('ReduceSum', [reached, graph.whole([1])], { keepdims: 0 });
  return graph.add('Max', [graph.add('Sub', [count, graph.whole([1], [])]), graph.whole([0], [])]);
}

/** log(1 + x), with the digits that 1 + x has lost. */
export function ln1p(graph: GraphBuilder, x: string): string {
  const u = graph.add('Add', [x, graph.number(1)]);
  const lost = graph.add('Sub', [x, graph.add('Sub', [u, graph.number(1)])]);
  const log = graph.add('Log', [u]);
  const better = graph.add('Add', [log, graph.add('Div', [lost, u])]);
  return graph.add('Where', [graph.add('Equal', [lost, graph.number(0)]), log, better]);
}

/** e^x − 1 by the quotient of Kahan, whose errors cancel. */
function expm1(graph: GraphBuilder, x: string): string {
  const one = graph.number(1);
  const u = graph.add('Exp', [x]);
  const less = graph.add('Sub', [u, one]);
  const near = graph.add('Mul', [less, graph.add('Div', [x, graph.add('Log', [u])])]);
  const isFar = graph.add('Less', [graph.number(30), graph.add('Abs', [x])]);
  return graph.add('Where', [graph.add('Equal', [u, one]), x, graph.add('Where', [isFar, less, near])]);
}

/** @param fields  a tensor for each field, one cell a row */
export function wordsOf(
  graph: GraphBuilder,
  plan: Plan,
  fields: ReadonlyMap<string, string>,
): Words & { define(name: string, of: string): void } {
  const holds = new Map(plan.inputs.map((input) => [input.name, input.holds]));
  const locals = new Map<string, string>();
  const cell = (of: string) => fields.get(of)!;
  /** the place of a text in a table; that behind the last one: it is none of them */
  const codeOf = (field: string, keys: readonly string[]): string =>
    graph.add('LabelEncoder', [cell(field)], {
      keys_strings: keys,
      values_int64s: keys.map((_, i) => i),
      default_int64: keys.length,
    });
  const keysOf = (field: string, table: ReadonlyMap<string, number>) => {
    if (table.has(''))
      throw new LogoddsError(
        'ERR_FORMAT',
        `field ${JSON.stringify(field)}: expected levels that are not empty, which stand for missing values in ONNX, got "" as a level; export to another format`,
      );
    return [...table.keys()].filter((key) => !/\p{Surrogate}/u.test(key));
  };
  const isOne = (code: string, place: number) => graph.add('Equal', [code, graph.whole([place], [])]);
  /** the values of codes, and what is behind the last one */
  const valuesOf = (code: string, values: readonly number[], other: string): string => {
    const known = graph.valueOf(other);
    if (known !== undefined) return graph.add('Gather', [graph.doubles([...values, known]), code]);
    const found = graph.add('Gather', [graph.doubles([...values, 0]), code]);
    return graph.add('Where', [isOne(code, values.length), other, found]);
  };
  const algebra: Algebra = {
    number: (value) => graph.number(value),
    binary: (sign, a, b) => graph.add(BINARY[sign], [a, b]),
    floor: (a, by) => graph.add('Floor', [graph.add('Div', [a, graph.number(by)])]),
    less: (a, b) => graph.add('Less', [a, b]),
    choose: (test, then, other) => graph.add('Where', [test, then, other]),
  };
  return {
    number: (value) => graph.number(value),
    field: cell,
    local: (name) => locals.get(name)!,
    define: (name, of) => void locals.set(name, of),
    missing: (of) => (holds.get(of) === 'text' ? isOne(codeOf(of, ['']), 0) : graph.add('IsNaN', [cell(of)])),
    infinite: (of) => graph.add('Or', [graph.add('IsInf', [of]), graph.add('IsNaN', [of])]),
    choose: (test, then, other) => graph.add('Where', [test, then, other]),
    binary: (sign, a, b) => graph.add(BINARY[sign], [a, b]),
    compare: (how, a, b) => graph.add(how === 'less' ? 'Less' : 'LessOrEqual', [a, b]),
    logic: (how, a, b) => graph.add(how === 'both' ? 'And' : 'Or', [a, b]),
    not: (test) => graph.add('Not', [test]),
    call(name, of) {
      if (name === 'ln1p') return ln1p(graph, of);
      if (name === 'expm1') return expm1(graph, of);
      return graph.add({ ln: 'Log', sqrt: 'Sqrt', exp: 'Exp' }[name], [of]);
    },
    part: (part, of) => partOf(algebra, part, cell(of)),
    text(field, table, other) {
      const keys = keysOf(field, table);
      if (keys.length === 0) return other;
      return valuesOf(
        codeOf(field, keys),
        keys.map((key) => table.get(key)!),
        other,
      );
    },
    unknown(field, table) {
      const keys = keysOf(field, table);
      return isOne(codeOf(field, keys.length === 0 ? [''] : keys), keys.length === 0 ? 1 : keys.length);
    },
    among(of, table, other) {
      const keys = [...table.keys()];
      const code = graph.add('LabelEncoder', [graph.cast(of, 'int64')], {
        keys_int64s: keys,
        values_int64s: keys.map((_, i) => i),
        default_int64: keys.length,
      });
      return valuesOf(code, [...table.values()], other);
    },
    step: (of, edges, values) => graph.add('Gather', [graph.doubles(values), placeOf(graph, of, edges.slice(0, -1))]),
    hash(field) {
      throw new LogoddsError(
        'ERR_FORMAT',
        `field ${JSON.stringify(field)}: expected a kind of feature that ONNX has, got a hash of texts; export to another format`,
      );
    },
  };
}
