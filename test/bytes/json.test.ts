import { readFileSync } from 'node:fs';
import { loadModel, pickEngine } from 'logodds';
import { type ByteScorer, byteScorer, NO_LABEL, RowError } from 'logodds/bytes';
import { describe, expect, it, test } from 'vitest';
import { sweep } from '../full.ts';
import { compare } from './compare.mjs';
import { fieldsOf, inputOf, MODELS } from './inputs.mjs';

const models = Object.fromEntries(
  MODELS.map((name) => [name, loadModel(readFileSync(new URL(`../${name}.safetensors`, import.meta.url)))]),
);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const engines = (model: ReturnType<typeof loadModel>, onError: 'throw' | 'collect' = 'throw') => [
  byteScorer(model, { onError, engine: pickEngine('wasm') }),
  byteScorer(model, { onError, engine: pickEngine('js') }),
];

/** one field x, the number itself as the logit */
const identity = models['conformance/codes'];

test.each(MODELS)('%s: random and damaged inputs give the bits and refusals of JSON.parse and Model.score', (name) => {
  const model = models[name];
  const fields = fieldsOf(model);
  const collecting = engines(model, 'collect');
  const throwing = engines(model);
  for (let index = 0; index < sweep(150, 2000); index++) {
    const input = inputOf(fields, 2026, index);
    expect(compare(model, input.collect ? collecting : throwing, input)).toBe(null);
  }
});

/** Whether a text in the place of a whole record, a value of an unknown field, and a number is what JSON.parse says of it. */
describe('every class of the grammar', () => {
  const accepted = [
    ...[
      '[]',
      '{}',
      '[[]]',
      '[{}]',
      '{"a":[]}',
      '[1,2]',
      '{"a":1,"b":2}',
      '{"a":1,"a":2}',
      '{"":0}',
      '{"a":{"a":{"a":[]}}}',
    ],
    ...[
      '0',
      '-0',
      '1',
      '-1',
      '10',
      '0.5',
      '1.5',
      '1e1',
      '1E1',
      '1e+1',
      '1e-1',
      '1.0e01',
      '0e0',
      '0E+0',
      '123456789012345678901234567890',
      '1e400',
    ],
    ...[
      'true',
      'false',
      'null',
      '""',
      '"a"',
      '" "',
      '"\u007f"',
      '"\u0080"',
      '"\u2028"',
      '"é"',
      '"😀"',
      '"\\""',
      '"\\\\"',
      '"\\/"',
    ],
    ...[
      '"\\b\\f\\n\\r\\t"',
      '"\\u0000"',
      '"\\u00e9"',
      '"\\uD83D\\uDE00"',
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"0123456789abcde"',
      '"0123456789abcdef"',
    ],
    ...[
      '"0123456789abcdef0"',
      '"\\u0030123456789abcdef"',
      ' 1 ',
      '\t1\r',
      '[ 1 , 2 ]',
      '{ "a" : 1 }',
      '[\t]',
      '{\r}',
      '[null]',
      '"[{"',
      '"}]"',
    ],
  ];
  const refused = [
    ...[
      '',
      ' ',
      '[',
      ']',
      '{',
      '}',
      '[1',
      '[1,',
      '[1,]',
      '[,1]',
      '[,]',
      '[1,,2]',
      '[1 2]',
      '[1:2]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{,"a":1}',
    ],
    ...[
      '{a:1}',
      "{'a':1}",
      '{"a" 1}',
      '{"a"::1}',
      '{"a":1,,"b":2}',
      '{"a":1 "b":2}',
      '{1:1}',
      '{[]:1}',
      '[}',
      '{]',
      '{"a":[}',
      '[{]',
      '[1}',
      '{"a":1]',
    ],
    ...[
      '01',
      '-',
      '+1',
      '-01',
      '1.',
      '.1',
      '-.1',
      '1.e1',
      '1e',
      '1e+',
      '1e-',
      '1e1.5',
      '1ee1',
      '0x1',
      '0b1',
      '1_0',
      '1,0',
      '١',
      'Infinity',
      '-Infinity',
      'NaN',
    ],
    ...[
      'tru',
      'truee',
      'True',
      'nul',
      'nulll',
      'NULL',
      'fals',
      'undefined',
      '"',
      '"a',
      'a"',
      '"\\"',
      '"\\x41"',
      '"\\u"',
      '"\\u12"',
      '"\\u12G4"',
      '"\\U0041"',
    ],
    ...[
      '"\\a"',
      '"\u0000"',
      '"\u0001"',
      '"\u001f"',
      '"\t"',
      '"a\rb"',
      "'a'",
      '\ufeff1',
      '1\u00a0',
      '\u20281',
      '//1',
      '/**/1',
      '1;',
      '1 1',
      '"a""b"',
      '\\u0031',
      '#1',
    ],
  ];
  const at = (text: string) => [
    text,
    `{"code":"2","x":1,"other":${text}}`,
    `{"other":${text},"code":"2","x":1}`,
    `{"code":"2","x":${text}}`,
    `{"x":1,"code":${text}}`,
    `[{"code":"2","x":1},${text}]`,
    `{"code":"2","x":1}${text}`,
    `{${text}:1,"code":"2","x":1}`,
  ];
  test.each(['json', 'lines'])('%s: as a record, a value, a key, an element and behind a record', (as) => {
    for (const collect of [true, false]) {
      const scorers = engines(identity, collect ? 'collect' : 'throw');
      for (const text of [...accepted, ...refused].flatMap(at)) {
        expect(compare(identity, scorers, { bytes: bytesOf(text), as, cuts: [], collect })).toBe(null);
      }
    }
  });
  it('is what it is called here', () => {
    for (const text of accepted) expect(() => JSON.parse(text), text).not.toThrow();
    for (const text of refused) expect(() => JSON.parse(text), text).toThrow(SyntaxError);
  });
});

