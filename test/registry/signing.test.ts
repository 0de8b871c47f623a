import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type PublicKey,
  publicKeysOf,
  revokedOf,
  type Signer,
  type SignOptions,
  signerOf,
  signModel,
  Trust,
  type Verification,
  verifySignature,
} from '../../registry/src/signing/index.ts';
import { sweep } from '../full.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2030, 0, 1, 12);
const model = readFileSync('test/conformance/codes.safetensors');
const other = readFileSync('test/conformance/numeric.safetensors');
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const pairOf = (curve: string): KeyObject =>
  curve === 'ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: curve }).privateKey;
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const signerOfCurve = (curve: string): Promise<Signer> => signerOf(pem(pairOf(curve)));

const signer = await signerOfCurve('P-256');
const stranger = await signerOfCurve('P-256');
const { publicKey } = signer;
const sign = (options: Partial<SignOptions> = {}, bytes: Uint8Array | string = model): Promise<Uint8Array> =>
  signModel(bytes, { signer, file: 'codes.safetensors', signedAt: NOW, ...options });
const verify = (signature: Uint8Array | null, more: Partial<Verification> = {}) =>
  verifySignature({ sha256: digest(model), signature, trust: [publicKey], now: NOW, ...more });
/** The reason of a refusal, and its sentence. */
const refusal = async (verified: Promise<unknown>): Promise<{ reason: string; message: string }> => {
  try {
    await verified;
  } catch (error) {
    const { code, reason, message } = error as { code: string; reason: string; message: string };
    expect(code, message).toBe('ERR_SIGNATURE');
    expect(message).toMatch(/^signature.*: expected .*, got .*; .*[^.]$/s);
    return { reason, message };
  }
  throw new Error('it was taken');
};
const reasonOf = async (verified: Promise<unknown>): Promise<string> => (await refusal(verified)).reason;

type Json = { [key: string]: Json } & Json[] & string;
/** A signature with something of its JSON changed. */
const changed = (signature: Uint8Array, change: (bundle: Json) => void): Uint8Array => {
  const bundle = JSON.parse(new TextDecoder().decode(signature));
  change(bundle);
  return utf8(JSON.stringify(bundle));
};
const payloadOf = (signature: Uint8Array): Json =>
  JSON.parse(atob(JSON.parse(new TextDecoder().decode(signature)).dsseEnvelope.payload));
/** A bundle of a statement, signed as it is. */
async function bundleOf(statement: unknown, by = signer): Promise<Uint8Array> {
  const payload = utf8(typeof statement === 'string' ? statement : JSON.stringify(statement));
  const type = 'application/vnd.in-toto+json';
  const head = utf8(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const sig = await by.sign(Buffer.concat([head, payload]));
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return utf8(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: by.publicKey.hint }, tlogEntries: [] },
      dsseEnvelope: { payload: base64(payload), payloadType: type, signatures: [{ sig: base64(sig), keyid: '' }] },
    }),
  );
}
/** A statement of model_signing about files. */
const statementOf = (
  resources: readonly { name: string; digest: string; algorithm?: string }[],
  serialization: object = { method: 'files', hash_type: 'sha256', allow_symlinks: false },
  more: object = {},
) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [
    {
      name: 'folder',
      digest: { sha256: digest(Buffer.concat(resources.map((one) => Buffer.from(one.digest, 'hex')))) },
    },
  ],
  predicateType: 'https://model_signing/signature/v1.0',
  predicate: { serialization, resources: resources.map((one) => ({ algorithm: 'sha256', ...one })), ...more },
});

