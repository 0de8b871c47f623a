import { inputSchema } from 'logodds/stages';
import type { Served } from '../models/served.ts';
import { VERSION } from '../version.ts';

/** Models that are described by name; of others the general path says enough. */
const MOST_MODELS = 50;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ 'application/json': { schema } });
const body = (content: object) => ({ required: true, content });
const answer = (description: string, content?: object) => ({ description, ...(content && { content }) });
const refused = (...statuses: readonly [status: string, description: string][]) =>
  Object.fromEntries(statuses.map(([status, description]) => [status, answer(description, json(ref('Error')))]));

const BAD = refused(
  ['400', 'what was sent is wrong: the sentence names the row and the field'],
  ['404', 'no such model or version'],
  ['413', 'the body is too long'],
  ['415', 'the type or the encoding of the body is another'],
  ['503', 'not ready, or too much is waiting'],
);

const path = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
const query = (name: string, schema: object, description: string) => ({ name, in: 'query', schema, description });

const WANTED = {
  explain: { type: 'integer', minimum: 0, maximum: 100, description: 'greatest number of reasons of each row' },
  interval: {
    type: 'number',
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: 'probability that intervals cover',
  },
};

const LINES = 'application/x-ndjson';

const SCHEMAS = {
  Error: {
    type: 'object',
    required: ['error', 'code'],
    properties: {
      error: { type: 'string', description: 'what was expected, what was got, what to do next' },
      code: { type: 'string' },
      id: { type: 'string', description: 'the id of the request' },
      problems: {
        type: 'array',
        items: {
          type: 'object',
          properties: { field: { type: 'string' }, row: { type: 'integer' }, rule: { type: 'string' } },
        },
      },
    },
  },
  Score: {
    type: 'object',
    description: 'a score, or why there is none',
    properties: {
      probability: { type: ['number', 'null'], description: 'with several classes that of the label' },
      label: { type: 'string' },
      logit: { type: ['number', 'null'] },
      defaulted: { type: 'number', description: 'share of the features that took a default' },
      review: { type: 'boolean', description: 'the probability is in the band for review' },
      probabilities: { type: 'object', additionalProperties: { type: ['number', 'null'] } },
      reasons: { type: 'array', items: { type: 'object' } },
      interval: { type: 'object', properties: { low: { type: 'number' }, high: { type: 'number' } } },
      whatif: { type: 'array', items: { type: 'object' } },
      error: { type: 'string' },
      code: { type: 'string' },
    },
  },
  Scores: {
    type: 'object',
    required: ['model', 'version', 'sha256', 'id', 'scores'],
    properties: {
      model: { type: 'string' },
      version: { type: 'string' },
      sha256: { type: 'string' },
      id: { type: 'string' },
      scores: { type: 'array', items: ref('Score') },
    },
  },
  Tensor: {
    type: 'object',
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: { type: 'string' },
      datatype: { type: 'string' },
      shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
      data: { type: 'array', items: {} },
      parameters: { type: 'object' },
    },
  },
  InferRequest: {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string' },
      parameters: { type: 'object' },
      inputs: { type: 'array', items: ref('Tensor') },
      outputs: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, parameters: { type: 'object' } },
        },
      },
    },
  },
  InferResponse: {
    type: 'object',
    required: ['model_name', 'model_version', 'outputs'],
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      parameters: { type: 'object' },
      outputs: { type: 'array', items: ref('Tensor') },
    },
  },
  Predictions: { type: 'object', required: ['predictions'], properties: { predictions: { type: 'array', items: {} } } },
};

/** What a record of any model is. */
const RECORD = { type: 'object', description: 'a field for each column that the model reads; null is a missing value' };

/** The path of scores. @param record  the schema of a record */
function scorePath(record: object, parameters: readonly object[], summary: string) {
  return {
    post: {
      summary,
      tags: ['score'],
      parameters: [
        ...parameters,
        query('explain', WANTED.explain, 'as in the body'),
        query('interval', WANTED.interval, 'as in the body'),
      ],
      requestBody: body({
        ...json({
          anyOf: [
            record,
            { type: 'array', items: record },
            {
              type: 'object',
              required: ['records'],
              properties: {
                records: { type: 'array', items: record },
                ...WANTED,
                whatif: { type: 'array', items: { type: 'string' } },
              },
            },
          ],
        }),
        [LINES]: { schema: { type: 'string' } },
        'text/csv': { schema: { type: 'string' } },
      }),
      responses: {
        '200': answer('the scores, in the order of the records', {
          ...json(ref('Scores')),
          [LINES]: { schema: { type: 'string' } },
          'text/csv': { schema: { type: 'string' } },
        }),
        ...BAD,
      },
    },
  };
}