describe('numbers', () => {
  /** the number that a scorer reads, by a model of one number */
  const model = models['conformance/numeric'];
  const [{ name }] = model.encoder.schema.features;
  const others = model.encoder.schema.features.slice(1).map((feature) => `${JSON.stringify(feature.name)}:0`);
  const logitsOf = (scorer: ByteScorer, texts: string[]) =>
    scorer.lines(bytesOf(texts.map((text) => `{${JSON.stringify(name)}:${text},${others.join()}}\n`).join(''))).logits;
  /** doubles that are hard to round, from the literature, and what is one unit of the last digit beside a tie */
  const hard = [
    ...[
      '2.2250738585072011e-308',
      '2.2250738585072012e-308',
      '1.00000000000000011102230246251565404236316680908203125',
    ],
    ...[
      '1.00000000000000011102230246251565404236316680908203124',
      '1.00000000000000011102230246251565404236316680908203126',
    ],
    ...[
      '9007199254740993',
      '9007199254740992.999',
      '9007199254740993.0',
      '9007199254740994.9',
      '8.98846567431158e307',
      '4.9406564584124654e-324',
    ],
    ...[
      '2.4703282292062327e-324',
      '2.4703282292062328e-324',
      '6.9294956446009195e15',
      '3.7455744005952583e15',
      '7.2057594037927933e16',
    ],
    ...[
      '5e-20',
      '67e14',
      '985e15',
      '7693e16',
      '55895e-16',
      '996622e-44',
      '7038531e-32',
      '60419369e-46',
      '702990899e-20',
      '6930161142e-48',
    ],
    ...[
      '25933168707e-13',
      '596428896559e20',
      '9e-265',
      '85e-37',
      '623e100',
      '3571e263',
      '81661e153',
      '920657e-23',
      '4603285e-24',
      '87575437e-309',
    ],
    ...[
      '245540327e122',
      '6138508175e120',
      '83356057653e193',
      '619534293513e124',
      '2335141086879e218',
      '36167929443327e-159',
      '609610927149051e-255',
    ],
    ...[
      '3743626360493413e-165',
      '94080055902682397e-242',
      '899810892172646163e283',
      '7120190517612959703e120',
      '25188282901709339043e-252',
    ],
    ...[
      '308984926168550152811e-52',
      '6372891218502368041059e64',
      '8e-324',
      '1.7976931348623158e308',
      '0.1',
      '0.2',
      '0.3',
      '1e23',
      '9.5e-5',
    ],
    ...[
      '123456789.123456789',
      '4503599627370496.5',
      '4503599627370497.5',
      '4503599627475353.5',
      '9355950000000000000.00000000000000000000000000000000001844674407370955161600000184467440737095516161844674407370955161407370955161618446744073709551616000184467440737095516166000001844674407370955161618446744073709551614073709551616184467440737095516160001844674407370955161601844674407370955674451616184467440737095516140737095516161844674407370955161600018446744073709551616018446744073709551611616000184467440737095001844674407370955161600184467440737095516160018446744073709551168164467440737095516160001844073709551616018446744073709551616184467440737095516160001844674407536910751601611616000184467440737095001844674407370955161600184467440737095516160018446744073709551616184467440737095516160001844955161618446744073709551616',
    ],
  ];
  const made = Array.from({ length: 4000 }, (_, i) => {
    // all exponents and all lengths, no chance
    const digits = String((BigInt(i) * 6364136223846793005n + 1442695040888963407n) % 10n ** BigInt(1 + (i % 21)));
    const e = (i * 7) % 330;
    return i % 3 === 0
      ? `${digits}e${i % 2 ? '-' : ''}${e % 308}`
      : `${digits.slice(0, 1 + (i % 9))}.${digits}${i % 5 ? '' : `e${(e % 60) - 30}`}`;
  }).map((text) => text.replace(/^0+(?=\d)/, ''));
  test('are rounded as JSON.parse rounds them', () => {
    const texts = [...hard, ...hard.map((text) => `-${text}`), ...made].filter((text) =>
      Number.isFinite(JSON.parse(text)),
    );
    const [wasm, js] = engines(model).map((scorer) => logitsOf(scorer, texts));
    const base = Object.fromEntries(model.encoder.schema.features.map((feature) => [feature.name, 0]));
    texts.forEach((text, i) => {
      const { logit } = model.score({ ...base, [name]: JSON.parse(text) });
      expect(Object.is(wasm[i], logit), `${text}: ${wasm[i]} for ${logit}`).toBe(true);
      expect(Object.is(js[i], logit), text).toBe(true);
    });
    // none of them hides in the sum
    expect(new Set(wasm).size).toBeGreaterThan(0.5 * texts.length);
  });
  test('−0 stays −0, and what is infinite is refused', () => {
    for (const scorer of engines(model, 'collect')) {
      const { errors, labels } = scorer.lines(
        bytesOf(
          ['1e400', '-1e400', '1e309'].map((text) => `{${JSON.stringify(name)}:${text},${others.join()}}\n`).join(''),
        ),
      );
      expect(errors.map(({ code, row }) => [code, row])).toEqual([
        ['ERR_RECORD', 0],
        ['ERR_RECORD', 1],
        ['ERR_RECORD', 2],
      ]);
      expect([...labels]).toEqual([NO_LABEL, NO_LABEL, NO_LABEL]);
    }
  });
});

