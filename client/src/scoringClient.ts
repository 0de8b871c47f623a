import { ServiceError, unreadable, unsendable } from './error.ts';
import { parsedJson } from './json.ts';
import { bytesOfRecords, lineOf, streamOf, valuesOf } from './lines.ts';
import type {
  CsvBody,
  Fault,
  Label,
  LabelsTaken,
  Model,
  ModelInfo,
  Score,
  ScoredRecord,
  ScoredRecords,
  ScoreOptions,
  StreamOptions,
} from './scores.ts';
import { type CallOptions, type ClientOptions, type Sent, Transport } from './transport.ts';

const BATCH = 500;
const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Asks a service of logodds by its own protocol. Everything it does is a call with a deadline; scoring is repeated where that may help.
 * @example
 * const client = new ScoringClient({ baseUrl, token: () => process.env.TOKEN ?? '' });
 * const { score } = await client.score('flights', { distance: 1200, origin: 'LAS' });
 * score.label; // 'yes'
 * score.probability; // 0.9114
 */
export class ScoringClient {
  readonly #transport: Transport;

  /** @throws ERR_REQUEST for an address that is none */
  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /**
   * Scores a record, or an array of them. A record that is refused alone is an error; among others it is a fault in its place.
   * @throws ServiceError
   * @example
   * const asked = { explain: 1, interval: 0.9, whatif: ['distance'] };
   * const { score, model, requestId } = await client.score('flights', { distance: 1200, origin: 'LAS' }, asked);
   * score.reasons[0].feature; // 'origin'
   * const { scores } = await client.score('flights', [{ distance: 600, origin: 'ATL' }, { distance: 'far', origin: 'ATL' }]);
   * scores[0].label; // 'no'
   * scores[1].problems[0].field; // 'distance'
   */
  score(model: string, records: readonly object[], options?: ScoreOptions): Promise<ScoredRecords>;
  score(model: string, record: object, options?: ScoreOptions): Promise<ScoredRecord>;
  async score(
    model: string,
    given: object | readonly object[],
    options: ScoreOptions = {},
  ): Promise<ScoredRecord | ScoredRecords> {
    const records: readonly object[] | null = Array.isArray(given) ? given : null;
    const sent: Sent = {
      method: 'POST',
      path: pathOf(model, 'score', { version: options.version }),
      headers: JSON_TYPE,
      body: bodyOf(records ? `[${records.map(lineOf)}]` : lineOf(given), records !== null, options),
      isRepeatable: true,
    };
    return this.#transport.send(sent, options, ({ bytes, requestId }) => {
      const { model: name, version, sha256, scores } = (parsedJson(bytes) ?? {}) as WireScores;
      if (!Array.isArray(scores) || scores.length !== (records?.length ?? 1))
        throw unreadable(`scores: expected ${records?.length ?? 1}, got others; is this a service of logodds?`);
      const scored: Model = { name, version, sha256 };
      if (records) return { model: scored, requestId, scores };
      const [score] = scores;
      if (score.error === undefined) return { model: scored, requestId, score };
      // as the service answers a record of which nothing but its score is asked
      const { error, code, problems = [] } = score;
      throw new ServiceError(code, error, { status: 400, problems });
    });
  }

  /**
   * Scores records as they come, each by a score or a fault in its place. No more is taken from the records than is asked for, but for a batch.
   * @throws ServiceError
   * @example
   * const labels = [];
   * for await (const found of client.stream('flights', flights)) labels.push(found.error ?? found.label);
   * labels; // ['yes', 'no', 'no']
   */
  stream(
    model: string,
    records: AsyncIterable<object> | Iterable<object>,
    options: StreamOptions = {},
  ): AsyncGenerator<Score | Fault, void, undefined> {
    const { batch = BATCH, ...rest } = options;
    if (batch === null) return this.#stream(model, records, rest);
    if (!(batch >= 1)) throw unsendable(`batch: expected a number of records, got ${batch}; leave it out, or null`);
    return this.#batches(model, records, batch, rest);
  }

  async *#batches(
    model: string,
    records: AsyncIterable<object> | Iterable<object>,
    size: number,
    options: ScoreOptions,
  ): AsyncGenerator<Score | Fault, void, undefined> {
    let batch: object[] = [];
    for await (const record of records) {
      if (batch.push(record) < size) continue;
      yield* (await this.score(model, batch, options)).scores;
      batch = [];
    }
    if (batch.length > 0) yield* (await this.score(model, batch, options)).scores;
  }

  /** All records in one request. */
  async *#stream(
    model: string,
    records: AsyncIterable<object> | Iterable<object>,
    options: ScoreOptions,
  ): AsyncGenerator<Score | Fault, void, undefined> {
    let [sentRecords, answered] = [0, 0];
    let fault: { readonly error: unknown } | null = null;
    async function* bytes() {
      try {
        yield* bytesOfRecords(records, () => sentRecords++);
      } catch (error) {
        fault = { error };
        throw error;
      }
    }
    const sent = streamed(model, options, 'application/x-ndjson', streamOf(bytes()));
    try {
      for await (const value of valuesOf(await this.#transport.open(sent, options))) {
        answered++;
        yield value as Score | Fault;
      }
    } catch (error) {
      // the records' own error, of which the host makes one of the connection
      if (fault) throw (fault as { readonly error: unknown }).error;
      throw error;
    }
    if (answered !== sentRecords)
      throw unreadable(`answers: expected ${sentRecords}, one for each record, got ${answered}; send the rest again`);
  }

  /**
   * Scores rows of CSV; CSV comes back as it comes about: row, a probability of each class, label, error.
   * @throws ServiceError
   * @example
   * const scores = await client.csv('flights', 'distance,origin\n1200,LAS\n600,ATL\n');
   * (await new Response(scores).text()).split('\n').length; // 4
   */
  csv(model: string, rows: CsvBody, options: CallOptions & { readonly version?: string } = {}) {
    return this.#transport.open(streamed(model, options, 'text/csv', rows), options);
  }

  /**
   * What a model is: version, digest, classes, fields.
   * @throws ServiceError
   * @example
   * const { fields, positive } = await client.describe('flights');
   * fields[0].name; // 'distance'
   * positive; // 'yes'
   */
  describe(model: string, options: CallOptions & { readonly version?: string } = {}): Promise<ModelInfo> {
    const path = pathOf(model, '', { version: options.version });
    return this.#transport.send({ method: 'GET', path, isRepeatable: true }, options, ({ bytes }) => {
      const info = parsedJson(bytes) as ModelInfo | null;
      if (typeof info?.sha256 === 'string') return info;
      throw unreadable(
        'model: expected its name, version and digest, got something else; is this a service of logodds?',
      );
    });
  }

  /**
   * Tells what became true of earlier scores, by the ids of their requests. **It is sent once**: twice might count twice.
   * @returns how many were taken, and why others were not, by their place in the list from 0
   * @throws ServiceError; ERR_LABELS where the service keeps none
   */
  label(model: string, labels: readonly Label[], options: CallOptions = {}): Promise<LabelsTaken> {
    const path = pathOf(model, 'labels', {});
    const sent: Sent = { method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(labels), isRepeatable: false };
    return this.#transport.send(sent, options, ({ bytes }) => {
      const taken = parsedJson(bytes) as LabelsTaken | null;
      if (typeof taken?.accepted === 'number') return taken;
      throw unreadable('labels: expected how many were taken, got something else; is this a service of logodds?');
    });
  }
}

