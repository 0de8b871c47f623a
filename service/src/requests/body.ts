import { badRequest, Refusal } from '../refusal.ts';

/** How long bodies may be. */
export interface BodyLimits {
  /** bytes of a body that is read whole, after it was inflated */
  readonly bytes: number;
}

const ENCODINGS: ReadonlyMap<string, CompressionFormat | null> = new Map([
  ['identity', null],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);

/** The bytes of a body, inflated. @throws Refusal 400, 413, 415 */
export async function bytesOf(request: Request, { bytes: most }: BodyLimits): Promise<Uint8Array> {
  const { headers } = request;
  const length = headers.get('content-length');
  if (length === null || headers.get('content-encoding') !== null) return readOf(request, most);
  if (Number(length) > most) throw tooLarge(most);
  const bytes = new Uint8Array(
    await request.arrayBuffer().catch(() => {
      throw cutOff();
    }),
  );
  // a host that does not hold a body to its length
  if (bytes.length > most) throw tooLarge(most);
  return bytes;
}

/** The bytes of a body of which the length is not known. */
async function readOf(request: Request, most: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) > most) throw tooLarge(most);
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of chunksOf(request)) {
    total += piece.length;
    if (total > most) throw tooLarge(most);
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

/** The chunks of a body as they arrive, inflated. @throws Refusal 415 at once, others where the body has them */
export function chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  const format = ENCODINGS.get(encoding);
  if (format === undefined)
    throw new Refusal(415, 'ERR_ENCODING', 'content-encoding: expected gzip or deflate, got another; send it without', {
      headers: { 'accept-encoding': 'gzip, deflate' },
    });
  return inflated(request, encoding, format);
}

async function* inflated(
  { body }: Request,
  encoding: string,
  format: CompressionFormat | null,
): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const stream = format
    ? body.pipeThrough(new DecompressionStream(format) as TransformStream<Uint8Array, Uint8Array>)
    : body;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await read(reader, encoding);
      if (done) return;
      yield value;
    }
  } finally {
    // what is not read is not waited for
    reader.cancel().catch(() => {});
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, encoding: string) {
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

const tooLarge = (most: number): Refusal =>
  new Refusal(
    413,
    'ERR_BODY',
    `body: expected at most ${most} bytes, got more; send fewer rows, or a stream of JSON lines`,
  );
