/** Files as people have them: cells of many kinds, written with every habit and fault that files have. */

import type { ReadOptions } from '../../cli/src/read/text/options.ts';
import { splitmix32 } from '../../src/math/random.ts';

export interface MessyFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly options: ReadOptions;
}

type Random = () => number;

const TOKENS = ['NA', 'N/A', '#N/A', 'NaN', 'nan', 'null', 'NULL', 'None', '.', '-', '?', 'unknown'];
const WORDS = [
  'red',
  'Red',
  'green',
  'blue, light',
  'café',
  'naïve',
  '日本',
  '😀',
  "it's",
  'say "hi"',
  'two\nlines',
  'yes',
  'no',
  'TRUE',
  'false',
  'a;b',
  'a|b',
  'tab\there',
  "o'clock",
  'x=1',
  '5" pipe',
];
const ODD = [
  '1_000',
  '0x1F',
  'inf',
  '1,5',
  '$1,200',
  '12%',
  '1.234,5',
  '1e',
  'e5',
  '--1',
  '1.2.3',
  '+',
  '1 2',
  '٣',
  '1,500',
  '(3)',
  '−4',
  '1e5x',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)];
const chance = (random: Random, share: number) => random() < share;

function numberText(random: Random): string {
  const kind = random();
  const small = Math.floor(random() * 40) - 20;
  if (kind < 0.3) return String(small);
  if (kind < 0.6) return (small + Math.floor(random() * 1000) / 1000).toFixed(1 + Math.floor(random() * 4));
  if (kind < 0.65) return `+${Math.abs(small)}.5`;
  if (kind < 0.7) return `${small}e${Math.floor(random() * 5)}`;
  if (kind < 0.75) return `.${Math.abs(small)}`;
  if (kind < 0.8) return `${small}.`;
  if (kind < 0.83) return `${Math.floor(random() * 1e9)}${Math.floor(random() * 1e9)}`;
  if (kind < 0.86) return `0.${Math.floor(random() * 1e9)}${Math.floor(random() * 1e12)}`;
  return String(Math.floor(random() * 3));
}

type Maker = (random: Random) => string | null;

/** What the cells of a column are; most are of one kind, and many have a few of another. */
function columnKind(random: Random): Maker {
  const words = Array.from({ length: 2 + Math.floor(random() * 4) }, () => pick(random, WORDS));
  const base = pick<Maker>(random, [
    numberText,
    numberText,
    numberText,
    numberText,
    (r) => pick(r, words),
    (r) => pick(r, words),
    (r) => pick(r, words),
    (r) => `0${Math.floor(r() * 9000)}`,
    (r) => pick(r, ['TRUE', 'false', 'True']),
    (r) => `2024-0${1 + Math.floor(r() * 9)}-1${Math.floor(r() * 9)}${r() < 0.5 ? '' : ' 12:30:15'}`,
    (r) => pick(r, ['2', '2.0', '3', '3.50', '2e0']),
  ]);
  const share = pick(random, [0, 0, 0, 0, 0, 0, 0.02, 0.1, 0.3, 0.6]);
  const other = pick<Maker>(random, [
    (r) => pick(r, TOKENS),
    (r) => pick(r, TOKENS),
    () => null,
    () => '',
    numberText,
    (r) => pick(r, WORDS),
    (r) => pick(r, ODD),
    (r) => `0${Math.floor(r() * 90)}1`,
  ]);
  const late = chance(random, 0.2) ? 5 + Math.floor(random() * 10) : 0;
  let row = 0;
  return (r) => (row++ < late && chance(r, 0.9) ? null : chance(r, share) ? other(r) : base(r));
}

const NAMES = [
  'x',
  'X',
  'price, net',
  'a=b',
  'Sc.Var.Maxis',
  'Sc.Var.maxis',
  'café',
  'with "quotes"',
  'two\nlines',
  'id',
  'b c',
  '1',
  'NA',
  '',
];

