/*
 * Requests to a service, good ones and mutants of them: paths, queries, headers, bodies of every protocol. A request depends on its seed and index alone.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import { Float64, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { csvOf, fieldsOf, inputOf, randomOf } from '../bytes/inputs.mjs';

const utf8 = new TextEncoder();
const JSON_TYPE = 'application/json';
const LINES_TYPE = 'application/x-ndjson';
export const ARROW = 'application/vnd.apache.arrow.stream';
const HEADER_LENGTH = 'inference-header-content-length';

/** Values that stand in JSON where others are expected. */
const VALUES = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1,
    0.5,
    -0,
    1e21,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e308,
    -1e308,
    5e-324,
    '',
    'a',
    '0',
    'NaN',
    '\u0000',
    '\ud800',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'FP64',
    'BYTES',
    'BOOL',
    'FP16',
    'INT64',
    'probability',
    'predict',
    'x'.repeat(3000),
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    [1, 2],
    [[1], [2]],
    ['a', 'b'],
    { length: 3 },
    { toString: 1 },
    { 0: 1 },
    [2 ** 31, 2 ** 31],
    [0],
    [-1],
    [1, 1],
    [1e9],
  ],
];
/** JSON that JSON.stringify does not write. */
const RAW = [
  'NaN',
  'Infinity',
  '-Infinity',
  '1e999',
  '{"__proto__":{"x":1}}',
  '{"a":1,"a":2}',
  `${'['.repeat(5000)}`,
  '['.repeat(300) + ']'.repeat(300),
  '01',
  '"\\ud800"',
  '"',
];
const NUMBERS = [
  '0',
  '-1',
  '1',
  '7',
  '1e3',
  '0x10',
  '',
  ' ',
  'NaN',
  'Infinity',
  '9007199254740993',
  '99999999999999999999',
  '2.5',
  '1,2',
  '10abc',
];
const TYPES = [
  JSON_TYPE,
  LINES_TYPE,
  'text/csv',
  ARROW,
  'application/octet-stream',
  'application/jsonl',
  'text/csv; charset=utf-8',
  'APPLICATION/JSON',
  '',
  ';',
  'text',
  'image/png',
  `a/${'b'.repeat(500)}`,
];
const ENCODINGS = [
  'gzip',
  'deflate',
  'identity',
  'x-gzip',
  'br',
  'gzip, gzip',
  'GZIP',
  '',
  'zstd',
  '__proto__',
  'constructor',
];
const PARTS = [
  '',
  '.',
  '..',
  '%00',
  '%',
  '%zz',
  '%2f',
  '%ff',
  'none',
  '__proto__',
  'constructor',
  ':predict',
  'versions',
  '7',
  'é',
  '%ed%a0%80',
  'x'.repeat(2000),
  'score',
  'infer',
  'stats',
  ' ',
  '%20',
  '*',
  ':model',
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'QUERY', 'X'];
const HEADERS = {
  'content-type': TYPES,
  'content-encoding': ENCODINGS,
  'content-length': NUMBERS,
  [HEADER_LENGTH]: NUMBERS,
  'accept-encoding': ['gzip', 'deflate;q=0', '*', 'gzip;q=x', ';;,,', 'identity'],
  accept: ['text/html', '*/*', ''],
  'x-request-id': ['a-1', 'a b', '<script>', 'x'.repeat(200), 'é', '"'],
  timeout: NUMBERS,
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-zz', ''],
  authorization: ['Bearer x', 'Basic', ''],
  range: ['bytes=0-1'],
  expect: ['100-continue'],
  origin: ['null', 'http://other.example'],
};
const QUERIES = ['explain', 'interval', 'whatif', 'version', 'search', 'from', 'count', 'model', '__proto__', ''];
const PATHS = [
  ...[
    '/',
    '/docs',
    '/console.json',
    '/openapi.json',
    '/metrics',
    '/ping',
    '/health',
    '/version',
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    '/v2/models',
    '/v2/models/stats',
  ],
  ...[
    '/v2/models/M',
    '/v2/models/M/ready',
    '/v2/models/M/stats',
    '/v2/models/M/versions/V',
    '/v2/models/M/versions/V/stats',
    '/v2/models/M/docs/dataplane.json',
  ],
  ...['/models/M', '/v1/models', '/v1/models/M', '/v1/models/M/versions/V', '/v2/docs', '/v2/docs/dataplane.json'],
];

