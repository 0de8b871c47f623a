/*
 * Bodies of V2 and of rows of numbers, most of them damaged: what two readers of JSON must agree on.
 */

/** Numbers of a linear congruence, by which a body can be made again. */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0;
  }
  /** below n */
  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * n);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  is(oneOf: number): boolean {
    return this.below(oneOf) === 0;
  }
}

const NUMBERS = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '12',
    '0.5',
    '-2.25',
    '1e3',
    '1E-3',
    '1.5e+2',
    '12345678',
    '123456789',
    '0.1',
    '3.14159265358979',
    '1e22',
    '1e23',
  ],
  ...[
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551615',
    '1e-400',
    '1e400',
    '1e65',
  ],
  ...[
    '0.30000000000000004',
    '2.2250738585072014e-308',
    '4.9e-324',
    '1.7976931348623157e308',
    '100000000000000000000e-20',
    '-0.0',
    '0e9',
    '12345678.12345678',
  ],
  ...[
    '0.1234567890123456789',
    '1234567890123456789',
    '12345678901234567890',
    '00',
    '01',
    '-',
    '+1',
    '.5',
    '1.',
    '1e',
    '0x1',
    'Infinity',
    '-Infinity',
    '-NaN',
  ],
];
const OTHERS = [
  'null',
  'NaN',
  'true',
  'false',
  '"1"',
  '"a"',
  '"data"',
  '"\\"data\\":[1]"',
  '{}',
  '{"data":[1,2]}',
  '[]',
  '[1]',
  '"\\u00e9"',
  '"ü"',
  'nul',
  'nan',
];
const DATATYPES = ['FP32', 'FP64', 'FP16', 'INT32', 'INT64', 'UINT8', 'UINT64', 'BOOL', 'BYTES', 'FP99'];
const BLANKS = ['', '', '', ' ', '\n', '\t ', '\r\n'];

function cell(chance: Chance): string {
  if (chance.is(60)) return chance.of(OTHERS);
  if (chance.is(3)) return chance.of(NUMBERS.slice(0, 16));
  if (chance.is(40)) return chance.of(NUMBERS);
  return `${(chance.below(2e6) - 1e6) / 10 ** chance.below(6)}`;
}

/** An array of values, flat, of rows, or nested somehow. */
function data(chance: Chance, rows: number, width: number, one: (chance: Chance) => string): string {
  const blank = () => chance.of(BLANKS);
  const list = (parts: readonly string[]) => `[${blank()}${parts.join(`${blank()},${blank()}`)}${blank()}]`;
  const row = () => list(Array.from({ length: width }, () => one(chance)));
  const kind = chance.below(10);
  if (kind < 5) return list(Array.from({ length: rows * width }, () => one(chance)));
  if (kind < 9) return list(Array.from({ length: rows }, row));
  return `${'['.repeat(chance.below(11))}${list(Array.from({ length: rows }, row))}${']'.repeat(chance.below(11))}`;
}

const KEY = (chance: Chance, name: string) => (chance.is(60) ? `"${name.replace('a', '\\u0061')}"` : `"${name}"`);

function tensor(chance: Chance, name: string, rows: number, width: number): string {
  const datatype = chance.is(3) ? chance.of(DATATYPES) : chance.of(['FP32', 'FP64']);
  const one = datatype === 'BYTES' ? (c: Chance) => (c.is(20) ? cell(c) : `"${c.below(9)}"`) : cell;
  const members: [string, string][] = [
    ['name', JSON.stringify(name)],
    ['datatype', `"${datatype}"`],
    ['shape', width > 1 || chance.is(2) ? `[${rows},${width}]` : `[${rows}]`],
    ['data', data(chance, chance.is(60) ? rows + 1 : rows, width, one)],
  ];
  if (chance.is(12))
    members.push([
      'parameters',
      chance.of(['{"missing":[0]}', '{"data":[1,2,3]}', '{"missing":[99]}', '{"binary_data_size":4}', 'null']),
    ]);
  if (chance.is(25)) members.push(['data', chance.of(['[1]', '[0]', '[1e-400]', '7', '[[0]]', '["a"]', '[null]'])]);
  if (chance.is(60)) members.splice(chance.below(members.length), 1);
  for (let i = members.length - 1; i > 0 && chance.is(2); i--) {
    const j = chance.below(i + 1);
    [members[i], members[j]] = [members[j], members[i]];
  }
  return `{${members.map(([key, value]) => `${KEY(chance, key)}${chance.of(BLANKS)}:${chance.of(BLANKS)}${value}`).join(`${chance.of(BLANKS)},`)}}`;
}

