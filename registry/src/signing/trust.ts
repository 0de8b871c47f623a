import { type PublicKey, publicKeysOf } from './keys.ts';
import { NONE_REVOKED, type Revoked, revokedOf } from './revoked.ts';
import { hexOf, sha256Of } from './text.ts';
import { doubtOf, type Signed, verifySignature } from './verify.ts';

/** A model file that somebody wants to serve. */
export interface Candidate {
  /** the name that it is served under */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** the file of its signature; null: there is none */
  readonly signature: Uint8Array | null;
}

/** Texts that say what is trusted. */
export interface TrustTexts {
  /** public keys, or certificates, in PEM; each text may have several */
  readonly keys: readonly string[];
  /** as of `revokedOf` */
  readonly revoked?: string;
}

/**
 * The keys that models must be signed by, for a service: `createService({ trust })`. Other keys can be put in their place while it serves.
 * @example
 * const trust = await Trust.of({ keys: [publicPem] }, Date.now);
 * const service = createService({ trust });
 * await service.models.load({ name: 'loans', model: bytes, signature });
 */
export class Trust {
  #keys: readonly PublicKey[];
  #revoked: Revoked;
  readonly #now: () => number;

  /** @param now  the clock: `Date.now` */
  constructor(keys: readonly PublicKey[], revoked: Revoked, now: () => number) {
    this.#keys = keys;
    this.#revoked = revoked;
    this.#now = now;
  }

  /** @throws ERR_DATA */
  static async of(texts: TrustTexts, now: () => number): Promise<Trust> {
    return new Trust(...(await Trust.#read(texts)), now);
  }

  static async #read({ keys, revoked }: TrustTexts): Promise<[PublicKey[], Revoked]> {
    const list = revoked === undefined ? NONE_REVOKED : revokedOf(revoked);
    return [(await Promise.all(keys.map((pem) => publicKeysOf(pem)))).flat(), list];
  }

  /** Trusts these in the place of those before. @throws ERR_DATA; those before stay then */
  async replace(texts: TrustTexts): Promise<void> {
    [this.#keys, this.#revoked] = await Trust.#read(texts);
  }

  /** ids of the keys that are trusted */
  get keyIds(): readonly string[] {
    return this.#keys.map(({ keyId }) => keyId);
  }

  /** Verifies the signature of a model. @throws ERR_SIGNATURE */
  async check({ name, bytes, signature }: Candidate): Promise<Signed> {
    const sha256 = hexOf(await sha256Of(bytes));
    return verifySignature({ sha256, signature, ...this.#against(name) });
  }

  /** Why a model that was trusted is so no more; null: it is. */
  doubt(name: string, signed: Signed): string | null {
    return doubtOf(signed, this.#against(name))?.message ?? null;
  }

  #against(name: string) {
    const what = `signature of ${name}`;
    return { trust: this.#keys, revoked: this.#revoked, now: this.#now(), model: name, what };
  }
}
