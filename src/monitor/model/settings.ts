import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { sourceOf } from '../../encode/coder.ts';
import type { Model } from '../../model/model.ts';
import { between, finite, whole } from '../check.ts';
import type { OutcomeCosts } from '../performance/measure.ts';
import { baselineOf } from '../summary/baseline.ts';
import type { SummaryBins } from '../summary/layout.ts';
import { summary } from '../summary/summarise.ts';
import { Summary, type SummaryState } from '../summary/summary.ts';

/** Options of `modelWatch`. */
export interface ModelWatchOptions {
  /** what the rows are compared with: a summary of the same model; default the baseline of the model; null: nothing */
  readonly reference?: Summary | null;
  /** length of a window: milliseconds of the times of scores, or rows in the order in which they come; default a day */
  readonly every?: { readonly ms: number } | { readonly rows: number };
  /** windows that are kept, the latest; default 60 */
  readonly keep?: number;
  /** age at which labels are there, in milliseconds; default: by the labels that came, see `WatchReport.labels` */
  readonly ripeAfterMs?: number;
  /** rows that a window must have to be compared, and labels to be measured; default 200 */
  readonly least?: number;
  /** of drift, for the features of one window together; default 0.05 */
  readonly alpha?: number;
  /** mean number of labelled rows until a false alarm of a change of performance, at least; default 1,000,000 */
  readonly runLength?: number;
  /** costs of decisions; default those of the decision of the model, if it has any */
  readonly costs?: OutcomeCosts;
  /** a categorical feature of the model: performance by its levels, of more than twenty the first in the schema; default none */
  readonly groups?: string;
  /** whether scores are computed again from the inputs and compared with what was answered, bit by bit; default false */
  readonly rescore?: boolean;
  /** scores that are held for their labels: of more the oldest are settled with the labels they have; default 100,000 */
  readonly capacity?: number;
  /** of `labelJoin` */
  readonly withinMs?: number;
  /** of `labelJoin`; default 1000 */
  readonly skewMs?: number;
  /**
   * scores from after this time are counted and left out, in milliseconds since 1970: a clock that is wrong would push windows out of those that are kept; default none
   * are
   */
  readonly until?: number;
  /** of features, by name, what has the time at which their value was true: an input of records, or a list of `WatchedRows.eventTimes`; default none */
  readonly eventTimes?: Readonly<Record<string, string>>;
  /** age at which a value is stale when it is scored, in milliseconds; default a day */
  readonly maxAgeMs?: number;
  /** numbers of one block of rows in this many are added to summaries, see `SummaryOptions`; default 1 */
  readonly sample?: number;
  /** of the sampling; default 0 */
  readonly seed?: number;
}

/** Options as `ModelWatch.toJSON` has them. */
export interface SavedOptions extends Omit<ModelWatchOptions, 'reference'> {
  /** absent: the baseline of the model */
  readonly reference?: { readonly bins: SummaryBins; readonly summary: SummaryState } | null;
}

/** The options with their defaults. */
export interface Settings {
  readonly saved: SavedOptions;
  readonly reference: Summary | null;
  /** why there is no reference, or what of it does not compare; null: nothing to say */
  readonly said: string | null;
  readonly every: { readonly ms: number } | { readonly rows: number };
  readonly length: number;
  readonly keep: number;
  readonly ripeAfterMs: number | null;
  readonly least: number;
  readonly alpha: number;
  readonly runLength: number;
  readonly costs: OutcomeCosts | null;
  readonly groups: { readonly field: string; readonly names: readonly string[] } | null;
  readonly rescore: boolean;
  readonly capacity: number;
  readonly skewMs: number;
  /** Infinity: no score is too late */
  readonly until: number;
  readonly eventTimes: Readonly<Record<string, string>> | null;
  readonly maxAgeMs: number;
}

const KNOWN = {
  reference: true,
  every: true,
  keep: true,
  ripeAfterMs: true,
  least: true,
  alpha: true,
  runLength: true,
  costs: true,
  groups: true,
  rescore: 'true or false',
  capacity: true,
  withinMs: true,
  skewMs: true,
  until: true,
  eventTimes: 'an object',
  maxAgeMs: true,
  sample: true,
  seed: true,
} as const;

const DAY_MS = 86_400_000;
/** The last time that a Date has. */
const LATEST = 8.64e15;
/** Groups that have a name. */
const GROUPS = 20;