interface WireScores extends Model {
  readonly model: string;
  readonly scores: readonly (Score | Fault)[];
}

type Query = Readonly<Record<string, string | number | undefined>>;

function pathOf(model: string, verb: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const asked = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `models/${encodeURIComponent(model)}${verb && `/${verb}`}${asked && `?${asked}`}`;
}

/** A body of JSON: records alone, or with what is wanted of them. */
function bodyOf(text: string, isList: boolean, { explain, interval, whatif }: ScoreOptions): string {
  if (explain === undefined && interval === undefined && whatif === undefined) return text;
  const wanted = JSON.stringify({ explain, interval, whatif });
  return `{"records":${isList ? text : `[${text}]`},${wanted.slice(1)}`;
}

/** A request of rows that are streamed. @throws ERR_REQUEST */
function streamed(model: string, options: ScoreOptions, type: string, body: NonNullable<Sent['body']>): Sent {
  const { version, explain, interval, whatif } = options;
  const comma = whatif?.find((field) => field.includes(','));
  if (comma !== undefined)
    throw unsendable(`whatif: expected fields without commas in a stream, got ${JSON.stringify(comma)}; use batches`);
  return {
    method: 'POST',
    path: pathOf(model, 'score', { version, explain, interval, whatif: whatif?.join() }),
    headers: { 'content-type': type },
    body,
    isRepeatable: !(body instanceof ReadableStream),
  };
}
