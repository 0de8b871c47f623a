import { LogoddsError } from 'logodds/score';

/**
 * Why a signature is not taken:
 *
 * | reason | meaning |
 * |---|---|
 * | missing | there is no signature |
 * | truncated | the file of the signature ends too early |
 * | malformed | it is no signature of this format |
 * | unsupported | its version, algorithm or kind is one that is not read here |
 * | untrusted | none of the trusted keys made it |
 * | altered | what it signs is not what was signed |
 * | other-file | it is of another file |
 * | other-model | it is of a model of another name |
 * | revoked | its key, its model or itself is revoked |
 * | not-yet | it is not valid yet |
 * | expired | it is not valid any more |
 */
export type SignatureReason =
  | 'missing'
  | 'truncated'
  | 'malformed'
  | 'unsupported'
  | 'untrusted'
  | 'altered'
  | 'other-file'
  | 'other-model'
  | 'revoked'
  | 'not-yet'
  | 'expired';

/** ERR_SIGNATURE with its reason. */
export const signatureError = (reason: SignatureReason, message: string, cause?: unknown): LogoddsError =>
  new LogoddsError('ERR_SIGNATURE' as never, message, {
    reason: reason as never,
    ...(cause !== undefined && { cause }),
  });

/** A value of somebody else as part of a sentence. */
export const quoted = (value: unknown): string => {
  // what is nested deeply has no text
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};
