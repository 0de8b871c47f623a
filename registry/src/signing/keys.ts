import { LogoddsError } from 'logodds/score';
import { BITS, derSignature, keyOfCertificate, OCTETS, rawSignature, sequenceOf } from './der.ts';
import { signatureError } from './error.ts';
import { base64Of, bytesOfBase64, hexOf, sha256Of, utf8Of } from './text.ts';

/** A kind of key that signs. */
interface Algorithm {
  readonly name: string;
  /** AlgorithmIdentifier, in DER, as hexadecimal digits */
  readonly identifier: string;
  readonly key: { readonly name: string; readonly namedCurve?: string };
  readonly sign: { readonly name: string; readonly hash?: string };
  /** bytes of r and of s; null: signatures are bytes as they are */
  readonly size: number | null;
}

const curve = (name: string, identifier: string, hash: string, size: number): Algorithm => ({
  name,
  identifier,
  key: { name: 'ECDSA', namedCurve: name },
  sign: { name: 'ECDSA', hash },
  size,
});

/** Keys that are taken. The curves and their hashes are those of model_signing, which has no Ed25519. */
const ALGORITHMS: readonly Algorithm[] = [
  curve('P-256', '301306072a8648ce3d020106082a8648ce3d030107', 'SHA-256', 32),
  curve('P-384', '301006072a8648ce3d020106052b81040022', 'SHA-384', 48),
  curve('P-521', '301006072a8648ce3d020106052b81040023', 'SHA-512', 66),
  { name: 'Ed25519', identifier: '300506032b6570', key: { name: 'Ed25519' }, sign: { name: 'Ed25519' }, size: null },
];
const NAMES = ALGORITHMS.map(({ name }) => name).join(', ');

/** A key that verifies. */
export interface PublicKey {
  /** SHA-256 of its SubjectPublicKeyInfo in DER, as hexadecimal digits */
  readonly keyId: string;
  /** SHA-256 of its PEM, by which bundles of model_signing name it */
  readonly hint: string;
  /** P-256, P-384, P-521 or Ed25519 */
  readonly algorithm: string;
  /** SubjectPublicKeyInfo in PEM */
  readonly pem: string;
  /** Whether a signature, as bundles have it, is of these bytes and this key. */
  verify(signature: Uint8Array, bytes: Uint8Array): Promise<boolean>;
}

