import { createPrivateKey, X509Certificate } from 'node:crypto';
import { LogoddsError } from '../../../../src/index.ts';
import { wrongUsage } from '../../errors.ts';
import { optionFile } from '../../read/optionFile.ts';
import { reason } from '../../write/temporary.ts';

/** How a connection is secured, by flags. Secrets come from files or the environment. */
export interface SecurityFlags {
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly sasl?: string;
  readonly username?: string;
  readonly passwordFile?: string;
}

/** What a client takes: texts of files, a name and a secret. */
export interface Security {
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly login?: { readonly mechanism: string; readonly username: string; readonly secret: string };
}

export const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
const USER = 'LOGODDS_STREAM_USERNAME';
const SECRET = 'LOGODDS_STREAM_PASSWORD';

/** Reads files and the environment. What is given in half is refused. @throws ERR_RANGE, wrong usage; ERR_DATA for a file that cannot be read */
export function securityOf(flags: SecurityFlags, environment: NodeJS.ProcessEnv): Security {
  const { tls = false, ca, cert, key, sasl, username = environment[USER], passwordFile } = flags;
  const files = Object.entries({ ca, cert, key }).filter(([, path]) => path !== undefined);
  if (!tls && files.length > 0) half(`--${files[0][0]}`, '--tls beside it', 'none', 'add --tls');
  if ((cert === undefined) !== (key === undefined))
    half(
      cert === undefined ? '--key' : '--cert',
      `${cert === undefined ? '--cert' : '--key'} beside it`,
      'none',
      'give both',
    );
  const texts = Object.fromEntries(files.map(([name, path]) => [name, optionFile(`--${name}`, path!)]));
  checkFiles(texts);
  const secret = passwordFile === undefined ? environment[SECRET] : optionFile('--password-file', passwordFile).trim();
  if (sasl === undefined) {
    const given = flags.username !== undefined ? '--username' : passwordFile !== undefined ? '--password-file' : null;
    if (given) half(given, '--sasl beside it', 'none', `name a mechanism: ${MECHANISMS.join(', ')}`);
    return tls ? { tls: texts } : {};
  }
  const needsName = sasl !== 'oauthbearer';
  if (needsName && !username) half('--sasl', 'a name', 'none', `give --username, or set ${USER}`);
  if (!secret)
    half('--sasl', needsName ? 'a password' : 'a token', 'none', `give --password-file FILE, or set ${SECRET}`);
  return {
    ...(tls && { tls: texts }),
    login: { mechanism: sasl.toUpperCase(), username: username ?? '', secret: secret! },
  };
}

/** @throws ERR_DATA for a file that is none of its kind, and a key that is not of its certificate */
function checkFiles({ ca, cert, key }: Record<string, string>): void {
  const readAs = <Read>(flag: string, text: string, what: string, read: (text: string) => Read): Read => {
    try {
      return read(text);
    } catch (error) {
      throw new LogoddsError(
        'ERR_DATA',
        `${flag}: expected ${what}, got something else (${reason(error)}); correct the file`,
        {
          cause: error,
        },
      );
    }
  };
  const certificate = (text: string) => new X509Certificate(text);
  if (ca !== undefined) readAs('--ca', ca, 'certificates in PEM', certificate);
  if (cert === undefined) return;
  const own = readAs('--cert', cert, 'a certificate in PEM', certificate);
  const secret = readAs('--key', key, 'a private key in PEM without a passphrase', createPrivateKey);
  if (!own.checkPrivateKey(secret))
    throw new LogoddsError(
      'ERR_DATA',
      '--key: expected the key of the certificate of --cert, got another; give the two that belong together',
    );
}

function half(what: string, rule: string, got: string, next: string): never {
  throw wrongUsage(new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${got}; ${next}`));
}