/** @throws ERR_RANGE an option outside its range; ERR_SCHEMA a reference of another model */
export function settingsOf(model: Model, options: ModelWatchOptions): Settings {
  refuseUnknown('modelWatch', options, KNOWN);
  const { every = { ms: DAY_MS }, costs, groups, rescore = false, ...rest } = options;
  const [length, other] = Object.values(Object(every)) as number[];
  if (other !== undefined || !('rows' in Object(every) || 'ms' in Object(every)))
    refuse('ERR_RANGE', 'every', 'rows or ms', tell(every), 'write { every: { ms: 86400000 } }');
  const { reference, said } = referenceOf(model, options.reference);
  const { reference: _, ...plain } = options;
  const runLength = finite('runLength', rest.runLength ?? 1_000_000);
  if (!(runLength >= 2)) refuse('ERR_RANGE', 'runLength', 'a number of rows from 2', runLength, 'correct it');
  return {
    saved: {
      ...plain,
      ...(options.reference === null && { reference: null }),
      ...(options.reference && {
        reference: { bins: options.reference.bins, summary: hiding(options.reference).toJSON() },
      }),
    },
    reference,
    said,
    every,
    length: whole('every', length, 1),
    keep: whole('keep', rest.keep ?? 60, 1),
    ripeAfterMs: rest.ripeAfterMs === undefined ? null : atLeast0('ripeAfterMs', rest.ripeAfterMs),
    least: whole('least', rest.least ?? 200, 1),
    alpha: between('alpha', rest.alpha ?? 0.05, 0, 1),
    runLength,
    costs: costs ?? costsOf(model),
    groups: groups === undefined ? null : groupsOf(model, groups),
    rescore,
    capacity: whole('capacity', rest.capacity ?? 100_000, 1),
    skewMs: atLeast0('skewMs', rest.skewMs ?? 1000),
    until: rest.until === undefined ? Number.POSITIVE_INFINITY : between('until', rest.until, -LATEST, LATEST),
    eventTimes: rest.eventTimes === undefined ? null : timesOf(model, rest.eventTimes),
    maxAgeMs: atLeast0('maxAgeMs', rest.maxAgeMs ?? DAY_MS),
  };
}

/** Options of a state. */
export function optionsOf(model: Model, { reference, ...saved }: SavedOptions): ModelWatchOptions {
  if (!reference) return reference === null ? { ...saved, reference } : saved;
  return { ...saved, reference: summary(model, reference.bins, reference.summary) };
}

/** A copy that tells no sums and ends of private numbers. */
function hiding(given: Summary): Summary {
  const copy = given.like({ sample: given.sample, seed: given.seed }, true);
  copy.merge(given);
  return copy;
}

function referenceOf(model: Model, given: Summary | null | undefined) {
  if (given === null) return { reference: null, said: 'no reference: rows are compared with nothing, as was asked' };
  if (given !== undefined) {
    if (!(given instanceof Summary) || given.plan.length !== model.manifest.schema.features.length)
      refuse('ERR_SCHEMA', 'reference', 'a summary of this model', tell(given), 'make it with summarise');
    return { reference: given, said: null };
  }
  if (!model.manifest.baseline)
    return {
      reference: null,
      said: 'no baseline in the model: rows are compared with nothing; train it again, or give a reference',
    };
  const { whole: all, isCurrent } = baselineOf(model);
  const said = 'the baseline was scored with another calibration or decision: mean probabilities are not comparable';
  return { reference: all, said: isCurrent ? null : said };
}

/** Of two classes the costs that the decision rests on. */
function costsOf({ manifest: { classes, positive, decision } }: Model): OutcomeCosts | null {
  if (positive === null) return null;
  const { costs, chosen } = decision;
  if (!costs) return chosen?.costs ?? null;
  const yes = classes.indexOf(positive);
  const no = 1 - yes;
  return { fp: costs[no][yes], fn: costs[yes][no], tp: costs[yes][yes], tn: costs[no][no] };
}

function groupsOf({ manifest: { schema } }: Model, name: string): Settings['groups'] {
  const found = schema.features.find((feature) => feature.name === name);
  if (found?.kind !== 'categorical') {
    const known = schema.features.filter(({ kind }) => kind === 'categorical').map((feature) => feature.name);
    refuse(
      'ERR_RANGE',
      'groups',
      `a categorical feature (${known.join(', ') || 'the model has none'})`,
      tell(name),
      'correct it',
    );
  }
  return { field: sourceOf(found), names: [...found.levels.slice(0, GROUPS), 'others'] };
}

function timesOf({ manifest: { schema } }: Model, times: Readonly<Record<string, unknown>>): Record<string, string> {
  const known = schema.features.map(({ name }) => name);
  for (const [feature, source] of Object.entries(times)) {
    if (!known.includes(feature))
      refuse('ERR_RANGE', 'eventTimes', `features of the model (${known.join(', ')})`, tell(feature), 'correct it');
    if (typeof source !== 'string' || source === '')
      refuse('ERR_RANGE', `eventTimes, ${feature}`, 'the name of what has its time', tell(source), 'give it');
  }
  return { ...(times as Record<string, string>) };
}

function atLeast0(what: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  return refuse('ERR_RANGE', what, 'a number of milliseconds from 0', tell(value), 'leave it out for the default');
}
