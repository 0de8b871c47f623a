// One endpoint for every runtime that speaks Request and Response: POST one record, or an array of records, as JSON.
//   200  { "logit", "probability", "label" }, or an array of them in the same order
//   400  not JSON, or JSON that is no record     405  not POST     413  a body above the limit
//   422  a record the model cannot score         500  the service itself, a model that does not load among it
// Everything but 200 is { "error": { "code", "message" } }: the code of the LogoddsError and its one sentence.
import { LogoddsError } from 'logodds/score';

const MAX_BYTES = 1 << 20;

/** What a record can be refused for; any other LogoddsError is the service's own. */
const STATUS = { ERR_SCHEMA: 422, ERR_RECORD: 422 };

/** A request that is refused before a model sees it. */
export class Refusal extends LogoddsError {
  constructor(status, code, message) {
    super(code, message);
    this.status = status;
  }
}

/**
 * @param {(...context: any[]) => import('logodds/score').Model | Promise<import('logodds/score').Model>} getModel  called
 *   for every request with what the runtime passes beside it (the bindings of a Worker)
 * @param {{ maxBytes?: number }} [options]  limit of the body, 1 MiB unless given
 * @returns {(request: Request, ...context: any[]) => Promise<Response>}
 */
export function scoreHandler(getModel, { maxBytes = MAX_BYTES } = {}) {
  return async (request, ...context) => {
    try {
      if (request.method !== 'POST') throw new Refusal(405, 'ERR_DATA', wrongMethod(request.method));
      const { records, one } = await readRecords(request.body ?? [], maxBytes);
      const model = await ownFault(() => getModel(...context));
      // One by one: for records out of JSON this is faster than a batch in linear memory, and the bits are the same.
      const scores = records.map((record, i) => (one ? model.score(record) : scoreNth(model, record, i)));
      return answer(200, one ? scores[0] : scores, { 'model-sha256': model.sha256 ?? '' });
    } catch (error) {
      const { status, body } = failure(error);
      return answer(status, body, status === 405 ? { allow: 'POST' } : {});
    }
  };
}

/**
 * The records in a body, which is given up as soon as it passes the limit.
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} body
 * @returns {Promise<{ records: Record<string, unknown>[], one: boolean }>}  `one`: a single record that was in no array
 */
export async function readRecords(body, maxBytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let text = '';
  let value;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Refusal(413, 'ERR_RANGE', tooLarge(maxBytes));
      text += decoder.decode(chunk, { stream: true });
    }
    value = JSON.parse(text + decoder.decode());
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      400,
      'ERR_DATA',
      `body: expected JSON, got something else (${error.message}); send JSON in UTF-8`,
    );
  }
  const one = !Array.isArray(value);
  const records = one ? [value] : value;
  const odd = records.findIndex((record) => typeof record !== 'object' || record === null || Array.isArray(record));
  if (odd < 0) return { records, one };
  const what = one ? 'body' : `record ${odd} (from 0)`;
  const got = records[odd] === null ? 'null' : Array.isArray(records[odd]) ? 'an array' : `a ${typeof records[odd]}`;
  throw new Refusal(
    400,
    'ERR_DATA',
    `${what}: expected an object of fields, got ${got}; send a record or an array of them`,
  );
}

/** Status and body of the answer to an error; what is not a LogoddsError stays in the log. */
export function failure(error) {
  if (error instanceof LogoddsError) {
    const { code, message } = error;
    return { status: error.status ?? STATUS[code] ?? 500, body: { error: { code, message } } };
  }
  console.error(error);
  const message = 'service: expected a score, got a failure of its own; see its log';
  return { status: 500, body: { error: { code: 'ERR_INTERNAL', message } } };
}

/** What fails in here is no fault of the request, whatever its code. */
async function ownFault(work) {
  try {
    return await work();
  } catch (error) {
    throw error instanceof LogoddsError ? new Refusal(500, error.code, error.message) : error;
  }
}

function scoreNth(model, record, i) {
  try {
    return model.score(record);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    throw new LogoddsError(error.code, error.message.replace(/^record/, `record ${i} (from 0)`), { cause: error });
  }
}

const answer = (status, body, headers) =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });

const wrongMethod = (method) => `method: expected POST, got ${method}; send records as JSON by POST`;
const tooLarge = (maxBytes) => `body: expected at most ${maxBytes} bytes, got more; send fewer records at a time`;
