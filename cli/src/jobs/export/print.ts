/** Prints expressions in the words of a language. */

import type { DatePart } from '../../../../src/index.ts';
import type { Num, Test } from './expression.ts';

type Sign = 'add' | 'subtract' | 'multiply' | 'divide';
type Call = 'ln' | 'ln1p' | 'sqrt' | 'exp' | 'expm1';

/** The words of a language. Operands come printed, and in parentheses where they need them. */
export interface Words {
  number(value: number): string;
  field(name: string): string;
  local(name: string): string;
  missing(field: string): string;
  infinite(of: string): string;
  choose(test: string, then: string, other: string): string;
  binary(sign: Sign, a: string, b: string): string;
  compare(how: 'less' | 'atMost', a: string, b: string): string;
  logic(how: 'both' | 'either', a: string, b: string): string;
  not(test: string): string;
  call(name: Call, of: string): string;
  part(part: DatePart, field: string): string;
  text(field: string, table: ReadonlyMap<string, number>, other: string): string;
  unknown(field: string, table: ReadonlyMap<string, number>): string;
  among(of: string, table: ReadonlyMap<number, number>, other: string): string;
  step(of: string, edges: readonly number[], values: readonly number[]): string;
  hash(field: string, buckets: number): string;
}

const SIGNS = { add: '+', subtract: '-', multiply: '*', divide: '/' } as const;

/** Signs between their operands, as most languages have them. */
export const infix = (and: string, or: string): Pick<Words, 'binary' | 'compare' | 'logic'> => ({
  binary: (sign, a, b) => (sign === 'multiply' ? `${a} * ${b}` : `(${a} ${SIGNS[sign]} ${b})`),
  compare: (how, a, b) => `(${a} ${how === 'less' ? '<' : '<='} ${b})`,
  logic: (how, a, b) => `(${a} ${how === 'both' ? and : or} ${b})`,
});

export function printNum(of: Num, words: Words): string {
  const num = (inner: Num) => printNum(inner, words);
  switch (of.op) {
    case 'number':
      return words.number(of.value);
    case 'field':
      return words.field(of.field);
    case 'local':
      return words.local(of.name);
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'divide':
      return words.binary(of.op, num(of.a), num(of.b));
    case 'if':
      return words.choose(printTest(of.test, words), num(of.then), num(of.else));
    case 'part':
      return words.part(of.part, of.field);
    case 'text':
      return words.text(of.field, of.table, num(of.other));
    case 'among':
      return words.among(num(of.of), of.table, num(of.other));
    case 'step':
      return words.step(num(of.of), of.edges, of.values);
    case 'hash':
      return words.hash(of.field, of.buckets);
    default:
      return words.call(of.op, num(of.of));
  }
}

export function printTest(of: Test, words: Words): string {
  switch (of.op) {
    case 'missing':
      return words.missing(of.field);
    case 'infinite':
      return words.infinite(printNum(of.of, words));
    case 'less':
    case 'atMost':
      return words.compare(of.op, printNum(of.a, words), printNum(of.b, words));
    case 'unknown':
      return words.unknown(of.field, of.table);
    case 'both':
    case 'either':
      return words.logic(of.op, printTest(of.a, words), printTest(of.b, words));
    case 'not':
      return words.not(printTest(of.of, words));
  }
}
