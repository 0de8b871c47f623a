import { badRequest } from '../refusal.ts';

/** The lines of text in UTF-8 that are not blank. How long they may be is held by who hands the chunks. @throws Refusal */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decode(decoder, chunk)).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decode(decoder);
  if (rest.trim() !== '') yield rest;
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw badRequest('body: expected UTF-8, got something else; correct it and send it again');
  }
}
