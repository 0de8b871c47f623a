/** How good scores are, by rows whose outcome is known. */
export * from './metrics/binary.ts';
export * from './metrics/confusion.ts';
export * from './metrics/curves.ts';
export * from './metrics/groups.ts';
export * from './metrics/interval.ts';
export * from './metrics/multiclass.ts';
export * from './metrics/probabilities.ts';
