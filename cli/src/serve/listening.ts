import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, type Server } from 'node:net';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** Where a server listens: a port of an address, or a socket in the file system. */
export type Place =
  | { readonly kind: 'port'; readonly host: string; readonly port: number; readonly flag: string }
  | { readonly kind: 'socket'; readonly path: string; readonly mode: string };

/** Connections that the system keeps until they are taken: as many as it allows. */
const BACKLOG = 4096;

/** Listens. Returns `host:port`, or `unix:` and the path. @throws ERR_DATA where it cannot */
export async function listenAt(server: Server, place: Place): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(place, error)));
    if (place.kind === 'socket') server.listen({ path: place.path, backlog: BACKLOG }, resolve);
    else server.listen({ host: place.host, port: place.port, backlog: BACKLOG }, resolve);
  });
  if (place.kind === 'socket') {
    chmodSync(place.path, Number.parseInt(place.mode, 8));
    return `unix:${place.path}`;
  }
  const { address, family, port } = server.address() as AddressInfo;
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function refusal(place: Place, error: Error): LogoddsError {
  const sentence =
    place.kind === 'socket'
      ? `--socket ${place.path}: expected a path that can be a socket, got an error (${reason(error)}); choose another`
      : `${place.flag} ${place.port}: expected a free port of ${place.host}, got an error (${reason(error)}); choose another, or 0`;
  return new LogoddsError('ERR_DATA', sentence, { cause: error });
}

/** Whether a process which is gone has left a socket there. @throws ERR_DATA for one in use, and for another file */
export async function leftSocket(path: string): Promise<boolean> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  if (!found.isSocket())
    throw new LogoddsError(
      'ERR_DATA',
      `--socket ${path}: expected a socket or nothing, got a file; choose another path`,
    );
  if (await answers(path))
    throw new LogoddsError(
      'ERR_DATA',
      `--socket ${path}: expected a socket that nobody uses, got one that answers; stop its process, or choose another path`,
    );
  return true;
}

/** Removes a socket that a process which is gone has left. Returns whether there was one. @throws as `leftSocket` */
export async function clearSocket(path: string): Promise<boolean> {
  const isLeft = await leftSocket(path);
  if (isLeft) unlinkSync(path);
  return isLeft;
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
