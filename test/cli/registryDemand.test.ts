import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FILE, modelFile, OTHER } from '../registry/models.ts';
import { workspace } from './run.ts';

/*
 * Signatures that a registry demands, and digests, by the command.
 */

const { run, json, write, path } = workspace();
const MODELS = { a: FILE, b: OTHER, c: modelFile(1), d: modelFile(2) };
for (const [name, file] of Object.entries(MODELS)) write(`${name}.safetensors`, file);
const { keyId } = json(['keygen', '--out', 'release.key']);
const { keyId: otherId } = json(['keygen', '--out', 'other.key']);
const sign = (name: string, key: string, ...more: string[]) =>
  json(['sign', `${name}.safetensors`, '--key', `${key}.key`, ...more]);
for (const name of ['a', 'b', 'd']) sign(name, 'release');
sign('c', 'other');

const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
let places = 0;
/** A registry with a champion, whose place demands the release key. @returns its flags */
function demanding(): string[] {
  const at = ['--registry', `demands-${++places}`];
  json(['push', 'a.safetensors', '--name', 'fraud', '--alias', 'champion', ...at]);
  json(['registry', 'demand', 'fraud', 'champion', '--key', 'release.pem', ...at]);
  return at;
}
const champion = (at: string[]) => json(['registry', 'show', 'fraud', ...at]).aliases.champion;
const told = (args: string[]) => {
  const { status, stderr } = run(args);
  return [status, stderr.trim()];
};

test('what is signed by a demanded key is promoted; push says who signed, and what is not met', () => {
  const at = demanding();
  expect(json(['push', 'b.safetensors', '--name', 'fraud', '--alias', 'champion', ...at])).toMatchObject({
    ...{ version: 2, hasSignature: true, signedBy: [keyId], unmet: [], aliases: ['champion'] },
  });
  const pushed = run(['push', 'c.safetensors', '--name', 'fraud', ...at]);
  expect([pushed.status, pushed.stdout]).toEqual([0, '3\n']);
  expect(pushed.stderr).toMatch(/its signature beside it \(its key is not verified: --trust KEY\.pem does that\)\n/);
  expect(pushed.stderr).toMatch(
    /\nnote: signature of version 3 of fraud, which champion demands: expected one of the 1/,
  );
  const { versions, demands } = json(['registry', 'show', 'fraud', ...at]);
  expect(versions.map(({ signedBy }: { signedBy: string[] }) => signedBy)).toEqual([[], [keyId], []]);
  expect(demands).toMatchObject([{ name: 'fraud', alias: 'champion', keys: [keyId], gate: false }]);
  for (const args of [
    ['registry', 'alias', 'fraud', '3', 'champion'],
    ['rollout', 'start', 'fraud', '--challenger', '3', '--share', '0.1'],
    ['rollout', 'start', 'fraud', '--challenger', '3', '--kind', 'blue-green'],
  ])
    expect(told([...args, ...at])).toEqual([
      1,
      expect.stringMatching(
        /^ERR_SIGNATURE signature of version 3 of fraud, which champion demands: expected one of the 1 trusted keys, got another \(key .*\); .*logodds push sends MODEL\.sig too$/,
      ),
    ]);
  expect(champion(at)).toBe(2);
  expect(run(['registry', 'verify', ...at]).status).toBe(0);
});

test('a missing signature is sent by the next push, and the alias can be moved then', () => {
  const at = demanding();
  copyFileSync(path('d.safetensors'), path('late.safetensors'));
  expect(run(['push', 'late.safetensors', '--name', 'fraud', ...at]).stderr).toMatch(
    /\nnote: signature of version 2 of fraud, which champion demands: expected one of a trusted key, got none/,
  );
  expect(told(['registry', 'alias', 'fraud', '2', 'champion', ...at])[0]).toBe(1);
  copyFileSync(path('d.safetensors.sig'), path('late.safetensors.sig'));
  expect(run(['push', 'late.safetensors', '--name', 'fraud', ...at])).toMatchObject({ status: 0, stdout: '2\n' });
  expect(told(['registry', 'alias', 'fraud', '2', 'champion', ...at])).toEqual([0, '']);
});

