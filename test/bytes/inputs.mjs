/*
 * JSON as many programs write it, and as none should: records for a model, in random spellings, then damaged. An input depends on its seed and
 * index alone.
 */

/** Models, below test/, by the kinds of features, classes and decisions that they have. */
export const MODELS = [
  ...['numeric', 'categorical', 'offset', 'treatment', 'policies', 'overflow', 'codes'].map(
    (name) => `conformance/${name}`,
  ),
  ...['categories', 'classes', 'levels', 'numbers', 'prior', 'rest', 'steps'].map(
    (name) => `conformance/stages/${name}`,
  ),
  ...['rich', 'costs', 'report'].map((name) => `fuzz/${name}`),
];

/** Random numbers from a seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (n) => Math.floor(next() * n);
  return { next, int, pick: (list) => list[int(list.length)], chance: (p) => next() < p };
}

const NUMBERS = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '12',
    '0.5',
    '-0.25',
    '123.456',
    '1e5',
    '1E-5',
    '1e+2',
    '12345678',
    '123456789',
    '0.1',
    '0.30000000000000004',
  ],
  ...[
    '1e400',
    '-1e400',
    '1e-400',
    '5e-324',
    '2.2250738585072011e-308',
    '2.2250738585072014e-308',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
  ],
  ...[
    '9007199254740993',
    '9007199254740992.5',
    '900719925474099.25',
    '18446744073709551615',
    '18446744073709551616',
    '123456789012345678901234567890',
  ],
  ...[
    '0.000001234567890123456789',
    '7.2057594037927933e16',
    '1.00000000000000011102230246251565',
    '1e23',
    '8.5e22',
    '99999999.99999999',
    '12345678.12345678',
  ],
  ...['1700000000', '1700000000000', '0e0', '0e999', '0.0', '-0.0', '1e22', '1e23', '3.5e15'],
];
const WRONG = [
  '01',
  '1.',
  '.5',
  '+1',
  '-',
  '1e',
  '1e+',
  '--1',
  '1.e1',
  '0x1',
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  "'a'",
  '1_0',
  '١',
  'nul',
  'tru',
  'falsee',
  'TRUE',
];
const OTHERS = [
  'null',
  'true',
  'false',
  '""',
  '"text"',
  '[]',
  '{}',
  '[1,2]',
  '{"a":{"b":[1,{"c":null}]}}',
  '"\\u00fc"',
  '"\\ud800"',
  '"a\\nb"',
  '"\\"q\\""',
  '2',
  '"2"',
  '[[[]]]',
  '"é"',
  '"日本語"',
  '"😀"',
];
const NAMES = [
  'extra',
  'id',
  'note',
  'ts',
  '__proto__',
  'constructor',
  'toString',
  '',
  'a'.repeat(70),
  'é',
  'x\\ny',
  '\\u0061',
];
const BLANKS = ['', '', '', '', ' ', ' ', '  ', '\t', '\r', '\n'];
const BYTES = [
  0, 1, 9, 10, 13, 31, 32, 34, 44, 45, 46, 47, 48, 57, 58, 91, 92, 93, 101, 110, 116, 123, 125, 127, 128, 0xbf, 0xc0,
  0xc3, 0xe2, 0xed, 0xa0, 0xef, 0xbb, 0xf0, 0xf4, 0xf5, 0xff,
];

const DATES = [985_981_500_000, 1_354_352_400_000];
const datesOf = (ms) => [
  String(ms),
  JSON.stringify(new Date(ms).toISOString()),
  JSON.stringify(new Date(ms).toISOString().slice(0, 10)),
];

/** What the fields of a model may be. */
export function fieldsOf(model) {
  const fields = new Map();
  for (const feature of model.encoder.schema.features) {
    if (feature.of) continue;
    const name = feature.column ?? feature.name;
    const values = fields.get(name) ?? [];
    fields.set(name, values);
    if (feature.kind === 'date' || feature.part !== undefined) {
      values.push(...(feature.dates ?? DATES).flatMap((ms) => datesOf(ms)));
      continue;
    }
    if (feature.edges) values.push(...feature.edges.filter(Number.isFinite).map(String));
    else if (feature.levels) values.push(...feature.levels.slice(0, 20).map((level) => JSON.stringify(level)));
    if (Array.isArray(feature.tokens)) values.push(...feature.tokens.slice(0, 5).map((token) => JSON.stringify(token)));
    if (typeof feature.mean === 'number')
      values.push(String(feature.mean), feature.mean.toFixed(2), String(feature.min), String(feature.max));
    if (typeof feature.fill === 'number') values.push(String(feature.fill), String(Math.round(feature.fill)));
    if (values.length === 0) values.push('"a"', '"b c"', '1');
  }
  if (model.manifest.offset !== null && !fields.has(model.manifest.offset))
    fields.set(model.manifest.offset, ['0.5', '1', '-2.25']);
  return [...fields];
}