test.each(['P-256', 'P-384', 'P-521', 'ed25519'])('a key of %s signs, and its public key verifies', async (curve) => {
  const key = pairOf(curve);
  const by = await signerOf(pem(key));
  const signature = await sign({ signer: by, expires: NOW + HOUR, model: 'codes' });
  const [trusted] = await publicKeysOf(by.publicKey.pem);
  const spki = createPrivateKey(pem(key)).export({ type: 'pkcs8', format: 'pem' });
  expect(spki).toBe(pem(key));
  expect(await verify(signature, { trust: [trusted], model: 'codes' })).toEqual({
    file: 'codes.safetensors',
    model: 'codes',
    signedAt: NOW,
    notBefore: null,
    expires: NOW + HOUR,
    sha256: digest(model),
    signature: digest(signature),
    keyId: by.publicKey.keyId,
    algorithm: curve === 'ed25519' ? 'Ed25519' : curve,
  });
  expect(await reasonOf(verify(signature))).toBe('untrusted');
  const mixed = changed(signature, (bundle) => {
    bundle.verificationMaterial.publicKey.hint = publicKey.hint as Json;
    bundle.dsseEnvelope.signatures[0].keyid = publicKey.keyId as Json;
  });
  expect(await reasonOf(verify(mixed))).toBe('altered');
});

test('an id of a key is the SHA-256 of its SubjectPublicKeyInfo', () => {
  const der = Buffer.from(publicKey.pem.replace(/-----.*-----|\s/g, ''), 'base64');
  expect(publicKey.keyId).toBe(digest(der));
  expect(publicKey.hint).toBe(digest(utf8(publicKey.pem)));
});

test('every signature is refused for its own reason, in one sentence', async () => {
  const good = await sign();
  const { reason, message } = await refusal(verify(null));
  expect(reason).toBe('missing');
  expect(message).toBe('signature: expected one of a trusted key, got none; sign the model by logodds sign');
  expect(await reasonOf(verify(good, { sha256: digest(other) }))).toBe('other-file');
  expect(await reasonOf(verify(good, { trust: [stranger.publicKey] }))).toBe('untrusted');
  expect(await reasonOf(verify(good, { trust: [] }))).toBe('untrusted');
  // somebody else signs the same file, and says the name of a trusted key
  const resigned = await sign({ signer: stranger });
  expect(await reasonOf(verify(resigned))).toBe('untrusted');
  const named = changed(resigned, (bundle) => {
    bundle.verificationMaterial.publicKey.hint = publicKey.hint as Json;
    bundle.dsseEnvelope.signatures[0].keyid = publicKey.keyId as Json;
  });
  expect(await reasonOf(verify(named))).toBe('altered');
  // the payload of one signature, the signature of another
  const swapped = changed(good, (bundle) => {
    bundle.dsseEnvelope.payload = JSON.parse(new TextDecoder().decode(resigned)).dsseEnvelope.payload;
    const statement = payloadOf(resigned);
    statement.predicate.resources[0].digest = digest(other) as Json;
    bundle.dsseEnvelope.payload = btoa(JSON.stringify(statement)) as Json;
  });
  expect(await reasonOf(verify(swapped))).toBe('altered');
  expect(await reasonOf(verify(await sign({ model: 'loans' }), { model: 'codes' }))).toBe('other-model');
  expect((await verify(await sign({ model: 'loans' }), { model: 'loans' })).model).toBe('loans');
});

test('times: valid from notBefore on, before expires; whoever has the key alone can change them', async () => {
  const signature = await sign({ notBefore: NOW + HOUR, expires: NOW + 2 * HOUR });
  const at = (now: number) =>
    verify(signature, { now }).then(
      () => 'taken',
      ({ reason }) => reason,
    );
  expect(await at(NOW + HOUR - 1)).toBe('not-yet');
  expect(await at(NOW + HOUR)).toBe('taken');
  expect(await at(NOW + 2 * HOUR - 1)).toBe('taken');
  expect(await at(NOW + 2 * HOUR)).toBe('expired');
  expect(await at(Number.NaN)).toBe('expired');
  const { message } = await refusal(verify(signature, { now: NOW + 3 * HOUR }));
  expect(message).toContain('valid at 2030-01-01T15:00:00Z, got one that expired at 2030-01-01T14:00:00Z');
  const later = changed(signature, (bundle) => {
    const statement = payloadOf(signature);
    statement.predicate.logodds.expires = '2099-01-01T00:00:00Z' as Json;
    bundle.dsseEnvelope.payload = btoa(JSON.stringify(statement)) as Json;
  });
  expect(await reasonOf(verify(later, { now: NOW + 3 * HOUR }))).toBe('altered');
  for (const expires of [NOW, NOW + 999, NOW - HOUR, Number.NaN, 1e18])
    await expect(sign({ expires })).rejects.toMatchObject({ code: 'ERR_RANGE' });
  await expect(sign({ notBefore: NOW + HOUR, expires: NOW + HOUR })).rejects.toMatchObject({ code: 'ERR_RANGE' });
  // a clock that went backwards while it was signed says nothing
  expect((await verify(await sign({ signedAt: NOW + HOUR }))).signedAt).toBe(NOW + HOUR);
});

