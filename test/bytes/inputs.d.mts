import type { Model } from 'logodds';
import type { Handed } from './compare.mjs';

export type Fields = readonly (readonly [name: string, values: readonly string[]])[];

export const MODELS: readonly string[];
export function fieldsOf(model: Model): Fields;
export function inputOf(fields: Fields, seed: number, index: number): Handed & { readonly damaged: boolean };
export function csvOf(fields: Fields, seed: number, index: number): Handed & { readonly damaged: boolean };
