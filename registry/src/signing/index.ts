/**
 * Signatures of model files in the format of OpenSSF model signing, on web standards alone.
 * @module
 */
export type { SignatureReason } from './error.ts';
export { type PublicKey, publicKeysOf, type Signer, signerOf } from './keys.ts';
export { NONE_REVOKED, type Revoked, type RevokedEntry, revokedOf } from './revoked.ts';
export { SIGNATURE_ENDING, type SignOptions, signModel } from './sign.ts';
export type { Claims } from './statement.ts';
export { type Candidate, Trust, type TrustTexts } from './trust.ts';
export { doubtOf, type Signed, type Verification, verifySignature } from './verify.ts';
