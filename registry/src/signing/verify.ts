import { type Bundle, preAuthEncoding, readBundle } from './bundle.ts';
import { quoted, signatureError } from './error.ts';
import type { PublicKey } from './keys.ts';
import { NONE_REVOKED, type Revoked } from './revoked.ts';
import { type Claims, readStatement, timeText } from './statement.ts';
import { hexOf, sha256Of } from './text.ts';

/** What is verified, and against what. */
export interface Verification {
  /** SHA-256 of the model file, in hexadecimal digits */
  readonly sha256: string;
  /** the file of the signature; null: there is none */
  readonly signature: Uint8Array | null;
  /** keys of which one must have signed */
  readonly trust: readonly PublicKey[];
  readonly revoked?: Revoked;
  /** the time at which it must be valid, as `Date.now` has it */
  readonly now: number;
  /** the name under which the model is served; default: that is not looked at */
  readonly model?: string;
  /** what errors call it; default "signature" */
  readonly what?: string;
}

/** A signature that is trusted. */
export interface Signed extends Claims {
  /** SHA-256 of the model file */
  readonly sha256: string;
  /** SHA-256 of the file of the signature */
  readonly signature: string;
  /** the key that signed: SHA-256 of its SubjectPublicKeyInfo */
  readonly keyId: string;
  readonly algorithm: string;
}

/**
 * Verifies that one of the trusted keys signed a model file. Signatures of `model_signing sign key` and `sign certificate` are read too, of a file alone or
 * of a folder that has it, by files or by shards of which the file is one. Of a certificate its public key is what is trusted; its chain and its time are
 * not looked at.
 *
 * The name of the file may have changed since. A signature for one model (`SignOptions.model`) is refused for another.
 * @throws ERR_SIGNATURE with `reason`, a `SignatureReason`
 * @example
 * const trust = await publicKeysOf(publicPem);
 * const { keyId, expires } = await verifySignature({ sha256, signature, trust, now: Date.now() });
 */
export async function verifySignature(verification: Verification): Promise<Signed> {
  const { sha256, signature: file, trust, revoked = NONE_REVOKED, what = 'signature' } = verification;
  if (file === null)
    throw signatureError('missing', `${what}: expected one of a trusted key, got none; sign the model by logodds sign`);
  const bundle = await readBundle(file, what);
  const { payload, certified, named } = bundle;
  const key = await signedBy(bundle, trust, what);
  if (key === null) {
    const why = revoked.reasonFor({ keyId: certified?.keyId ?? named });
    if (why !== null)
      throw signatureError(
        'revoked',
        `${what}: expected a key that is trusted, got one that is not: ${why}; sign the model by another`,
      );
    throw signatureError(
      'untrusted',
      `${what}: expected one of the ${trust.length} trusted keys, got another (key ${named}${certified ? ', of a certificate' : ''}); trust it, or sign the model by a trusted one`,
    );
  }
  const statement = await readStatement(payload, what);
  const { has, files, ...claims } = statement;
  if (!has(sha256)) throw otherFile(what, sha256, files, claims);
  const signed: Signed = {
    ...claims,
    sha256,
    signature: hexOf(await sha256Of(file)),
    keyId: key.keyId,
    algorithm: key.algorithm,
  };
  const doubt = doubtOf(signed, verification);
  if (doubt !== null) throw doubt;
  return signed;
}

/** What a signature says of a file, and of its key. Nobody has verified it. */
export interface Unverified extends Claims {
  /** how it names its key, in a sentence */
  readonly named: string;
}

/** Reads a signature of a model file: that it has the form of one, and is of this file. Its key is not looked at. @throws ERR_SIGNATURE */
export async function readSignature({
  sha256,
  signature: file,
  what = 'signature',
}: Pick<Verification, 'sha256' | 'what'> & { readonly signature: Uint8Array }): Promise<Unverified> {
  const { payload, named } = await readBundle(file, what);
  const { has, files, ...claims } = await readStatement(payload, what);
  if (!has(sha256)) throw otherFile(what, sha256, files, claims);
  return { ...claims, named };
}

const otherFile = (what: string, sha256: string, files: number, { file }: Claims) =>
  signatureError(
    'other-file',
    `${what}: expected one of the file with SHA-256 ${sha256}, got one of ${files > 1 ? `${files} others` : `another (${quoted(file)})`}; sign this file, or put the right one there`,
  );

/** The key that made a signature; null: none of these. @throws ERR_SIGNATURE where the bundle names one that did not make it */
async function signedBy({ payload, signature, isNamed, names }: Bundle, trust: readonly PublicKey[], what: string) {
  const keys = trust.filter(names);
  const bytes = preAuthEncoding(payload);
  for (const key of keys) if (await key.verify(signature, bytes)) return key;
  if (keys.length === 0 || !isNamed) return null;
  throw signatureError(
    'altered',
    `${what}: expected a signature of what it signs by key ${keys[0].keyId}, got another; sign the model again`,
  );
}

/**
 * What is wrong with a signature that was trusted before: its key is trusted no more, it is revoked, or its time is over. null: nothing.
 */
export function doubtOf(
  signed: Signed,
  { trust, revoked = NONE_REVOKED, now, model, what = 'signature' }: Omit<Verification, 'sha256' | 'signature'>,
): Error | null {
  const { keyId, sha256, signature, notBefore, expires } = signed;
  const why = revoked.reasonFor({ keyId, model: sha256, signature });
  if (why !== null)
    return signatureError(
      'revoked',
      `${what}: expected one that is not revoked, got one that is: ${why}; sign the model by another key, or serve another`,
    );
  if (!trust.some((one) => one.keyId === keyId))
    return signatureError(
      'untrusted',
      `${what}: expected one of the ${trust.length} trusted keys, got another (key ${keyId}); trust it, or sign the model by a trusted one`,
    );
  if (signed.model !== null && model !== undefined && signed.model !== model)
    return signatureError(
      'other-model',
      `${what}: expected one for the model ${quoted(model)}, got one for ${quoted(signed.model)}; serve it under that name, or sign it for this one`,
    );
  if (notBefore !== null && now < notBefore)
    return signatureError(
      'not-yet',
      `${what}: expected one that is valid at ${timeText(now)}, got one that is valid from ${timeText(notBefore)} on; wait, or look at the clock`,
    );
  if (expires !== null && !(now < expires))
    return signatureError(
      'expired',
      `${what}: expected one that is valid at ${timeText(now)}, got one that expired at ${timeText(expires)}; sign the model again`,
    );
  return null;
}