test('a flipped bit at any byte of a bundle is refused, and so is every part of it', async () => {
  const good = await sign({ expires: NOW + HOUR });
  await verify(good);
  const reasons = new Set<string>();
  for (let at = 0; at < good.length; at++) {
    for (let bit = 0; bit < sweep(2, 8); bit++) {
      const bad = Uint8Array.from(good);
      bad[at] ^= 1 << ((bit + at) % 8);
      reasons.add(await reasonOf(verify(bad)));
    }
    expect(await reasonOf(verify(good.subarray(0, at)))).toBe('truncated');
  }
  expect([...reasons].sort()).toEqual(['altered', 'malformed', 'truncated', 'unsupported', 'untrusted']);
});

test('bundles that are none, or of another version, are refused by name', async () => {
  const good = await sign();
  const cases: [RegExp, Uint8Array, string][] = [
    [/empty file/, new Uint8Array(), 'truncated'],
    [/no text/, new Uint8Array([0xff, 0xfe, 0x7b]), 'malformed'],
    [/an object, got null/, utf8('null'), 'malformed'],
    [/an object, got a list/, utf8('[]'), 'malformed'],
    [/mediaType: expected text, got undefined/, utf8('{}'), 'malformed'],
    [/at most 1048576 bytes/, new Uint8Array(2 ** 20 + 1), 'malformed'],
    [/got a list/, utf8('['.repeat(1e5) + ']'.repeat(1e5)), 'malformed'],
    [
      /v0\.3\+json, got "application\/vnd\.dev\.sigstore\.bundle\.v0\.4\+json"/,
      changed(good, (b) => {
        b.mediaType = 'application/vnd.dev.sigstore.bundle.v0.4+json' as Json;
      }),
      'unsupported',
    ],
    [
      /no members but mediaType/,
      changed(good, (b) => {
        b.more = '' as Json;
      }),
      'malformed',
    ],
    [
      /messageSignature/,
      changed(good, (b) => {
        b.messageSignature = {} as Json;
        delete (b as Partial<typeof b>).dsseEnvelope;
      }),
      'unsupported',
    ],
    [
      /signatures: expected one, got 2/,
      changed(good, (b) => b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0])),
      'unsupported',
    ],
    [
      /signatures: expected one, got 0/,
      changed(good, (b) => {
        b.dsseEnvelope.signatures = [] as unknown as Json;
      }),
      'unsupported',
    ],
    [
      /payloadType: expected/,
      changed(good, (b) => {
        b.dsseEnvelope.payloadType = 'text/plain' as Json;
      }),
      'unsupported',
    ],
    [
      /sig: expected base64/,
      changed(good, (b) => {
        b.dsseEnvelope.signatures[0].sig = `${b.dsseEnvelope.signatures[0].sig} ` as Json;
      }),
      'malformed',
    ],
    [
      /one of publicKey, x509CertificateChain, certificate, got 0/,
      changed(good, (b) => {
        b.verificationMaterial = {} as Json;
      }),
      'malformed',
    ],
    [
      /certificate: expected a certificate in DER/,
      changed(good, (b) => {
        b.verificationMaterial = { certificate: { rawBytes: 'MAA=' } } as unknown as Json;
      }),
      'malformed',
    ],
  ];
  for (const [rule, bytes, reason] of cases) {
    const found = await refusal(verify(bytes));
    expect(found.message).toMatch(rule);
    expect(found.reason, found.message).toBe(reason);
  }
});

