import { inputSchema } from 'logodds/stages';
import type { Description } from '../core.ts';
import type { Served } from '../models/served.ts';
import { VERSION } from '../version.ts';
import { type Examples, examplesOf } from './api/examples.ts';
import {
  BAD,
  BODY,
  headerComponents,
  inPath,
  inQuery,
  json,
  MODEL_HEADERS,
  NAMED,
  NOT_KEPT,
  operation,
  plain,
  ROWS,
  refusalComponents,
  some,
  type Told,
} from './api/operations.ts';
import { instances, invocation, object, RECORD, ref, SCHEMAS, scoring, WANTED_QUERY } from './api/schemas.ts';

/** Models that are described by name; of others the general paths say enough. */
const MOST_MODELS = 50;

const TAGS = {
  score: 'Our own protocol: records in, scores with their decision out',
  v2: 'Open Inference V2: KServe, Triton, MLServer',
  v1: 'TensorFlow Serving, KServe V1, Vertex AI',
  others: 'SageMaker, MLflow, TorchServe',
  service: 'The service itself',
};

const LINES = 'application/x-ndjson';
const ARROW = 'application/vnd.apache.arrow.stream';
const CSV = 'text/csv';
const BINARY = 'application/octet-stream';
const HEADER_LENGTH = 'inference-header-content-length';

const OVERVIEW = [
  inQuery('search', { type: 'string', description: 'a part of the names of models' }),
  inQuery('from', { type: 'integer', minimum: 0, description: 'models before the first' }),
  inQuery('count', { type: 'integer', minimum: 0, maximum: 100, description: 'greatest number of models' }),
  inQuery('model', { type: 'string', description: 'a model of which more is told' }),
  inQuery('version', { type: 'string', description: 'its version' }),
];

/** What the operations on a model need to know of it. */
interface Subject {
  /** in summaries */
  readonly name: string;
  readonly record: object;
  readonly examples: Examples | null;
  readonly parameters: readonly object[];
}

const tensors = { examples: (examples: Examples) => ({ 'a row': { inputs: examples.tensors } }) };
const post = (told: Told) => ({ post: operation(told) });
const get = (told: Told) => ({ get: operation(told) });

function score({ name, record, examples, parameters }: Subject, id?: string) {
  return post({
    id,
    summary: `Score records of ${name}`,
    tag: 'score',
    parameters: [...parameters, ...Object.entries(WANTED_QUERY).map(([query, schema]) => inQuery(query, schema))],
    body: {
      ...json(
        scoring(record),
        some(examples, ({ record }) => ({
          'a record': record,
          records: [record, record],
          'with reasons': { records: [record], explain: 3 },
        })),
      ),
      [LINES]: {
        schema: { type: 'string', description: 'a record on each line' },
        examples: some(examples, ({ record }) => ({ 'two lines': `${JSON.stringify(record)}\n`.repeat(2) })),
      },
      [CSV]: {
        schema: { type: 'string', description: 'a header with the fields, then a record on each line' },
        examples: some(examples, ({ csv }) => ({ 'a row': csv })),
      },
      [ARROW]: { schema: { description: 'an Arrow IPC stream with a column for each field' } },
    },
    answer: 'the scores, in the order of the records: the same kind of body comes back',
    answers: { ...json(ref('Scores')), ...plain(LINES), ...plain(CSV), [ARROW]: { schema: {} } },
    headers: MODEL_HEADERS,
    refused: ROWS,
  });
}

function infer({ name, examples, parameters }: Subject, id?: string) {
  return post({
    id,
    summary: `Open Inference V2 with ${name}`,
    tag: 'v2',
    parameters: [
      ...parameters,
      {
        name: HEADER_LENGTH,
        in: 'header',
        description: 'bytes of JSON, behind which the data of tensors stand; absent: all is JSON',
        schema: { type: 'integer', minimum: 0 },
      },
    ],
    body: {
      ...json(ref('InferRequest'), some(examples, tensors.examples)),
      [BINARY]: { schema: { type: 'string', format: 'binary', description: 'JSON, then the data of tensors' } },
    },
    answer: `the tensors; as ${BINARY} where data were asked for as bytes`,
    answers: { ...json(ref('InferResponse')), [BINARY]: { schema: { type: 'string', format: 'binary' } } },
    headers: [...MODEL_HEADERS, 'HeaderLength'],
    refused: ROWS,
  });
}

function predict({ name, record, examples, parameters }: Subject, id?: string) {
  return post({
    id,
    summary: `Predict with ${name}`,
    tag: 'v1',
    parameters,
    body: json(
      instances(record),
      some(examples, ({ record }) => ({
        instances: { instances: [record, record] },
        inputs: { inputs: Object.fromEntries(Object.entries(record).map(([name, value]) => [name, [value]])) },
      })),
    ),
    answer: 'predictions for instances, outputs for inputs',
    answers: json({ anyOf: [ref('Predictions'), ref('Outputs')] }),
    headers: MODEL_HEADERS,
    refused: ROWS,
  });
}

