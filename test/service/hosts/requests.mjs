// Requests of every protocol, good and bad, and what their answers are. The same table is asked of `fetch` in `npm test`, and of every host.
import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { loadModel } from 'logodds';
import { fieldsOf } from 'logodds/stages';

export const file = (name) => readFileSync(new URL(`../../conformance/${name}.safetensors`, import.meta.url));
/** the files of the models of the service, by name, as paths below test/conformance */
export const MODELS = { codes: 'codes', numeric: 'numeric', classes: 'stages/classes' };
const codes = loadModel(file('codes'));
const numeric = loadModel(file('numeric'));

const record = { code: '2', x: 0.5 };
const one = codes.score(record);
const other = codes.score({ code: 'ü', x: 1 });
const version = codes.sha256.slice(0, 12);
const [row] = JSON.parse(readFileSync(new URL('../../conformance/numeric.json', import.meta.url), 'utf8')).rows;
const names = fieldsOf(numeric).map(({ name }) => name);

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv' };
const ARROW_TYPE = { 'content-type': 'application/vnd.apache.arrow.stream' };
const ARROW = Buffer.from(tableToIPC(tableFromArrays({ code: ['2', 'ü'], x: [0.5, 1] }), { format: 'stream' }));
const BINARY = 'inference-header-content-length';

/**
 * A request and its answer.
 * @param body  text, bytes, or an array of them, which are sent as chunks
 * @param says  a text or pattern that the body has, or several
 */
const ask = (name, method, path, headers, body, status, says) => ({
  name,
  method,
  path,
  headers,
  body,
  status,
  says: [says].flat(),
});
const get = (path, status, says, headers = {}) => ask(`GET ${path}`, 'GET', path, headers, null, status, says);
const post = (name, path, body, status, says, headers = JSON_TYPE) =>
  ask(
    name,
    'POST',
    path,
    headers,
    typeof body === 'string' || Array.isArray(body) || body instanceof Uint8Array ? body : JSON.stringify(body),
    status,
    says,
  );

const score = (name, body, status, says, headers = JSON_TYPE, query = '') =>
  post(`score: ${name}`, `/models/codes/score${query}`, body, status, says, headers);
const infer = (name, body, status, says, headers = JSON_TYPE, path = '/v2/models/codes/infer') =>
  post(`infer: ${name}`, path, body, status, says, headers);

const text = (value) => JSON.stringify(value);
const scored = `{"probability":${one.probability},"label":"yes","logit":${one.logit},"defaulted":0}`;
const list = (values) => text([values].flat());

const code = (more = {}) => ({ name: 'code', datatype: 'BYTES', shape: [1], data: ['2'], ...more });
const x = (more = {}) => ({ name: 'x', datatype: 'FP64', shape: [1], data: [0.5], ...more });
const outputs = (names) => names.map((name) => ({ name }));
const LOGIT = text({ name: 'logit', datatype: 'FP64', shape: [1, 1], data: [one.logit] });

/** A body whose inputs are bytes. */
function binary(inputs, more = {}, headers = {}) {
  const head = Buffer.from(
    text({
      ...more,
      inputs: inputs.map(([tensor, bytes]) => ({
        ...tensor,
        data: undefined,
        parameters: { binary_data_size: bytes.length },
      })),
    }),
  );
  return {
    body: Buffer.concat([head, ...inputs.map(([, bytes]) => bytes)]),
    headers: { 'content-type': 'application/octet-stream', [BINARY]: `${head.length}`, ...headers },
  };
}
const doubles = (...values) => Buffer.from(Float64Array.from(values).buffer);
const texts = (...values) =>
  Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(value));
      return [length, Buffer.from(value)];
    }),
  );
const inBytes = (name, inputs, status, says, { more, headers, cut = 0, tail = 0 } = {}) => {
  const made = binary(inputs, more, headers);
  const body = Buffer.concat([made.body.subarray(0, made.body.length - cut), Buffer.alloc(tail)]);
  return infer(`bytes, ${name}`, body, status, says, made.headers);
};

