/**
 * Stages around scoring, each for itself: `loadModel(bytes, { encoders, outcomes })` of `logodds/score` takes the ones its models
 * need, and what explains a score is a function of the model. `logodds` has them all.
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
