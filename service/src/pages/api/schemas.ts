/*
 * The forms of bodies, as JSON Schema (2020-12). Answers have every member that is told here; a test compares them with real ones.
 */

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const listOf = (items: object) => ({ type: 'array', items });

/** An object that has all these members but those named as optional. */
export const object = (properties: Readonly<Record<string, object>>, ...optional: readonly string[]) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const PROBABILITY = { type: ['number', 'null'], minimum: 0, maximum: 1 };
const EXPLAIN = { type: 'integer', minimum: 0, maximum: 100, description: 'greatest number of reasons of each row' };
const INTERVAL = {
  type: 'number',
  exclusiveMinimum: 0,
  exclusiveMaximum: 1,
  description: 'probability that intervals cover; the model needs a covariance',
};
const WHATIF = 'fields of which the smallest change is wanted that gives another label';

/** What may be asked beside scores: as members of a body, and in the query. */
export const WANTED = {
  explain: EXPLAIN,
  interval: INTERVAL,
  whatif: { ...listOf(text), maxItems: 100, description: WHATIF },
};
export const WANTED_QUERY = {
  explain: EXPLAIN,
  interval: INTERVAL,
  whatif: { type: 'string', description: `${WHATIF}, between commas` },
};

const DATATYPE = {
  type: 'string',
  enum: [
    ...['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'],
    ...['FP16', 'BF16', 'FP32', 'FP64', 'BYTES'],
  ],
};
const SHAPE = { ...listOf(count), minItems: 1 };
const PROBLEM = object({ field: text, row: count, rule: text }, 'field', 'row');
const NANOSECONDS = object({ count, ns: count });

/** Where segments decide: what has scored a row. */
const SAID = {
  segment: { ...text, description: 'where segments decide: which one has the record' },
  model: text,
  version: text,
  route: text,
};

/** A record of any model. */
export const RECORD = {
  type: 'object',
  description: 'a member for each field that the model reads; null is a missing value',
};