const get = (summary: string, tag: string, parameters: readonly object[] = [], missing = false) => ({
  get: {
    summary,
    tags: [tag],
    ...(parameters.length > 0 && { parameters }),
    responses: {
      '200': answer('it is so', json({ type: 'object' })),
      ...(missing && refused(['404', 'no such model or version'], ['503', 'not ready'])),
    },
  },
});

/** What became true of earlier scores. */
const labelsPath = (model: object) => ({
  post: {
    summary: 'Tell what became true of earlier scores',
    tags: ['score'],
    parameters: [model],
    requestBody: body(
      json({
        type: 'array',
        items: {
          type: 'object',
          required: ['id', 'label'],
          properties: {
            id: { type: 'string', description: 'the id of the request; ID/ROW where it had several rows' },
            label: { type: ['string', 'number', 'boolean'], description: 'a class of the model' },
            at: { type: 'string', format: 'date-time', description: 'default: now' },
          },
        },
      }),
    ),
    responses: {
      '200': answer(
        'how many were taken, and why others were not',
        json({
          type: 'object',
          required: ['accepted', 'refused'],
          properties: {
            accepted: { type: 'integer' },
            refused: {
              type: 'array',
              items: { type: 'object', properties: { row: { type: 'integer' }, error: { type: 'string' } } },
            },
          },
        }),
      ),
      ...BAD,
      ...refused(['501', 'the service has no prediction log']),
    },
  },
});

/** The description of a service in OpenAPI 3.1, with the fields of its models. */
export function openApi(models: readonly Served[]): object {
  const named = [...new Map(models.map((served) => [served.name, served])).values()].slice(0, MOST_MODELS);
  const { $schema: _, ...unknown } = { $schema: '', ...RECORD };
  const own = named.map((served) => {
    const { $schema, ...record } = inputSchema(served.model);
    return [
      `/models/${encodeURIComponent(served.name)}/score`,
      scorePath(record, [], `Score records of ${served.name}`),
    ] as const;
  });
  const model = path('model');
  const version = path('version');
  const infer = {
    post: {
      summary: 'Open Inference V2',
      tags: ['v2'],
      requestBody: body(json(ref('InferRequest'))),
      responses: { '200': answer('tensors', json(ref('InferResponse'))), ...BAD },
    },
  };
  const withParameters = (operation: typeof infer, ...parameters: object[]) => ({
    post: { ...operation.post, parameters },
  });
  const predict = (summary: string, tag: string, parameters: readonly object[]) => ({
    post: {
      summary,
      tags: [tag],
      ...(parameters.length > 0 && { parameters }),
      requestBody: body(json({ type: 'object' })),
      responses: { '200': answer('predictions', json({ type: 'object' })), ...BAD },
    },
  });
  return {
    openapi: '3.1.0',
    info: { title: 'logodds', version: VERSION, description: 'Scores of logistic regressions.' },
    paths: {
      ...Object.fromEntries(own),
      '/models/{model}/score': scorePath(
        unknown,
        [model, query('version', { type: 'string' }, 'default: the last')],
        'Score records',
      ),
      '/models/{model}': get('What a model is', 'score', [model], true),
      '/models/{model}/labels': labelsPath(model),
      '/v2': get('The server', 'v2'),
      '/v2/health/live': get('Whether it lives', 'v2'),
      '/v2/health/ready': {
        get: {
          summary: 'Whether new requests should come',
          tags: ['v2'],
          responses: { '200': answer('yes', json({ type: 'object' })), '503': answer('no', json({ type: 'object' })) },
        },
      },
      '/v2/models': get('The models', 'v2'),
      '/v2/models/{model}': get('Fields and outputs of a model', 'v2', [model], true),
      '/v2/models/{model}/ready': get('Whether a model is there', 'v2', [model], true),
      '/v2/models/{model}/stats': get('Counts of a model', 'v2', [model], true),
      '/v2/models/{model}/infer': withParameters(infer, model),
      '/v2/models/{model}/versions/{version}': get('Fields and outputs of a version', 'v2', [model, version], true),
      '/v2/models/{model}/versions/{version}/infer': withParameters(infer, model, version),
      '/v1/models/{model}': get('The versions of a model', 'v1', [model], true),
      '/v1/models/{model}:predict': predict('TensorFlow Serving, KServe V1, Vertex AI', 'v1', [model]),
      '/invocations': predict('SageMaker, MLflow', 'others', []),
      '/predictions/{model}': predict('TorchServe', 'others', [model]),
      '/predictions/{model}/{version}': predict('TorchServe', 'others', [model, version]),
      '/metrics': {
        get: {
          summary: 'Numbers for Prometheus',
          tags: ['service'],
          responses: { '200': answer('text', { 'text/plain': { schema: { type: 'string' } } }) },
        },
      },
    },
    components: { schemas: SCHEMAS },
  };
}