/** What requests are made for: a model, its name and version, and values of its fields. */
export const subjectOf = (name, version, model, types) => ({
  name,
  version,
  model,
  fields: fieldsOf(model),
  types: new Map(types.map(({ name, type }) => [name, type])),
});

/** A record of values that are usual; dates as text. @param missing  share of values that are missing */
function recordOf(r, { fields, types }, missing) {
  return Object.fromEntries(
    fields.map(([name, values]) => {
      const parsed = values.map((value) => JSON.parse(value));
      const isFit =
        types.get(name) === 'number' ? (value) => typeof value === 'number' : (value) => typeof value === 'string';
      const fit = parsed.filter(isFit);
      return [name, r.chance(missing) ? null : r.pick(fit.length > 0 ? fit : [types.get(name) === 'number' ? 1 : 'a'])];
    }),
  );
}

export const recordsOf = (r, subject, missing = 0.05) =>
  Array.from({ length: r.pick([1, 1, 2, 3, 8]) }, () => recordOf(r, subject, missing));
const jsonOf = (value) => utf8.encode(JSON.stringify(value));
const post = (path, body, headers, more = {}) => ({ method: 'POST', path, body, headers, ...more });

export function tensorsOf({ fields, types }, rows) {
  return fields.map(([name]) => {
    const isNumber = types.get(name) === 'number';
    return { name, datatype: isNumber ? 'FP64' : 'BYTES', shape: [rows.length], data: rows.map((row) => row[name]) };
  });
}