export function messyCsv(seed: number): MessyFile {
  const random = splitmix32(seed);
  const width = 1 + Math.floor(random() * 4);
  const rows = Math.floor(random() * 30);
  const names = Array.from({ length: width }, (_, i) => (chance(random, 0.4) ? pick(random, NAMES) : `c${i}`));
  names.splice(Math.floor(random() * (width + 1)), 0, 'y');
  const makers = names.map((name) => (name === 'y' ? (r: Random) => pick(r, ['0', '1']) : columnKind(random)));
  const records = Array.from({ length: rows }, () => makers.map((make) => make(random)));

  const delimiter = pick(random, [',', ',', ',', ';', '\t', '|']);
  const said = chance(random, 0.3);
  const quote = chance(random, 0.1) ? "'" : '"';
  const ends = pick(random, [['\n'], ['\n'], ['\r\n'], ['\r'], ['\n', '\r\n'], ['\n', '\r\n', '\r']]);
  const blanks = chance(random, 0.2);
  const style = random();
  const write = (cell: string | null): string => {
    if (cell === null) return blanks && chance(random, 0.3) ? ' ' : '';
    const must =
      cell === '' ||
      cell !== cell.trim() ||
      [delimiter, '\n', '\r'].some((mark) => cell.includes(mark)) ||
      cell.startsWith(quote);
    const careless = chance(random, 0.01);
    const text =
      (must && !careless) || style < 0.2 || (style < 0.4 && chance(random, 0.3))
        ? quote + cell.replaceAll(quote, quote + quote) + quote
        : cell;
    return blanks ? `${' '.repeat(Math.floor(random() * 3))}${text}${' '.repeat(Math.floor(random() * 3))}` : text;
  };
  const lines = [names, ...records].map((record) => record.map((cell) => write(cell)).join(delimiter));

  // what goes wrong with files
  const at = () => Math.floor(random() * lines.length);
  if (chance(random, 0.03)) lines.splice(1 + at(), 0, lines[0]);
  if (chance(random, 0.03)) lines[at()] += pick(random, [delimiter, `${delimiter}7`]);
  if (chance(random, 0.02)) lines[at()] = pick(random, ['5', 'Total', 'a b']);
  if (chance(random, 0.03)) lines.push(pick(random, ['Total: 12', '# end', `${delimiter}`]));
  if (chance(random, 0.1)) lines.splice(1 + at(), 0, pick(random, ['', ' ', '  ']));
  if (chance(random, 0.02)) lines[at()] += quote;
  if (chance(random, 0.03)) lines.splice(at(), 0, quote);
  const skip = chance(random, 0.08) ? 1 + Math.floor(random() * 2) : 0;
  const preamble = skip > 0 && chance(random, 0.7) ? skip : chance(random, 0.02) ? 1 : 0;
  for (let i = 0; i < preamble; i++) lines.unshift(pick(random, ['Report of May', '', 'made by hand, in May']));
  if (chance(random, 0.02)) lines.unshift(`sep=${delimiter}`);
  let text = lines.map((line) => line + pick(random, ends)).join('');
  if (chance(random, 0.2)) text = text.replace(/[\r\n]+$/, '');
  if (chance(random, 0.1)) text += pick(random, ends);
  if (chance(random, 0.02)) {
    const place = Math.floor(random() * text.length);
    text = `${text.slice(0, place)}\0${text.slice(place)}`;
  }

  const encoding = chance(random, 0.1) ? pick(random, ['utf-16le', 'utf-16be', 'latin1'] as const) : 'utf-8';
  const mark = chance(random, 0.15) ? '\uFEFF' : '';
  let bytes = Buffer.from(mark + text);
  if (encoding === 'latin1') bytes = Buffer.from(text, 'latin1');
  else if (encoding !== 'utf-8') {
    bytes = Buffer.from(mark + text, 'utf16le');
    if (encoding === 'utf-16be') bytes.swap16();
  }
  const told = chance(random, 0.92) ? encoding : chance(random, 0.5) ? 'latin1' : 'utf-8';
  const options: ReadOptions = {
    ...(said && { delimiter }),
    ...(quote !== '"' && { quote }),
    ...(skip > 0 && { skip }),
    ...(told !== 'utf-8' && { encoding: told }),
    ...(chance(random, 0.1) && { na: [pick(random, ['red', 'missing', '99', ''])] }),
    ...(chance(random, 0.05) && { decimal: ',' }),
    ...(chance(random, 0.05) && { thousands: chance(random, 0.5) ? '_' : "'" }),
  };
  return { name: delimiter === '\t' && !said && chance(random, 0.5) ? 'f.tsv' : 'f.csv', bytes, options };
}