/** A request of inference. @param fields  names of the model */
export function inferBody(chance: Chance, fields: readonly string[]): string {
  const rows = chance.below(4) + (chance.is(10) ? 20 : 0);
  const tensors = chance.is(2)
    ? [tensor(chance, 'input', rows, fields.length)]
    : fields.map((name) => tensor(chance, name, rows, 1));
  const members = [`"inputs":[${tensors.join(',')}]`];
  if (chance.is(5)) members.push('"id":"NaN, \\"data\\":[1]"');
  if (chance.is(8)) members.push('"outputs":[{"name":"logit"}]');
  if (chance.is(8)) members.unshift('"data":[1,2,3]');
  if (chance.is(10)) members.push('"parameters":{"binary_data_output":true,"data":[[1]]}');
  return `${chance.is(40) ? '\ufeff' : ''}{${members.join(',')}}${chance.is(40) ? chance.of(['}', ' ', ',', '\0']) : ''}`;
}

/** A body of rows: of V1, or a data frame. */
export function rowsBody(chance: Chance, fields: readonly string[]): string {
  const rows = chance.below(5);
  const [first, ...others] = fields;
  const columns = chance.is(2)
    ? fields
    : chance.of<readonly unknown[]>([
        [...others, first],
        [...fields, 'more'],
        ['more', 0, ...fields],
        [...fields, first],
        others,
        ['1', 1, ...fields],
      ]);
  const width = chance.is(12) ? fields.length + 1 : columns.length;
  const values = data(chance, rows, width, cell);
  const key = chance.of(['instances', 'inputs', 'dataframe_split', 'dataframe_split', 'data']);
  const value =
    key === 'dataframe_split' ? `{"columns":${JSON.stringify(columns)},${KEY(chance, 'data')}:${values}}` : values;
  const more = chance.is(6)
    ? chance.of([
        ',"signature_name":"a"',
        ',"instances":[[1]]',
        ',"inputs":[[0]]',
        ',"instances":[0]',
        ',"dataframe_records":[]',
      ])
    : '';
  return `{${KEY(chance, key)}${chance.of(BLANKS)}:${value}${more}}`;
}

const PIECES = [
  ...[
    '"',
    '\\',
    ',',
    '[',
    ']',
    '{',
    '}',
    ':',
    '0',
    '-',
    '.',
    'e',
    'NaN',
    'null',
    ' ',
    '\n',
    '\0',
    '"data":[0]',
    '"data"',
    '\\"',
    '[0]',
    '\\u0064',
  ],
  ...['\u00fc', '1', '[1]', ',,'],
];

/** Bytes of a text with some of them changed. */
export function damaged(chance: Chance, text: string): Uint8Array {
  let bytes = new TextEncoder().encode(text);
  for (let n = chance.below(4) - 1; n > 0; n--) {
    const at = chance.below(bytes.length + 1);
    const end = chance.below(4) === 0 ? Math.min(bytes.length, at + chance.below(20)) : at + chance.below(2);
    const piece = chance.is(12)
      ? Uint8Array.of(0x80 + chance.below(128))
      : chance.is(3)
        ? bytes.subarray(chance.below(at + 1), at)
        : new TextEncoder().encode(chance.is(3) ? '' : chance.of(PIECES));
    const next = new Uint8Array(at + piece.length + bytes.length - Math.min(end, bytes.length));
    next.set(bytes.subarray(0, at));
    next.set(piece, at);
    next.set(bytes.subarray(Math.min(end, bytes.length)), at + piece.length);
    bytes = next;
  }
  if (chance.is(20)) bytes = bytes.subarray(0, chance.below(bytes.length + 1));
  return bytes;
}