function torchServe({ name, record, examples, parameters }: Subject, id?: string) {
  const told = {
    summary: `Predict with ${name} as TorchServe does`,
    tag: 'others',
    parameters,
    body: json(
      { anyOf: [{ type: 'array', items: record }, record] },
      some(examples, ({ record }) => ({ 'a record': record, records: [record] })),
    ),
    answer: 'of each row the probability of each class; of one record alone an object',
    answers: json({ anyOf: [ref('ByClass'), { type: 'array', items: ref('ByClass') }] }),
    headers: MODEL_HEADERS,
    refused: ROWS,
  };
  return {
    post: operation({ ...told, id }),
    put: operation({ ...told, id: id && `${id}ByPut` }),
  };
}

/** The only model of a service. */
function invocations({ record, examples }: Pick<Subject, 'record' | 'examples'>) {
  return post({
    id: 'invoke',
    summary: 'Predict with the only model, as SageMaker and MLflow do',
    tag: 'others',
    body: {
      ...json(
        invocation(record),
        some(examples, ({ record }) => ({
          'data frame': { dataframe_records: [record] },
          'data frame, split': { dataframe_split: { columns: Object.keys(record), data: [Object.values(record)] } },
          instances: { instances: [record] },
          'a record': record,
        })),
      ),
      [CSV]: { schema: { type: 'string' }, examples: some(examples, ({ csv }) => ({ 'a row': csv })) },
    },
    answer: 'the predictions',
    answers: json(ref('Predictions')),
    headers: MODEL_HEADERS,
    refused: ROWS,
  });
}

const models = (id: string, summary: string, schema: string, parameters: readonly object[], tag = 'v2') =>
  get({ id, summary, tag, parameters, answer: 'it is so', answers: json(ref(schema)), refused: NAMED });
const simple = (
  id: string,
  summary: string,
  answers: Told['answers'],
  tag = 'service',
  refused: Told['refused'] = {},
) => get({ id, summary, tag, answer: 'it is so', answers, refused });

/**
 * The description of a service in OpenAPI 3.1. Models are described by name with their fields; every example is a body that works.
 * @param all  the models of the service
 * @param root  the way from the description to the service
 * @param more  of routes that not every service has
 */
