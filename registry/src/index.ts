export { entryOf, isRunning, versionOf, versionsOf, withDigest } from './changes/find.ts';
export { checkGuards, checkKey } from './checkPlan.ts';
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
export type { Push, Pushed } from './push.ts';
export { checkAlias, checkName, DIGEST, isReference, parseReference, type Reference } from './reference.ts';
export { type ModelRegistry, Registry } from './registry.ts';
export type { Arm, Guards, RolloutPlan, Step } from './rollout.ts';
export type { Unmet } from './signatures.ts';
export type { TrustTexts } from './signing/trust.ts';
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
export type { Verified } from './verification.ts';
export type { Act, RegistryOptions } from './writer.ts';