/** The bytes of a tensor; what is missing is told beside. */
function blobOf({ datatype, data }) {
  if (datatype === 'FP64') return new Uint8Array(Float64Array.from(data, (value) => value ?? Number.NaN).buffer);
  return Buffer.concat(
    data.flatMap((value) => {
      const text = Buffer.from(String(value ?? ''));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );
}

function binaryBody(r, subject, rows) {
  const tensors = tensorsOf(subject, rows);
  const blobs = tensors.map(blobOf);
  const inputs = tensors.map(({ data, ...tensor }, i) => {
    const missing = data.flatMap((value, row) => (value === null ? [row] : []));
    return { ...tensor, parameters: { binary_data_size: blobs[i].length, ...(missing.length > 0 && { missing }) } };
  });
  const head = jsonOf({ id: 'f', inputs, parameters: { binary_data_output: r.chance(0.8) } });
  return { head, body: Buffer.concat([head, ...blobs]) };
}

/** Rows as an Arrow stream. */
function arrowOf({ fields, types }, rows) {
  const columns = fields.map(([name]) => [
    name,
    vectorFromArray(
      rows.map((row) => row[name]),
      types.get(name) === 'number' ? new Float64() : new Utf8(),
    ),
  ]);
  return tableToIPC(new Table(Object.fromEntries(columns)), 'stream');
}

/** Kinds of requests. `rows` are those that must be scored in this order; absent: what becomes of it is not known before. */
const KINDS = {
  record(r, s) {
    const [row] = recordsOf(r, s);
    return post(`/models/${s.name}/score`, jsonOf(row), { 'content-type': JSON_TYPE }, { rows: [row], reads: 'own' });
  },
  array(r, s) {
    const rows = recordsOf(r, s);
    return post(`/models/${s.name}/score`, jsonOf(rows), { 'content-type': JSON_TYPE }, { rows, reads: 'own' });
  },
  details(r, s) {
    const rows = recordsOf(r, s);
    const body = { records: rows, explain: r.int(4), ...(r.chance(0.3) && { whatif: [r.pick(s.fields)[0]] }) };
    return post(`/models/${s.name}/score`, jsonOf(body), { 'content-type': JSON_TYPE }, { rows, reads: 'own' });
  },
  lines(r, s) {
    const rows = recordsOf(r, s);
    const text = rows.map((row) => JSON.stringify(row)).join('\n');
    const query = r.pick(['', '', '?explain=2']);
    return post(
      `/models/${s.name}/score${query}`,
      utf8.encode(text),
      { 'content-type': LINES_TYPE },
      { rows, reads: 'lines' },
    );
  },
  oddJson(_, s, seed, index) {
    const { bytes, as } = inputOf(s.fields, seed, index);
    return post(`/models/${s.name}/score`, bytes, { 'content-type': as === 'lines' ? LINES_TYPE : JSON_TYPE });
  },
  oddCsv(r, s, seed, index) {
    const { bytes } = csvOf(s.fields, seed, index);
    return post(r.pick([`/models/${s.name}/score`, '/invocations']), bytes, { 'content-type': 'text/csv' });
  },
  tensors(r, s) {
    const rows = recordsOf(r, s);
    return post(
      `/v2/models/${s.name}/infer`,
      jsonOf({ id: 'f', inputs: tensorsOf(s, rows) }),
      { 'content-type': JSON_TYPE },
      { rows, reads: 'v2' },
    );
  },
  binary(r, s) {
    const rows = recordsOf(r, s);
    const { head, body } = binaryBody(r, s, rows);
    const headers = { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(head.length) };
    return post(`/v2/models/${s.name}/versions/${s.version}/infer`, body, headers, { rows, reads: 'v2' });
  },
  arrow(r, s) {
    const rows = recordsOf(r, s);
    return post(`/models/${s.name}/score`, arrowOf(s, rows), { 'content-type': ARROW }, { rows, reads: 'arrow' });
  },
  labels(r, s) {
    const { classes } = s.model.manifest;
    const body = Array.from({ length: r.int(4) }, (_, i) => ({
      id: r.pick([`a/${i}`, 'a-1', '']),
      label: r.pick([...classes, 'none', 1, true]),
      ...(r.chance(0.3) && {
        at: r.pick(['2026-01-01T00:00:00Z', '2026-13-01T00:00:00Z', '+275760-09-13T00:00:00Z', 1]),
      }),
    }));
    return post(`/models/${s.name}/labels`, jsonOf(body), { 'content-type': JSON_TYPE });
  },
  v1(r, s) {
    const rows = recordsOf(r, s);
    const instances = r.chance(0.5) ? rows : rows.map((row) => s.fields.map(([name]) => row[name]));
    return post(
      `/v1/models/${s.name}:predict`,
      jsonOf({ instances }),
      { 'content-type': JSON_TYPE },
      { rows, reads: 'predictions' },
    );
  },
  invocations(r, s) {
    const rows = recordsOf(r, s);
    const names = s.fields.map(([name]) => name);
    const split = { columns: names, data: rows.map((row) => names.map((name) => row[name])) };
    const inputs = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
    const body = r.pick([
      { dataframe_split: split },
      { dataframe_records: rows },
      { instances: rows },
      { inputs },
      rows,
    ]);
    return post('/invocations', jsonOf(body), { 'content-type': JSON_TYPE }, { rows, reads: 'predictions' });
  },
  torchServe(r, s) {
    const rows = recordsOf(r, s);
    return {
      ...post(`/predictions/${s.name}`, jsonOf(rows), { 'content-type': JSON_TYPE }, { rows, reads: 'classes' }),
      method: r.pick(['POST', 'PUT']),
    };
  },
  path(r, s) {
    return {
      method: r.chance(0.9) ? 'GET' : 'HEAD',
      path: r.pick(PATHS).replace('M', s.name).replace('V', s.version),
      body: null,
      headers: {},
    };
  },
  repository(r, s) {
    const path = r.pick([
      '/v2/repository/index',
      `/v2/repository/models/${s.name}/load`,
      '/v2/repository/models/none/load',
      '/v2/repository/models/none/unload',
    ]);
    return post(
      path,
      r.chance(0.5) ? jsonOf(r.pick([{}, { ready: true }, { parameters: { config: '{}' } }, ...VALUES])) : null,
      {},
    );
  },
};

/** Damages bytes. */
export function damaged(r, bytes) {
  const out = Buffer.from(bytes);
  if (out.length === 0) return Buffer.from([r.int(256)]);
  const at = r.int(out.length);
  switch (r.int(8)) {
    case 0:
      out[at] = r.pick([0, 0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xff, r.int(256)]);
      return out;
    case 1:
      return Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + r.int(8))]);
    case 2:
      return Buffer.concat([
        out.subarray(0, at),
        Buffer.from(Array.from({ length: 1 + r.int(8) }, () => r.int(256))),
        out.subarray(at),
      ]);
    case 3:
      return out.subarray(0, at);
    case 4:
      return Buffer.concat([out, out.subarray(at)]);
    case 5:
      out[at] ^= 1 << r.int(8);
      return out;
    case 6:
      // a length that lies
      if (out.length >= 4) out.writeUInt32LE(r.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff]), r.int(out.length - 3));
      return out;
    default:
      return Buffer.concat([out.subarray(0, at), Buffer.from(r.pick(RAW)), out.subarray(at)]);
  }
}

