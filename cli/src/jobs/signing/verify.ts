import { existsSync } from 'node:fs';
import {
  NONE_REVOKED,
  publicKeysOf,
  revokedOf,
  SIGNATURE_ENDING,
  verifySignature,
} from '../../../../registry/src/signing/index.ts';
import type { LogoddsError } from '../../../../src/index.ts';
import { sha256Of } from './digest.ts';
import { readText } from './keys.ts';
import { readBytes, timeText } from './sign.ts';

/** How a signature is verified. */
export interface VerifyFileOptions {
  /** files of public keys */
  readonly trust: readonly string[];
  readonly revoked?: string;
  readonly signature?: string;
  readonly name?: string;
}

/** Verifies the signature of a model file, now. What is wrong with the signature is given, not thrown. @throws ERR_DATA for other files */
export async function verifyFile(path: string, { trust: files, revoked: list, signature, name }: VerifyFileOptions) {
  const bytes = readBytes(path, 'a model file');
  const trust = [];
  for (const file of files) trust.push(...(await publicKeysOf(readText(file, 'public keys'), `--trust ${file}`)));
  const revoked = list === undefined ? NONE_REVOKED : revokedOf(readText(list, 'a revoked list'), `--revoked ${list}`);
  const beside = path + SIGNATURE_ENDING;
  const file = signature ?? (existsSync(beside) ? beside : null);
  const sha256 = sha256Of(bytes);
  const none = { sha256, keyId: null, algorithm: null, name: null, signedAt: null, notBefore: null, expires: null };
  try {
    const signed = await verifySignature({
      sha256,
      signature: file === null ? null : readBytes(file, 'a signature'),
      trust,
      revoked,
      now: Date.now(),
      what: file ?? beside,
      ...(name !== undefined && { model: name }),
    });
    return {
      ...none,
      keyId: signed.keyId,
      algorithm: signed.algorithm,
      name: signed.model,
      signedAt: timeText(signed.signedAt),
      notBefore: timeText(signed.notBefore),
      expires: timeText(signed.expires),
      reason: null,
      message: null,
      error: null,
    };
  } catch (error) {
    const { code, reason, message } = error as LogoddsError;
    if ((code as string) !== 'ERR_SIGNATURE') throw error;
    return { ...none, reason: reason as string, message, error: error as LogoddsError };
  }
}
