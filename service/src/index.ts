/**
 * Scoring over HTTP: models behind every protocol that clients of other servers speak, on web standards alone.
 * @module
 */
export type { AccessOptions } from './access/access.ts';
export type { JwtOptions } from './access/jwt.ts';
export type { PolicyOptions } from './access/policy.ts';
export { Tokens } from './access/tokens.ts';
export type { AdmissionOptions } from './admission/admission.ts';
export type { RateOptions } from './admission/rate.ts';
export { alertsApi } from './alertsApi.ts';
export { arrowBodies } from './arrowBodies.ts';
export type { Description, Extension, Peers, ServedRegistry } from './core.ts';
export type {
  Asked,
  Attempt,
  ChangeKeeper,
  Chooser,
  ClientChange,
  Gate,
  Keeper,
  LogLine,
  RegistryReader,
  RegistryVersion,
  Witness,
} from './hooks.ts';
export type { Served } from './models/served.ts';
export type { Listed, ModelSource, Shelf, State } from './models/shelf.ts';
export type { ModelTrust, Signed } from './models/trust.ts';
export type { AuditEntry, AuditSink } from './observation/audit.ts';
export { sayableFault } from './observation/fault.ts';
export { type Figure, gaugesOf } from './observation/figures.ts';
export { type CsvPieces, Inputs } from './observation/inputs.ts';
export type { Label, LabelSink } from './observation/labels.ts';
export { type Counter, Metrics, REQUEST_SECONDS, type Snapshot } from './observation/metrics.ts';
export { type Gauge, type Gauges, type Numbers, totalOf } from './observation/numbers.ts';
export {
  type PredictionLine,
  PredictionLines,
  type PredictionLinesOptions,
} from './observation/predictionLines.ts';
export type {
  EntityFrom,
  PredictionLogOptions,
  Scored,
  ScoredBy,
  StreamEnd,
} from './observation/predictionLog.ts';
export type { OpenTelemetry } from './observation/telemetry.ts';
export type { AlertBudget, Alerting, AlertSilence, AlertState, AlertsState } from './protocols/alerts.ts';
export { mlflowRoutes } from './protocols/mlflow.ts';
export { registryApi } from './registryApi.ts';
export { type Caller, callerName, callerOf } from './requests/caller.ts';
export type { Limits } from './requests/limits.ts';
export { type Peer, peerOf } from './requests/peer.ts';
export { type Trace, traceHeaders, traceOf } from './requests/trace.ts';
export { unitOf } from './requests/unit.ts';
export { armOf } from './routing/assign.ts';
export { type Change, type Followed, type FollowedRegistry, Follower, type FollowOptions } from './routing/follow.ts';
export type { Breach, GuardName, GuardState } from './routing/guards.ts';
export { KEY_HEADER, ROUTE_HEADER } from './routing/key.ts';
export type { PairCounts, PairLimits } from './routing/pairs.ts';
export {
  type Arm,
  checkRoute,
  type DefaultAnswer,
  type GuardLimits,
  type KeyFrom,
  type Route,
  type Target,
} from './routing/route.ts';
export { type Ended, type RouteState, Routing, type RoutingOptions } from './routing/routing.ts';
export type { SegmentState, SegmentsState } from './routing/segments/divisions.ts';
export type { RowPieces, StreamRow } from './routing/segments/parts.ts';
export {
  type Band,
  type Condition,
  type Segment,
  SegmentRules,
  type Segments,
  type When,
} from './routing/segments/rules.ts';
export { createService, type Service, type ServiceOptions } from './service.ts';
export { watchApi } from './watch/api.ts';
export type { ScoreWatch } from './watch/watch.ts';
export { type ScoreWatchReport, Watcher, type WatcherOptions, type WatcherState } from './watch/watcher.ts';
export { type ScoresWatched, type WatchScoresOptions, watchScores } from './watch/watchScores.ts';
