import { LogoddsError } from 'logodds/score';

/**
 * Codes that the registry adds to those of the library:
 *
 * | code | meaning |
 * |---|---|
 * | ERR_REGISTRY | a name, version or alias is not there, or what is asked does not fit what the registry says |
 * | ERR_STORE | the place of a registry cannot be read or written |
 * | ERR_SIGNATURE | a signature is missing, or is not one that is trusted |
 */
export type RegistryCode = 'ERR_REGISTRY' | 'ERR_STORE' | 'ERR_SIGNATURE';

/** An error of the registry: a code that the library does not have, and one sentence. */
export const registryError = (code: RegistryCode, message: string, cause?: unknown): LogoddsError =>
  new LogoddsError(code as never, message, cause === undefined ? undefined : { cause });