test('statements of trusted keys that say something else are refused by name', async () => {
  const sha256 = digest(model);
  const file = { name: '.', digest: sha256 };
  const good = statementOf([file]);
  await verify(await bundleOf(good));
  // members that model_signing may have in time
  await verify(await bundleOf({ ...good, predicate: { ...good.predicate, card: {} } }));
  const cases: [RegExp, unknown, string][] = [
    [/expected JSON, got something else/, 'no', 'malformed'],
    [/got the beginning of it/, '{"_type":', 'truncated'],
    [/_type: expected/, { ...good, _type: 'https://in-toto.io/Statement/v2' }, 'unsupported'],
    [
      /predicateType: expected.*v1\.0.*, got.*v2\.0/,
      { ...good, predicateType: 'https://model_signing/signature/v2.0' },
      'unsupported',
    ],
    [
      /Digests\/v0\.1.*sign the model by model_signing 1\.0/,
      { ...good, predicateType: 'https://model_signing/Digests/v0.1' },
      'unsupported',
    ],
    [/subject: expected one, got 2/, { ...good, subject: [good.subject[0], good.subject[0]] }, 'malformed'],
    [/the digest of its resources/, { ...good, subject: [{ name: 'a', digest: { sha256 } }] }, 'malformed'],
    [/files or shards, got "lines"/, statementOf([file], { method: 'lines' }), 'unsupported'],
    [/algorithm: expected sha256, got "blake2b"/, statementOf([{ ...file, algorithm: 'blake2b' }]), 'unsupported'],
    [/algorithm: expected sha256, got "blake3"/, statementOf([{ ...file, algorithm: 'blake3' }]), 'unsupported'],
    [/path:start:end/, statementOf([file], { method: 'shards' }), 'malformed'],
    [
      /format: expected 1, got 2.*newer version/,
      statementOf([file], undefined, { logodds: { format: 2 } }),
      'unsupported',
    ],
    [
      /no members but format/,
      statementOf([file], undefined, { logodds: { format: 1, only: 'on Sundays' } }),
      'malformed',
    ],
    [
      /expires: expected a time/,
      statementOf([file], undefined, { logodds: { format: 1, expires: '2030-02-30T00:00:00Z' } }),
      'malformed',
    ],
    [
      /expires: expected a time/,
      statementOf([file], undefined, { logodds: { format: 1, expires: 4e12 } }),
      'malformed',
    ],
    [/got one of another \("folder"\)/, statementOf([]), 'other-file'],
    [
      /got one of 2 others/,
      statementOf([
        { name: 'a', digest: digest(other) },
        { name: 'b', digest: digest(utf8('')) },
      ]),
      'other-file',
    ],
  ];
  for (const [rule, statement, reason] of cases) {
    const found = await refusal(verify(await bundleOf(statement)));
    expect(found.message).toMatch(rule);
    expect(found.reason, found.message).toBe(reason);
  }
});

test('a folder that was signed has its files; a file of several shards is none of them', async () => {
  const sha256 = digest(model);
  const folder = statementOf([
    { name: 'README.md', digest: digest(utf8('read')) },
    { name: 'codes.safetensors', digest: sha256 },
  ]);
  expect((await verify(await bundleOf(folder))).file).toBe('folder');
  const shards = (...names: string[]) =>
    statementOf(
      names.map((name) => ({ name, digest: sha256, algorithm: 'sha256-sharded-1000' })),
      { method: 'shards', hash_type: 'sha256', shard_size: 1000 },
    );
  await verify(await bundleOf(shards('codes.safetensors:0:900')));
  // the model may be the first thousand bytes of what was signed
  expect(await reasonOf(verify(await bundleOf(shards('a:0:1000', 'a:1000:2000'))))).toBe('other-file');
  expect(await reasonOf(verify(await bundleOf(shards('a:1000:2000'))))).toBe('other-file');
});

