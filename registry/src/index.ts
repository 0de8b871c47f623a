export { entryOf, isRunning, versionOf, versionsOf } from './changes/find.ts';
export type { Collected } from './collect.ts';
export { type RegistryCode, registryError } from './errors.ts';
export {
  type Envelope,
  FORMAT,
  type Happening,
  type Happenings,
  type Kind,
  type Lineage,
  type Metrics,
  type Outcome,
  type RegistryEvent,
  type Tags,
} from './event.ts';
export { modelPath, signaturePath } from './files.ts';
export { type Fault, type History, readLog } from './log.ts';
export { type Kept, MLMODEL, MODEL_FILE, mlmodelOf, yamlOf } from './mlflow/mlmodel.ts';
export { MlflowRegistry, openMlflow } from './mlflow/registry.ts';
export { type MlflowEnvironment, type MlflowOptions, type MlflowSaid, saidOf } from './mlflow/rest.ts';
export {
  type Dataset,
  keyOf,
  LIMITS as MLFLOW_LIMITS,
  type MlflowRun,
  MlflowTracking,
  type Point,
  type RunStatus,
} from './mlflow/tracking.ts';
export { checkAlias, checkName, isReference, parseReference, type Reference } from './reference.ts';
export { type ModelRegistry, type Push, type Pushed, Registry, type Verified } from './registry.ts';
export type { Arm, Guards, RolloutPlan, Step } from './rollout.ts';
export {
  aliasesOf,
  CHAMPION,
  type Demand,
  type Entry,
  type Gated,
  type Rollout,
  type State,
  stateOf,
  type Version,
} from './state.ts';
export type { LogText, Store, Stored } from './store.ts';
export { MemoryStore } from './stores/memory.ts';
export type { Act, RegistryOptions } from './writer.ts';