/** A version of a model; null: the one that is asked where none is named. */
const TARGET = object({ model: text, version: { type: ['string', 'null'] } });
export const SCHEMAS = {
  Error: object(
    {
      error: { ...text, description: 'what was expected, what was got, what to do next' },
      code: { ...text, pattern: '^ERR_[A-Z_]+$' },
      id: { ...text, description: 'the id of the request' },
      problems: listOf(PROBLEM),
    },
    'id',
    'problems',
  ),
  Score: {
    description: 'the score of a record, in the order in which they were sent',
    ...object(
      {
        probability: { ...PROBABILITY, description: 'of the positive class; with several classes of the label' },
        label: text,
        logit: { type: ['number', 'null'] },
        defaulted: { type: 'number', minimum: 0, maximum: 1, description: 'share of the features that took a default' },
        review: { type: 'boolean', description: 'the probability is in the band for review' },
        probabilities: {
          type: 'object',
          additionalProperties: PROBABILITY,
          description: 'of each class, where there are several',
        },
        reasons: listOf(ref('Reason')),
        interval: object({ low: PROBABILITY, high: PROBABILITY }),
        whatif: listOf(ref('Change')),
        ...SAID,
      },
      ...['review', 'probabilities', 'reasons', 'interval', 'whatif', ...Object.keys(SAID)],
    ),
  },
  Reason: {
    description: 'what pushed a record towards its label',
    ...object({ feature: text, value: {}, push: { type: 'number', description: 'in log-odds' }, text }, 'value'),
  },
  Change: {
    description: 'the smallest change of a field that gives another label; `to` is null where none was found',
    ...object({
      feature: text,
      from: {},
      to: {},
      label: { type: ['string', 'null'] },
      reason: { type: ['string', 'null'] },
    }),
  },
  Fault: {
    description: 'why a record has no score',
    ...object({ error: text, code: text, problems: listOf(PROBLEM), ...SAID }, 'problems', ...Object.keys(SAID)),
  },
  Scores: object({
    model: text,
    version: text,
    sha256: text,
    id: text,
    scores: listOf({ anyOf: [ref('Score'), ref('Fault')] }),
  }),
  Field: object(
    {
      name: text,
      type: { type: 'string', enum: ['number', 'category', 'date', 'text', 'tags'] },
      nullable: { type: 'boolean', description: 'null is taken as a missing value' },
      features: listOf(text),
      levels: { ...listOf(text), description: 'of the training rows' },
      strict: { type: 'boolean', description: 'values outside of levels are refused' },
      low: { type: 'number', description: 'numbers below are refused' },
      high: { type: 'number', description: 'numbers above are refused' },
      min: { type: 'number', description: 'the least number in training' },
      max: { type: 'number', description: 'the greatest number in training' },
      maxText: count,
    },
    ...['levels', 'strict', 'low', 'high', 'min', 'max', 'maxText'],
  ),
  Model: object(
    {
      name: text,
      version: text,
      versions: { ...listOf(text), description: 'the last one is asked where none is named' },
      sha256: text,
      rollout: {
        description:
          'which version answers which part of the traffic, as this process knows it; null where one answers all',
        anyOf: [
          { type: 'null' },
          object({
            champion: TARGET,
            arms: listOf(object({ name: text, share: { type: 'number' }, ...TARGET.properties })),
            shadow: { anyOf: [{ type: 'null' }, TARGET] },
            requests: { type: 'object', description: 'how many each arm has answered' },
            breach: { type: ['string', 'null'], description: 'why a guard has ended it' },
          }),
        ],
      },
      drift: {
        description:
          'where the service watches: of each version how far its newest window is from training; null: nothing was seen',
        anyOf: [
          { type: 'null' },
          listOf(
            object({
              version: text,
              route: { type: ['string', 'null'] },
              to: { type: ['number', 'null'], description: 'end of the window, in milliseconds since 1970' },
              rows: { type: 'integer', minimum: 0 },
              psi: { type: ['number', 'null'], description: 'of the scores' },
              drifted: listOf(text),
              logitShift: { type: ['number', 'null'] },
            }),
          ),
        ],
      },
      signature: {
        description: 'the signature that was verified; null where none is asked',
        anyOf: [
          { type: 'null' },
          object({
            keyId: { ...text, description: 'SHA-256 of the public key that signed' },
            signedAt: { type: ['string', 'null'] },
            expires: { type: ['string', 'null'] },
            doubt: { type: ['string', 'null'], description: 'why it is trusted no more' },
          }),
        ],
      },
      classes: listOf(text),
      positive: { type: ['string', 'null'] },
      fields: listOf(ref('Field')),
      decision: { type: 'object', description: 'how a probability becomes a label' },
      calibration: { type: ['string', 'null'] },
      objective: { type: ['object', 'null'], description: 'what was minimised in training; null of several models' },
      fit: { type: ['object', 'null'], description: 'how training went; null of several models' },
      intervals: { type: 'boolean', description: 'intervals can be asked for' },
      stack: {
        type: ['object', 'null'],
        description: 'the bases whose logits the model was stacked over, each with its weight; null: it is no stack',
      },
      segments: {
        type: 'object',
        description:
          'where segments decide: which there are, what each has had in this process, and values that none names',
      },
    },
    ...['drift', 'segments'],
  ),
  Tensor: object(
    {
      name: text,
      datatype: DATATYPE,
      shape: SHAPE,
      data: { type: 'array', description: 'flat by rows, or nested; absent where the data stand behind the JSON' },
      parameters: {
        ...object(
          { binary_data_size: count, missing: { ...listOf(count), description: 'rows that have no value' } },
          ...['binary_data_size', 'missing'],
        ),
      },
    },
    ...['data', 'parameters'],
  ),
  OutputTensor: object(
    {
      name: text,
      datatype: { type: 'string', enum: ['FP64', 'BYTES'] },
      shape: SHAPE,
      data: listOf({ type: ['number', 'string', 'null'] }),
      parameters: object({ binary_data_size: count }),
    },
    ...['data', 'parameters'],
  ),
  InferRequest: object(
    {
      id: text,
      parameters: object({ binary_data_output: { type: 'boolean' } }, 'binary_data_output'),
      inputs: { ...listOf(ref('Tensor')), minItems: 1 },
      outputs: listOf(
        object(
          {
            name: { type: 'string', enum: ['probability', 'label', 'logit', 'predict', 'predict_proba'] },
            parameters: object({ binary_data: { type: 'boolean' } }, 'binary_data'),
          },
          'parameters',
        ),
      ),
    },
    ...['id', 'parameters', 'outputs'],
  ),
  InferResponse: object({
    model_name: text,
    model_version: text,
    id: text,
    parameters: object({ sha256: text }),
    outputs: listOf(ref('OutputTensor')),
  }),
  ServerMetadata: object({ name: text, version: text, extensions: listOf(text) }),
  ModelMetadata: object({
    name: text,
    versions: listOf(text),
    platform: text,
    parameters: object({ version: text, sha256: text }),
    inputs: listOf(ref('TensorMetadata')),
    outputs: listOf(ref('TensorMetadata')),
  }),
  TensorMetadata: object({ name: text, datatype: DATATYPE, shape: listOf({ type: 'integer', minimum: -1 }) }),
  Live: object({ live: { type: 'boolean' } }),
  Ready: object({ ready: { type: 'boolean' }, live: { type: 'boolean' } }),
  ModelReady: object({ name: text, ready: { type: 'boolean' } }),
  Names: object({ models: listOf(text) }),
  Statistics: object({
    model_stats: listOf(
      object({
        name: text,
        version: text,
        inference_count: count,
        execution_count: count,
        inference_stats: object({
          success: NANOSECONDS,
          fail: NANOSECONDS,
          queue: NANOSECONDS,
          compute_input: NANOSECONDS,
          compute_infer: NANOSECONDS,
          compute_output: NANOSECONDS,
        }),
        batch_stats: { type: 'array' },
      }),
    ),
  }),
  IndexRequest: object({ ready: { type: 'boolean', description: 'only what is ready' } }, 'ready'),
  Index: listOf(
    object({ name: text, version: text, state: { type: 'string', enum: ['READY', 'UNAVAILABLE'] }, reason: text }),
  ),
  Labels: listOf(
    object(
      {
        id: { type: 'string', description: 'the id of a score: that of its request, ID/ROW where it had several rows' },
        label: { type: ['string', 'number', 'boolean'], description: 'a class of the model' },
        at: { type: 'string', format: 'date-time', description: 'default: now' },
      },
      'at',
    ),
  ),
  LabelsTaken: object({ accepted: count, refused: listOf(object({ row: count, error: text })) }),
  Loaded: object({ name: text, load: { const: true } }),
  Unloaded: object({ name: text, unload: { const: true } }),
  ModelStatus: object({
    name: text,
    ready: { type: 'boolean' },
    model_version_status: listOf(
      object({ version: text, state: text, status: object({ error_code: text, error_message: text }) }),
    ),
  }),
  Predictions: {
    description: 'of each row its probability, with two classes of the positive one, else of all in their order',
    ...object({ predictions: ref('Probabilities') }),
  },
  Outputs: object({ outputs: ref('Probabilities') }),
  Probabilities: listOf({ anyOf: [PROBABILITY, listOf(PROBABILITY)] }),
  ByClass: { type: 'object', additionalProperties: PROBABILITY, description: 'the probability of each class' },
};

/** The bodies of `/invocations`. @param record  the schema of a record */
export const invocation = (record: object) => ({
  anyOf: [
    object({ dataframe_records: listOf(record) }),
    object({ dataframe_split: object({ columns: listOf(text), data: listOf({ type: 'array' }) }) }),
    ...instances(record).anyOf,
    listOf(record),
    record,
  ],
});

/** The bodies of `:predict`. @param record  the schema of a record */
export const instances = (record: object) => ({
  anyOf: [
    object({
      instances: listOf({ anyOf: [record, { type: 'array', description: 'values in the order of the fields' }] }),
    }),
    object({ inputs: { anyOf: [{ type: 'object', additionalProperties: { type: 'array' } }, { type: 'array' }] } }),
  ],
});

/** The bodies of `/models/{model}/score`. @param record  the schema of a record */
export const scoring = (record: object) => ({
  anyOf: [object({ records: listOf(record), ...WANTED }, ...Object.keys(WANTED)), listOf(record), record],
});
