import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SIGNATURE_ENDING, signModel } from '../../../../registry/src/signing/index.ts';
import { LogoddsError, loadModel } from '../../../../src/index.ts';
import { OutputFile, reason, refuseShared } from '../../write/temporary.ts';
import { sha256Of } from './digest.ts';
import { readSigner } from './keys.ts';

/** How a model file is signed. */
export interface SignFileOptions {
  /** file of the private key */
  readonly key: string;
  readonly out?: string;
  readonly name?: string;
  readonly expires?: (now: number) => number;
  readonly notBefore?: (now: number) => number;
  /** file of the passphrase */
  readonly passphrase?: string;
}

/** Signs a model file; the signature is written beside it. @throws ERR_DATA, ERR_FORMAT for what is no model, ERR_RANGE, ERR_OUTPUT */
export async function signFile(path: string, { key, out, name, expires, notBefore, passphrase }: SignFileOptions) {
  const target = out ?? path + SIGNATURE_ENDING;
  const bytes = readBytes(path, 'a model file');
  try {
    loadModel(bytes);
  } catch (error) {
    const { code, message } = error as LogoddsError;
    throw new LogoddsError(code, `${path}: ${message}`, { cause: error });
  }
  const signer = await readSigner(key, passphrase);
  refuseShared(target, path, key, passphrase);
  const now = Date.now();
  const times = { signedAt: now, expires: expires?.(now), notBefore: notBefore?.(now) };
  const signature = await signModel(bytes, {
    signer,
    file: basename(path),
    signedAt: now,
    ...(name !== undefined && { model: name }),
    ...(times.expires !== undefined && { expires: times.expires }),
    ...(times.notBefore !== undefined && { notBefore: times.notBefore }),
  });
  const file = new OutputFile(target);
  file.write(signature);
  file.commit();
  return {
    model: path,
    signature: target,
    sha256: sha256Of(bytes),
    keyId: signer.publicKey.keyId,
    algorithm: signer.publicKey.algorithm,
    name: name ?? null,
    signedAt: timeText(times.signedAt),
    notBefore: timeText(times.notBefore),
    expires: timeText(times.expires),
  };
}

/** In seconds, as signatures have it. */
export const timeText = (time: number | null | undefined): string | null =>
  time === null || time === undefined ? null : new Date(time).toISOString().replace(/\.\d+/, '');

/** @throws ERR_DATA */
export function readBytes(path: string, what: string): Uint8Array {
  if (path.startsWith('models:/'))
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a file, got a reference; write it by logodds pull ${path} --signature --out FILE, and push FILE again when it is signed`,
    );
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LogoddsError('ERR_DATA', `${path}: expected ${what}, got an error (${reason(error)}); check the path`, {
      cause: error,
    });
  }
}
