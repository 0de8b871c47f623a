/**
 * An OpenFeature provider for the JavaScript server SDK: a flag is decided by the score of a model, and by the rollout of the service that answers.
 * @module
 */
export type { Band, FlagRule, FlagRules, FlagValue } from './flags.ts';
export { LogoddsProvider, type LogoddsProviderOptions, type ScoringService } from './provider.ts';
