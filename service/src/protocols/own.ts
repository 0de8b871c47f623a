import type { Context, Hono } from 'hono';
import { type ByteScores, RowError } from 'logodds/bytes';
import type { Core, Exchange } from '../core.ts';
import { describe } from '../models/describe.ts';
import type { Served } from '../models/served.ts';
import { badRequest, Refusal } from '../refusal.ts';
import { NO_BYTES } from '../requests/body.ts';
import { sightOf } from '../requests/caller.ts';
import { quote } from '../requests/columns.ts';
import { beginOf, enclosedArray } from '../requests/enclosed.ts';
import { linesOf } from '../requests/lines.ts';
import { mediaTypeOf } from '../requests/mediaType.ts';
import { queryOf } from '../requests/query.ts';
import { wantedOf } from '../requests/wanted.ts';
import { jsonResponse } from '../responses/json.ts';
import { ScoreCsv } from '../responses/scoreCsv.ts';
import { faultJson } from '../responses/scoreJson.ts';
import { ScoreRows } from '../responses/scoreRows.ts';
import { elements, joined, type Text } from '../responses/text.ts';
import { wantsDetails } from '../scoring/details.ts';
import { type Answer, NOTHING, type Rows, type Wanted } from '../scoring/question.ts';
import { answer, fromBytes, parsedJson, scoreRecords, wholeFromBytes } from '../scoring/score.ts';

/*
 * Our own protocol.
 *
 *   POST /models/{m}/score    a record, an array, {"records": […], "explain": 3}; JSON lines; CSV; Arrow: the same kind of body comes back
 *   GET  /models/{m}          what is there
 */

const ARROW = 'application/vnd.apache.arrow.stream';
const LINES = ['application/x-ndjson', 'application/jsonl', 'application/jsonlines', 'application/x-jsonlines'];

export function addOwn(app: Hono, core: Core): void {
  app.get('/models/:model', async (c) => {
    const version = queryOf(c.req.raw)['version'] ?? null;
    const served = core.shelf.find(c.req.param('model'), version, sightOf(c.req.raw));
    const segments = version === null ? core.segmentsOf(served.name) : null;
    const rollout = rolloutOf(core.routeOf(served.name));
    const drift = core.watch && driftOf(await core.watch.report(served.name));
    return jsonResponse({ ...describe(served, core.shelf, segments), rollout, ...(core.watch && { drift }) });
  });
  app.post('/models/:model/score', (c) =>
    core.exchange(c.req.raw, 'own', c.req.param('model'), versionOf(c), (exchange) => {
      const type = mediaTypeOf(c.req.raw);
      const wanted = hasQuery(c) ? wantedOf(queryOf(c.req.raw)) : NOTHING;
      if (LINES.includes(type)) return scoreLines(exchange, wanted);
      if (type === 'text/csv') return scoreCsv(exchange, wanted);
      if (type === ARROW) return scoreArrow(exchange, wanted);
      if (type === 'application/json' || type === '') return scoreJson(exchange, wanted);
      throw new Refusal(
        415,
        'ERR_TYPE',
        `content-type: expected application/json, ${LINES[0]}, text/csv or ${ARROW}, got another; name what the body is`,
      );
    }),
  );
}

/** Which version answers which part of the traffic; null: one answers all. */
function rolloutOf(followed: ReturnType<Core['routeOf']>) {
  if (!followed) return null;
  const { route, requests, breach } = followed;
  const { champion, arms, shadow = null } = route;
  const target = ({ model, version }: typeof champion) => ({ model, version });
  return {
    champion: target(champion),
    arms: arms.map(({ name, share, ...to }) => ({ name, share, ...target(to) })),
    shadow: shadow && target(shadow),
    requests,
    breach: breach?.why ?? null,
  };
}

/** Of each version that was watched how far its newest window is from training; null: nothing was. */
function driftOf(report: Awaited<ReturnType<NonNullable<Core['watch']>['report']>>) {
  const versions = report?.versions.map(({ version, route, watch }) => {
    const { drift, to } = watch.windows.findLast((window) => window.drift) ?? { drift: null, to: null };
    return {
      ...{ version, route, to },
      rows: drift?.rows.current ?? 0,
      psi: drift?.score.psi ?? null,
      drifted: drift?.features.filter((feature) => feature.drifted).map(({ feature }) => feature) ?? [],
      logitShift: drift?.logitShift.total ?? null,
    };
  });
  return versions ?? null;
}

const hasQuery = (c: Context): boolean => c.req.url.includes('?');
/** Where it is given twice, the request is refused when its query is read, so that it is counted. */
const versionOf = (c: Context): string | null => (hasQuery(c) ? (c.req.query('version') ?? null) : null);

const writers = new WeakMap<Served, ScoreRows>();

function writerOf(served: Served): ScoreRows {
  let writer = writers.get(served);
  if (!writer) {
    writer = new ScoreRows(served);
    writers.set(served, writer);
  }
  return writer;
}

/** The error of a record that is sent alone is that of its request. */
async function scoreJson(exchange: Exchange, asked: Wanted): Promise<Response> {
  const { served, id } = exchange;
  const bytes = await exchange.jsonBytes();
  exchange.stage('decode');
  let rows: Rows = { kind: 'bytes', bytes };
  let found = answer(served, rows, asked);
  // what is no record of the model may be one of several of our own
  const isAlone = found.scores.rows === 1 && bytes[beginOf(bytes)] !== BRACKET;
  if (isAlone && (found.faults.length > 0 || served.fields.length === 0)) {
    const several = enclosed(bytes, served, asked) ?? wrapped(bytes, exchange, asked);
    if (several) [found, rows] = several;
    else if (found.faults.length > 0) throw found.faults[0].error;
  }
  exchange.scored(found, rows);
  // of several models that which answered
  const writer = writerOf(exchange.served);
  const head = `${writer.head}${JSON.stringify(id)},"scores":[`;
  return exchange.json(joined([head, elements(writer.text(found, ',')), ']}']));
}

