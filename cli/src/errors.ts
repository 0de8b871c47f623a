import { type ErrorParts, LogoddsError } from '../../src/index.ts';

/**
 * Codes that the command adds to those of the library:
 *
 * | code | meaning |
 * |---|---|
 * | ERR_OUTPUT | an output that cannot be written |
 * | ERR_STORE | an object store that cannot be read or written |
 * | ERR_INTERRUPTED | stopped by a signal before the end |
 * | ERR_TRACKING | the run is done, but not kept where --track says |
 */
export type CommandCode = 'ERR_OUTPUT' | 'ERR_STORE' | 'ERR_INTERRUPTED' | 'ERR_TRACKING';

/** An error of the command, with a code that the library does not have. */
export const commandError = (code: CommandCode, message: string, parts?: ErrorParts): LogoddsError =>
  new LogoddsError(code as never, message, parts);

const misused = new WeakSet<object>();

/** Marks an error as wrong usage: a file of settings that cannot be used is as wrong as a flag. The command ends with 2. */
export function wrongUsage<E extends object>(error: E): E {
  misused.add(error);
  return error;
}

/** Whether the command ends with 2. */
export const isWrongUsage = (error: object): boolean => misused.has(error);
