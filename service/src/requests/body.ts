import { badRequest, Refusal } from '../refusal.ts';
import { before } from './deadline.ts';
import { lengthOf } from './length.ts';
import { type Limits, tooLarge } from './limits.ts';

/** How a body is read. */
export interface Reading {
  readonly limits: Limits;
  /** by `performance.now`; Infinity: none */
  readonly deadline: number;
}

const ENCODINGS: ReadonlyMap<string, CompressionFormat | null> = new Map([
  ['identity', null],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);
/** The piece of a body that has none. */
export const NO_BYTES = new Uint8Array();

/** Bytes of an inflated body that are let pass at any ratio. */
const SMALL = 2 ** 20;

/** The bytes of a body, inflated. @throws Refusal 400, 413, 415, 504 */
export async function bytesOf(request: Request, { limits, deadline }: Reading): Promise<Uint8Array> {
  const { headers } = request;
  const { bytes: most } = limits;
  const length = lengthOf(request);
  if (length !== null && length > most) throw bodyTooLarge(most);
  if (length === null || headers.get('content-encoding') !== null) return readOf(request, { limits, deadline });
  const all = wholeOf(request);
  const bytes = new Uint8Array(await before(deadline, all));
  // a host that does not hold a body to its length
  if (bytes.length > most) throw bodyTooLarge(most);
  return bytes;
}

async function wholeOf(request: Request): Promise<ArrayBuffer> {
  if (request.bodyUsed) throw alreadyRead();
  try {
    const all = await request.arrayBuffer();
    // as some hosts have it
    if (all.byteLength === 0) checkUnread(request);
    return all;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw UNUSABLE.test((error as Error).message) ? alreadyRead() : cutOff();
  }
}

/** @throws Refusal for a body that has a length, and no bytes any more */
function checkUnread(request: Request): void {
  if ((lengthOf(request) ?? 0) > 0) throw alreadyRead();
}

/** The bytes of a body of which the length is not known. */
async function readOf(request: Request, reading: Reading): Promise<Uint8Array> {
  const { bytes: most } = reading.limits;
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of chunksOf(request, reading)) {
    total += piece.length;
    if (total > most) throw bodyTooLarge(most);
    pieces.push(piece);
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The chunks of a body as they arrive, inflated. @throws Refusal 415 at once, 400, 413 and 504 where the body has them */
export function chunksOf(request: Request, reading: Reading): AsyncGenerator<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  const format = ENCODINGS.get(encoding);
  if (format === undefined)
    throw new Refusal(415, 'ERR_ENCODING', 'content-encoding: expected gzip or deflate, got another; send it without', {
      headers: { 'accept-encoding': 'gzip, deflate' },
    });
  if (request.bodyUsed || request.body?.locked) throw alreadyRead();
  return read(request, encoding, format, reading);
}

async function* read(
  request: Request,
  encoding: string,
  format: CompressionFormat | null,
  { limits, deadline }: Reading,
): AsyncGenerator<Uint8Array> {
  const { body } = request;
  if (!body) {
    checkUnread(request);
    return;
  }
  const sent = { bytes: 0 };
  const stream = format ? inflated(body, format, sent) : body;
  const reader = stream.getReader();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await before(deadline, next(reader, encoding));
      if (done) {
        if (total === 0) checkUnread(request);
        return;
      }
      total += value.length;
      if (format && total > SMALL && total > limits.inflation * sent.bytes)
        throw tooLarge(
          'body',
          limits.inflation,
          'times its bytes when it was inflated',
          'send it without content-encoding',
        );
      yield value;
    }
  } finally {
    // what is not read is not waited for
    reader.cancel().catch(() => {});
  }
}

/** @param sent  counts the bytes that came */
function inflated(
  body: ReadableStream<Uint8Array>,
  format: CompressionFormat,
  sent: { bytes: number },
): ReadableStream<Uint8Array> {
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent.bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const inflate = new DecompressionStream(format) as unknown as TransformStream<Uint8Array, Uint8Array>;
  return body.pipeThrough(count).pipeThrough(inflate);
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>, encoding: string) {
  try {
    return await reader.read();
  } catch {
    if (encoding === 'identity') throw cutOff();
    throw badRequest(
      `body: expected ${encoding} as content-encoding says, got something else or only its begin; send it again`,
    );
  }
}

/** A client that leaves is no fault of the service. */
const cutOff = (): Refusal =>
  new Refusal(400, 'ERR_BODY', 'body: expected all of it, got a connection that ended before; send it again');

/** What runtimes say of a body that somebody has read. */
const UNUSABLE = /unusable|disturbed|locked|already (been )?(read|used|consumed)/i;

/** A fault of the program around the service: a client can do nothing about it. */
const alreadyRead = (): Refusal =>
  new Refusal(
    500,
    'ERR_BODY_READ',
    'body: expected it unread, got one that the program around the service has read; mount the service before express.json() and the like',
  );

const bodyTooLarge = (most: number): Refusal =>
  new Refusal(
    413,
    'ERR_BODY',
    `body: expected at most ${most} bytes, got more; send fewer rows, or a stream of JSON lines`,
  );