test('every character of Unicode is read in keys, labels and unknown values, raw and escaped', () => {
  const model = models['conformance/categorical'];
  const base = '"plan":"a","member":"b","visits":1,"score":2';
  const characters: string[] = [];
  for (let code = 1; code < 0x10000; code++)
    if (code < 0xd800 || code > 0xdfff) characters.push(String.fromCharCode(code));
  for (let code = 0x10000; code < 0x110000; code += 0x3ff) characters.push(String.fromCodePoint(code));
  const scorers = engines(model);
  const want = model.score({ ...JSON.parse(`{${base}}`), city: 'nowhere' });
  for (const spell of [
    (text: string) => JSON.stringify(text),
    (text: string) =>
      `"${[...text]
        .flatMap((c) => c.split(''))
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('')}"`,
  ]) {
    for (let from = 0; from < characters.length; from += 8000) {
      const part = characters.slice(from, from + 8000);
      const text = part.map((c) => `{"city":${spell(c)},${base},${spell(`${c}key`)}:${spell(`a${c}`)}}\n`).join('');
      for (const scorer of scorers) {
        const { rows, logits } = scorer.lines(bytesOf(text));
        expect(rows).toBe(part.length);
        expect(logits.every((logit) => Object.is(logit, want.logit))).toBe(true);
      }
    }
  }
});