test('signatures of ECDSA have one form each, and numbers that a signature can have', async () => {
  const good = await sign();
  const der = Buffer.from(JSON.parse(new TextDecoder().decode(good)).dsseEnvelope.signatures[0].sig, 'base64');
  const length = der[3];
  const bytesOf = (n: bigint) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex');
  const [r, s] = [der.subarray(4, 4 + length), der.subarray(6 + length)].map((n) => BigInt(`0x${n.toString('hex')}`));
  const integer = (n: bigint, pad = 0) => {
    let bytes = bytesOf(n);
    while (bytes.length > 1 && bytes[0] === 0 && bytes[1] < 0x80) bytes = bytes.subarray(1);
    if (bytes[0] >= 0x80) bytes = Buffer.concat([Buffer.alloc(1), bytes]);
    bytes = Buffer.concat([Buffer.alloc(pad), bytes]);
    return Buffer.concat([Buffer.from([2, bytes.length]), bytes]);
  };
  const pair = (...parts: Buffer[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([0x30, content.length]), content]);
  };
  const as = (bytes: Uint8Array) =>
    verify(
      changed(good, (b) => {
        b.dsseEnvelope.signatures[0].sig = Buffer.from(bytes).toString('base64') as Json;
      }),
    ).then(
      () => 'taken',
      ({ reason }) => reason,
    );
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  expect(await as(pair(integer(r), integer(s)))).toBe('taken');
  // the other of the two that the mathematics has; OpenSSL makes either
  expect(await as(pair(integer(r), integer(order - s)))).toBe('taken');
  const bad = {
    'r zero': pair(integer(0n), integer(s)),
    's zero': pair(integer(r), integer(0n)),
    both: pair(integer(0n), integer(0n)),
    'r = order': pair(integer(order), integer(s)),
    's = order': pair(integer(r), integer(order)),
    'greatest numbers': pair(integer(2n ** 256n - 1n), integer(2n ** 256n - 1n)),
    swapped: pair(integer(s), integer(r)),
    'r padded': pair(integer(r, 1), integer(s)),
    negative: pair(Buffer.from([2, 1, 0x80]), integer(s)),
    'no digits': pair(Buffer.from([2, 0]), integer(s)),
    'three numbers': pair(integer(r), integer(s), integer(s)),
    'one number': pair(integer(r)),
    'more behind': Buffer.concat([pair(integer(r), integer(s)), Buffer.alloc(1)]),
    'long length': Buffer.concat([Buffer.from([0x30, 0x81]), pair(integer(r), integer(s)).subarray(1)]),
    'no end': Buffer.concat([Buffer.from([0x30, 0x80]), integer(r), integer(s), Buffer.alloc(2)]),
    'another tag': pair(Buffer.concat([Buffer.from([3]), integer(r).subarray(1)]), integer(s)),
    raw: Buffer.concat([bytesOf(r), bytesOf(s)]),
    'cut short': pair(integer(r), integer(s)).subarray(0, -1),
    'one byte': Buffer.from([0x30]),
    'too long': pair(Buffer.from([2, 34, 1, ...Buffer.alloc(33)]), integer(s)),
  };
  for (const [name, bytes] of Object.entries(bad)) expect(await as(bytes), name).toBe('altered');
});

