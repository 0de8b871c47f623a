import type { Shelf } from './shelf.ts';

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

/** Numbers about the signatures of models; none where they are not asked. */
export function trustGauges(shelf: Shelf) {
  if (!shelf.asksSignatures) return {};
  const all = shelf.all();
  const ends = all.flatMap(({ signed }) => signed?.expires ?? []);
  return {
    lr_models_untrusted: {
      help: 'Versions of models that answer though their signature is trusted no more.',
      value: all.filter((served) => shelf.doubt(served) !== null).length,
      of: 'most' as const,
    },
    ...(ends.length > 0 && {
      lr_signature_expiry_timestamp_seconds: {
        help: 'End of the signature that expires first, in seconds since 1970.',
        value: Math.min(...ends) / 1000,
        of: 'least' as const,
      },
    }),
  };
}
