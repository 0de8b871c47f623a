/** Bodies from this size on are worth it. */
const LEAST = 1024;

/** The encoding of an answer: the first that the client takes of those that every client knows; null: none, or the body is short. */
export function encodingFor(request: Request, length: number): 'gzip' | 'deflate' | null {
  if (length < LEAST) return null;
  const accepted = request.headers.get('accept-encoding');
  if (accepted === null) return null;
  const takes = (name: string) =>
    accepted.split(',').some((part) => {
      const [encoding, ...parameters] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      return encoding === name && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    });
  return takes('gzip') ? 'gzip' : takes('deflate') ? 'deflate' : null;
}

/** A body in an encoding. */
export const compressed = (body: string | Uint8Array, encoding: 'gzip' | 'deflate'): ReadableStream<Uint8Array> =>
  new Response(body as BodyInit).body!.pipeThrough(
    new CompressionStream(encoding) as unknown as TransformStream<Uint8Array, Uint8Array>,
  );