const MANY = Array.from({ length: 300 }, (_, i) => ({ code: ['2', 'ü', '0.1'][i % 3], x: i / 8 }));
const manyLines = `${MANY.map(text).join('\n')}\n`;
const manyLogits = MANY.map((row) => codes.score(row).logit);
const DEEP = `${'['.repeat(1e5)}${']'.repeat(1e5)}`;
const MIB16 = 2 ** 24;

/** Answers of a service of several models. */
export const MANY_MODELS = [
  // what there is
  get('/v2', 200, '"name":"logodds"'),
  get('/v2/health/live', 200, '{"live":true}'),
  get('/v2/health/ready', 200, '{"ready":true,"live":true}'),
  get('/v2/models', 200, '{"models":["codes","numeric","classes"]}'),
  get('/v2/models/codes', 200, ['"versions":["', '{"name":"code","datatype":"BYTES","shape":[-1]}']),
  get('/v2/models/codes/ready', 200, '{"name":"codes","ready":true}'),
  get(`/v2/models/codes/versions/${version}`, 200, '"name":"codes"'),
  get(`/v2/models/codes/versions/${version}/ready`, 200, '{"name":"codes","ready":true}'),
  get('/v2/models/codes/versions/2', 404, 'expected one of its versions'),
  get('/v2/models/none', 404, 'model: expected one of codes, numeric, classes, got \\"none\\"'),
  get('/v2/models/none/ready', 404, 'ERR_MODEL'),
  get('/v1/models/codes', 200, '"state":"AVAILABLE"'),
  get('/v1/models/none', 404, 'ERR_MODEL'),
  get('/models/codes', 200, `"sha256":"${codes.sha256}"`),
  get('/models/none', 404, 'ERR_MODEL'),
  get('/models/codes?version=7', 404, 'ERR_VERSION'),
  get('/ping', 200, /^\n$/),
  get('/health', 200, /^\n$/),
  get('/version', 200, /^\d+\.\d+\.\d+$/),
  get('/', 200, '<!doctype html>'),
  get('/console.js', 200, 'console.json'),
  get('/console.css', 200, '{'),
  get('/openapi.json', 200, '"openapi":"3.1.0"'),
  ask('HEAD /v2/health/ready', 'HEAD', '/v2/health/ready', {}, null, 200, []),
  // what there is not
  get('/nowhere', 404, 'ERR_PATH'),
  get('/models/', 404, 'ERR_PATH'),
  get('/models//score', 404, 'ERR_PATH'),
  get('/v2/models/codes/infer', 405, 'ERR_METHOD'),
  get('/..%2f..%2fetc%2fpasswd', 404, 'ERR_PATH'),
  get('/models/%2e%2e%2fsecret', 404, 'ERR_MODEL'),
  get('/models/%F0%9F%8D%89', 404, 'ERR_MODEL'),
  get('/models/%ff', 404, 'ERR_MODEL'),
  ask('DELETE a model', 'DELETE', '/models/codes', {}, null, 405, 'ERR_METHOD'),
  ask('PUT a score', 'PUT', '/models/codes/score', JSON_TYPE, text(record), 405, 'ERR_METHOD'),
  ask('OPTIONS', 'OPTIONS', '/models/codes/score', {}, null, 405, 'ERR_METHOD'),

  // our own protocol
  score('a record', record, 200, scored),
  score('a record of version', record, 200, scored, JSON_TYPE, `?version=${version}`),
  score('a record in chunks', ['{"code":', '"2",', '"x":0.5}'], 200, scored),
  score('an array', [text([record, record])], 200, `[${scored},${scored}]`),
  score('no records', '[]', 200, '"scores":[]'),
  score('records in a member', { records: [record] }, 200, `[${scored}]`),
  score('without a content-type', text(record), 200, scored, {}),
  score('with a charset', text(record), 200, scored, { 'content-type': 'application/json; charset=utf-8' }),
  score('with an id', record, 200, '"id":"an-id:1"', { ...JSON_TYPE, 'x-request-id': 'an-id:1' }),
  score('blanks around it', ` \n${text(record)}\t `, 200, scored),
  score('escapes', '{"c\\u006fde":"\\u0032","x":5e-1}', 200, scored),
  score('a missing value', { code: '2', x: null }, 200, `"logit":${codes.score({ code: '2', x: null }).logit}`),
  score('a category nobody has seen', { code: 'new', x: 1 }, 200, '"label"'),
  score('gzip', gzipSync(text(record)), 200, scored, { ...JSON_TYPE, 'content-encoding': 'gzip' }),
  score('deflate', deflateSync(text(record)), 200, scored, { ...JSON_TYPE, 'content-encoding': 'deflate' }),
  score('x-gzip in chunks', [gzipSync(text(record)).subarray(0, 7), gzipSync(text(record)).subarray(7)], 200, scored, {
    ...JSON_TYPE,
    'content-encoding': 'x-gzip',
  }),
  score('an answer in gzip', text(MANY), 200, `"logit":${manyLogits[299]}`, {
    ...JSON_TYPE,
    'accept-encoding': 'gzip',
  }),
  score('an answer in deflate', text(MANY), 200, `"logit":${manyLogits[299]}`, {
    ...JSON_TYPE,
    'accept-encoding': 'gzip;q=0, deflate',
  }),
  score('an answer as it is', text(MANY), 200, `"logit":${manyLogits[299]}`, { ...JSON_TYPE, 'accept-encoding': 'br' }),
  score('a short answer as it is', record, 200, scored, { ...JSON_TYPE, 'accept-encoding': 'gzip' }),
  score('reasons', { records: [record], explain: 2 }, 200, '"text":"code is 2"'),
  score('reasons by the query', record, 200, '"text":"code is 2"', JSON_TYPE, '?explain=1'),
  score('what would change it', { records: [record], whatif: ['x'] }, 200, '"whatif":[{"feature":"x"'),
  score('a record that is refused', { code: '2', x: 'far' }, 400, [
    '"field":"x"',
    '"row":0',
    'use null for a missing value',
  ]),
  score('one of two that is refused', [text([{ code: '2', x: 'far' }, record])], 200, ['ERR_RECORD', scored]),
  score('reasons of one that is refused', { records: [record, { code: '2', x: 'far' }], explain: 1 }, 200, [
    'ERR_RECORD',
    '"row":1',
  ]),
  score('a field that is not there', { code: '2' }, 400, 'ERR_SCHEMA'),
  score('an infinite number', '{"code":"2","x":1e999}', 400, /ERR_RECORD|ERR_DATA/),
  post('score: several classes', '/models/classes/score', '{}', 400, 'ERR_'),
  score('no body', '', 400, 'ERR_DATA'),
  score('half a record', '{"code":"2",', 400, 'ERR_DATA'),
  score('no record', '5', 400, 'ERR_'),
  score('text', '"x"', 400, 'ERR_'),
  score('null', 'null', 400, 'ERR_'),
  score('a field twice', '{"code":"2","code":"ü","x":1}', 200, `"logit":${other.logit}`),
  score('an array of depths', DEEP, 400, 'nested at most 64 deep'),
  score('invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'ERR_'),
  score('a byte order mark', `\ufeff${text(record)}`, 200, scored),
  score('records that are none', { records: 5 }, 400, 'ERR_REQUEST'),
  score('reasons below zero', record, 400, 'explain: expected a whole number', JSON_TYPE, '?explain=-1'),
  score('an interval of two', record, 400, 'interval: expected a probability', JSON_TYPE, '?interval=2'),
  score('an interval of a model without', record, 400, 'ERR_', JSON_TYPE, '?interval=0.9'),
  score('a wrong type', text(record), 415, 'content-type: expected application/json', { 'content-type': 'image/png' }),
  score('a wrong encoding', text(record), 415, 'content-encoding: expected gzip or deflate', {
    ...JSON_TYPE,
    'content-encoding': 'br',
  }),
  score('gzip that is none', text(record), 400, 'expected gzip as content-encoding says', {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  score('half of a gzip', gzipSync(text(record)).subarray(0, 20), 400, 'expected gzip as content-encoding says', {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  score('gzip without its sum', gzipSync(text(record)).subarray(0, -8), 400, 'expected gzip as content-encoding says', {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  score(
    'more behind a gzip',
    Buffer.concat([gzipSync(text(record)), Buffer.from('more')]),
    400,
    'expected gzip as content-encoding says',
    { ...JSON_TYPE, 'content-encoding': 'gzip' },
  ),
  score('a bomb of gzip', gzipSync(Buffer.alloc(2 * MIB16, 32)), 413, 'ERR_LIMIT', {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  score('too long a body', Buffer.alloc(MIB16 + 1, 32), 413, 'ERR_BODY'),
  post('score: no model', '/models/none/score', record, 404, 'ERR_MODEL'),
  score('no version', record, 404, 'ERR_VERSION', JSON_TYPE, '?version=7'),
  score('an id that is none', record, 200, scored, { ...JSON_TYPE, 'x-request-id': 'two words' }),

  // streams
  score('lines', manyLines, 200, [`"logit":${manyLogits[0]},`, `"logit":${manyLogits[299]},`], LINES),
  score(
    'lines in chunks',
    [manyLines.slice(0, 5000), manyLines.slice(5000, 5003), manyLines.slice(5003)],
    200,
    `"logit":${manyLogits[299]},`,
    LINES,
  ),
  score('lines in gzip', gzipSync(manyLines), 200, `"logit":${manyLogits[299]},`, {
    ...LINES,
    'content-encoding': 'gzip',
  }),
  score('lines by another name', `${text(record)}\n`, 200, `${scored}\n`, { 'content-type': 'application/jsonl' }),
  score(
    'lines, one of them wrong',
    `${text(record)}\n{"code":\n\n${text(record)}`,
    200,
    [`${scored}\n`, 'ERR_DATA'],
    LINES,
  ),
  score(
    'lines with reasons',
    `${text(record)}\n${text({ code: 2 })}\n`,
    200,
    ['"reasons":[{', 'record 1 (from 0)'],
    LINES,
    '?explain=1',
  ),
  score('no lines', '', 200, /^$/, LINES),
  score(
    'lines of invalid UTF-8',
    Buffer.concat([Buffer.from(`${text(record)}\n`), Buffer.from([0xff, 0x0a])]),
    200,
    [`${scored}\n`, 'ERR_DATA'],
    LINES,
  ),
  score('lines of half a gzip', gzipSync(manyLines).subarray(0, 100), 200, 'expected gzip as content-encoding says', {
    ...LINES,
    'content-encoding': 'gzip',
  }),
  score(
    'CSV',
    'x,code\n0.5,2\nfar,2\n',
    200,
    ['row,p_no,p_yes,label,error\n0,', `,${one.probability},yes,`, '1,,,,"record 1 (from 0)'],
    CSV,
  ),
  score('CSV in chunks', ['x,co', 'de\n0.', '5,2\n', '1,ü'], 200, `,${other.probability},`, CSV),
  score('CSV with CRLF and quotes', '"x","code"\r\n0.5,"2"\r\n', 200, `,${one.probability},yes,`, CSV),
  score('CSV without a field', 'x\n1\n', 200, /code/, CSV),
  score('CSV without anything', '', 200, 'expected a header', CSV),
  score('CSV with reasons', 'x,code\n1,2\n', 400, 'expected JSON or JSON lines', CSV, '?explain=1'),

  score('Arrow', ARROW, 200, 'p_yes', ARROW_TYPE),
  score('Arrow in chunks', [ARROW.subarray(0, 30), ARROW.subarray(30)], 200, 'p_yes', ARROW_TYPE),
  score('half of Arrow', ARROW.subarray(0, 100), 400, 'expected an Arrow IPC stream', ARROW_TYPE),
  score('Arrow that is none', text(record), 400, 'expected an Arrow IPC stream', ARROW_TYPE),

  // Open Inference V2
  infer('tensors', { id: '42', inputs: [code(), x()] }, 200, ['"id":"42"', LOGIT]),
  infer('one output', { inputs: [code(), x()], outputs: outputs(['logit']) }, 200, LOGIT),
  infer(
    'names of other servers',
    { inputs: [code(), x()], outputs: outputs(['predict', 'predict_proba']) },
    200,
    '"name":"predict","datatype":"BYTES","shape":[1],"data":["yes"]',
  ),
  infer('a version', { inputs: [code(), x()] }, 200, LOGIT, JSON_TYPE, `/v2/models/codes/versions/${version}/infer`),
  infer(
    'a column',
    { inputs: [code({ shape: [1, 1], data: [['2']] }), x({ shape: [1, 1], data: [[0.5]] })] },
    200,
    LOGIT,
  ),
  infer('no content-type', text({ inputs: [code(), x()] }), 200, LOGIT, {}),
  infer('null', { inputs: [code(), x({ data: [null] })] }, 200, `[${codes.score({ code: '2', x: null }).logit}]`),
  infer(
    'NaN of Python',
    '{"inputs":[{"name":"code","datatype":"BYTES","shape":[1],"data":["2"]},{"name":"x","datatype":"FP64","shape":[1],"data":[NaN]}]}',
    200,
    `[${codes.score({ code: '2', x: null }).logit}]`,
  ),
  infer(
    'rows that are missing',
    { inputs: [code(), x({ datatype: 'INT32', data: [1], parameters: { missing: [0] } })] },
    200,
    `[${codes.score({ code: '2', x: null }).logit}]`,
  ),
  infer('no rows', { inputs: [code({ shape: [0], data: [] }), x({ shape: [0], data: [] })] }, 200, '"shape":[0'),
  infer(
    'gzip both ways',
    gzipSync(
      text({
        inputs: [
          code({ shape: [100], data: new Array(100).fill('2') }),
          x({ shape: [100], data: new Array(100).fill(0.5) }),
        ],
      }),
    ),
    200,
    `${one.logit},${one.logit}`,
    { ...JSON_TYPE, 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
  ),
  infer('whole numbers for categories', { inputs: [code({ datatype: 'INT64', data: [2] }), x()] }, 200, LOGIT),
  infer(
    'rows of numbers',
    { inputs: [{ name: 'input', datatype: 'FP64', shape: [1, names.length], data: [names.map((name) => row[name])] }] },
    200,
    `[${numeric.score(row).logit}]`,
    JSON_TYPE,
    '/v2/models/numeric/infer',
  ),
  infer(
    'rows of fewer numbers',
    { inputs: [{ name: 'input', datatype: 'FP64', shape: [1, 2], data: [1, 2] }] },
    400,
    'expected the shape [rows, 5]',
    JSON_TYPE,
    '/v2/models/numeric/infer',
  ),
  inBytes(
    'to JSON',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    200,
    LOGIT,
  ),
  inBytes(
    'to bytes',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    200,
    ['"binary_data_size":8', '"binary_data_size":7'],
    { more: { parameters: { binary_data_output: true } } },
  ),
  inBytes(
    'one output as bytes',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    200,
    '"binary_data_size":8',
    { more: { outputs: [{ name: 'logit', parameters: { binary_data: true } }, { name: 'label' }] } },
  ),
  inBytes(
    'in FP32',
    [
      [code(), texts('2')],
      [x({ datatype: 'FP32' }), Buffer.from(Float32Array.of(0.5).buffer)],
    ],
    200,
    LOGIT,
  ),
  inBytes(
    'in FP16',
    [
      [code(), texts('2')],
      [x({ datatype: 'FP16' }), Buffer.from([0, 0x38])],
    ],
    200,
    LOGIT,
  ),
  inBytes(
    'in BF16',
    [
      [code(), texts('2')],
      [x({ datatype: 'BF16' }), Buffer.from([0, 0x3f])],
    ],
    200,
    LOGIT,
  ),
  inBytes(
    'a byte less',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    400,
    'binary_data_size',
    { cut: 1 },
  ),
  inBytes(
    'a byte more',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    400,
    'expected binary data of 13 bytes',
    { tail: 1 },
  ),
  inBytes(
    'another size than the shape',
    [
      [code(), texts('2')],
      [x({ shape: [2] }), doubles(0.5)],
    ],
    400,
    'expected 16 bytes (2 × FP64), got 8',
  ),
  inBytes(
    'half a text',
    [
      [code(), texts('2').subarray(0, 3)],
      [x(), doubles(0.5)],
    ],
    400,
    'expected 1 text, each',
  ),
  inBytes(
    'text of invalid UTF-8',
    [
      [code(), Buffer.from([1, 0, 0, 0, 0xff])],
      [x(), doubles(0.5)],
    ],
    400,
    'element 0: expected UTF-8',
  ),
  inBytes(
    'a length that is none',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    400,
    'expected a number of bytes',
    { headers: { [BINARY]: 'a' } },
  ),
  inBytes(
    'a length beyond the body',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    400,
    'expected at most the',
    { headers: { [BINARY]: '99999' } },
  ),
  inBytes(
    'a length that cuts the JSON',
    [
      [code(), texts('2')],
      [x(), doubles(0.5)],
    ],
    400,
    'expected JSON in UTF-8',
    { headers: { [BINARY]: '10' } },
  ),
  inBytes(
    '64 bits beyond 2^53',
    [
      [code(), texts('2')],
      [x({ datatype: 'INT64' }), Buffer.from(BigInt64Array.of(2n ** 53n).buffer)],
    ],
    400,
    'within ±2^53',
  ),
  infer('no JSON', '{', 400, 'expected JSON in UTF-8'),
  infer('no inputs', '{}', 400, 'expected an object with inputs'),
  infer('an array', '[]', 400, 'expected an object with inputs'),
  infer('a tensor that is none', { inputs: [5] }, 400, 'inputs: expected objects'),
  infer('a field without a tensor', { inputs: [code()] }, 400, 'inputs: expected \\"x\\", got none'),
  infer(
    'a tensor without a field',
    { inputs: [code(), x(), x({ name: 'y' })] },
    400,
    'input \\"y\\": expected a field',
  ),
  infer('a field twice', { inputs: [code(), code()] }, 400, 'expected distinct names'),
  infer('another shape', { inputs: [code(), x({ shape: [2], data: [1, 2] })] }, 400, 'expected the shape [1]'),
  infer('fewer values', { inputs: [code(), x({ data: [] })] }, 400, 'expected 1 value, as the shape says, got 0'),
  infer('no datatype', { inputs: [code(), x({ datatype: 'FP128' })] }, 400, 'expected a datatype of'),
  infer('a shape below zero', { inputs: [code(), x({ shape: [-1] })] }, 400, 'expected a shape of whole numbers'),
  infer('a shape beyond memory', { inputs: [code(), x({ shape: [2 ** 40] })] }, 413, 'expected at most 4194304 values'),
  infer('text as a number', { inputs: [code(), x({ data: ['1'] })] }, 400, 'element 0: expected a number'),
  infer(
    'BYTES for a number',
    { inputs: [code(), x({ datatype: 'BYTES', data: ['1'] })] },
    400,
    'expected numbers, got',
  ),
  infer(
    'whole numbers beyond 2^53',
    { inputs: [code(), x({ datatype: 'INT64', data: [2 ** 53] })] },
    400,
    'within ±2^53',
  ),
  infer('depths', `{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":${DEEP}}]}`, 400, /input|body/),
  infer(
    'an output that is none',
    { inputs: [code(), x()], outputs: outputs(['p']) },
    400,
    'output \\"p\\": expected one of probability',
  ),
  infer('no model', { inputs: [] }, 404, 'ERR_MODEL', JSON_TYPE, '/v2/models/none/infer'),
  infer('no version', { inputs: [] }, 404, 'ERR_VERSION', JSON_TYPE, '/v2/models/codes/versions/9/infer'),
  infer('a bomb', gzipSync(Buffer.alloc(2 * MIB16, 32)), 413, 'ERR_LIMIT', {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  post(
    'the repository',
    '/v2/repository/index',
    {},
    200,
    `{"name":"codes","version":"${version}","state":"READY","reason":""}`,
  ),
  post('the repository, no body', '/v2/repository/index', '', 200, '"state":"READY"'),
  post('unload what is not there', '/v2/repository/models/none/unload', {}, 404, 'ERR_MODEL'),
  post('load a model', '/v2/repository/models/numeric/load', {}, 200, '{"name":"numeric","load":true}'),

  // TensorFlow Serving, KServe V1, Vertex AI
  post(
    'V1 instances',
    '/v1/models/codes:predict',
    { instances: [record] },
    200,
    `{"predictions":[${one.probability}]}`,
  ),
  post('V1 rows', '/v1/models/codes:predict', { instances: [['2', 0.5]] }, 200, `{"predictions":[${one.probability}]}`),
  post(
    'V1 inputs',
    '/v1/models/codes:predict',
    { inputs: { code: ['2'], x: [0.5] } },
    200,
    `{"outputs":[${one.probability}]}`,
  ),
  post(
    'V1 version',
    `/v1/models/codes/versions/${version}:predict`,
    { instances: [record] },
    200,
    `${one.probability}`,
  ),
  post('V1 escaped colon', '/v1/models/codes%3Apredict', { instances: [record] }, 200, `${one.probability}`),
  post('V1 nothing', '/v1/models/codes:predict', {}, 400, 'expected instances or inputs'),
  post('V1 null', '/v1/models/codes:predict', 'null', 400, 'expected instances or inputs'),
  post('V1 another verb', '/v1/models/codes:explode', {}, 404, 'ERR_PATH'),
  post(
    'V1 a record that is refused',
    '/v1/models/codes:predict',
    { instances: [record, { code: '2', x: 'far' }] },
    400,
    ['"field":"x"', '"row":1'],
  ),
  post(
    'V1 a row of another length',
    '/v1/models/codes:predict',
    { instances: [['2']] },
    400,
    'expected 2 values in each row',
  ),
  post('V1 no JSON', '/v1/models/codes:predict', '{', 400, 'expected JSON in UTF-8'),
  post(
    'V1 columns of other lengths',
    '/v1/models/codes:predict',
    { inputs: { code: ['2'], x: [1, 2] } },
    400,
    'expected columns of the same length',
  ),

  // TorchServe
  post(
    'TorchServe, a record',
    '/predictions/codes',
    record,
    200,
    text({ no: 1 - one.probability, yes: one.probability }),
  ),
  post(
    'TorchServe, an array',
    `/predictions/codes/${version}`,
    [text([record])],
    200,
    list({ no: 1 - one.probability, yes: one.probability }),
  ),
  ask('TorchServe, PUT', 'PUT', '/predictions/codes', JSON_TYPE, text(record), 200, `${one.probability}`),
  post('TorchServe, a record that is refused', '/predictions/codes', { code: '2', x: 'far' }, 400, '"field":"x"'),

  // one path for one model, of which there are several
  post('invocations of several models', '/invocations', record, 404, 'expected a service of one model, got 3'),

  // counts, of all that was asked before
  get('/v2/models/stats', 200, '"model_stats":['),
  get('/v2/models/codes/stats', 200, '"name":"codes"'),
  get('/v2/models/none/stats', 404, 'ERR_MODEL'),
  get('/console.json', 200, '"ready":true'),
  get('/metrics', 200, /lr_requests_total\{model="codes",.*protocol="own",code="413"\} 2\n/),
];

/** Answers of a service of one model. */
export const ONE_MODEL = [
  get('/ping', 200, /^\n$/),
  post(
    'invocations: dataframe_split',
    '/invocations',
    { dataframe_split: { columns: ['x', 'code'], data: [[0.5, '2']] } },
    200,
    `{"predictions":[${one.probability}]}`,
  ),
  post(
    'invocations: dataframe_records',
    '/invocations',
    { dataframe_records: [record] },
    200,
    `{"predictions":[${one.probability}]}`,
  ),
  post('invocations: instances', '/invocations', { instances: [record] }, 200, `{"predictions":[${one.probability}]}`),
  post(
    'invocations: inputs',
    '/invocations',
    { inputs: { code: ['2'], x: [0.5] } },
    200,
    `{"predictions":[${one.probability}]}`,
  ),
  post('invocations: a record', '/invocations', record, 200, `{"predictions":[${one.probability}]}`),
  post('invocations: CSV', '/invocations', 'code,x\n2,0.5\n', 200, `{"predictions":[${one.probability}]}`, CSV),
  post('invocations: CSV, a row that is refused', '/invocations', 'code,x\n2,far\n', 400, '"field":"x"', CSV),
  post('invocations: another type', '/invocations', 'x', 415, 'expected application/json or text/csv', {
    'content-type': 'application/x-npy',
  }),
  post(
    'invocations: columns without rows',
    '/invocations',
    { dataframe_split: { columns: ['x'] } },
    400,
    'dataframe_split: expected names of columns and rows',
  ),
  post('invocations: text', '/invocations', '5', 400, 'expected dataframe_split'),
];