export function openApi(all: readonly Served[], root: string, more: readonly Description[] = []): object {
  // of each name the version that is asked where none is said
  const named = [...new Map(all.map((served) => [served.name, served])).values()];
  const told = named.slice(0, MOST_MODELS);
  const first = told.at(0);
  const records = componentNames(told);
  const subjects = told.map((served, i): [served: Served, subject: Subject] => [
    served,
    { name: served.name, record: ref(records[i]), examples: examplesOf(served), parameters: [] },
  ]);
  const examples = first ? examplesOf(first) : null;
  const model = inPath('model', 'name of a model', first?.name);
  const version = inPath('version', 'one of its versions', first?.version);
  const [any, one]: Subject[] = [[model], [model, version]].map((parameters) => ({
    name: parameters.length === 1 ? 'a model' : 'a version of a model',
    record: RECORD,
    examples,
    parameters,
  }));
  const last = inQuery('version', { type: 'string', description: 'default: the last' });
  return {
    openapi: '3.1.0',
    info: {
      title: 'logodds',
      version: VERSION,
      description: 'Scores of logistic regressions.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: root }],
    tags: [TAGS, ...more.map(({ tags }) => tags)]
      .flatMap(Object.entries)
      .map(([name, description]) => ({ name, description })),
    paths: {
      ...Object.fromEntries(
        subjects.flatMap(([{ name }, subject]) => {
          const path = encodeURIComponent(name);
          return [
            [`/models/${path}/score`, score(subject)],
            [`/v2/models/${path}/infer`, infer(subject)],
            [`/v1/models/${path}:predict`, predict(subject)],
            [`/predictions/${path}`, torchServe(subject)],
          ];
        }),
      ),
      '/models/{model}/score': score({ ...any, parameters: [model, last] }, 'score'),
      '/models/{model}': models('model', 'What a model is', 'Model', [model, last], 'score'),
      '/models/{model}/labels': post({
        id: 'labels',
        summary: 'Tell what became true of earlier scores',
        tag: 'score',
        parameters: [model, last],
        body: json(ref('Labels')),
        answer: 'how many were taken, and why others were not',
        answers: json(ref('LabelsTaken')),
        headers: MODEL_HEADERS,
        refused: { ...ROWS, ...NOT_KEPT },
      }),
      '/v2': simple('server', 'The server', json(ref('ServerMetadata')), 'v2'),
      '/v2/health/live': simple('live', 'Whether it lives', json(ref('Live')), 'v2'),
      '/v2/health/ready': simple('ready', 'Whether new requests should come', json(ref('Ready')), 'v2', {
        503: { description: 'they should not', content: json(ref('Ready')) },
      }),
      '/v2/models': simple('models', 'Names of the models', json(ref('Names')), 'v2'),
      '/v2/models/stats': simple('statistics', 'Counts of all models', json(ref('Statistics')), 'v2'),
      ...Object.fromEntries(
        [any, one].flatMap((subject, i) => {
          const path = ['/models/{model}', '/models/{model}/versions/{version}'][i];
          const of = ['Model', 'Version'][i];
          const { parameters } = subject;
          return [
            [
              `/v2${path}`,
              models(`metadataOf${of}`, `Fields and outputs of ${subject.name}`, 'ModelMetadata', parameters),
            ],
            [`/v2${path}/ready`, models(`readyOf${of}`, `Whether ${subject.name} is there`, 'ModelReady', parameters)],
            [`/v2${path}/stats`, models(`statisticsOf${of}`, `Counts of ${subject.name}`, 'Statistics', parameters)],
            [`/v2${path}/infer`, infer(subject, `infer${of}`)],
            [`/v1${path}`, models(`statusOf${of}`, `State of ${subject.name}`, 'ModelStatus', parameters, 'v1')],
            [`/v1${path}:predict`, predict(subject, `predict${of}`)],
            [`/predictions/{model}${i === 0 ? '' : '/{version}'}`, torchServe(subject, `torchServe${of}`)],
          ];
        }),
      ),
      '/v2/repository/index': post({
        id: 'index',
        summary: 'What is there, and what could not be loaded',
        tag: 'v2',
        body: json(ref('IndexRequest'), { all: {}, ready: { ready: true } }),
        bodyIsOptional: true,
        answer: 'all versions of all models',
        answers: json(ref('Index')),
        refused: BODY,
      }),
      '/v2/repository/models/{model}/load': post({
        id: 'load',
        summary: 'Load a model, or load it again',
        tag: 'v2',
        parameters: [model],
        answer: 'it is loaded',
        answers: json(ref('Loaded')),
        refused: { ...NAMED, ...BAD },
      }),
      '/v2/repository/models/{model}/unload': post({
        id: 'unload',
        summary: 'Take a model away',
        tag: 'v2',
        parameters: [model],
        answer: 'it is gone',
        answers: json(ref('Unloaded')),
        refused: NAMED,
      }),
      '/v1/models': simple('names', 'Names of the models', json(ref('Names')), 'v1'),
      '/invocations': invocations(named.length === 1 ? subjects[0][1] : { record: RECORD, examples: null }),
      ...Object.fromEntries(
        ['/ping', '/health'].map((path) => [
          path,
          simple(path.slice(1), 'Whether new requests should come', {}, 'others', {
            503: { description: 'they should not' },
          }),
        ]),
      ),
      '/version': simple('version', 'The version of the service', plain('text/plain'), 'others'),
      '/metrics': simple('metrics', 'Numbers for Prometheus', plain('text/plain')),
      '/': simple('console', 'A page with the models, their traffic, and a form to try a record', plain('text/html')),
      '/console.json': get({
        id: 'overview',
        summary: 'What the console shows',
        tag: 'service',
        parameters: OVERVIEW,
        answer: 'models and counts',
        answers: json({ type: 'object' }),
      }),
      '/docs': simple('docs', 'A page to read this description', plain('text/html')),
      '/openapi.json': simple('description', 'This description', json(ref('Description'))),
      '/v2/docs/dataplane.json': simple(
        'descriptionOfV2',
        'This description, where MLServer has it',
        json({ type: 'object' }),
      ),
      '/v2/models/{model}/docs/dataplane.json': models(
        'descriptionOfModel',
        'This description, of one model',
        'Description',
        [model],
      ),
      ...merged(more, 'paths'),
    },
    components: {
      schemas: {
        ...SCHEMAS,
        ...merged(more, 'schemas'),
        Description: object({
          openapi: { type: 'string' },
          ...Object.fromEntries(['info', 'paths', 'components'].map((part) => [part, { type: 'object' }])),
          servers: { type: 'array' },
          tags: { type: 'array' },
        }),
        ...Object.fromEntries(
          told.map(({ model }, i) => {
            const { $schema, ...record } = inputSchema(model);
            return [records[i], record];
          }),
        ),
      },
      responses: refusalComponents(),
      headers: headerComponents(),
    },
  };
}

const merged = (more: readonly Description[], part: 'paths' | 'schemas'): object =>
  Object.assign({}, ...more.map((one) => one[part]));

/** Names for the records of models: those of components have few characters. */
const componentNames = (all: readonly Served[]): string[] =>
  all.map(({ name }, i) =>
    /^[\w.-]+$/.test(name) ? `Record.${name}` : `Record.${i}.${name.replace(/[^\w.-]/g, '_')}`,
  );