const BRACKET = 0x5b;

/** The answer to {"records": […]} from its bytes; null where it has to be parsed. */
function enclosed(bytes: Uint8Array, served: Served, asked: Wanted): [Answer, Rows] | null {
  const array = wantsDetails(asked) ? null : enclosedArray(bytes, ['records']);
  const found = array && wholeFromBytes(served, array.bytes);
  return found && [found, { kind: 'bytes', bytes: array.bytes }];
}

/** The answer to {"records": […]}; null for another body. @throws Refusal */
function wrapped(bytes: Uint8Array, exchange: Exchange, asked: Wanted): [Answer, Rows] | null {
  const { records, explain, interval, whatif, ...others } = (parsed(bytes) ?? {}) as Record<string, unknown>;
  // a model may have a field of that name
  if (records === undefined || exchange.served.fields.some(({ name }) => name === 'records')) return null;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw badRequest(
      `body: expected records, explain, interval and whatif, got ${quote(other)} too; correct it or leave it out`,
    );
  if (!Array.isArray(records))
    throw badRequest('records: expected an array, got something else; send {"records": [{…}]}');
  exchange.checkRows(records.length);
  const wanted = wantedOf({ explain, interval, whatif });
  return [scoreRecords(exchange.served, records, wantsDetails(wanted) ? wanted : asked), { kind: 'records', records }];
}

/** Each line that comes is answered by a line; one that is refused by its error. */
function scoreLines(exchange: Exchange, wanted: Wanted): Response {
  const { served } = exchange;
  const writer = writerOf(served);
  const text = (found: Answer): Text => writer.text(found, '\n');
  const body = exchange.chunks(false);
  const chunks = wantsDetails(wanted)
    ? detailed(exchange, body, wanted, text)
    : streamed(exchange, body, 'lines', text);
  return exchange.stream('application/x-ndjson', chunks, (error) => `${faultJson(error)}\n`);
}

async function scoreArrow(exchange: Exchange, wanted: Wanted): Promise<Response> {
  if (wantsDetails(wanted)) throw badRequest(NO_DETAILS);
  const { served } = exchange;
  // who never sends it does not load the library for it
  const [{ tableOfArrow }, { scoreArrow: written }] = await Promise.all([
    import('../requests/arrow/table.ts'),
    import('../responses/scoreArrow.ts'),
  ]);
  const table = tableOfArrow(served.fields, await exchange.bytes());
  exchange.checkRows(table.rows);
  const rows: Rows = { kind: 'table', table };
  exchange.stage('decode');
  const found = answer(served, rows, NOTHING);
  exchange.scored(found, rows);
  return exchange.respond(ARROW, written(served, found));
}

const NO_DETAILS =
  'explain, interval, whatif: expected JSON or JSON lines, got CSV or Arrow; send the rows as JSON lines';

function scoreCsv(exchange: Exchange, wanted: Wanted): Response {
  if (wantsDetails(wanted)) throw badRequest(NO_DETAILS);
  const writer = new ScoreCsv(exchange.served);
  const chunks = streamed(exchange, exchange.chunks(true), 'csv', (found) => writer.rows(found));
  return exchange.stream('text/csv', chunks, (error) => writer.fault(error));
}

/** The scores of the rows that each chunk completes, as text. */
async function* streamed(
  exchange: Exchange,
  body: AsyncGenerator<Uint8Array>,
  format: 'lines' | 'csv',
  textOf: (found: Answer) => Text,
): AsyncGenerator<Text> {
  const { served } = exchange;
  const scorer = served.borrow();
  let first = 0;
  const put = (scores: ByteScores, bytes: Uint8Array): Text => {
    const found = fromBytes(scores, first);
    first += scores.rows;
    exchange.scored(found, { kind: format, bytes });
    const text = scores.rows > 0 ? textOf(found) : '';
    exchange.stage('encode');
    return text;
  };
  let isOver = false;
  let chunk: Uint8Array = NO_BYTES;
  try {
    // hosts have a body without bytes as no chunk or as an empty one
    scorer[format](NO_BYTES);
    for await (chunk of body) {
      exchange.resume();
      yield put(scorer[format](chunk), chunk);
    }
    exchange.resume();
    const last = put(scorer.end(), NO_BYTES);
    isOver = true;
    yield last;
  } catch (error) {
    // rows before bytes that end a stream were scored
    if (error instanceof RowError && error.scores) yield put(error.scores, chunk);
    throw error;
  } finally {
    // a client may leave at any row
    if (isOver) served.giveBack(scorer);
    else scorer.free();
  }
}

/** Lines of which more is wanted than scores: they are parsed. */
async function* detailed(
  exchange: Exchange,
  body: AsyncGenerator<Uint8Array>,
  wanted: Wanted,
  textOf: (found: Answer) => Text,
): AsyncGenerator<Text> {
  const { served } = exchange;
  let row = 0;
  for await (const line of linesOf(body)) {
    exchange.resume();
    const records = [parsed(line) as object];
    const found = scoreRecords(served, records, wanted, row++);
    exchange.scored(found, { kind: 'records', records });
    const text = textOf(found);
    exchange.stage('encode');
    yield text;
  }
}

/** The value of JSON; null for what is none. */
function parsed(json: Uint8Array | string): object | null {
  try {
    return typeof json === 'string' ? JSON.parse(json) : (parsedJson(json) as object);
  } catch {
    return null;
  }
}