test('keys that cannot sign models are refused by name', async () => {
  const of = (type: string, options: object): string =>
    (generateKeyPairSync as (...all: unknown[]) => { publicKey: KeyObject })(type, options).publicKey.export({
      type: 'spki',
      format: 'pem',
    }) as string;
  const cases: [RegExp, string][] = [
    [/got none/, ''],
    [/got none/, 'no key'],
    [/one of another kind/, of('rsa', { modulusLength: 1024 })],
    [/one of another kind/, of('ec', { namedCurve: 'secp256k1' })],
    [/one of another kind/, of('ec', { namedCurve: 'secp224r1' })],
    [/one of another kind/, of('x25519', {})],
    [/got a private one/, pem(pairOf('P-256'))],
    [/got a private one/, pairOf('P-256').export({ type: 'sec1', format: 'pem' }) as string],
    [/PUBLIC KEY that is damaged/, publicKey.pem.replace('M', '*')],
    [/PUBLIC KEY that is damaged/, publicKey.pem.replace('END PUBLIC', 'END PRIVATE')],
    [/a point|damaged/, spkiWith(publicKey.pem, (der) => (der[40] ^= 1))],
    [/compressed/, spkiWith(publicKey.pem, (der) => (der[26] = 2))],
    [/got CERTIFICATE REQUEST/, publicKey.pem.replaceAll('PUBLIC KEY', 'CERTIFICATE REQUEST')],
    [/CERTIFICATE that is damaged/, publicKey.pem.replaceAll('PUBLIC KEY', 'CERTIFICATE')],
  ];
  for (const [rule, text] of cases) {
    const error = await publicKeysOf(text, 'k.pem').then(
      () => null,
      (error) => error,
    );
    expect(error?.code, String(rule)).toBe('ERR_DATA');
    expect(error.message).toMatch(rule);
    expect(error.message).toMatch(/^k\.pem: expected .*, got .*; /);
  }
  await expect(signerOf(publicKey.pem)).rejects.toMatchObject({ code: 'ERR_DATA' });
  expect(
    await publicKeysOf(`one\n${publicKey.pem}two\r\n${stranger.publicKey.pem.replaceAll('\n', '\r\n')}`),
  ).toHaveLength(2);
});

const spkiWith = (text: string, change: (der: Buffer) => unknown): string => {
  const der = Buffer.from(text.replace(/-----.*-----|\s/g, ''), 'base64');
  change(der);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
};

test('keys rotate: both are trusted, then the new one; what the old one signed is refused', async () => {
  const [before, after] = [await sign(), await sign({ signer: stranger })];
  const trust = await Trust.of({ keys: [publicKey.pem] }, () => NOW);
  const check = (signature: Uint8Array | null) =>
    trust.check({ name: 'codes', bytes: model, signature }).then(
      ({ keyId }) => keyId,
      ({ reason }) => reason,
    );
  expect(await check(after)).toBe('untrusted');
  await trust.replace({ keys: [publicKey.pem, stranger.publicKey.pem] });
  expect(await Promise.all([before, after].map(check))).toEqual([publicKey.keyId, stranger.publicKey.keyId]);
  const signed = await trust.check({ name: 'codes', bytes: model, signature: before });
  expect(trust.doubt('codes', signed)).toBeNull();
  await trust.replace({ keys: [stranger.publicKey.pem] });
  expect(await Promise.all([before, after].map(check))).toEqual(['untrusted', stranger.publicKey.keyId]);
  expect(trust.doubt('codes', signed)).toMatch(/^signature of codes: expected one of the 1 trusted keys/);
  // what cannot be read leaves what was there
  await expect(trust.replace({ keys: ['none'] })).rejects.toMatchObject({ code: 'ERR_DATA' });
  expect(trust.keyIds).toEqual([stranger.publicKey.keyId]);
  expect(await check(null)).toBe('missing');
});

test('what is revoked is refused with its reason: a key, a model, a signature', async () => {
  const signature = await sign();
  for (const [kind, named] of [
    ['key', publicKey.keyId],
    ['model', digest(model)],
    ['signature', digest(signature)],
  ]) {
    const revoked = revokedOf(JSON.stringify([{ [kind]: named, reason: 'lost\nat sea' }]));
    const { reason, message } = await refusal(verify(signature, { revoked }));
    expect(reason).toBe('revoked');
    expect(message).toContain(`the ${kind} is revoked (lost at sea)`);
  }
  // one that is not among the trusted any more is revoked all the same
  const revoked = revokedOf(JSON.stringify([{ key: publicKey.keyId, reason: 'lost' }]));
  expect(await reasonOf(verify(signature, { revoked, trust: [stranger.publicKey] }))).toBe('revoked');
  expect(
    await reasonOf(
      verify(await sign({ signer: stranger }), { revoked, trust: [stranger.publicKey] }).then(() => {
        throw Object.assign(new Error('signature: expected , got ; x'), { code: 'ERR_SIGNATURE', reason: 'taken' });
      }),
    ),
  ).toBe('taken');
});

