/** Expressions of a plan: what every target language can print. They are pure, and of numbers alone. */

import type { DatePart } from '../../../../src/index.ts';

/** A number. */
export type Num =
  | { readonly op: 'number'; readonly value: number }
  /** of a field of numbers, which is there */
  | { readonly op: 'field'; readonly field: string }
  /** that was named before */
  | { readonly op: 'local'; readonly name: string }
  | { readonly op: 'add' | 'subtract' | 'multiply' | 'divide'; readonly a: Num; readonly b: Num }
  | { readonly op: 'if'; readonly test: Test; readonly then: Num; readonly else: Num }
  | { readonly op: 'ln' | 'ln1p' | 'sqrt' | 'exp' | 'expm1'; readonly of: Num }
  /** of the time of a field, in UTC */
  | { readonly op: 'part'; readonly part: DatePart; readonly field: string }
  /** by the text of a field, which is there */
  | { readonly op: 'text'; readonly field: string; readonly table: ReadonlyMap<string, number>; readonly other: Num }
  /** by a number that equals one of the table */
  | { readonly op: 'among'; readonly of: Num; readonly table: ReadonlyMap<number, number>; readonly other: Num }
  /** values[i] for edges[i] <= x < edges[i + 1], and the last one beyond */
  | { readonly op: 'step'; readonly of: Num; readonly edges: readonly number[]; readonly values: readonly number[] }
  /** slot of the hash of the text of a field: |h| mod buckets, and `buckets` more where h is negative */
  | { readonly op: 'hash'; readonly field: string; readonly buckets: number };

/** What is so or not. */
export type Test =
  | { readonly op: 'missing'; readonly field: string }
  /** infinite, or no number although it is there */
  | { readonly op: 'infinite'; readonly of: Num }
  | { readonly op: 'less' | 'atMost'; readonly a: Num; readonly b: Num }
  /** whether the text of a field, which is there, is none of the table */
  | { readonly op: 'unknown'; readonly field: string; readonly table: ReadonlyMap<string, number> }
  | { readonly op: 'both' | 'either'; readonly a: Test; readonly b: Test }
  | { readonly op: 'not'; readonly of: Test };

export const number = (value: number): Num => ({ op: 'number', value });
export const field = (name: string): Num => ({ op: 'field', field: name });
export const local = (name: string): Num => ({ op: 'local', name });
export const add = (a: Num, b: Num): Num => ({ op: 'add', a, b });
export const subtract = (a: Num, b: Num): Num => ({ op: 'subtract', a, b });
export const multiply = (a: Num, b: Num): Num => ({ op: 'multiply', a, b });
export const divide = (a: Num, b: Num): Num => ({ op: 'divide', a, b });
export const choose = (test: Test, then: Num, other: Num): Num => ({ op: 'if', test, then, else: other });
export const call = (op: 'ln' | 'ln1p' | 'sqrt' | 'exp' | 'expm1', of: Num): Num => ({ op, of });
export const missing = (name: string): Test => ({ op: 'missing', field: name });
export const not = (of: Test): Test => ({ op: 'not', of });
export const less = (a: Num, b: Num): Test => ({ op: 'less', a, b });
export const atMost = (a: Num, b: Num): Test => ({ op: 'atMost', a, b });
export const both = (a: Test, b: Test): Test => ({ op: 'both', a, b });
export const either = (a: Test, b: Test): Test => ({ op: 'either', a, b });

/** The same expression with other values at its ends: a code becomes the weight of its slot. @returns null where an end is computed */
export function mapEnds(of: Num, to: (value: number) => number): Num | null {
  switch (of.op) {
    case 'number':
      return number(to(of.value));
    case 'if': {
      const [then, other] = [mapEnds(of.then, to), mapEnds(of.else, to)];
      return then && other && { ...of, then, else: other };
    }
    case 'text':
    case 'among': {
      const other = mapEnds(of.other, to);
      const table = new Map([...of.table].map(([key, value]) => [key, to(value)] as [never, number]));
      return other && ({ ...of, table, other } as Num);
    }
    case 'step':
      return { ...of, values: of.values.map(to) };
    default:
      return null;
  }
}
