import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type Signer, signerOf } from '../../../../registry/src/signing/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { commandError } from '../../errors.ts';
import { note } from '../../terminal/print.ts';
import { outputError, reason, temporaryBeside } from '../../write/temporary.ts';

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
  const files = [stage(out, secret, 0o600)];
  try {
    files.push(stage(beside, publicKey.pem, 0o644));
    if (!force) for (const path of [out, beside]) if (existsSync(path)) throw isThere(path);
    for (const file of files) file.commit(force);
  } finally {
    for (const file of files) file.end();
  }
  return { privateKey: out, publicKey: beside, keyId: publicKey.keyId, algorithm, encrypted: passphrase !== null };
}

const isThere = (path: string): LogoddsError =>
  commandError(
    'ERR_OUTPUT',
    `${path}: expected a path where nothing is, got one that is taken; choose another, or --force`,
  );

/** A file beside its name, until it is committed: it is there whole or not at all. It is private until its mode is set. @throws ERR_OUTPUT */
function stage(path: string, text: string, mode: number) {
  const temporary = temporaryBeside(path);
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(fd, text);
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw outputError(path, error);
  }
  return {
    /** @param force  whether it may take the place of another */
    commit(force: boolean): void {
      try {
        if (force) renameSync(temporary, path);
        else linkSync(temporary, path);
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? isThere(path) : outputError(path, error);
      }
    },
    end: () => rmSync(temporary, { force: true }),
  };
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