/** Puts another value somewhere into JSON, or takes one away. */
function changed(r, bytes) {
  let value;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return damaged(r, bytes);
  }
  const places = [];
  const walk = (node) => {
    if (typeof node !== 'object' || node === null || places.length > 400) return;
    for (const key of Object.keys(node)) {
      places.push([node, key]);
      walk(node[key]);
    }
  };
  walk(value);
  if (places.length === 0) return jsonOf(r.pick(VALUES));
  let raw = null;
  for (let times = 1 + r.int(3); times > 0; times--) {
    const [node, key] = r.pick(places);
    const kind = r.int(6);
    if (kind === 0) delete node[key];
    else if (kind === 1) node[key] = r.pick(places)[0];
    else if (kind === 2)
      node[
        r.pick([
          '__proto__x',
          'records',
          'instances',
          'inputs',
          'explain',
          'whatif',
          'interval',
          'outputs',
          'parameters',
        ])
      ] = r.pick(VALUES);
    else if (kind === 3) {
      node[key] = '\u0001raw';
      raw = r.pick(RAW);
    } else node[key] = r.pick(VALUES);
  }
  try {
    const text = JSON.stringify(value);
    return utf8.encode(raw === null ? text : text.replaceAll('"\\u0001raw"', raw));
  } catch {
    // one that has itself in it
    return damaged(r, bytes);
  }
}

function otherPath(r, path) {
  const [way, query = ''] = path.split('?');
  const parts = way.split('/');
  const at = 1 + r.int(parts.length);
  const kind = r.int(5);
  if (kind === 0) parts[at] = r.pick(PARTS);
  else if (kind === 1) parts.splice(at, 1);
  else if (kind === 2) parts.splice(at, 0, r.pick(PARTS));
  if (kind < 3) return `/${parts.slice(1).join('/')}${query && `?${query}`}`;
  return `${way}?${query}&${r.pick(QUERIES)}=${r.pick([...NUMBERS, ...PARTS.filter((part) => !/[#?]/.test(part))])}`;
}

const MUTATIONS = {
  bytes: (r, request) => ({ ...request, body: damaged(r, request.body ?? []) }),
  json: (r, request) => ({ ...request, body: request.body && changed(r, request.body) }),
  header(r, request) {
    const name = r.pick(Object.keys(HEADERS));
    return { ...request, headers: { ...request.headers, [name]: r.pick(HEADERS[name]) } };
  },
  lost(r, request) {
    const headers = { ...request.headers };
    delete headers[r.pick([...Object.keys(headers), ''])];
    return { ...request, headers };
  },
  path: (r, request) => ({ ...request, path: otherPath(r, request.path) }),
  method: (r, request) => ({ ...request, method: r.pick(METHODS) }),
  compressed(r, request) {
    const [encoding, compress] = r.pick([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
    ]);
    const body = request.body && compress(request.body);
    const isCut = r.chance(0.5);
    return {
      ...request,
      body: body && isCut ? damaged(r, body) : body,
      headers: { ...request.headers, 'content-encoding': encoding },
      isStillGood: !isCut && !request.headers['content-encoding'],
    };
  },
  cut: (r, request) => ({ ...request, cuts: Array.from({ length: 1 + r.int(4) }, () => r.next()), isStillGood: true }),
};

/** Request `index` of a seed. `rows` are there where it is good: these must be scored. */
export function requestOf(subjects, seed, index) {
  const r = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0xc2b2ae35));
  const subject = r.pick(subjects);
  const kind = r.pick(Object.keys(KINDS));
  let request = { ...KINDS[kind](r, subject, seed, index), subject, kind };
  const done = [];
  if (r.chance(0.75))
    for (let times = r.pick([1, 1, 1, 2, 3]); times > 0; times--) {
      const name = r.pick(Object.keys(MUTATIONS));
      const { isStillGood = false, ...mutant } = MUTATIONS[name](r, request);
      request = { ...mutant, ...(!isStillGood && { rows: undefined }) };
      done.push(name);
    }
  // a client that leaves
  return { ...request, done, leaves: r.chance(0.02) };
}