export function messyJson(seed: number): MessyFile {
  const random = splitmix32(seed);
  const rows = 1 + Math.floor(random() * 25);
  const names = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) =>
    chance(random, 0.4) ? pick(random, NAMES) : `c${i}`,
  );
  const kinds = names.map(() => ({
    base: pick(random, [
      'number',
      'number',
      'number',
      'string',
      'string',
      'numeric string',
      'boolean',
      ...(chance(random, 0.2) ? ['date'] : []),
    ]),
    share: pick(random, [0, 0, 0, 0, 0, 0.05, 0.3]),
    other: pick(random, ['null', 'absent', 'number', 'string', 'token', 'empty', 'boolean', 'list', 'object', 'NaN']),
  }));
  const value = (kind: string): string | null => {
    if (kind === 'number')
      return pick(random, ['1', '2', '-3.5', '1e3', '0.25', '9007199254740993', `${Math.floor(random() * 50)}`]);
    if (kind === 'string') return JSON.stringify(pick(random, [...WORDS, '\u0001x', 'back\\slash']));
    if (kind === 'numeric string') return JSON.stringify(numberText(random));
    if (kind === 'boolean') return pick(random, ['true', 'false']);
    if (kind === 'date') return '"2024-03-04T05:06:07Z"';
    if (kind === 'null') return 'null';
    if (kind === 'token') return JSON.stringify(pick(random, TOKENS));
    if (kind === 'empty') return '""';
    if (kind === 'list') return '["a", 1, null]';
    if (kind === 'object') return '{"a": {"b": []}}';
    if (kind === 'NaN') return pick(random, ['NaN', 'Infinity', '-Infinity']);
    return null;
  };
  const lines = Array.from({ length: rows }, () => {
    const fields = names.flatMap((name, i) => {
      const text = value(chance(random, kinds[i].share) ? kinds[i].other : kinds[i].base);
      return text === null
        ? []
        : [`${JSON.stringify(name)}${pick(random, ['', ' '])}:${pick(random, ['', ' '])}${text}`];
    });
    fields.push(`"y":${pick(random, ['0', '1'])}`);
    if (chance(random, 0.1)) fields.reverse();
    if (chance(random, 0.003)) fields.push(fields[0]);
    return `{${fields.join(pick(random, [',', ', ']))}}`;
  });
  const at = () => Math.floor(random() * lines.length);
  if (chance(random, 0.05)) lines.splice(at(), 0, pick(random, ['', ' ', '\t']));
  if (chance(random, 0.05)) lines[at()] += pick(random, ['}', '{}', ' x', ',']);
  if (chance(random, 0.05))
    lines[at()] = pick(random, [
      '[1]',
      '5',
      '{"a":01}',
      '{"a":"\\ud800"}',
      '{"a":"\t"}',
      '{a:1}',
      '{"a":[1,]}',
      '{"a":1,}',
      '"',
      '{"a":+1}',
      '{"a":.5}',
      '{"a":"\\x"}',
      '{"a":tru}',
    ]);
  const text =
    (chance(random, 0.1) ? '\uFEFF' : '') +
    lines.join(pick(random, ['\n', '\n', '\r\n'])) +
    pick(random, ['', '\n', '\r\n']);
  let bytes = Buffer.from(text);
  if (chance(random, 0.03)) bytes = Buffer.from(text, 'latin1');
  const options: ReadOptions = {
    ...(chance(random, 0.2) && { na: pick(random, [['NaN'], ['red'], ['NaN', 'Infinity', '-Infinity']]) }),
  };
  return { name: 'f.jsonl', bytes, options };
}
