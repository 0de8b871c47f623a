export { diffModels } from './diff/diff.ts';
export type { CoefficientDifference, Compared, ModelDifference } from './diff/difference.ts';
export type { Changed, ChangedFeature, SchemaDifference } from './diff/schemas.ts';
