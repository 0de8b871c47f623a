/** A score as a prediction log has it: a line of JSON, or a row of Parquet. */
export interface Prediction {
  /** milliseconds since 1970 */
  readonly at: number;
  readonly id: string;
  readonly entity: string | null;
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  /** the arm of a rollout that answered; null: there was none */
  readonly route: string | null;
  /** with several classes one for each */
  readonly logit: number | readonly number[];
  /** with two classes that of the positive one, else that of the label */
  readonly probability: number;
  readonly label: string;
  readonly inputs: Readonly<Record<string, unknown>> | null;
}

/** What became true of an earlier score, as a log of labels has it. It names the score by its id, or the entity. */
export interface OutcomeLabel {
  /** of the score; absent: the entity says which */
  readonly id?: string;
  /** of the score; used when there is no id */
  readonly entity?: string;
  readonly label: string;
  /** when it was known, milliseconds since 1970 */
  readonly at: number;
  /** when it happened, milliseconds since 1970: scores of the entity are looked for before this time; default `at` */
  readonly outcomeAt?: number;
}

/** Why a value is no line of a log. It never has the value, which may be personal data. */
export interface LineFault {
  /** null: the line as a whole */
  readonly field: string | null;
  readonly rule: string;
}

/** A line that could be read, or what is wrong with it. */
export type Line<Row> =
  | { readonly row: Row; readonly fault?: undefined }
  | { readonly fault: LineFault; readonly row?: undefined };

type Fields = Readonly<Record<string, unknown>>;
type Check = readonly [rule: string, holds: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isAbsent = (value: unknown): boolean => value === null || value === undefined;
const TIME: Check = ['a time in ISO 8601 with its zone, or milliseconds since 1970', (value) => timeOf(value) !== null];
const TEXT: Check = ['a text that is not empty', (value) => isText(value) && value !== ''];
const TEXT_OR_NULL: Check = ['a text, or null', (value) => isAbsent(value) || isText(value)];

/** What each field of a prediction must be. */
const PREDICTION: Readonly<Record<keyof Prediction, Check>> = {
  at: TIME,
  id: TEXT,
  entity: TEXT_OR_NULL,
  model: TEXT,
  version: ['a text', isText],
  sha256: ['64 hexadecimal digits', (value) => isText(value) && /^[\da-f]{64}$/.test(value as string)],
  route: TEXT_OR_NULL,
  logit: [
    'a finite number, or one for each of several classes',
    (value) => isNumber(value) || (Array.isArray(value) && value.length > 1 && value.every(isNumber)),
  ],
  probability: ['a number from 0 to 1', (value) => isNumber(value) && (value as number) >= 0 && (value as number) <= 1],
  label: ['a text', isText],
  inputs: ['an object, or null', (value) => isAbsent(value) || (typeof value === 'object' && !Array.isArray(value))],
};

const LABEL: Readonly<Record<keyof OutcomeLabel, Check>> = {
  id: TEXT_OR_NULL,
  entity: TEXT_OR_NULL,
  label: [
    'a text, a number, or true or false',
    (value) => isText(value) || isNumber(value) || typeof value === 'boolean',
  ],
  at: TIME,
  outcomeAt: ['a time as `at`, or nothing', (value) => isAbsent(value) || timeOf(value) !== null],
};

/** Of a line of a prediction log that was given as a label. */
const SCORE_AS_LABEL = 'what became true, and no line of a prediction log, which has what the model said';

const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** The years 1 to 9999, in milliseconds since 1970: microseconds and nanoseconds are beyond. */
const [FIRST, LAST] = [-62_135_596_800_000, 253_402_300_799_999];

/** Milliseconds since 1970 of a time as logs have it; null when it is none. @internal */
export function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' && AT.test(value) ? Date.parse(value) : value;
  return typeof time === 'number' && time >= FIRST && time <= LAST ? time : null;
}

/** The first field that is not as its check says; null when all are. */
function faultOf(value: unknown, checks: Readonly<Record<string, Check>>): LineFault | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { field: null, rule: 'an object' };
  for (const [field, [rule, holds]] of Object.entries(checks)) {
    if (!holds(Object.hasOwn(value, field) ? (value as Fields)[field] : undefined)) return { field, rule };
  }
  return null;
}

/**
 * Reads a row of a prediction log: checks that each field is what `Prediction` says, and makes times milliseconds. Fields that there are besides are left out.
 * @param value  of a parsed line of JSON, or a row of Parquet
 * @returns `{ row }`, or `{ fault }` with the first field that is wrong; it never throws
 * @example
 * predictionOf({ id: 'a' }).fault; // { field: 'at', rule: 'a time in ISO 8601 with its zone, or milliseconds since 1970' }
 */
export function predictionOf(value: unknown): Line<Prediction> {
  const fault = faultOf(value, PREDICTION);
  if (fault) return { fault };
  const { at, id, entity, model, version, sha256, route, logit, probability, label, inputs } = value as Prediction;
  const time = timeOf(at)!;
  return {
    row: {
      at: time,
      id,
      entity: entity ?? null,
      model,
      version,
      sha256,
      route: route ?? null,
      logit,
      probability,
      label,
      inputs: inputs ?? null,
    },
  };
}

/**
 * Reads a row of a log of labels: `{ id | entity, label, at, outcomeAt? }`. Numbers and truth values become the text that a class has.
 *
 * A whole line of a prediction log is a fault: its label is what the model said, so a model joined with it would never be wrong.
 * @returns `{ row }`, or `{ fault }` with the first field that is wrong; it never throws
 * @example
 * labelOf({ id: 'a', label: 1, at: '2026-01-02T00:00:00Z' }).row; // { id: 'a', label: '1', at: 1767312000000 }
 */
export function labelOf(value: unknown): Line<OutcomeLabel> {
  const fault = faultOf(value, LABEL);
  if (fault) return { fault };
  const { id, entity, label, at, outcomeAt } = value as Fields;
  if (!id && !entity) return { fault: { field: 'id', rule: 'the id of a score, or the entity that it was of' } };
  // its label is what the model said
  if (!faultOf(value, PREDICTION)) return { fault: { field: 'label', rule: SCORE_AS_LABEL } };
  return {
    row: {
      ...(id ? { id: id as string } : { entity: entity as string }),
      label: String(label),
      at: timeOf(at)!,
      ...(isAbsent(outcomeAt) ? {} : { outcomeAt: timeOf(outcomeAt)! }),
    },
  };
}
