/*
 * What keys, certificates and signatures need of DER (X.690): values with their tags, and lengths that have one form each.
 */

/** A value of DER. */
export interface Value {
  readonly tag: number;
  /** with tag and length */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

export const INTEGER = 0x02;
export const BITS = 0x03;
export const OCTETS = 0x04;
export const SEQUENCE = 0x30;
/** `[0]` of a certificate: its version */
export const VERSION = 0xa0;

/** The values that stand one behind the other in some bytes; null: they are no DER. */
export function valuesOf(bytes: Uint8Array): Value[] | null {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length; ) {
    const begin = at;
    const tag = bytes[at++];
    // tags of several bytes are in no key
    if ((tag & 0x1f) === 0x1f || at === bytes.length) return null;
    let length = bytes[at++];
    if (length >= 0x80) {
      const digits = length & 0x7f;
      if (digits === 0 || digits > 3 || at + digits > bytes.length) return null;
      length = 0;
      for (let i = 0; i < digits; i++) length = length * 256 + bytes[at++];
      // a shorter form would have done
      if (length < 0x80 || length < 256 ** (digits - 1)) return null;
    }
    if (at + length > bytes.length) return null;
    at += length;
    values.push({ tag, whole: bytes.subarray(begin, at), content: bytes.subarray(at - length, at) });
  }
  return values;
}

/** The values inside the one SEQUENCE that some bytes are; null: they are something else. */
export function sequenceOf(bytes: Uint8Array): Value[] | null {
  const values = valuesOf(bytes);
  return values?.length === 1 && values[0].tag === SEQUENCE ? valuesOf(values[0].content) : null;
}

/**
 * The two numbers of an ECDSA signature, r and s, each in `size` bytes: WebCrypto takes them so, and everybody else writes a SEQUENCE of them.
 * null: no such SEQUENCE in DER, or numbers that no signature has (zero, negative, too long).
 * @see RFC 3279, 2.2.3
 */
export function rawSignature(der: Uint8Array, size: number): Uint8Array<ArrayBuffer> | null {
  const values = sequenceOf(der);
  if (values?.length !== 2) return null;
  const raw = new Uint8Array(2 * size);
  for (const [i, { tag, content }] of values.entries()) {
    if (tag !== INTEGER || content.length === 0 || content[0] >= 0x80) return null;
    const isPadded = content[0] === 0;
    // a zero in front is there for the sign alone
    if (isPadded && (content.length === 1 || content[1] < 0x80)) return null;
    const digits = isPadded ? content.subarray(1) : content;
    if (digits.length > size) return null;
    raw.set(digits, (i + 1) * size - digits.length);
  }
  return raw;
}

/** The SEQUENCE of r and s. */
export function derSignature(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = raw.length / 2;
  const integers = [raw.subarray(0, size), raw.subarray(size)].flatMap((number) => {
    const begin = number.findIndex((byte) => byte !== 0);
    const digits = [...number.subarray(begin)];
    if (digits[0] >= 0x80) digits.unshift(0);
    return [INTEGER, digits.length, ...digits];
  });
  const length = integers.length < 0x80 ? [integers.length] : [0x81, integers.length];
  return Uint8Array.from([SEQUENCE, ...length, ...integers]);
}

/** The public key (SubjectPublicKeyInfo) of a certificate. null: no certificate. @see RFC 5280, 4.1 */
export function keyOfCertificate(der: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const [body] = sequenceOf(der) ?? [];
  const parts = body?.tag === SEQUENCE ? valuesOf(body.content) : null;
  // version, then serial number, algorithm, issuer, validity, subject
  const key = parts?.[parts[0]?.tag === VERSION ? 6 : 5];
  return key?.tag === SEQUENCE ? Uint8Array.from(key.whole) : null;
}
