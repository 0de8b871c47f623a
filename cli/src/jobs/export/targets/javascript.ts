import { compile } from '../../../../../src/compile.ts';
import type { Target } from '../target.ts';

/** Types of what a compiled module exports. */
const TYPES = `export interface Score {
  readonly logit: number;
  readonly probability: number;
  readonly label: string;
  readonly defaulted: number;
  readonly outOfRange: number;
  readonly review?: boolean;
  readonly logits?: Float64Array;
  readonly probabilities?: Float64Array;
}
export declare function score(record: object): Score;
export declare function probability(record: object): number;
export declare const sha256: string | null;
export declare const classes: readonly string[];
export declare const features: readonly string[];
`;

/** A module of JavaScript, and its types beside it. Every model can be one. */
export const js: Target = {
  exact: 'bits',
  print: (_, { model }) => [
    { ending: '.js', text: compile(model) },
    { ending: '.d.ts', text: TYPES },
  ],
};

/** A module of TypeScript. */
export const ts: Target = {
  exact: 'bits',
  print: (_, { model }) => [{ ending: '.ts', text: compile(model, { format: 'ts' }) }],
};
