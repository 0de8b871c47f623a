import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import type { Peer } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** Files of TLS. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** the authority that clients must have their certificates from */
  readonly clientCa?: string;
}

/** What TLS needs of the files. */
export interface TlsContext {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: 'TLSv1.2';
}

/** Certificates that are read again when their files change. One that does not fit leaves the one before in its place. */
export class Certificates {
  readonly #files: TlsFiles;
  #seen = '';
  #context: TlsContext;
  /** what is in use is older than the files */
  isStale = false;
  /** called with each that takes the place of another */
  readonly #users: ((context: TlsContext) => void)[] = [];

  /** @throws ERR_DATA for files that do not go together */
  constructor(files: TlsFiles) {
    this.#files = files;
    this.#seen = this.#mark();
    this.#context = readContext(files);
  }

  get context(): TlsContext {
    return this.#context;
  }

  get asksClients(): boolean {
    return this.#files.clientCa !== undefined;
  }

  /** Time at which the certificate ends, in seconds since 1970. */
  get ends(): number {
    return Date.parse(new X509Certificate(this.#context.cert).validTo) / 1000;
  }

  use(take: (context: TlsContext) => void): void {
    this.#users.push(take);
  }

  /** Reads the files again when they have changed. Returns whether they were. @throws ERR_DATA for what does not fit */
  look(): boolean {
    const now = this.#mark();
    if (now === this.#seen) return false;
    this.#seen = now;
    this.isStale = true;
    this.#context = readContext(this.#files);
    this.isStale = false;
    for (const take of this.#users) take(this.#context);
    return true;
  }

  /** What changes when a file does. */
  #mark(): string {
    return Object.values(this.#files)
      .map((path: string) => {
        const found = statSync(path, { throwIfNoEntry: false });
        return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : '';
      })
      .join();
  }
}

/** @throws ERR_DATA */
function readContext({ cert, key, clientCa }: TlsFiles): TlsContext {
  try {
    const context: TlsContext = {
      cert: readFileSync(cert),
      key: readFileSync(key),
      ...(clientCa !== undefined && { ca: readFileSync(clientCa) }),
      minVersion: 'TLSv1.2',
    };
    createSecureContext(context);
    return context;
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `--cert ${cert}: expected a certificate and its key in PEM, got an error (${reason(error)}); give files that go together`,
      { cause: error },
    );
  }
}

/** Who shows a certificate; null for none. */
export function peerOfCertificate({ subject }: PeerCertificate): Peer | null {
  if (!subject) return null;
  // the last part of a name comes first, as RFC 4514 has it
  const parts = Object.entries(subject).flatMap(([key, values]) =>
    [values].flat().map((value) => `${key}=${String(value).replace(/[,+"\\<>;=]/g, '\\$&')}`),
  );
  return { subject: parts.reverse().join(',') };
}