/** A key that signs. */
export interface Signer {
  readonly publicKey: PublicKey;
  /** The signature of bytes, as bundles have it: DER for ECDSA. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

const keyError = (what: string, got: string, cause?: unknown): LogoddsError =>
  new LogoddsError(
    'ERR_DATA',
    `${what}: expected a key of ${NAMES} in PEM, got ${got}; make one by logodds keygen`,
    cause === undefined ? undefined : { cause },
  );

const algorithmOf = (what: string, identifier: Uint8Array): Algorithm => {
  const found = ALGORITHMS.find((one) => one.identifier === hexOf(identifier));
  if (!found) throw keyError(what, 'one of another kind');
  return found;
};

/** @throws ERR_DATA for a key that its host cannot use */
async function imported(
  what: string,
  format: 'spki' | 'pkcs8',
  bytes: Uint8Array,
  { name, key }: Algorithm,
): Promise<CryptoKey> {
  const uses: KeyUsage[] = format === 'spki' ? ['verify'] : ['sign'];
  try {
    return await crypto.subtle.importKey(format, bytes as Uint8Array<ArrayBuffer>, key, format === 'pkcs8', uses);
  } catch (error) {
    const isMissing = (error as Error).name === 'NotSupportedError';
    throw keyError(
      what,
      isMissing ? `one of ${name}, which this host has not` : `one of ${name} that is damaged`,
      error,
    );
  }
}

/** A public key of its SubjectPublicKeyInfo. @param what  names it in errors @throws ERR_DATA */
export async function publicKeyOf(spki: Uint8Array, what = 'public key'): Promise<PublicKey> {
  const [identifier, bits] = sequenceOf(spki) ?? [];
  if (!identifier || bits?.tag !== BITS) throw keyError(what, 'something else');
  const algorithm = algorithmOf(what, identifier.whole);
  const { size, sign } = algorithm;
  // 0 bits unused, then an uncompressed point
  if (size !== null && (bits.content[1] !== 4 || bits.content.length !== 2 + 2 * size))
    throw keyError(what, `one of ${algorithm.name} whose point is compressed`);
  const key = await imported(what, 'spki', spki, algorithm);
  const pem = pemOf('PUBLIC KEY', spki);
  return {
    keyId: hexOf(await sha256Of(spki)),
    hint: hexOf(await sha256Of(utf8Of(pem))),
    algorithm: algorithm.name,
    pem,
    async verify(signature, bytes) {
      const raw = size === null ? Uint8Array.from(signature) : rawSignature(signature, size);
      return raw !== null && crypto.subtle.verify(sign, key, raw, bytes as Uint8Array<ArrayBuffer>);
    },
  };
}

/** A key that signs, of a private key in PKCS #8, not encrypted: PEM, or DER. @throws ERR_DATA */
export async function signerOf(pkcs8: string | Uint8Array, what = 'private key'): Promise<Signer> {
  const der = typeof pkcs8 === 'string' ? blocksOf(pkcs8).find(({ label }) => label === 'PRIVATE KEY')?.bytes : pkcs8;
  const [, identifier, secret] = (der && sequenceOf(der)) ?? [];
  if (!identifier || secret?.tag !== OCTETS) throw keyError(what, 'no private key in PKCS #8');
  const algorithm = algorithmOf(what, identifier.whole);
  const key = await imported(what, 'pkcs8', der!, algorithm);
  // the private part is left out of what is imported again
  const { d: _, key_ops: __, ...open } = await crypto.subtle.exportKey('jwk', key);
  const half = await crypto.subtle.importKey('jwk', open, algorithm.key, true, ['verify']);
  const publicKey = await publicKeyOf(new Uint8Array(await crypto.subtle.exportKey('spki', half)), what);
  return {
    publicKey,
    async sign(bytes) {
      const raw = await crypto.subtle.sign(algorithm.sign, key, bytes as Uint8Array<ArrayBuffer>);
      return algorithm.size === null ? new Uint8Array(raw) : derSignature(new Uint8Array(raw));
    },
  };
}

/**
 * The public keys of a text in PEM: of PUBLIC KEY blocks, and of CERTIFICATE blocks, whose other parts are not looked at.
 * @param what  names the text in errors
 * @throws ERR_DATA for a text without one, and for a private key, which must not lie where keys are trusted
 * @example
 * const [key] = await publicKeysOf(pem);
 */
export async function publicKeysOf(pem: string, what = 'trusted keys'): Promise<PublicKey[]> {
  const blocks = blocksOf(pem);
  const secret = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (secret)
    throw new LogoddsError(
      'ERR_DATA',
      `${what}: expected public keys, got a private one; give the public key beside it, and keep the private one away from services`,
    );
  const found: PublicKey[] = [];
  for (const { label, bytes } of blocks) {
    if (label !== 'PUBLIC KEY' && label !== 'CERTIFICATE') throw keyError(what, label);
    const spki = label === 'CERTIFICATE' ? bytes && keyOfCertificate(bytes) : bytes;
    if (!spki) throw keyError(what, `a ${label} that is damaged`);
    found.push(await publicKeyOf(spki, what));
  }
  if (found.length === 0) throw keyError(what, 'none');
  return found;
}

/** A public key of a certificate. @throws ERR_SIGNATURE */
export async function certifiedKey(certificate: Uint8Array, what: string): Promise<PublicKey> {
  const spki = keyOfCertificate(certificate);
  if (!spki)
    throw signatureError(
      'malformed',
      `${what}: expected a certificate in DER, got something else; sign the model again`,
    );
  try {
    return await publicKeyOf(spki, what);
  } catch (error) {
    throw signatureError('unsupported', (error as Error).message, error);
  }
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END ([A-Z0-9 ]{1,40})-----/g;

/** Blocks of PEM. Text between them is no part of them. @see RFC 7468 */
function blocksOf(pem: string): { readonly label: string; readonly bytes: Uint8Array<ArrayBuffer> | null }[] {
  return [...pem.matchAll(BLOCK)].map(([, label, text, end]) => ({
    label,
    bytes: label === end ? bytesOfBase64(text.replace(/\s/g, '')) : null,
  }));
}

const pemOf = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${base64Of(bytes).replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