test('push --trust takes a signature of these keys alone; what is no signature of the file is not pushed', () => {
  const at = ['--registry', 'trusted'];
  const push = (name: string, ...more: string[]) => ['push', `${name}.safetensors`, '--name', 'loans', ...at, ...more];
  expect(json(push('c', '--trust', 'release.pem', 'other.pem'))).toMatchObject({ version: 1, signedBy: [otherId] });
  const refused = (args: string[], message: RegExp) => expect(told(args)).toEqual([1, expect.stringMatching(message)]);
  refused(push('c', '--trust', 'release.pem'), /^ERR_SIGNATURE signature of loans: expected one of the 1 trusted keys/);
  write('revoked.json', JSON.stringify([{ key: otherId, reason: 'lost' }]));
  refused(push('c', '--trust', 'other.pem', '--revoked', 'revoked.json'), /the key is revoked \(lost\)/);
  write('bare.safetensors', OTHER);
  refused(
    push('bare', '--trust', 'other.pem'),
    /^ERR_SIGNATURE bare\.safetensors\.sig: expected a signature .*got no file/,
  );
  refused(push('c', '--trust', 'none.pem'), /^ERR_DATA --trust none\.pem: expected a file that can be read/);
  expect(told(push('c', '--revoked', 'revoked.json'))).toEqual([2, expect.stringContaining('give --trust with')]);
  const before = readFileSync(path('trusted/log.jsonl'), 'utf8');
  for (const [text, message] of [
    [readFileSync(path('a.safetensors.sig')), /expected one of the file with SHA-256/],
    [readFileSync(path('b.safetensors.sig')).subarray(0, -9), /the beginning of it/],
    ['{"signature":1}', /mediaType: expected text/],
    ['', /got an empty file/],
  ] as const) {
    writeFileSync(path('bare.safetensors.sig'), text);
    refused(push('bare'), message);
  }
  expect(readFileSync(path('trusted/log.jsonl'), 'utf8')).toBe(before);
  expect(readdirSync(path('trusted/models'))).toHaveLength(2);
});

test('what is changed behind the registry is refused and found by verify: swapped, cut, signed again, without signature', () => {
  const at = demanding();
  json(['push', 'b.safetensors', '--name', 'fraud', ...at]);
  const file = path(`${at[1]}/models/${digest(OTHER)}.safetensors`);
  const signature = readFileSync(`${file}.sig`);
  sign('b', 'other', '--out', 'again.sig');
  const harms: readonly [harm: () => void, message: RegExp][] = [
    [() => writeFileSync(file, FILE), /expected the file that it signs, of SHA-256 .*; put it back from a copy$/],
    [() => writeFileSync(`${file}.sig`, signature.subarray(0, -9)), /got the beginning of it/],
    [() => copyFileSync(path('again.sig'), `${file}.sig`), /expected one of the 1 trusted keys, got another/],
    [() => copyFileSync(path('a.safetensors.sig'), `${file}.sig`), /expected one of the file with SHA-256/],
    [() => rmSync(`${file}.sig`), /expected one of a trusted key, got none/],
  ];
  for (const [harm, message] of harms) {
    harm();
    const before = readFileSync(path(`${at[1]}/log.jsonl`), 'utf8');
    expect(told(['registry', 'alias', 'fraud', '2', 'champion', ...at])).toEqual([1, expect.stringMatching(message)]);
    expect(readFileSync(path(`${at[1]}/log.jsonl`), 'utf8')).toBe(before);
    writeFileSync(file, OTHER);
    writeFileSync(`${file}.sig`, signature);
  }
  expect(told(['registry', 'alias', 'fraud', '2', 'champion', ...at])).toEqual([0, '']);
  rmSync(`${file}.sig`);
  const verified = run(['registry', 'verify', '--json', ...at]);
  expect(verified.status).toBe(1);
  expect(JSON.parse(verified.stdout)).toMatchObject({
    isSound: false,
    problems: [expect.stringMatching(/^signature of version 2 of fraud, which champion demands: .* got none/)],
  });
  expect(verified.stderr).toMatch(/got 1 problem; put back what is damaged from a copy, and sign what is not signed$/m);
});

test('a key that is revoked by a demand holds back what it signed; what stands is named', () => {
  const at = demanding();
  json(['push', 'b.safetensors', '--name', 'fraud', ...at]);
  write('lost.json', JSON.stringify([{ key: keyId, reason: 'the laptop was lost' }]));
  const demand = ['registry', 'demand', 'fraud', 'champion', '--key', 'release.pem', '--key', 'other.pem'];
  const { status, stdout, stderr } = run([...demand, '--revoked', 'lost.json', ...at]);
  expect([status, stdout]).toEqual([
    0,
    `  champion of fraud  a signature of ${keyId} or ${otherId} (1 entry revoked)\n`,
  ]);
  expect(stderr).toMatch(/^note: signature of version 1 of fraud, which champion demands: .* the key is revoked/);
  expect(told(['registry', 'alias', 'fraud', '2', 'champion', ...at])).toEqual([
    1,
    expect.stringMatching(/the key is revoked \(the laptop was lost\)/),
  ]);
  json(['push', 'c.safetensors', '--name', 'fraud', '--alias', 'champion', ...at]);
  expect(run(['registry', 'verify', ...at]).status).toBe(0);
});

