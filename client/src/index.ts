/**
 * A client of scoring services, by `fetch` alone: the protocol of `logodds serve`, and Open Inference V2 of any server.
 * @module
 */
export type { Attempt, RetryOptions } from './attempts.ts';
export { type Problem, ServiceError } from './error.ts';
export type {
  CsvBody,
  Fault,
  Label,
  LabelsTaken,
  Model,
  ModelInfo,
  Reason,
  Score,
  ScoredRecord,
  ScoredRecords,
  ScoreOptions,
  StreamOptions,
  WhatIf,
} from './scores.ts';
export { ScoringClient } from './scoringClient.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type { Datatype, InputData, Tensor } from './v2/datatypes.ts';
export type { InferOptions, InputTensor, OutputRequest } from './v2/inference.ts';
export { InferenceClient } from './v2/inferenceClient.ts';
export { InferenceResult } from './v2/inferenceResult.ts';
export type {
  Duration,
  ModelMetadata,
  ModelState,
  ModelStatistics,
  ServerMetadata,
  TensorMetadata,
} from './v2/messages.ts';