const ascii = (text) =>
  text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** One record as text. */
function record(r, fields, style) {
  let entries = fields.map(([name, values]) => {
    const key = JSON.stringify(name);
    if (r.chance(style.plain)) return [key, r.pick(values)];
    const value = r.pick([values, values, NUMBERS, OTHERS, r.chance(0.1) ? WRONG : NUMBERS]);
    return [key, r.pick(value)];
  });
  if (r.chance(style.extra))
    entries.splice(r.int(entries.length + 1), 0, [`"${r.pick(NAMES)}"`, r.pick(r.chance(0.5) ? OTHERS : NUMBERS)]);
  if (r.chance(style.twice)) entries.push(r.pick(entries));
  if (r.chance(style.absent)) entries.splice(r.int(entries.length), 1);
  if (r.chance(style.shuffled))
    entries = entries
      .map((entry) => [r.next(), entry])
      .sort((a, b) => a[0] - b[0])
      .map(([, entry]) => entry);
  const gap = () => (r.chance(style.blanks) ? r.pick(BLANKS) : style.gap);
  const text = `{${entries.map(([key, value]) => `${gap()}${key}${r.chance(style.blanks) ? gap() : ''}:${gap()}${value}${r.chance(style.blanks) ? gap() : ''}`).join(',')}${r.chance(style.blanks) ? gap() : ''}}`;
  return style.ascii ? ascii(text) : text;
}

/** Damages bytes in a few places. */
function damage(r, bytes) {
  let out = [...bytes];
  for (let times = 1 + r.int(3); times > 0 && out.length > 0; times--) {
    const at = r.int(out.length);
    const kind = r.int(7);
    if (kind === 0) out[at] = r.pick(BYTES);
    else if (kind === 1) out.splice(at, 1);
    else if (kind === 2) out.splice(at, 0, r.pick(BYTES));
    else if (kind === 3) out = out.slice(0, at);
    else if (kind === 4) out.splice(at, 0, ...out.slice(at, at + r.int(20)));
    else if (kind === 5) out[at] ^= 1 << r.int(8);
    else out.splice(at, r.int(8));
  }
  return Uint8Array.from(out);
}

const encoder = new TextEncoder();

