import { ref } from './schemas.ts';

/** A body of one type: its schema, and bodies that work, by name. */
export interface Content {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, unknown>>;
}
/** Bodies by their type. */
export type Contents = Readonly<Record<string, Content>>;

/** What is told of a path and a method. */
export interface Told {
  readonly id?: string;
  readonly summary: string;
  readonly tag: string;
  readonly parameters?: readonly object[];
  readonly body?: Contents;
  /** the answer of 200 */
  readonly answer: string;
  readonly answers: Contents;
  /** headers of the answer, by their name among the components */
  readonly headers?: readonly (keyof typeof HEADERS)[];
  /** answers of other statuses, beside those of every request */
  readonly refused?: Readonly<Record<string, object>>;
  /** the body need not be there */
  readonly bodyIsOptional?: true;
}

export const json = (schema: object, examples?: Content['examples']): Contents => ({
  'application/json': { schema, ...(examples && { examples }) },
});
export const plain = (type: string): Contents => ({ [type]: { schema: { type: 'string' } } });
/** Examples as they are; none where one of them is not known. */
export const some = <T>(value: T | null | undefined, make: (value: T) => Record<string, unknown>) =>
  value === null || value === undefined ? undefined : make(value);

/** Refusals: by their status a name among the components, and why. */
const REFUSALS = {
  400: ['BadRequest', 'what was sent is wrong: the sentence names the row and the field'],
  401: ['NoKey', 'no API key or token, or one that is not known; only where the service asks for them'],
  403: ['NotAllowed', 'the key or the token does not reach this; only where the service asks for them'],
  404: ['NotFound', 'there is no such model, version or path'],
  409: ['Unfit', 'what is asked does not fit what the registry says'],
  413: ['TooLong', 'the body is too long, or has too many rows'],
  415: ['OtherType', 'the type or the encoding of the body is another'],
  429: ['TooMany', 'more requests than the key may send'],
  500: ['Failed', 'the service failed; its log says why'],
  501: ['NotKept', 'the service keeps no labels: it has no prediction log'],
  503: ['NotReady', 'not ready, or too much is waiting'],
  504: ['TooLate', 'the answer would come after the time that the request gives'],
} as const;

export const refusals = (...statuses: readonly (keyof typeof REFUSALS)[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${REFUSALS[status][0]}` }] as const),
  );

export const refusalComponents = (): object =>
  Object.fromEntries(
    Object.entries(REFUSALS).map(([status, [name, description]]) => [
      name,
      {
        description,
        content: json(ref('Error')),
        ...((status === '429' || status === '503') && {
          headers: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } },
        }),
      },
    ]),
  );

/** What any request may be told, one that names a model, and one that sends rows. */
export const ANY = refusals(401, 403, 429, 500);
export const NAMED = refusals(404, 503);
export const ROWS = refusals(400, 404, 413, 415, 503, 504);
export const BAD = refusals(400);
export const NOT_KEPT = refusals(501);
export const BODY = refusals(400, 413, 415);

const header = (name: string, description: string) => [name, { description, schema: { type: 'string' } }] as const;

/** Headers of answers, by their name among the components: its own name and what it is. */
const HEADERS = {
  RequestId: header('x-request-id', 'the id of the request: the one that was sent, or a new one'),
  ModelName: header('x-model-name', 'the model that answered, percent-encoded'),
  ModelVersion: header('x-model-version', 'its version, percent-encoded'),
  ModelDigest: header('x-model-sha256', 'the SHA-256 of its file'),
  ServerTiming: header('server-timing', 'milliseconds of each stage'),
  HeaderLength: header('inference-header-content-length', 'bytes of JSON before the data of tensors'),
  RetryAfter: header('retry-after', 'seconds after which to ask again'),
};
export const MODEL_HEADERS = ['RequestId', 'ModelName', 'ModelVersion', 'ModelDigest', 'ServerTiming'] as const;

export const headerComponents = (): object =>
  Object.fromEntries(Object.entries(HEADERS).map(([name, [, told]]) => [name, told]));

/** An operation as OpenAPI has it. */
export function operation({
  id,
  summary,
  tag,
  parameters,
  body,
  answer,
  answers,
  headers = [],
  refused = {},
  bodyIsOptional,
}: Told) {
  return {
    ...(id && { operationId: id }),
    summary,
    tags: [tag],
    ...(parameters && parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: !bodyIsOptional, content: contentOf(body) } }),
    responses: {
      200: {
        description: answer,
        ...(headers.length > 0 && {
          headers: Object.fromEntries(
            headers.map((name) => [HEADERS[name][0], { $ref: `#/components/headers/${name}` }]),
          ),
        }),
        ...(Object.keys(answers).length > 0 && { content: contentOf(answers) }),
      },
      ...refused,
      ...ANY,
    },
  };
}

const contentOf = (contents: Contents) =>
  Object.fromEntries(
    Object.entries(contents).map(([type, { schema, examples }]) => [
      type,
      {
        schema,
        ...(examples && {
          examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
        }),
      },
    ]),
  );

/** A part of a path. */
export const inPath = (name: string, description: string, example?: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', minLength: 1 },
  ...(example !== undefined && { example }),
});
export const inQuery = (name: string, schema: object) => ({ name, in: 'query', schema });
