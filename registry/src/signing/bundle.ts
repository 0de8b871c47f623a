import { quoted, signatureError } from './error.ts';
import { listOf, objectOf, parsed, textOf } from './json.ts';
import { certifiedKey, type PublicKey, type Signer } from './keys.ts';
import { base64Of, bytesOfBase64, SHA256, textOfUtf8, utf8Of } from './text.ts';

/*
 * A bundle of Sigstore, version 0.3, with a DSSE envelope: how OpenSSF model signing writes a signature.
 *
 * Of what nobody signs only one text is taken for each value, and no member that is not known: whoever changes a byte of it has no bundle.
 */

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** Bytes of a signature file. A manifest of a folder has a line for each of its files. */
const MOST = 2 ** 20;

/** What a bundle holds. */
export interface Bundle {
  /** what is signed: JSON of an in-toto Statement */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** whether it names its key */
  readonly isNamed: boolean;
  /** Whether a key is the one that it names; one that names none may be of any. */
  names(key: PublicKey): boolean;
  /** the key of a certificate, where the bundle has one in place of the name of a key */
  readonly certified: PublicKey | null;
  /** how the bundle names its key, in a sentence */
  readonly named: string;
}

/** What DSSE signs. @see DSSE 1.0.0, protocol.md */
export function preAuthEncoding(payload: Uint8Array): Uint8Array {
  const head = utf8Of(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

/** Signs a payload, and writes the bundle. */
export async function writeBundle(payload: Uint8Array, { publicKey, sign }: Signer): Promise<Uint8Array> {
  const sig = base64Of(await sign(preAuthEncoding(payload)));
  return utf8Of(
    JSON.stringify({
      mediaType: MEDIA_TYPE,
      verificationMaterial: { publicKey: { hint: publicKey.hint }, tlogEntries: [] },
      dsseEnvelope: {
        payload: base64Of(payload),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig, keyid: publicKey.keyId }],
      },
    }),
  );
}

/** Reads a bundle. Nothing of it is verified. @param what  names it in errors @throws ERR_SIGNATURE */
export async function readBundle(file: Uint8Array, what: string): Promise<Bundle> {
  if (file.length === 0)
    throw signatureError('truncated', `${what}: expected a bundle, got an empty file; copy it again`);
  if (file.length > MOST)
    throw signatureError(
      'malformed',
      `${what}: expected at most ${MOST} bytes, got ${file.length}; sign the model alone`,
    );
  const text = textOfUtf8(file);
  if (text === null)
    throw signatureError('malformed', `${what}: expected JSON, got bytes that are no text; sign the model again`);
  const bundle = objectOf(parsed(text, what), what);
  const mediaType = textOf(bundle['mediaType'], `${what}, mediaType`);
  if (mediaType !== MEDIA_TYPE)
    throw signatureError(
      'unsupported',
      `${what}, mediaType: expected ${MEDIA_TYPE}, got ${quoted(mediaType)}; sign the model again`,
    );
  if ('messageSignature' in bundle)
    throw signatureError(
      'unsupported',
      `${what}: expected a dsseEnvelope, got a messageSignature; sign the model by model_signing or logodds sign`,
    );
  objectOf(bundle, what, ['mediaType', 'verificationMaterial', 'dsseEnvelope']);
  const { payload, signature, keyid } = readEnvelope(bundle['dsseEnvelope'], `${what}, dsseEnvelope`);
  const { hint, certified } = await readMaterial(bundle['verificationMaterial'], `${what}, verificationMaterial`);
  return {
    payload,
    signature,
    certified,
    isNamed: certified !== null || hint !== '' || keyid !== '',
    named: certified?.keyId ?? (keyid || (hint ? `of PEM ${hint}` : 'without a name')),
    names: (key) =>
      (certified === null || certified.keyId === key.keyId) &&
      (hint === '' || hint === key.hint) &&
      (keyid === '' || keyid === key.keyId),
  };
}

function readEnvelope(value: unknown, what: string) {
  const envelope = objectOf(value, what, ['payload', 'payloadType', 'signatures']);
  const payloadType = textOf(envelope['payloadType'], `${what}, payloadType`);
  if (payloadType !== PAYLOAD_TYPE)
    throw signatureError(
      'unsupported',
      `${what}, payloadType: expected ${PAYLOAD_TYPE}, got ${quoted(payloadType)}; sign the model again`,
    );
  const signatures = listOf(envelope['signatures'], `${what}, signatures`);
  if (signatures.length !== 1)
    throw signatureError(
      'unsupported',
      `${what}, signatures: expected one, got ${signatures.length}; sign the model again`,
    );
  const one = objectOf(signatures[0], `${what}, signature`, ['sig', 'keyid']);
  const keyid = one['keyid'] ?? '';
  return {
    payload: bytesAt(envelope['payload'], `${what}, payload`),
    signature: bytesAt(one['sig'], `${what}, sig`),
    keyid: keyid === '' ? '' : textOf(keyid, `${what}, keyid`, 'a SHA-256 in hexadecimal digits', SHA256),
  };
}

/** What a bundle says of its key: a hint, or certificates, of which the first one is looked at. Entries of transparency logs are not. */
async function readMaterial(value: unknown, what: string): Promise<{ hint: string; certified: PublicKey | null }> {
  const KINDS = ['publicKey', 'x509CertificateChain', 'certificate'];
  const material = objectOf(value, what, [...KINDS, 'tlogEntries', 'timestampVerificationData']);
  const kinds = KINDS.filter((kind) => kind in material);
  if (kinds.length !== 1)
    throw signatureError(
      'malformed',
      `${what}: expected one of ${KINDS.join(', ')}, got ${kinds.length}; sign the model again`,
    );
  listOf(material['tlogEntries'] ?? [], `${what}, tlogEntries`);
  if (kinds[0] === 'publicKey') {
    // the last two are of bundles that model_signing wrote before 1.0
    const key = objectOf(material['publicKey'], `${what}, publicKey`, ['hint', 'rawBytes', 'keyDetails']);
    const hint = key['hint'] ?? '';
    const rule = 'a SHA-256 in hexadecimal digits';
    return { hint: hint === '' ? '' : textOf(hint, `${what}, hint`, rule, SHA256), certified: null };
  }
  const chain =
    kinds[0] === 'certificate'
      ? [material['certificate']]
      : listOf(
          objectOf(material['x509CertificateChain'], `${what}, x509CertificateChain`, ['certificates'])['certificates'],
          `${what}, certificates`,
        );
  const leaf = objectOf(chain[0], `${what}, certificate`, ['rawBytes']);
  return {
    hint: '',
    certified: await certifiedKey(bytesAt(leaf['rawBytes'], `${what}, certificate`), `${what}, certificate`),
  };
}

function bytesAt(value: unknown, what: string): Uint8Array {
  const bytes = bytesOfBase64(textOf(value, what, 'base64'));
  if (!bytes?.length)
    throw signatureError('malformed', `${what}: expected base64, got something else; sign the model again`);
  return bytes;
}
