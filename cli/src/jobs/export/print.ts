/** Prints expressions in the words of a language. */

import type { DatePart } from '../../../../src/index.ts';
import type { Num, Test } from './expression.ts';

/** The words of a language. Operands come printed, and in parentheses where they need them. */
export interface Words {
  number(value: number): string;
  field(name: string): string;
  local(name: string): string;
  missing(field: string): string;
  infinite(of: string): string;
  choose(test: string, then: string, other: string): string;
  multiply(a: string, b: string): string;
  call(name: 'ln' | 'ln1p' | 'sqrt' | 'exp' | 'expm1', of: string): string;
  part(part: DatePart, field: string): string;
  text(field: string, table: ReadonlyMap<string, number>, other: string): string;
  unknown(field: string, table: ReadonlyMap<string, number>): string;
  among(of: string, table: ReadonlyMap<number, number>, other: string): string;
  step(of: string, edges: readonly number[], values: readonly number[]): string;
  hash(field: string, buckets: number): string;
  readonly and: string;
  readonly or: string;
  not(test: string): string;
}

const SIGNS = { add: '+', subtract: '-', divide: '/' } as const;

export function printNum(of: Num, words: Words): string {
  const num = (inner: Num) => printNum(inner, words);
  switch (of.op) {
    case 'number':
      return words.number(of.value);
    case 'field':
      return words.field(of.field);
    case 'local':
      return words.local(of.name);
    case 'multiply':
      return words.multiply(num(of.a), num(of.b));
    case 'add':
    case 'subtract':
    case 'divide':
      return `(${num(of.a)} ${SIGNS[of.op]} ${num(of.b)})`;
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
      return `(${printNum(of.a, words)} < ${printNum(of.b, words)})`;
    case 'atMost':
      return `(${printNum(of.a, words)} <= ${printNum(of.b, words)})`;
    case 'unknown':
      return words.unknown(of.field, of.table);
    case 'both':
      return `(${printTest(of.a, words)} ${words.and} ${printTest(of.b, words)})`;
    case 'either':
      return `(${printTest(of.a, words)} ${words.or} ${printTest(of.b, words)})`;
    case 'not':
      return words.not(printTest(of.of, words));
  }
}
