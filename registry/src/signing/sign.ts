import { LogoddsError } from 'logodds/score';
import { writeBundle } from './bundle.ts';
import type { Signer } from './keys.ts';
import { timeText, writeStatement } from './statement.ts';
import { hexOf, SHA256, sha256Of } from './text.ts';

/** What the file of a signature is called: the file of its model, and this. */
export const SIGNATURE_ENDING = '.sig';

/** How a model file is signed. Times are by `Date.now`; they are kept in seconds. */
export interface SignOptions {
  readonly signer: Signer;
  /** name of the file, for people to read; a file that is renamed keeps its signature */
  readonly file: string;
  /** when it is signed */
  readonly signedAt: number;
  /** the only name that the model may be served as; default: any */
  readonly model?: string;
  /** the signature is valid from here on; default: at once */
  readonly notBefore?: number;
  /** the signature is valid before this; default: for ever */
  readonly expires?: number;
}

/**
 * Signs a model file in the format of OpenSSF model signing 1.0: a bundle of Sigstore 0.3 with a DSSE envelope and an in-toto Statement. `model_signing
 * verify key` accepts it, except for keys of Ed25519, which it does not know.
 * @param model  the file, or its SHA-256 in hexadecimal digits
 * @returns the file of the signature, JSON
 * @throws ERR_RANGE for times that leave none at which it is valid
 * @example
 * const signer = await signerOf(privatePem);
 * const signature = await signModel(bytes, { signer, file: 'loans.safetensors', signedAt: Date.now(), expires: Date.now() + 90 * 864e5 });
 */
export async function signModel(model: Uint8Array | string, options: SignOptions): Promise<Uint8Array> {
  const { signer, file, signedAt, notBefore = null, expires = null } = options;
  const sha256 = typeof model === 'string' ? model : hexOf(await sha256Of(model));
  if (!SHA256.test(sha256))
    throw new LogoddsError(
      'ERR_RANGE',
      'model: expected its bytes or its SHA-256 in hexadecimal digits, got another text; give the bytes',
    );
  for (const [name, time] of Object.entries({ signedAt, notBefore, expires }))
    if (time !== null && !(time >= 0 && time < LAST))
      throw new LogoddsError(
        'ERR_RANGE',
        `${name}: expected a time before the year 10000, got ${time}; give milliseconds since 1970`,
      );
  // seconds are kept: both would be cut to the same one
  if (expires !== null && timeText(expires) <= timeText(Math.max(signedAt, notBefore ?? 0)))
    throw new LogoddsError(
      'ERR_RANGE',
      `expires: expected a time after it is signed and valid, got ${timeText(expires)}; give a later one`,
    );
  return writeBundle(
    await writeStatement(sha256, { file, model: options.model ?? null, signedAt, notBefore, expires }),
    signer,
  );
}

const LAST = Date.UTC(9999, 11, 31);
