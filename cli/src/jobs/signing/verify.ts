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
import { fetchedVersion, readBytes, timeText } from './sign.ts';

/** How a signature is verified. */
export interface VerifyFileOptions {
  /** files of public keys */
  readonly trust: readonly string[];
  readonly revoked?: string;
  readonly signature?: string;
  readonly name?: string;
  /** where models:/ are; absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
}

/** Verifies the signature of a model file, or of a version of a registry, now. What is wrong with the signature is given, not thrown. @throws ERR_DATA for other files */
export async function verifyFile(path: string, options: VerifyFileOptions) {
  const { trust: files, revoked: list, signature, name } = options;
  const fetched = path.startsWith('models:/') ? await fetchedVersion(path, options.registry) : null;
  const bytes = fetched?.bytes ?? readBytes(path, 'a model file');
  const trust = [];
  for (const file of files) trust.push(...(await publicKeysOf(readText(file, 'public keys'), `--trust ${file}`)));
  const revoked = list === undefined ? NONE_REVOKED : revokedOf(readText(list, 'a revoked list'), `--revoked ${list}`);
  const beside = fetched
    ? `signature of version ${fetched.version.version} of ${fetched.version.name}`
    : path + SIGNATURE_ENDING;
  const file = signature ?? (!fetched && existsSync(beside) ? beside : null);
  const signed =
    file === null ? ((await fetched?.registry.signature(fetched.version)) ?? null) : readBytes(file, 'a signature');
  const sha256 = sha256Of(bytes);
  const none = { sha256, keyId: null, algorithm: null, name: null, signedAt: null, notBefore: null, expires: null };
  try {
    const found = await verifySignature({
      sha256,
      signature: signed,
      trust,
      revoked,
      now: Date.now(),
      what: file ?? beside,
      ...(name !== undefined && { model: name }),
    });
    return {
      ...none,
      keyId: found.keyId,
      algorithm: found.algorithm,
      name: found.model,
      signedAt: timeText(found.signedAt),
      notBefore: timeText(found.notBefore),
      expires: timeText(found.expires),
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
