/** What a signature says that was verified. Times are by `Date.now`. */
export interface Signed {
  /** SHA-256 of the public key that signed, as SubjectPublicKeyInfo */
  readonly keyId: string;
  /** null: not told */
  readonly signedAt: number | null;
  /** null: never */
  readonly expires: number | null;
}

/** Says which models are trusted: `Trust` of `@logodds/registry/signing`. */
export interface ModelTrust {
  /** Verifies a model file by its signature. @throws ERR_SIGNATURE for one that is not to be served */
  check(model: {
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly signature: Uint8Array | null;
  }): Promise<Signed>;
  /** Why a model that was trusted is so no more; null: it is. */
  doubt(name: string, signed: Signed): string | null;
}

/** The signature of a model, as it is told. */
export function signatureOf(signed: Signed, doubt: string | null) {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return { keyId: signed.keyId, signedAt: time(signed.signedAt), expires: time(signed.expires), doubt };
}
