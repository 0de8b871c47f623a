/** The bytes of a file as UTF-8, piece by piece. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LogoddsError } from '../../../../src/index.ts';
import { arriving } from '../../stores/arrivals.ts';
import { reason } from '../../write/temporary.ts';
import type { Encoding } from './options.ts';

const PIECE = 1 << 18;

/** The characters of Windows-1252 at 0x80 to 0x9f, where Latin-1 has control characters that files do not use. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Decodes Latin-1 with the characters that Windows adds. TextDecoder lacks them in some versions of Node. */
const latin1 = (bytes: Buffer): string =>
  bytes.toString('latin1').replace(/[\x80-\x9f]/g, (sign) => WINDOWS[sign.charCodeAt(0) - 0x80]);

/**
 * The bytes of a file or of standard input ("-"), unpacked when it ends in .gz, in UTF-8 without byte order mark.
 * Bytes given as UTF-8 are not checked here: the scanners name the line of an invalid byte.
 * @param label  for messages
 * @param stop  ends it early
 * @throws ERR_DATA when it cannot be read, or is UTF-16 without `--encoding`
 */
export async function* readBytes(
  path: string,
  label: string,
  encoding: Encoding,
  stop?: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    const pieces = rawPieces(path, stop);
    yield* encoding === 'utf-8' ? withoutMark(pieces, label) : decoded(pieces, label, encoding);
  } catch (error) {
    if (stop?.aborted) return;
    if (error instanceof LogoddsError) throw error;
    throw new LogoddsError('ERR_DATA', `${label}: cannot be read (${reason(error)}); check it and run again`, {
      cause: error,
    });
  }
}

async function* rawPieces(path: string, stop: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const file = arriving(path);
  const raw: Readable =
    path === '-'
      ? process.stdin
      : file
        ? Readable.from(file.pieces())
        : createReadStream(path, { highWaterMark: PIECE });
  const input = /\.gz$/i.test(path)
    ? raw.on('error', (error) => input.destroy(error)).pipe(createGunzip({ chunkSize: PIECE }))
    : raw;
  const end = () => input.destroy();
  stop?.addEventListener('abort', end);
  try {
    for await (const piece of input) yield piece as Buffer;
  } finally {
    stop?.removeEventListener('abort', end);
    raw.destroy();
  }
}

/** The first bytes, as many as a byte order mark has. */
async function* gathered(pieces: AsyncIterable<Buffer>, least: number): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (head === null) yield piece;
    else {
      head = Buffer.concat([head, piece]);
      if (head.length < least) continue;
      yield head;
      head = null;
    }
  }
  if (head !== null && head.length > 0) yield head;
}

async function* withoutMark(pieces: AsyncIterable<Buffer>, label: string): AsyncGenerator<Buffer> {
  let first = true;
  for await (const piece of gathered(pieces, 3)) {
    if (!first) {
      yield piece;
      continue;
    }
    first = false;
    const wide =
      piece[0] === 0xff && piece[1] === 0xfe ? 'utf-16le' : piece[0] === 0xfe && piece[1] === 0xff ? 'utf-16be' : null;
    if (wide) {
      throw new LogoddsError(
        'ERR_DATA',
        `${label}: expected UTF-8, got UTF-16 (by its byte order mark); say --encoding ${wide}`,
      );
    }
    yield piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? piece.subarray(3) : piece;
  }
}

async function* decoded(
  pieces: AsyncIterable<Buffer>,
  label: string,
  encoding: Exclude<Encoding, 'utf-8'>,
): AsyncGenerator<Buffer> {
  const decoder = encoding === 'latin1' ? null : new TextDecoder(encoding, { fatal: true });
  const refuse = (got: string, next: string): never => {
    throw new LogoddsError('ERR_DATA', `${label}: expected ${encoding}, got ${got}; ${next}`);
  };
  let first = true;
  const decode = (piece?: Buffer): Buffer => {
    try {
      if (!decoder) return Buffer.from(piece ? latin1(piece) : '');
      return Buffer.from(piece ? decoder.decode(piece, { stream: true }) : decoder.decode());
    } catch {
      return refuse(`bytes that are no ${encoding}`, 'name another --encoding');
    }
  };
  for await (const piece of gathered(pieces, 3)) {
    if (first && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf)
      refuse('UTF-8 (by its byte order mark)', 'leave out --encoding');
    const [low, high] = [piece[0] === 0xff && piece[1] === 0xfe, piece[0] === 0xfe && piece[1] === 0xff];
    if (first && ((low && encoding !== 'utf-16le') || (high && encoding !== 'utf-16be')))
      refuse('UTF-16 (by its byte order mark)', `say --encoding ${low ? 'utf-16le' : 'utf-16be'}`);
    first = false;
    yield decode(piece);
  }
  yield decode();
}

/** Number of bytes at the end that begin a UTF-8 character, which the next piece may complete. */
export function unfinished(bytes: Buffer): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
