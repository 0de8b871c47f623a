import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type Signer, signerOf } from '../../../../registry/src/signing/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { note } from '../../terminal/print.ts';
import { OutputFile, reason } from '../../write/temporary.ts';

/** How a key is made. */
export interface KeyOptions {
  readonly out: string;
  readonly algorithm?: string;
  /** file of its passphrase */
  readonly passphrase?: string;
  readonly force?: boolean;
}

/** A text of a file. @throws ERR_DATA */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LogoddsError('ERR_DATA', `${path}: expected ${what}, got an error (${reason(error)}); check the path`, {
      cause: error,
    });
  }
}

/** The passphrase of a file, else of the environment: a command line can be read by others. null: none. @throws ERR_DATA */
function passphraseOf(path: string | undefined): string | null {
  const text =
    path === undefined
      ? (process.env['LOGODDS_PASSPHRASE'] ?? '')
      : readText(path, 'a passphrase').replace(/\r?\n$/, '');
  if (path !== undefined && text === '')
    throw new LogoddsError('ERR_DATA', `${path}: expected a passphrase, got an empty file; write one into it`);
  return text === '' ? null : text;
}

/** The file of the public key beside that of a private one. */
const publicPath = (path: string): string =>
  path.endsWith('.pem') ? path.replace(/pem$/, 'pub.pem') : `${path.replace(/\.key$/, '')}.pem`;

/** Makes a pair of keys, and writes both. What is there stays, unless it is forced. @throws ERR_OUTPUT, ERR_DATA */
export async function makeKey({ out, algorithm = 'P-256', passphrase: file, force = false }: KeyOptions) {
  const beside = publicPath(out);
  const passphrase = passphraseOf(file);
  const { privateKey } =
    algorithm === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: algorithm });
  const { publicKey } = await signerOfKey(privateKey, out);
  const secret = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase !== null && { cipher: 'aes-256-cbc', passphrase }),
  }) as string;
  const files = [
    { path: out, text: secret, mode: 0o600 },
    { path: beside, text: publicKey.pem, mode: 0o644 },
  ].map(({ path, text, mode }) => ({ text, output: new OutputFile(path, { mode, isNew: !force }) }));
  for (const { text, output } of files) output.write(new TextEncoder().encode(text));
  // a public key without its private one is of no harm
  for (const { output } of files.reverse()) output.commit();
  return { privateKey: out, publicKey: beside, keyId: publicKey.keyId, algorithm, encrypted: passphrase !== null };
}

const signerOfKey = (key: KeyObject, path: string): Promise<Signer> =>
  signerOf(Uint8Array.from(key.export({ type: 'pkcs8', format: 'der' })), path);

/** The key of a file that signs: PKCS #8, encrypted or not, or what openssl writes for curves. @throws ERR_DATA */
export async function readSigner(path: string, file: string | undefined): Promise<Signer> {
  const pem = readText(path, 'a private key');
  const passphrase = passphraseOf(file);
  const isEncrypted = /ENCRYPTED/.test(pem);
  if (isEncrypted && passphrase === null)
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a passphrase, got none, and the key is encrypted; set LOGODDS_PASSPHRASE, or give --passphrase FILE`,
    );
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(isEncrypted && { passphrase: passphrase! }) });
  } catch (error) {
    // what OpenSSL says may have a part of the file
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected a private key in PEM${isEncrypted ? ' and its passphrase' : ''}, got something else; give that of logodds keygen`,
      { cause: error },
    );
  }
  if (process.getuid !== undefined && statSync(path).mode & 0o077)
    note(`${path}: others can read this private key; chmod 600 keeps it`);
  return signerOfKey(key, path);
}