/** Input `index` of a seed: its bytes, how they are handed over, and what was done to them. */
export function inputOf(fields, seed, index) {
  const r = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const style = {
    plain: r.pick([0.5, 0.9, 1]),
    extra: r.pick([0, 0, 0.3]),
    twice: r.pick([0, 0, 0.05]),
    absent: r.pick([0, 0, 0.05]),
    shuffled: r.pick([0, 0, 0.3, 1]),
    blanks: r.pick([0, 0, 0, 0.3]),
    gap: r.pick(['', '', ' ']),
    ascii: r.chance(0.2),
  };
  const count = r.pick([1, 1, 2, 3, 5]);
  const records = Array.from({ length: count }, () => record(r, fields, style));
  const as = r.pick(['lines', 'lines', 'json', 'array', 'one']);
  const end = r.pick(['\n', '\n', '\r\n']);
  let text;
  if (as === 'array') text = `${r.pick(BLANKS)}[${records.join(r.pick([',', ', ', ',\n']))}]${r.pick(BLANKS)}`;
  else if (as === 'one') text = `${r.pick(BLANKS)}${records[0]}${r.pick(BLANKS)}`;
  else
    text =
      records.map((one) => one.replaceAll('\n', r.chance(0.9) ? ' ' : '\n')).join(end) + (r.chance(0.7) ? end : '');
  let bytes = encoder.encode((r.chance(0.03) ? '\ufeff' : '') + text);
  const damaged = r.chance(0.5);
  if (damaged) bytes = damage(r, bytes);
  const cuts =
    as === 'lines' ? Array.from({ length: r.int(4) }, () => r.int(bytes.length + 1)).sort((a, b) => a - b) : [];
  return { bytes, as: as === 'lines' ? 'lines' : 'json', cuts, collect: r.chance(0.7), damaged };
}

const CELLS = [
  '',
  '',
  'NA',
  'nan',
  'null',
  '-',
  '?',
  'unknown',
  '0',
  '007',
  '+1.5',
  '.5',
  '5.',
  '1e3',
  '-2E-2',
  '1e400',
  '1,5',
  '1_0',
  '0x1',
  'TRUE',
  'yes',
  ' x ',
  'a b',
  'é',
  '日本',
  '1.0',
  '2.50',
  '123456789.123456789',
  '123456789012345678901',
];
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

/** CSV `index` of a seed, as `inputOf`. */
export function csvOf(fields, seed, index) {
  const r = randomOf(Math.imul(seed, 0x7feb352d) ^ Math.imul(index + 1, 0x846ca68b));
  const delimiter = r.pick([',', ',', ',', ';', '\t', '|']);
  const end = r.pick(['\n', '\n', '\r\n', '\r']);
  const style = {
    plain: r.pick([0.7, 0.95, 1]),
    quotes: r.pick([0, 0, 0.1, 1]),
    blanks: r.pick([0, 0, 0.1]),
    wrong: r.pick([0, 0, 0.02]),
  };
  let columns = fields.map(([name, values]) => [
    name,
    values.map((value) => {
      const parsed = JSON.parse(value);
      return typeof parsed === 'string' ? parsed : value;
    }),
  ]);
  if (r.chance(0.3)) columns.splice(r.int(columns.length + 1), 0, ['extra', CELLS]);
  if (r.chance(0.3))
    columns = columns
      .map((column) => [r.next(), column])
      .sort((a, b) => a[0] - b[0])
      .map(([, column]) => column);
  const cell = (text) => {
    const must = text.includes(delimiter) || /["\r\n]/.test(text) || text !== text.trim();
    const written = must || r.chance(style.quotes) ? quoted(text) : text;
    return r.chance(style.blanks) ? ` ${written}  ` : written;
  };
  const row = () =>
    columns
      .map(([, values]) => cell(r.chance(style.plain) ? r.pick(values) : r.pick(CELLS)))
      .concat(r.chance(style.wrong) ? ['more'] : [])
      .join(delimiter);
  const header = columns.map(([name]) => cell(name)).join(delimiter);
  const lines = [
    header,
    ...Array.from({ length: 1 + r.int(6) }, () => (r.chance(0.05) ? '' : r.chance(0.02) ? header : row())),
  ];
  if (r.chance(0.05)) lines.unshift(`sep=${delimiter}`);
  if (r.chance(0.05)) lines.unshift('');
  let bytes = encoder.encode((r.chance(0.03) ? '\ufeff' : '') + lines.join(end) + (r.chance(0.7) ? end : ''));
  const damaged = r.chance(0.4);
  if (damaged) bytes = damage(r, bytes);
  const cuts = Array.from({ length: r.int(4) }, () => r.int(bytes.length + 1)).sort((a, b) => a - b);
  return { bytes, as: 'csv', cuts, collect: r.chance(0.7), damaged };
}
