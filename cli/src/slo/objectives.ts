import { REQUEST_SECONDS } from '../../../service/src/index.ts';
import { between, choiceOfNumber, integer, type Kind, texts } from '../options/kinds.ts';
import type { OptionTable } from '../options/tableFile.ts';

/*
 * What a service promises: of each objective, which events are bad, and of how many. The file of settings, its JSON Schema, the rules of Prometheus,
 * their tests and what `serve --slo` counts are made of this table.
 */

/** A counter, or the difference of two: `upTo` of a histogram is what took longer. */
export interface Events {
  readonly family: string;
  /** samples that count, by a label; all where it is absent */
  readonly only?: { readonly label: string; readonly is: RegExp; readonly not?: true };
  /** of a histogram: those above its bucket `le` */
  readonly above?: number;
}

/** Options of an objective that has been read. */
export interface ObjectiveOptions {
  readonly target: number;
  readonly leastBad: number;
  readonly models?: readonly string[];
  readonly below?: number;
}

export interface Objective {
  readonly about: string;
  /** share of good events where nobody says */
  readonly target: number;
  /** by model, or of the service as a whole */
  readonly isByModel: boolean;
  readonly bad: (options: ObjectiveOptions) => readonly Events[];
  readonly all: (options: ObjectiveOptions) => readonly Events[];
  /** the failure mode, a page of docs/runbooks */
  readonly runbook: string;
  /** without a file of settings, and where a file names none */
  readonly inForce?: true;
  /** what it may have beside target, leastBad and models */
  readonly options?: OptionTable;
}

const counter = (family: string, only?: Events['only']): Events => ({ family, ...(only && { only }) });
const requests = counter('lr_requests_total');
const DURATIONS: Kind = choiceOfNumber('an end of a bucket of lr_request_duration_seconds', REQUEST_SECONDS);

export const OBJECTIVES = {
  availability: {
    about: 'requests to a model that are not answered by an error of the service (status 500 and above)',
    target: 0.999,
    isByModel: true,
    inForce: true,
    bad: () => [counter('lr_requests_total', { label: 'code', is: /5../ })],
    all: () => [requests],
    runbook: 'errors',
  },
  latency: {
    about: 'requests to a model that are answered in less than `below` seconds',
    target: 0.99,
    isByModel: true,
    inForce: true,
    options: { below: [DURATIONS, 'seconds, from the begin of a request to the end of its answer', 0.1] },
    bad: ({ below }) => [{ family: 'lr_request_duration_seconds', above: below! }],
    all: () => [counter('lr_request_duration_seconds_count')],
    runbook: 'overload',
  },
  admission: {
    about: 'requests that are not turned away by overload, a full queue or a deadline',
    target: 0.999,
    isByModel: false,
    inForce: true,
    bad: () => [counter('lr_shed_total', { label: 'reason', is: /rate/, not: true })],
    all: () => [requests],
    runbook: 'overload',
  },
  acceptedRows: {
    about: 'rows that a model does not refuse: the callers send what the schema takes',
    target: 0.99,
    isByModel: true,
    inForce: true,
    bad: () => [counter('lr_refused_rows_total')],
    all: () => [counter('lr_rows_total')],
    runbook: 'schema-change',
  },
  knownRows: {
    about: 'rows of which no feature takes a default: nothing is missing, no category is new',
    target: 0.95,
    isByModel: true,
    bad: () => [counter('lr_defaulted_rows_total')],
    all: () => [counter('lr_rows_total')],
    runbook: 'schema-change',
  },
  predictionLog: {
    about: 'scores that the prediction log keeps',
    target: 0.999,
    isByModel: false,
    bad: () => [counter('lr_predictions_dropped_total')],
    all: () => [counter('lr_predictions_logged_total'), counter('lr_predictions_dropped_total')],
    runbook: 'lost-lines',
  },
  labels: {
    about: 'labels that the service takes',
    target: 0.99,
    isByModel: false,
    bad: () => [counter('lr_labels_refused_total')],
    all: () => [counter('lr_labels_total'), counter('lr_labels_refused_total')],
    runbook: 'late-labels',
  },
} as const satisfies Record<string, Objective>;

export type ObjectiveName = keyof typeof OBJECTIVES;

/** What each objective may have. */
export const optionsOf = ({ target, isByModel, options }: Objective): OptionTable => ({
  target: [between, 'share of events that are good', target],
  leastBad: [
    integer(1, 1e9),
    'bad events in the long window without which nobody is told: the share of few events means little',
    10,
  ],
  ...(isByModel && { models: [texts, 'models that have this objective; default all, each by itself'] }),
  ...options,
});
