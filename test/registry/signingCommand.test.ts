import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';

const MODEL = 'test/conformance/codes.safetensors';
const { run, json, write, path, names } = workspace();
copyFileSync(MODEL, path('m.safetensors'));
copyFileSync('test/conformance/numeric.safetensors', path('other.safetensors'));
const { keyId } = json(['keygen', '--out', 'release.key']);
json(['keygen', '--out', 'second.key', '--algorithm', 'Ed25519']);

/** The status of a run, and its sentence. */
const told = (...args: string[]) => {
  const { status, stderr } = run(args);
  return [status, stderr.trim()];
};

test('a key is for its user alone, and is never replaced unless it is forced', () => {
  expect(statSync(path('release.key')).mode & 0o777).toBe(0o600);
  expect(statSync(path('release.pem')).mode & 0o777).toBe(0o644);
  const before = readFileSync(path('release.key'), 'utf8');
  expect(told('keygen', '--out', 'release.key')).toEqual([
    1,
    expect.stringMatching(/^ERR_OUTPUT release\.key: expected a path where nothing is/),
  ]);
  // the public half alone is in the way too
  write('half.pem', 'mine');
  expect(told('keygen', '--out', 'half.key')).toEqual([1, expect.stringMatching(/^ERR_OUTPUT half\.pem/)]);
  expect([existsSync(path('half.key')), readFileSync(path('half.pem'), 'utf8')]).toEqual([false, 'mine']);
  expect(readFileSync(path('release.key'), 'utf8')).toBe(before);
  expect(json(['keygen', '--out', 'half.key', '--force'])).toMatchObject({ publicKey: 'half.pem', encrypted: false });
  expect(json(['keygen', '--out', 'two.pem'])).toMatchObject({ privateKey: 'two.pem', publicKey: 'two.pub.pem' });
  expect(told('keygen', '--out', 'none/a.key')[0]).toBe(1);
  expect(told('keygen')[0]).toBe(2);
  expect(told('keygen', '--out', 'x.key', '--algorithm', 'RSA')[0]).toBe(2);
  expect(names().filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a key with a passphrase signs with it alone, and no message has a part of it', () => {
  write('passphrase', 'open sesame\n');
  write('wrong', 'close sesame\n');
  expect(json(['keygen', '--out', 'closed.key', '--passphrase', 'passphrase'])).toMatchObject({ encrypted: true });
  expect(readFileSync(path('closed.key'), 'utf8')).toContain('ENCRYPTED');
  const sign = (...more: string[]) =>
    told('sign', 'm.safetensors', '--key', 'closed.key', '--out', 'closed.sig', ...more);
  expect(sign()).toEqual([1, expect.stringContaining('expected a passphrase, got none')]);
  const wrong = sign('--passphrase', 'wrong');
  expect(wrong).toEqual([1, expect.stringContaining('expected a private key in PEM and its passphrase')]);
  expect(wrong[1]).not.toContain('sesame');
  expect(existsSync(path('closed.sig'))).toBe(false);
  expect(sign('--passphrase', 'passphrase')[0]).toBe(0);
  const { status } = run(['sign', 'm.safetensors', '--key', 'closed.key', '--out', 'closed.sig'], {
    env: { LOGODDS_PASSPHRASE: 'open sesame' },
  });
  expect(status).toBe(0);
  write('empty', '\n');
  expect(sign('--passphrase', 'empty')).toEqual([1, expect.stringContaining('got an empty file')]);
});

test('what is signed verifies; what was changed does not, with its reason and status 1', () => {
  const signed = json(['sign', 'm.safetensors', '--key', 'release.key', '--expires', '365d', '--name', 'loans']);
  expect(signed).toMatchObject({ signature: 'm.safetensors.sig', keyId, name: 'loans' });
  expect(Date.parse(signed.expires) - Date.parse(signed.signedAt)).toBe(365 * 86_400_000);
  const verify = (...more: string[]) => {
    const { status, stdout, stderr } = run(['verify', 'm.safetensors', ...more, '--json']);
    const { verified, reason, message } = JSON.parse(stdout);
    expect([verified, status]).toEqual(status === 0 ? [true, 0] : [false, 1]);
    if (status === 1) expect(stderr.trim()).toBe(`ERR_SIGNATURE ${message}`);
    return reason;
  };
  expect(verify('--trust', 'release.pem')).toBeNull();
  expect(verify('--trust', 'second.pem', 'release.pem', '--name', 'loans')).toBeNull();
  expect(verify('--trust', 'second.pem')).toBe('untrusted');
  expect(verify('--trust', 'release.pem', '--name', 'cards')).toBe('other-model');
  write('revoked.json', JSON.stringify([{ key: keyId, reason: 'lost' }]));
  expect(verify('--trust', 'release.pem', '--revoked', 'revoked.json')).toBe('revoked');
  const text = readFileSync(path('m.safetensors.sig'), 'utf8');
  write('cut.sig', text.slice(0, 700));
  expect(verify('--trust', 'release.pem', '--signature', 'cut.sig')).toBe('truncated');
  copyFileSync(path('m.safetensors.sig'), path('other.safetensors.sig'));
  expect(told('verify', 'other.safetensors', '--trust', 'release.pem')).toEqual([
    1,
    expect.stringContaining('got one of another ("m.safetensors")'),
  ]);
  expect(told('verify', path('two.pem'), '--trust', 'release.pem')).toEqual([
    1,
    expect.stringContaining('two.pem.sig: expected one of a trusted key, got none'),
  ]);
  expect(
    json(['sign', 'm.safetensors', '--key', 'release.key', '--not-before', '1d', '--out', 'later.sig']).expires,
  ).toBeNull();
  expect(verify('--trust', 'release.pem', '--signature', 'later.sig')).toBe('not-yet');
});

test('files that are none of what they should be are refused, and nothing is written', () => {
  write('text', 'no model');
  expect(told('sign', 'text', '--key', 'release.key')).toEqual([1, expect.stringMatching(/^ERR_FORMAT text: /)]);
  expect(told('sign', 'none', '--key', 'release.key')).toEqual([
    1,
    expect.stringMatching(/^ERR_DATA none: expected a model file/),
  ]);
  expect(told('sign', 'm.safetensors', '--key', 'release.pem')).toEqual([
    1,
    expect.stringMatching(/^ERR_DATA release\.pem: expected a private key/),
  ]);
  expect(told('sign', 'm.safetensors', '--key', 'release.key', '--out', 'release.key')).toEqual([
    1,
    expect.stringMatching(/^ERR_OUTPUT release\.key/),
  ]);
  expect(told('sign', 'm.safetensors', '--key', 'release.key', '--expires', '2020-01-01')).toEqual([
    1,
    expect.stringMatching(/^ERR_RANGE expires: /),
  ]);
  for (const when of ['0d', '365', '1y', '2030-02-31', '2030-13-01', 'soon', '-1d'])
    expect(told('sign', 'm.safetensors', '--key', 'release.key', `--expires=${when}`)[0], when).toBe(2);
  expect(told('verify', 'm.safetensors', '--trust', 'release.key')).toEqual([
    1,
    expect.stringMatching(/got a private one/),
  ]);
  expect(told('verify', 'm.safetensors', '--trust', 'm.safetensors')).toEqual([
    1,
    expect.stringMatching(/^ERR_DATA --trust m\.safetensors: expected a key/),
  ]);
  expect(told('verify', 'm.safetensors', '--trust', 'none.pem')).toEqual([
    1,
    expect.stringMatching(/^ERR_DATA none\.pem/),
  ]);
  write('list.json', '[{"key": "x"}]');
  expect(told('verify', 'm.safetensors', '--trust', 'release.pem', '--revoked', 'list.json')).toEqual([
    1,
    expect.stringMatching(/^ERR_DATA --revoked list\.json/),
  ]);
  expect(told('verify', 'm.safetensors')[0]).toBe(2);
  expect(existsSync(path('text.sig'))).toBe(false);
});

test('a private key that others can read is told of', () => {
  const text = readFileSync(path('release.key'), 'utf8');
  writeFileSync(path('open.key'), text, { mode: 0o644 });
  expect(told('sign', 'm.safetensors', '--key', 'open.key', '--out', 'open.sig')).toEqual([
    0,
    expect.stringContaining('note: open.key: others can read this private key'),
  ]);
});
