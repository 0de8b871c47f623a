/**
 * The stable error codes. A program may branch on them; the sentences may change.
 *
 * | code | meaning |
 * |---|---|
 * | ERR_SHAPE | lengths or dimensions do not fit together |
 * | ERR_RANGE | a number is outside its domain, or an option does not exist |
 * | ERR_MEMORY | linear memory is exhausted, or a size exceeds 32 bits |
 * | ERR_ENGINE | the engine is not available here, is not the one a batch lies in, or something of it was freed |
 * | ERR_SCHEMA | columns and schema do not fit: absent, duplicate, of the wrong type |
 * | ERR_RECORD | cells cannot be used; `problems` names them |
 * | ERR_TARGET | the target cannot be fitted |
 * | ERR_FORMAT | the bytes are no model; `reason` says why |
 * | ERR_DATA | a data file is missing, empty or unreadable; or rows, or figures of a model, that a result needs are absent |
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
 * Why bytes are no model that can be used. `other`: no model file. `damaged`: altered or cut short. `newer`, `older`: another format. `invalid`:
 * intact, but with content that no model has. `stage`: the model needs a stage that was not given.
 */
export type FormatReason = 'other' | 'damaged' | 'newer' | 'older' | 'invalid' | 'stage';

/** One thing that is wrong, for programs. It never has the value, so a service may return it to its caller. */
export interface FieldProblem {
  /** field of a record or column of a table; absent: the record, table or file as a whole */
  readonly field?: string;
  /** row of a table, from 0; absent: a single record, or no row in particular */
  readonly row?: number;
  /** what was expected, for example "a finite number" */
  readonly rule: string;
}

/** The parts of an error beside its code and its sentence. */
export interface ErrorParts {
  readonly cause?: unknown;
  readonly problems?: readonly FieldProblem[];
  readonly reason?: FormatReason;
}

/**
 * An error that logodds throws on purpose: a stable code and one sentence, *what*: expected *rule*, got *value*; *next step*.
 *
 * The sentence never quotes values of a record or table, which may be personal data; `detail` does.
 * @example
 * const read = () => { try { model.score({ distance: 'far', origin: 'LAS' }); } catch (error) { return error; } };
 * read().code; // 'ERR_RECORD'
 * read().problems; // [{ field: 'distance', rule: 'a finite number' }]
 */
export class LogoddsError extends Error {
  readonly code!: ErrorCode;
  /** why bytes are no model, for ERR_FORMAT; else undefined */
  readonly reason: FormatReason | undefined;
  /**
   * everything that is wrong: every field of a record, or the first row of every column of a table; empty where the sentence says it all
   */
  readonly problems!: readonly FieldProblem[];
  readonly #detail: string;

  /** @param detail  the sentence with values of the data; default the message, which then quotes none */
  constructor(code: ErrorCode, message: string, parts?: ErrorParts, detail = message) {
    super(message, parts);
    Object.assign(this, { name: 'LogoddsError', code, problems: [] }, parts);
    this.#detail = detail;
  }

  /**
   * The sentence with values of the data, for a person who may see them. It is no enumerable field, so loggers leave it out.
   */
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
