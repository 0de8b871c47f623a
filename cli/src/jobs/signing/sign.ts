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
  /** where models:/ are; absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
  /** what the log of the registry keeps */
  readonly why?: string;
  readonly by?: string;
}

/**
 * Signs a model file; the signature is written beside it. That of a version of a registry is put beside it there, unless `out` names a file.
 * @throws ERR_DATA, ERR_FORMAT for what is no model, ERR_RANGE, ERR_OUTPUT, ERR_REGISTRY, ERR_STORE
 */
export async function signFile(path: string, options: SignFileOptions) {
  const { key, out, name, expires, notBefore, passphrase } = options;
  const fetched = path.startsWith('models:/') ? await fetchedVersion(path, options.registry) : null;
  const target = out ?? (fetched ? null : path + SIGNATURE_ENDING);
  const bytes = fetched?.bytes ?? readBytes(path, 'a model file');
  try {
    loadModel(bytes);
  } catch (error) {
    const { code, message } = error as LogoddsError;
    throw new LogoddsError(code, `${path}: ${message}`, { cause: error });
  }
  const signer = await readSigner(key, passphrase);
  if (target !== null) refuseShared(target, path, key, passphrase);
  const now = Date.now();
  const times = { signedAt: now, expires: expires?.(now), notBefore: notBefore?.(now) };
  const signature = await signModel(bytes, {
    signer,
    // by this name a registry has it
    file: fetched ? `${fetched.version.sha256}.safetensors` : basename(path),
    signedAt: now,
    ...(name !== undefined && { model: name }),
    ...(times.expires !== undefined && { expires: times.expires }),
    ...(times.notBefore !== undefined && { notBefore: times.notBefore }),
  });
  const place = target ?? `${fetched!.registry.place}, version ${fetched!.version.version} of ${fetched!.version.name}`;
  if (target === null) {
    const { actOf } = await import('../registry/open.ts');
    await fetched!.registry.sign(fetched!.version.name, fetched!.version.version, signature, actOf(options));
  } else {
    const file = new OutputFile(target);
    file.write(signature);
    file.commit();
  }
  return {
    model: path,
    signature: place,
    sha256: sha256Of(bytes),
    keyId: signer.publicKey.keyId,
    algorithm: signer.publicKey.algorithm,
    name: name ?? null,
    signedAt: timeText(times.signedAt),
    notBefore: timeText(times.notBefore),
    expires: timeText(times.expires),
  };
}

/** A version of a registry. What only references need is loaded with the first of them. */
export const fetchedVersion = async (reference: string, registry: string | undefined) =>
  (await import('../registry/fetch.ts')).fetchModel(reference, registry);

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
