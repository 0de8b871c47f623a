/**
 * The stages that a scorer adds when its models need them: `loadModel(bytes, { encoders, outcomes })` of `logodds/score` takes them one by one. Functions
 * that explain a score are here as well. `logodds` has all of them.
 * @module
 */
import { encoders } from './encode/kinds/index.ts';
import { f32 } from './model/narrow.ts';
import { outcomes } from './model/outcomes.ts';
import type { Stages } from './model/stages.ts';

export { slotNames } from './encode/slots.ts';
export * from './explain.ts';
export { type Field, type FieldType, fieldsOf, type InputSchema, inputSchema, inputType } from './model/fields.ts';
export { encoders, f32, outcomes };

/**
 * All stages that a model may need.
 * @example
 * loadModel(bytes, allStages).score(flight).label; // 'yes'
 */
export const allStages: Stages = { encoders, outcomes, f32 };
