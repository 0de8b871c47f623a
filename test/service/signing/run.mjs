// Signatures of ours and of model-signing (PyPI), each read by the other: files, folders, shards, hashes, keys of three curves, certificates; what was
// changed is refused by both. The same signatures on workerd, where a service takes and refuses models by them.
//   npm run test:service -- signing
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { install, here as runtimes } from '../../runtimes/setup.mjs';
import { serve as serveWorkers, worker } from '../../runtimes/workerd.mjs';
import { venv } from '../venv.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const MODEL = `${root}test/conformance/codes.safetensors`;
const OTHER = `${root}test/conformance/numeric.safetensors`;

/** curve → its name for openssl, and for us */
const CURVES = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

export async function signing() {
  const python = venv('venv-signing', `${here}requirements.txt`);
  const folder = mkdtempSync(`${tmpdir()}/logodds-signing-`);
  const at = (name) => `${folder}/${name}`;
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const py = (...args) => spawnSync(python, ['-m', 'model_signing', ...args], { cwd: folder, encoding: 'utf8' });
  const ours = (...args) =>
    spawnSync(process.execPath, [`${root}cli/bin/logodds.js`, ...args], { cwd: folder, encoding: 'utf8' });
  const passes = ({ status, stdout, stderr }) => assert.equal(status, 0, stdout + stderr);
  const refuses = ({ status, stdout, stderr }, why) => {
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout + stderr, why);
  };
  const pyVerify = (model, key, ...more) =>
    py('verify', 'key', model, '--public_key', key, '--signature', `${model}.sig`, ...more);
  const pySign = (model, key, ...more) =>
    passes(py('sign', 'key', model, '--private_key', key, '--signature', `${model}.sig`, ...more));
  let failed = 0;
  const part = async (name, run) => {
    try {
      await run();
      console.log(`signing: ${name}`);
    } catch (error) {
      failed++;
      console.error(`signing, ${name}: ${error.message}`);
    }
  };

  await part('model_signing takes ours, under any name of the file, and refuses what was changed', () => {
    for (const curve of Object.values(CURVES)) {
      const name = `${curve}.safetensors`;
      copyFileSync(MODEL, at(name));
      passes(ours('keygen', '--out', `${curve}.key`, '--algorithm', curve));
      passes(ours('sign', name, '--key', `${curve}.key`, '--expires', '30d', '--name', 'codes'));
      passes(pyVerify(name, `${curve}.pem`));
      passes(ours('verify', name, '--trust', `${curve}.pem`));
    }
    const name = 'P-256.safetensors';
    for (const ending of ['', '.sig']) renameSync(at(name + ending), at(`renamed.safetensors${ending}`));
    passes(pyVerify('renamed.safetensors', 'P-256.pem'));
    passes(ours('verify', 'renamed.safetensors', '--trust', 'P-256.pem'));
    refuses(pyVerify('renamed.safetensors', 'P-384.pem'), /Key mismatch/);
    copyFileSync(OTHER, at('renamed.safetensors'));
    refuses(pyVerify('renamed.safetensors', 'P-256.pem'), /mismatch/i);
    refuses(
      ours('verify', 'renamed.safetensors', '--trust', 'P-256.pem'),
      /ERR_SIGNATURE .*another \("P-256\.safetensors"\)/,
    );
  });

  await part('its keys sign for us, with and without a passphrase', () => {
    copyFileSync(MODEL, at('a.safetensors'));
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'sec1.pem');
    openssl('ec', '-in', 'sec1.pem', '-pubout', '-out', 'sec1.pub.pem');
    openssl('pkcs8', '-topk8', '-in', 'sec1.pem', '-passout', 'pass:open sesame', '-out', 'pkcs8.pem');
    writeFileSync(at('passphrase'), 'open sesame\n');
    passes(ours('sign', 'a.safetensors', '--key', 'sec1.pem'));
    passes(pyVerify('a.safetensors', 'sec1.pub.pem'));
    passes(ours('sign', 'a.safetensors', '--key', 'pkcs8.pem', '--passphrase', 'passphrase'));
    passes(pyVerify('a.safetensors', 'sec1.pub.pem'));
    refuses(ours('sign', 'a.safetensors', '--key', 'pkcs8.pem'), /encrypted/);
    passes(ours('keygen', '--out', 'closed.key', '--passphrase', 'passphrase'));
    // its own --password fails of each key in 1.1.1
    openssl('pkey', '-in', 'closed.key', '-passin', 'pass:open sesame', '-out', 'opened.key');
    pySign('a.safetensors', 'opened.key');
    passes(ours('verify', 'a.safetensors', '--trust', 'closed.pem'));
  });

  await part('we take its signatures of a file, and refuse what was changed', () => {
    for (const [curve, name] of Object.entries(CURVES)) {
      const model = `its-${name}.safetensors`;
      copyFileSync(MODEL, at(model));
      openssl('ecparam', '-name', curve, '-genkey', '-noout', '-out', `${curve}.pem`);
      openssl('ec', '-in', `${curve}.pem`, '-pubout', '-out', `${curve}.pub.pem`);
      pySign(model, `${curve}.pem`);
      const { status, stdout } = ours('verify', model, '--trust', `${curve}.pub.pem`, '--json');
      assert.deepEqual([status, JSON.parse(stdout).algorithm, JSON.parse(stdout).signedAt], [0, name, null]);
      refuses(ours('verify', model, '--trust', 'P-256.pem'), /ERR_SIGNATURE .*one of the 1 trusted keys/);
    }
    writeFileSync(at('its-P-256.safetensors'), readFileSync(MODEL).subarray(0, -1));
    refuses(ours('verify', 'its-P-256.safetensors', '--trust', 'prime256v1.pub.pem'), /file with SHA-256/);
    copyFileSync(MODEL, at('its-P-256.safetensors'));
    const text = readFileSync(at('its-P-256.safetensors.sig'), 'utf8');
    writeFileSync(at('its-P-256.safetensors.sig'), text.slice(0, -20));
    refuses(
      ours('verify', 'its-P-256.safetensors', '--trust', 'prime256v1.pub.pem'),
      /the beginning of it; copy it again/,
    );
  });

  await part('its folders, ignored paths, shards and hashes: taken, or refused by name', () => {
    mkdirSync(at('folder/.git'), { recursive: true });
    copyFileSync(MODEL, at('folder/codes.safetensors'));
    copyFileSync(OTHER, at('folder/numeric.safetensors'));
    writeFileSync(at('folder/notes.txt'), 'notes');
    writeFileSync(at('folder/.git/HEAD'), 'x');
    const verify = (...more) =>
      ours('verify', 'folder/codes.safetensors', '--signature', 'folder.sig', '--trust', 'prime256v1.pub.pem', ...more);
    pySign('folder', 'prime256v1.pem', '--ignore-paths', 'folder/notes.txt');
    passes(verify());
    writeFileSync(at('stranger.safetensors'), 'x');
    refuses(
      ours('verify', 'stranger.safetensors', '--signature', 'folder.sig', '--trust', 'prime256v1.pub.pem'),
      /one of 2 others/,
    );
    // the options of its Python interface
    const hashed = (...args) =>
      execFileSync(python, [`${here}sign.py`, 'folder', 'prime256v1.pem', 'folder.sig', ...args], { cwd: folder });
    hashed('shards', 'sha256', '1000000');
    passes(verify());
    hashed('shards', 'sha256', '500');
    refuses(verify(), /file with SHA-256/);
    for (const algorithm of ['blake2', 'blake3']) {
      hashed('files', algorithm);
      refuses(verify(), new RegExp(`algorithm: expected sha256, got "${algorithm}`));
    }
  });

  await part('its certificates: by their public key', () => {
    const subject = (name) => ['-subj', `/CN=${name}`, '-days', '30'];
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
    openssl('req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', ...subject('authority'));
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'leaf.key');
    openssl('req', '-new', '-key', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=leaf');
    writeFileSync(at('leaf.cnf'), 'keyUsage=digitalSignature\n');
    openssl(
      'x509',
      '-req',
      '-in',
      'leaf.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '30',
      '-extfile',
      'leaf.cnf',
      '-out',
      'leaf.pem',
    );
    copyFileSync(MODEL, at('certified.safetensors'));
    passes(
      py(
        'sign',
        'certificate',
        'certified.safetensors',
        '--private_key',
        'leaf.key',
        '--signing_certificate',
        'leaf.pem',
        '--certificate_chain',
        'ca.pem',
        '--signature',
        'certified.safetensors.sig',
      ),
    );
    passes(ours('verify', 'certified.safetensors', '--trust', 'leaf.pem'));
    // an authority is no key that signs models
    refuses(ours('verify', 'certified.safetensors', '--trust', 'ca.pem'), /, of a certificate\)/);
  });

  await part('a key of Ed25519 is ours alone', () => {
    copyFileSync(MODEL, at('ed.safetensors'));
    passes(ours('keygen', '--out', 'ed.key', '--algorithm', 'Ed25519'));
    passes(ours('sign', 'ed.safetensors', '--key', 'ed.key'));
    passes(ours('verify', 'ed.safetensors', '--trust', 'ed.pem'));
    assert.notEqual(pyVerify('ed.safetensors', 'ed.pem').status, 0);
  });

  await part('workerd takes and refuses as Node does, for every kind of key', async () => {
    install(runtimes);
    const names = ['renamed', 'P-384', 'P-521', 'ed', 'its-P-384', 'certified'];
    copyFileSync(MODEL, at('renamed.safetensors'));
    const keys = ['P-256.pem', 'P-384.pem', 'P-521.pem', 'ed.pem', 'secp384r1.pub.pem', 'leaf.pem'];
    const signed = names.map((name) => readFileSync(at(`${name}.safetensors.sig`), 'base64'));
    const source = `
      import { createService } from '@logodds/service';
      import { Trust } from './registry/src/signing/index.ts';
      import model from './codes.safetensors';
      const bytes = new Uint8Array(model);
      const signatures = ${JSON.stringify(signed)}.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
      const keys = ${JSON.stringify(keys.map((key) => readFileSync(at(key), 'utf8')))};
      const verdict = (promise) => promise.then(() => 'taken', ({ code, reason, message }) => [code, reason ?? message].join(' '));
      async function answer() {
        const found = [];
        for (const [i, signature] of signatures.entries()) {
          const trust = await Trust.of({ keys: [keys[i]] }, Date.now);
          const stranger = await Trust.of({ keys: [keys[(i + 1) % keys.length]] }, Date.now);
          const service = createService({ trust });
          const load = (signature, model = bytes, other = service) => other.models.load({ name: 'codes', model, signature });
          found.push([
            await verdict(load(signature, bytes, createService({ trust: stranger }))),
            await verdict(load(null)),
            await verdict(load(signature, bytes.slice(1))),
            await verdict(load(signature.slice(0, -3))),
            await verdict((async () => service.models.put({ name: 'codes', model: bytes }))()),
            await verdict(load(signature)),
            (await (await service.fetch(new Request('http://localhost/models/codes'))).json()).signature.keyId,
            (await service.fetch(new Request('http://localhost/models/codes/score', { method: 'POST', body: '{"code":"2","x":0.5}', headers: { 'content-type': 'application/json' } }))).status,
          ]);
        }
        return found;
      }
      export default { fetch: async () => Response.json(await answer()) };`;
    const files = { 'codes.safetensors': { kind: 'data', path: MODEL } };
    const { ports, stop } = await serveWorkers([await worker('signing', source, '2026-01-01', files, root)]);
    try {
      const response = await fetch(`http://127.0.0.1:${ports.signing}/`);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      for (const [i, [stranger, none, other, cut, unverified, right, keyId, status]] of JSON.parse(text).entries()) {
        const { keyId: expected } = JSON.parse(
          ours('verify', `${names[i]}.safetensors`, '--trust', keys[i], '--json').stdout,
        );
        assert.deepEqual(
          [stranger, none, other, cut, unverified.slice(0, 13), right, keyId, status],
          [
            ...['untrusted', 'missing', 'other-file', 'truncated'].map((reason) => `ERR_SIGNATURE ${reason}`),
            ...['ERR_SIGNATURE', 'taken', expected, 200],
          ],
          names[i],
        );
      }
    } finally {
      await stop();
    }
  });

  rmSync(folder, { recursive: true });
  return failed === 0;
}