test('a revoked list that is half understood is none', () => {
  const sha256 = 'a'.repeat(64);
  expect(revokedOf('[]').size).toBe(0);
  expect(
    revokedOf(
      JSON.stringify([
        { key: sha256, reason: 'x' },
        { model: sha256, reason: 'y' },
      ]),
    ).size,
  ).toBe(2);
  for (const text of [
    ...['', '{', '{}', 'null', '[null]', '[1]', '[{}]', '["a"]'],
    ...[
      { key: sha256 },
      { key: sha256, reason: ' ' },
      { key: sha256.toUpperCase(), reason: 'x' },
      { key: 'a', reason: 'x' },
    ].map((one) => JSON.stringify([one])),
    JSON.stringify([{ key: sha256, model: sha256, reason: 'x' }]),
    JSON.stringify([{ key: sha256, reason: 'x', until: 'tomorrow' }]),
  ])
    expect(() => revokedOf(text), text).toThrow(/^revoked list: expected \[\{.*, got .*; correct it$/);
});

test('bundles of chance are refused, and nothing else happens', async () => {
  const good = await sign({ expires: NOW + HOUR, model: 'codes' });
  const words = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    'null',
    '0',
    'true',
    '""',
    '{}',
    '[]',
    '\\u0000',
    '1e999',
    '__proto__',
    'payload',
  ];
  let seed = 7;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const text = new TextDecoder().decode(good);
  for (let i = 0; i < sweep(1500, 50_000); i++) {
    let bad = text;
    for (let change = 0; change <= next(4); change++) {
      const at = next(bad.length);
      const word = words[next(words.length)];
      bad = [
        bad.slice(0, at) + word + bad.slice(at),
        bad.slice(0, at) + bad.slice(at + 1 + next(20)),
        bad.slice(0, at) + word + bad.slice(at + word.length),
        bad.slice(at) + bad.slice(0, at),
      ][next(4)];
    }
    if (bad === text) continue;
    // blanks and texts that mean the same are no change
    const isSame = await verify(utf8(bad), { model: 'codes' }).then(
      () => bad,
      ({ code }) => code,
    );
    expect(isSame, bad).toBe('ERR_SIGNATURE');
    // the same inside of what a trusted key signed
    const payload = JSON.stringify(payloadOf(good));
    const at = next(payload.length);
    const inner = payload.slice(0, at) + words[next(words.length)] + payload.slice(at + next(12));
    if (i % 10 === 0)
      await verify(await bundleOf(inner), { model: 'codes' }).catch(({ code }) =>
        expect(code, inner).toBe('ERR_SIGNATURE'),
      );
  }
});

test('a host without an algorithm says so by name', async () => {
  const { importKey } = crypto.subtle;
  crypto.subtle.importKey = async () => {
    throw new DOMException('not here', 'NotSupportedError');
  };
  try {
    await expect(publicKeysOf(publicKey.pem)).rejects.toThrow(/got one of P-256, which this host has not;/);
  } finally {
    crypto.subtle.importKey = importKey;
  }
});

const keys: readonly PublicKey[] = [publicKey];
test('two trusted files with the same key are one key', async () => {
  const signature = await sign();
  expect((await verify(signature, { trust: [...keys, ...keys] })).keyId).toBe(publicKey.keyId);
  const bad = changed(signature, (b) => {
    b.dsseEnvelope.payload = btoa('{}') as Json;
  });
  expect(await reasonOf(verify(bad, { trust: [...keys, ...keys] }))).toBe('altered');
});