test.each<[string, string[], number, RegExp]>([
  ['an id', ['--key', keyId], 1, /^ERR_DATA --key [0-9a-f]{64}: expected a file of public keys in PEM, got the id/],
  [
    'a private key',
    ['--key', 'release.key'],
    1,
    /^ERR_DATA --key release\.key: expected public keys, got a private one/,
  ],
  ['no file', ['--key', 'none.pem'], 1, /^ERR_DATA --key none\.pem: expected a file that can be read/],
  ['a revoked list alone', ['--revoked', 'lost.json'], 2, /give --key with --revoked/],
  ['a revoked list that is none', ['--key', 'release.pem', '--revoked', 'a.safetensors'], 1, /^ERR_DATA --revoked/],
])('a demand with %s is refused, and the one before stays', (_, flags, status, message) => {
  const at = demanding();
  expect(told(['registry', 'demand', 'fraud', 'champion', ...flags, ...at])).toEqual([
    status,
    expect.stringMatching(message),
  ]);
  expect(json(['registry', 'demand', ...at]).demands).toMatchObject([{ keys: [keyId] }]);
});

test('a demand by ids alone, of an earlier version, is printed as such, and names its next step', () => {
  const at = demanding();
  const log = path(`${at[1]}/log.jsonl`);
  const last = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!;
  const { publicKeys, ...old } = JSON.parse(last);
  expect(publicKeys).toEqual([readFileSync(path('release.pem'), 'utf8')]);
  appendFileSync(log, `${JSON.stringify({ ...old, seq: old.seq + 1, before: digest(last), id: 'old' })}\n`);
  const { stdout, stderr } = run(['registry', 'demand', ...at]);
  expect(stdout).toMatch(/a signature of [0-9a-f]{64} \(ids alone: nothing can be verified; give --key FILE\.pem\)\n$/);
  expect(stderr).toMatch(
    /^note: .* got ids alone .*; logodds registry demand fraud champion --key FILE\.pem gives them/,
  );
  expect(run(['registry', 'log', ...at]).stdout).toMatch(
    /champion of fraud demands a signature of .* \(ids alone\)\n$/,
  );
  expect(run(['registry', 'verify', ...at]).status).toBe(1);
  run(['registry', 'demand', 'fraud', 'champion', '--key', 'release.pem', ...at]);
  json(['push', 'a.safetensors', '--name', 'fraud', ...at]);
  expect(run(['registry', 'verify', ...at]).status).toBe(0);
});

test('a version is found by the digest of its file, and by that of its answers; both are shown everywhere', () => {
  const at = demanding();
  json(['push', 'b.safetensors', '--name', 'fraud', ...at]);
  json(['push', 'b.safetensors', '--name', 'fraud-eu', ...at]);
  json(['push', 'd.safetensors', '--name', 'loans', ...at]);
  const inside = json(['inspect', 'd.safetensors']).sha256;
  const outside = digest(MODELS.d);
  for (const sha256 of [inside, outside, inside.slice(0, 12), outside.slice(0, 12)]) {
    for (const what of [sha256, `models:/loans/${sha256}`])
      expect(json(['registry', 'show', what, ...at])).toMatchObject({
        name: 'loans',
        versions: [{ version: 1, sha256: outside, modelSha256: inside }],
      });
    expect(json(['pull', `models:/loans/${sha256}`, '--out', 'found', ...at])).toMatchObject({ version: 1 });
    expect(json(['inspect', `models:/loans/${sha256}`, ...at]).sha256).toBe(inside);
  }
  expect(json(['registry', 'show', 'models:/fraud@champion', ...at]).versions).toHaveLength(1);
  const short = [inside, outside].map((text) => text.slice(0, 12));
  expect(run(['registry', 'show', 'loans', ...at]).stdout).toContain(`${short[1]}  ${short[0]}`);
  expect(run(['registry', 'log', 'loans', ...at]).stdout).toContain(`sha256 ${short[1]}, of the model ${short[0]}`);
  const { models } = json(['registry', 'list', ...at]);
  expect(models[0].champion).toEqual({
    ...{ version: 1, sha256: digest(FILE), modelSha256: json(['inspect', 'a.safetensors']).sha256 },
  });
  expect(models[1].champion).toBe(null);
  expect(run(['registry', 'list', ...at]).stdout).toContain(digest(FILE).slice(0, 12));
  expect(told(['registry', 'show', digest(OTHER), ...at])).toEqual([
    1,
    expect.stringMatching(/got one of 2 models; name one: models:\/fraud\/.*, models:\/fraud-eu\//),
  ]);
  expect(told(['registry', 'show', 'ab'.repeat(8), ...at])).toEqual([
    1,
    expect.stringMatching(/expected the digest of a version, got one of none; logodds registry list/),
  ]);
  expect(told(['serve', '--port', '0', `models:/loans/${inside}`, ...at])).toEqual([
    1,
    expect.stringMatching(/expected models:\/NAME@ALIAS or models:\/NAME\/VERSION to follow, got a digest/),
  ]);
});