describe('bytes that are no UTF-8', () => {
  const wrong: readonly (readonly [string, number[]])[] = [
    ['a byte of no character', [0xff]],
    ['a second byte alone', [0x80]],
    ['a first byte alone', [0xc3]],
    ['an overlong /', [0xc0, 0xaf]],
    ['an overlong / of three', [0xe0, 0x80, 0xaf]],
    ['an overlong / of four', [0xf0, 0x80, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['two of three', [0xe2, 0x82]],
  ];
  const model = models['conformance/categorical'];
  const line = '{"city":"x","plan":"a","member":"b","visits":1,"score":2}\n';
  test.each(wrong)('%s', (_, bytes) => {
    for (const [before, after] of [
      ['{"city":"', '","plan":"a","member":"b","visits":1,"score":2}\n'],
      ['{"city":"x","plan":"a","member":"b","visits":1,"score":2,"other":"', '"}\n'],
      [`{"city":"x","plan":"a","member":"b","visits":1,"score":2,"${'k'.repeat(61)}`, '":1}\n'],
    ]) {
      const head = bytesOf(line.repeat(3) + before);
      const input = Uint8Array.from([...head, ...bytes, ...bytesOf(after + line)]);
      for (const scorer of engines(model, 'collect')) {
        const { rows, errors } = scorer.lines(input);
        expect(rows).toBe(5);
        expect(errors.map(({ row, offset, code }) => [row, offset, code])).toEqual([[3, head.length, 'ERR_DATA']]);
        expect(errors[0].message).toBe(
          `row 3 (from 0), byte ${head.length} (from 0): expected UTF-8, got something else; correct it and send it again`,
        );
      }
    }
  });
});

test('the first byte that is wrong is named, and the end where bytes end too early', () => {
  const wrong: readonly (readonly [string | number[], string])[] = [
    ['{"x":0.5,', 'byte 9 (from 0): expected JSON, got the end; send all of it (in JSON lines a record is one line)'],
    ['{"x":0.5 \t', 'byte 10 (from 0): expected JSON, got the end; send all of it'],
    ['{"x":"0.5', 'byte 9 (from 0): expected JSON, got the end'],
    ['{"x":tr', 'byte 7 (from 0): expected JSON, got the end'],
    ['{"x":tr}', 'byte 7 (from 0): expected JSON, got something else'],
    ['{\n "x": 1\n}\n{\n "x": 2\n}', 'byte 1 (from 0): expected JSON, got the end'],
    ['[{"code":"1","x":1}', 'byte 19 (from 0): expected JSON, got the end'],
    ['[{"code":"1","x":1},', 'byte 20 (from 0): expected JSON, got the end'],
    ['[', 'byte 1 (from 0): expected JSON, got the end'],
    // what comes first counts
    [[...bytesOf('{"x":1,}"'), 0xff], 'byte 7 (from 0): expected JSON, got something else'],
    [[...bytesOf('{"'), 0xff, ...bytesOf('":1,}')], 'byte 2 (from 0): expected UTF-8'],
    [[...bytesOf('{"x":'), 0xff, ...bytesOf('}')], 'byte 5 (from 0): expected UTF-8'],
  ];
  for (const scorer of engines(identity)) {
    for (const [input, message] of wrong)
      expect(() => scorer.json(typeof input === 'string' ? bytesOf(input) : Uint8Array.from(input))).toThrow(message);
  }
});

describe('streams', () => {
  const model = models['conformance/categorical'];
  const text =
    '\ufeff{"city":"Zürich","plan":"a","member":"b","visits":1,"score":2}\r\n\n {"score":2.5e1,"city":null,"plan":"\\u00fc","member":true,"visits":12345.678}\n{"city":"x","plan":"a","member":"b","visits":1,"score":2}';
  const bytes = bytesOf(text);
  const whole = byteScorer(model).json(bytes);
  test('a chunk may end at any byte', () => {
    for (const scorer of engines(model)) {
      for (let cut = 0; cut <= bytes.length; cut++) {
        const parts = [scorer.lines(bytes.subarray(0, cut)), scorer.lines(bytes.subarray(cut)), scorer.end()];
        expect(parts.flatMap(({ logits }) => [...logits])).toEqual([...whole.logits]);
        expect(parts[2].rows).toBe(1);
      }
      const each = [...bytes].flatMap((byte) => [...scorer.lines(Uint8Array.of(byte)).logits]);
      expect([...each, ...scorer.end().logits]).toEqual([...whole.logits]);
    }
    expect(whole.rows).toBe(3);
  });
  test('rows and bytes are counted from the first chunk, and a stream that failed is over', () => {
    for (const scorer of engines(model)) {
      scorer.lines(bytesOf('{"city":"x","plan":"a","member":"b","visits":1,"score":2}\n'));
      let error: RowError | undefined;
      try {
        scorer.lines(bytesOf('{"city":"y","plan":"a","member":"b","visits":1,"score":2}\n{"city":1,}\n{}\n'));
      } catch (thrown) {
        error = thrown as RowError;
      }
      expect(error).toBeInstanceOf(RowError);
      expect([error?.row, error?.offset, error?.code, error?.scores?.rows]).toEqual([2, 126, 'ERR_DATA', 1]);
      expect(scorer.end().rows).toBe(0);
      expect(scorer.lines(bytesOf('{"city":"x","plan":"a","member":"b","visits":1,"score":2}\n')).rows).toBe(1);
      expect(scorer.end().rows).toBe(0);
    }
  });
  test('json in the middle of a stream leaves it as it is', () => {
    for (const scorer of engines(model)) {
      scorer.lines(bytes.subarray(0, 100));
      expect(scorer.json(bytes).rows).toBe(3);
      expect(() => scorer.json(bytesOf('{'))).toThrow(RowError);
      expect(scorer.lines(bytes.subarray(100)).rows + scorer.end().rows).toBe(2);
    }
  });
});

describe('one record', () => {
  test.each(MODELS)('%s: gives what Model.score gives', (name) => {
    const model = models[name];
    const fields = fieldsOf(model);
    for (const scorer of engines(model)) {
      for (let index = 0; index < 50; index++) {
        const { bytes } = inputOf(fields, 11, index);
        let value: object;
        try {
          value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
          model.score(value);
        } catch {
          expect(() => scorer.record(bytes)).toThrow(RowError);
          continue;
        }
        expect(scorer.record(bytes)).toEqual(model.score(value));
      }
    }
  });
  test('leaves a stream as it is, and says the byte of what is wrong', () => {
    const model = models['conformance/codes'];
    for (const scorer of engines(model)) {
      scorer.lines(bytesOf('{"code":"2",'));
      expect(scorer.record(bytesOf('\ufeff {"x":0.5,"code":"2"}\n')).logit).toBe(
        model.score({ code: '2', x: 0.5 }).logit,
      );
      expect(() => scorer.record(bytesOf('\ufeff{"x":0.5,}'))).toThrow(
        'row 0 (from 0), byte 12 (from 0): expected JSON, got something else; correct it and send it again',
      );
      expect(() => scorer.record(bytesOf('{"x":0.5}\n{"x":0.5}'))).toThrow(/byte 10 \(from 0\): expected JSON/);
      expect(scorer.lines(bytesOf('"x":1}\n')).rows + scorer.end().rows).toBe(1);
    }
  });
});

describe('sizes', () => {
  const DEPTH = sweep(100_000, 1_000_000);
  const model = models['conformance/codes'];
  const record = '{"code":"2","x":0.5}';
  const want = model.score(JSON.parse(record)).logit;
  const cases: readonly (readonly [string, string])[] = [
    ['a key of 1 MB', `{"${'k'.repeat(1e6)}":1,"code":"2","x":0.5}`],
    ['a text of 1 MB', `{"code":"2","x":0.5,"other":"${'é'.repeat(5e5)}"}`],
    ['a number of 10,000 digits', `{"code":"2","x":0.5${'0'.repeat(10_000)},"other":1${'2'.repeat(10_000)}}`],
    [`depth ${DEPTH}`, `{"code":"2","x":0.5,"other":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`],
    ['an object of depth 10⁵', `{"other":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)},"code":"2","x":0.5}`],
    ['10,000 other keys', `{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":${i}`).join()},"code":"2","x":0.5}`],
    ['1 MB of blanks', `{"code":${' '.repeat(1e6)}"2","x":0.5}`],
  ];
  test.each(cases)('%s', (_, text) => {
    for (const scorer of engines(model)) {
      for (const input of [`${text}\n${record}`, `[${record},${text},${record}]`, text]) {
        expect(scorer.json(bytesOf(input)).logits.every((logit) => Object.is(logit, want))).toBe(true);
      }
      expect(scorer.lines(bytesOf(`${record}\n${text}\n${record}\n`)).rows).toBe(3);
      expect(scorer.end().rows).toBe(0);
      expect(() => scorer.json(bytesOf(`[${text},${text.slice(0, -1)}]`))).toThrow(RowError);
    }
  });
  test('more rows than fit at a time, of all lengths', () => {
    const rows = 5000;
    const lines = Array.from(
      { length: rows },
      (_, i) => `{"code":"${i % 7}","x":${i / 8}${i % 3 ? '' : `,"pad":"${'p'.repeat(i % 997)}"`}}`,
    );
    const expected = lines.map((line) => model.score(JSON.parse(line)).logit);
    for (const scorer of engines(model)) {
      for (const text of [lines.join('\n'), `[${lines.join()}]`, `[${lines.join(',\n  ')}\n]`]) {
        expect([...scorer.json(bytesOf(text)).logits]).toEqual(expected);
      }
    }
  });
});

describe('what is no input', () => {
  const model = models['conformance/codes'];
  test('is refused by name', () => {
    for (const scorer of engines(model)) {
      expect(() => scorer.json('{}' as never)).toThrow(
        'bytes: expected a Uint8Array or an ArrayBuffer, got text; encode it with new TextEncoder().encode(text)',
      );
      expect(() => scorer.lines(null as never)).toThrow(
        /^bytes: expected a Uint8Array or an ArrayBuffer, got something else/,
      );
      expect(() => scorer.json(new Uint8Array(0))).toThrow(
        /expected JSON, got something else; send at least one record/,
      );
      expect(scorer.json(bytesOf('[]')).rows).toBe(0);
      scorer.free();
      scorer.free();
      expect(() => scorer.json(bytesOf('{}'))).toThrow(
        'scorer: expected one in use, got one that was freed; make a new one',
      );
    }
    expect(() => byteScorer(model, { onError: 'ignore' as never })).toThrow(
      'onError: expected throw or collect, got ignore',
    );
    expect(() => byteScorer(model, { engine: {} as never })).toThrow(
      /^byteScorer: expected an engine, got something else/,
    );
  });
  test('is refused by name as a model, and as an option', () => {
    for (const other of [undefined, null, {}, new Uint8Array(3)])
      expect(() => byteScorer(other as never)).toThrow(/^byteScorer: expected a model, got something else/);
    expect(() => byteScorer(model, { onerror: 'collect' } as never)).toThrow(
      'byteScorer: expected the options engine and onError, got "onerror"; leave it out',
    );
    expect(byteScorer(model, null as never).json(bytesOf('[]')).rows).toBe(0);
  });
  test('leaves a stream as it is', () => {
    for (const scorer of engines(model)) {
      scorer.lines(bytesOf('{"code":"2",'));
      expect(() => scorer.lines(null as never)).toThrow(/^bytes: expected/);
      expect(scorer.lines(bytesOf('"x":1}\n')).rows).toBe(1);
      expect(scorer.end().rows).toBe(0);
      scorer.csv(bytesOf('code,x\n1,'));
      expect(() => scorer.csv('2' as never)).toThrow(/^bytes: expected/);
      expect(scorer.csv(bytesOf('2\n')).rows).toBe(1);
      expect(scorer.end().rows).toBe(0);
    }
  });
  test('a Buffer that is filled again does not change what waits', () => {
    for (const scorer of engines(model)) {
      for (const [format, begin, rest] of [
        ['lines', '{"code":"2","x"', ':1}\n'],
        ['csv', 'code,x\n2,', '1\n'],
      ] as const) {
        const buffer = Buffer.from(begin);
        scorer[format](buffer);
        buffer.fill(65);
        const { logits } = scorer[format](bytesOf(rest));
        expect([...logits]).toEqual([model.score({ code: '2', x: 1 }).logit]);
        scorer.end();
      }
    }
  });
  test('an ArrayBuffer, and a view of a part of one, are read', () => {
    const bytes = bytesOf(' {"code":"2","x":0.5} ');
    const inside = new Uint8Array([1, 2, 3, ...bytes, 34, 34]);
    for (const scorer of engines(model)) {
      const want = scorer.json(bytes).logits[0];
      expect(scorer.json(bytes.buffer).logits[0]).toBe(want);
      expect(scorer.json(inside.subarray(3, 3 + bytes.length)).logits[0]).toBe(want);
    }
  });
  test('memory is given back', () => {
    const engine = pickEngine('wasm');
    const before = engine.bytesInUse;
    const scorer = byteScorer(model, { engine });
    expect(scorer.json(bytesOf(`[${'{"code":"2","x":0.5},'.repeat(50_000)}{"code":"2","x":0.5}]`)).rows).toBe(50_001);
    expect(engine.bytesInUse).toBeGreaterThan(before);
    scorer.free();
    expect(engine.bytesInUse).toBe(before);
  });
});
