import type { Model } from 'logodds';
import type { Handed } from './compare.mjs';

export type Fields = readonly (readonly [name: string, values: readonly string[]])[];

/** Random numbers from a seed. */
export function randomOf(seed: number): {
  next(): number;
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
  chance(share: number): boolean;
};

export const MODELS: readonly string[];
export function fieldsOf(model: Model): Fields;
export function inputOf(fields: Fields, seed: number, index: number): Handed & { readonly damaged: boolean };
export function csvOf(fields: Fields, seed: number, index: number): Handed & { readonly damaged: boolean };
