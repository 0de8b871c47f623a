/** An answer of JSON. Hosts say its type in ways of their own (`Response.json` of Bun adds a charset); clients of KServe want it bare. */
export const jsonResponse = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });

/** An answer of plain text. */
export const textResponse = (text: string, status = 200): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
