/** The stable error codes; a program may branch on them, the sentences may change. */
export type ErrorCode =
  | 'ERR_SHAPE' // lengths or dimensions that do not fit together
  | 'ERR_RANGE' // a number outside its domain
  | 'ERR_MEMORY' // linear memory exhausted, or a size beyond 32 bits
  | 'ERR_ENGINE' // the engine asked for is not available here, or is not the one a batch lies in
  | 'ERR_SCHEMA' // columns and schema do not fit: absent, duplicate, of the wrong type
  | 'ERR_RECORD' // one cell is not usable
  | 'ERR_TARGET' // the target cannot be fitted
  | 'ERR_FORMAT' // a model file that is not one, is damaged, or of another format
  | 'ERR_DATA' // a data file that is missing, empty or cannot be read
  | 'ERR_OUTPUT' // an output that cannot be written
  | 'ERR_INTERRUPTED'; // stopped from outside before the end

/**
 * Every error logodds throws on purpose: a stable code and one sentence of the form
 * *what*: expected *rule*, got *value*; *next step*.
 */
export class LogoddsError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LogoddsError';
    this.code = code;
  }
}
