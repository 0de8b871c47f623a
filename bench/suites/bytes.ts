import { closeSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import duckdb from '@duckdb/node-bindings';
import type { Model } from '../../src/index.ts';
import { asynchronous, local } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { bytesScorer, type Fields, scoreTexts, weightsOf } from '../ours.ts';
import { longDecimals, NUMBERS, TEXTS, trained, unseen } from '../records.ts';

export const notes = [
  'JSON lines of records of 10 numbers (two decimals, or as many digits as a double has) and 10 texts (2 to 50 levels of 5 to 12 letters), all different, to probabilities by Platt’s calibration, labels and shares of defaults.',
  'JSON.parse alone: of lines that were decoded and cut before, or of one text, an array; its values are dropped. Parse and score: the same lines, by JSON.parse and `Model.score`; their decoding and cutting is left out too.',
  'Python’s order: keys in another order than the model’s, with a space behind each colon and comma, as json.dumps writes. Orders in turn: each record has its keys in another order than the one before.',
  'Rust: sonic-rs and simd-json, with fat LTO, for this processor; labels by FxHashMap; the sum in our order, exp by the library of the host, probabilities to 1e-12. They count no defaults and refuse null, missing fields and unseen labels. sonic-rs checks UTF-8 once, hands each value to the sum as it is read, and expects keys where the record before had them; a struct a line: what serde derives, with borrowed texts. simd-json fills one tape over padded bytes again and again; restoring the bytes that it may change is not timed.',
  'CSV: a file in the cache of the system; ours is read in pieces of 256 KiB, to probabilities, labels and shares of defaults. DuckDB counts the values of each column, with their types given and one thread.',
  'One record: bytes in, probability out; different records of the same length in turn.',
];

const encoder = new TextEncoder();

/** How a record is written: its text. */
type Write = (record: Fields, i: number) => string;

const compact: Write = (record) => JSON.stringify(record);

/** as Python's json.dumps, texts first and the last ones first */
const dumped: Write = (record) => {
  const members = Object.entries(record).reverse();
  return `{${members.map(([name, value]) => `"${name}": ${JSON.stringify(value)}`).join(', ')}}`;
};

const turned: Write = (record, i) => {
  const members = Object.entries(record);
  const first = i % members.length;
  return JSON.stringify(Object.fromEntries([...members.slice(first), ...members.slice(0, first)]));
};

export async function run(lab: Lab): Promise<void> {
  const learned = lab.quick ? 2000 : 20_000;
  const { model } = trained(lab.wasm, learned);
  const count = lab.quick ? 500 : 5000;
  const records = unseen(count);
  for (const [what, texts] of [
    ['20 fields', records.map(compact)],
    ['20 fields, long decimals', unseen(count, { number: longDecimals }).map(compact)],
    ['20 fields, Python’s order', records.map(dumped)],
    ['20 fields, orders in turn', records.map(turned)],
  ] as const) {
    await lines(lab, model, `JSON lines of ${what}`, texts);
  }
  await csv(lab, model, unseen(lab.quick ? 2000 : 200_000));
  const small = { pairs: 8 };
  const texts = unseen(5000, small).map(compact);
  await oneRecord(
    lab,
    trained(lab.wasm, learned, small).model,
    texts.filter(({ length }) => length === 300).slice(0, 64),
  );
}

async function lines(lab: Lab, model: Model, what: string, texts: readonly string[]): Promise<void> {
  const rows = texts.length;
  const array = `[${texts.join()}]`;
  const [bytes, arrayBytes] = [`${texts.join('\n')}\n`, array].map((text) => encoder.encode(text));
  // as a reader of lines has them: each a part of one text
  const cut = texts.join('\n').split('\n');
  const parse = () => {
    let sum = 0;
    for (const line of cut) sum += JSON.parse(line).number_0;
    return sum;
  };
  const out = new Float64Array(rows);
  const scorer = bytesScorer(model);
  const ours = (name: string, score: () => Float64Array) =>
    local(name, () => score()[rows - 1], { output: score, exact: true });
  const weights = weightsOf(model, NUMBERS, TEXTS);
  await lab.add({ name: `${what} to probabilities`, rows, bytes: bytes.length, tolerance: 1e-12 }, 'f64', [
    ours('logodds', () => scorer.json(bytes)),
    ours('logodds, one array', () => scorer.json(arrayBytes)),
    ours('logodds, chunks of 64 KiB', () => scorer.chunks(bytes, 65536, out)),
    local('JSON.parse alone, line by line', parse),
    local('JSON.parse alone, one array', () => JSON.parse(array).length),
    ours('parse and score', () => scoreTexts(model, cut)),
    ...((await lab.peers.rust?.open('lines', { rows, model: weights }, { lines: bytes })) ?? []),
  ]);
  scorer.free();
}

/** Rows of a file, by ours and by DuckDB, which only scans them. */
async function csv(lab: Lab, model: Model, records: readonly Fields[]): Promise<void> {
  const rows = records.length;
  const columns = [...NUMBERS, ...TEXTS];
  const text = `${[columns, ...records.map((record) => columns.map((name) => record[name]))].join('\n')}\n`;
  const path = 'bench/build/records.csv';
  writeFileSync(path, text);
  const scorer = bytesScorer(model);
  const out = new Float64Array(rows);
  const piece = new Uint8Array(2 ** 18);
  const score = () => {
    const file = openSync(path, 'r');
    const probabilities = scorer.csv(() => piece.subarray(0, readSync(file, piece)), out);
    closeSync(file);
    return probabilities;
  };
  const config = duckdb.create_config();
  duckdb.set_config(config, 'threads', '1');
  const connection = await duckdb.connect(await duckdb.open(':memory:', config));
  const typed = columns.map((name) => `'${name}': '${NUMBERS.includes(name) ? 'DOUBLE' : 'VARCHAR'}'`);
  const scan = `select ${columns.map((name) => `count(${name})`)} from read_csv('${path}', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {${typed}})`;
  await lab.add({ name: 'CSV of 20 columns to probabilities', rows, bytes: text.length, tolerance: 1e-12 }, 'f64', [
    local('logodds', () => score()[rows - 1], { output: score, exact: true }),
    asynchronous('DuckDB’s scan', async () => duckdb.row_count(await duckdb.query(connection, scan))),
  ]);
  scorer.free();
  rmSync(path);
}

/** Records one at a time; all of them are as long. */
async function oneRecord(lab: Lab, model: Model, texts: readonly string[]): Promise<void> {
  const [{ length }] = texts;
  const bytes = texts.map((text) => encoder.encode(text));
  const scorer = bytesScorer(model);
  const each = (name: string, score: (i: number) => number, output?: () => Float64Array) => {
    let i = 0;
    const next = () => {
      i = (i + 1) % texts.length;
      return score(i);
    };
    return local(name, next, { output, exact: true });
  };
  const probability = (i: number) => scorer.record(bytes[i]);
  await lab.add({ name: `one JSON record of ${length} bytes to a probability`, rows: 1, bytes: length }, 'f64', [
    each('logodds', probability, () => Float64Array.from(texts, (_, i) => probability(i))),
    each('JSON.parse alone', (i) => JSON.parse(texts[i]).number_0),
    each(
      'parse and score',
      (i) => model.score(JSON.parse(texts[i])).probability,
      () => scoreTexts(model, texts),
    ),
  ]);
  scorer.free();
}
