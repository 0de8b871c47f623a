/**
 * The stable error codes; a program may branch on them, the sentences may change.
 *
 * | code | what |
 * |---|---|
 * | ERR_SHAPE | lengths or dimensions that do not fit together |
 * | ERR_RANGE | a number outside its domain, or an option that does not exist |
 * | ERR_MEMORY | linear memory exhausted, or a size beyond 32 bits |
 * | ERR_ENGINE | the engine asked for is not available here, or is not the one a batch lies in; something that was freed |
 * | ERR_SCHEMA | columns and schema do not fit: absent, duplicate, of the wrong type |
 * | ERR_RECORD | cells that are not usable; `problems` names them |
 * | ERR_TARGET | the target cannot be fitted |
 * | ERR_FORMAT | bytes that are no model; `reason` says which kind of wrong |
 * | ERR_DATA | a data file that is missing, empty or cannot be read |
 */
export type ErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_RANGE'
  | 'ERR_MEMORY'
  | 'ERR_ENGINE'
  | 'ERR_SCHEMA'
  | 'ERR_RECORD'
  | 'ERR_TARGET'
  | 'ERR_FORMAT'
  | 'ERR_DATA';

/**
 * Why bytes are no model that can be used: no model file at all; altered or cut short; of a later or an earlier format;
 * intact but with a content that no model has; in need of a stage that was not handed over.
 */
export type FormatReason = 'other' | 'damaged' | 'newer' | 'older' | 'invalid' | 'stage';

/** One thing that is wrong, for programs: what an API answers its caller, without the value. */
export interface FieldProblem {
  /** the field of a record or column of a table; absent: the record, table or file as a whole */
  readonly field?: string;
  /** from 0, of a table; absent: a single record, or no row in particular */
  readonly row?: number;
  /** what was expected, e.g. "a finite number" */
  readonly rule: string;
}

/** What an error has beside its code and its sentence. */
export interface ErrorParts {
  readonly cause?: unknown;
  readonly problems?: readonly FieldProblem[];
  readonly reason?: FormatReason;
}

/**
 * Every error logodds throws on purpose: a stable code and one sentence of the form
 * *what*: expected *rule*, got *value*; *next step*.
 *
 * The sentence does not quote values of a record or table, which may be personal data; `detail` does.
 */
export class LogoddsError extends Error {
  readonly code!: ErrorCode;
  /** of ERR_FORMAT; undefined of others */
  readonly reason: FormatReason | undefined;
  /** all that is wrong: every field of a record, the first row of every column of a table; empty where the sentence says it all */
  readonly problems!: readonly FieldProblem[];
  readonly #detail: string;

  /** @param detail  the sentence with the values; when absent the sentence quotes none */
  constructor(code: ErrorCode, message: string, parts?: ErrorParts, detail = message) {
    super(message, parts);
    Object.assign(this, { name: 'LogoddsError', code, problems: [] }, parts);
    this.#detail = detail;
  }

  /** the sentence with the values of the data quoted, for a person who may see them; no field of the error, so that loggers leave it out */
  get detail(): string {
    return this.#detail;
  }
}

/** Throws an error of the usual form whose `detail` is the sentence itself. */
export function refuse(code: ErrorCode, what: string, rule: string, got: unknown, next: string): never {
  throw new LogoddsError(code, `${what}: expected ${rule}, got ${String(got)}; ${next}`);
}

/** One error of several that may have happened at once: the first one, with the problems of all. */
export function joined(errors: readonly LogoddsError[]): LogoddsError {
  const [{ code, message, detail }] = errors;
  const more = errors.length - 1;
  if (!more) return errors[0];
  const others = ` (and ${more} more)`;
  const problems = errors.flatMap((error) => error.problems);
  return new LogoddsError(code, message + others, { problems }, detail + others);
}
