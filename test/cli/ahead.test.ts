import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel, type Model } from 'logodds';
import { afterAll, describe, expect, it } from 'vitest';
import { streamTable } from '../../cli/src/read/scoring.ts';
import type { SourceOptions } from '../../cli/src/read/source.ts';
import { TableBuilder } from '../../cli/src/read/text/builder.ts';
import type { Table } from '../../src/index.ts';
import { csvOf, fieldsOf, inputOf, MODELS, randomOf } from '../bytes/inputs.mjs';
import { sweep } from '../full.ts';

const models = Object.fromEntries(
  MODELS.map((name) => [name, loadModel(readFileSync(new URL(`../${name}.safetensors`, import.meta.url)))]),
);
const folder = mkdtempSync(join(tmpdir(), 'logodds-ahead-'));
afterAll(() => rmSync(folder, { recursive: true }));

// counted by hand: a spy would keep each builder it was called on, with its WebAssembly memory
let readAhead = 0;
const { addRows } = TableBuilder.prototype;
TableBuilder.prototype.addRows = function (...given: Parameters<typeof addRows>) {
  readAhead++;
  return addRows.apply(this, given);
};
afterAll(() => {
  TableBuilder.prototype.addRows = addRows;
});

/** What a file is read as: its tables, what is said of it, how it is refused. */
async function readAs(model: Model, options: SourceOptions, isAhead: boolean, further = {}) {
  const tables: [firstRow: number, columns: unknown][] = [];
  const said: string[] = [];
  const use = (table: Table, firstRow: number) => {
    tables.push([firstRow, structuredClone(table)]);
  };
  const end = await streamTable(model as never, options, further, use, (text) => said.push(text), { isAhead }).catch(
    String,
  );
  return { tables, said, end };
}

/** Compares the two ways. @returns what both give */
async function compare(model: Model, name: string, content: string | Uint8Array, options = {}, further = {}) {
  const data = join(mkdtempSync(join(folder, 'input-')), name);
  writeFileSync(data, content);
  const [expected, got] = [
    await readAs(model, { ...options, data }, false, further),
    await readAs(model, { ...options, data }, true, further),
  ];
  expect(got, JSON.stringify(new TextDecoder('latin1').decode(new TextEncoder().encode(String(content))))).toEqual(
    expected,
  );
  return expected;
}

const OPTIONS = [
  ...[{}, {}, {}, { na: ['?', '1', 'a'] }, { na: ['true', '0', 'x'] }, { decimal: ',' }, { thousands: ',' }],
  ...[{ quote: 'none' }, { quote: "'" }, { skip: 1 }, { delimiter: ',' }],
];

describe.each(MODELS)('rows read ahead are those of the scanners: %s', (name) => {
  const model = models[name];
  const fields = fieldsOf(model);
  it('CSV', async () => {
    for (let index = 0; index < sweep(60, 150); index++) {
      const r = randomOf(index);
      await compare(model, 'data.csv', csvOf(fields, 95, index).bytes, r.pick(OPTIONS));
    }
  });
  it('JSON lines', async () => {
    for (let index = 0; index < sweep(60, 150); index++) {
      const r = randomOf(index);
      const inputs = Array.from({ length: 1 + r.int(4) }, (_, i) => inputOf(fields, 95, 8 * index + i));
      const usable = inputs.filter(({ as, damaged }) => as === 'lines' && !(damaged && r.chance(0.7)));
      const lines = usable.map(({ bytes }) => `${Buffer.from(bytes).toString('latin1').replace(/\n$/, '')}\n`).join('');
      await compare(model, 'data.jsonl', Buffer.from(lines, 'latin1'), r.pick(OPTIONS.slice(0, 7)));
    }
  });
});

it('rows of these inputs were read ahead', () => {
  expect(readAhead).toBeGreaterThan(200);
});

describe('files of many pieces', () => {
  const model = models['conformance/categorical'];
  const r = randomOf(7);
  const plans = ['a', 'basic', '"b ""c"""', '', 'NA', '"x\ny"'];
  const row = (i: number) =>
    `${r.pick(plans)},c${i % 9},"${'p\r\n'.repeat(r.chance(0.01) ? 5000 : 0)}",${r.pick(['true', 'false', 'TRUE', 'yes', ''])},${i / 8},${-i}`;
  const rows = Array.from(
    { length: 40_000 },
    (_, i) => `${row(i)}${r.chance(0.01) ? '\n\n \n' : r.pick(['\n', '\r\n', '\r'])}`,
  );
  const text = `\n\nplan,city,pad,member,visits,score\n${rows.join('')}`;
  it('CSV: blocks, notes, empty lines', async () => {
    const { tables, said, end } = await compare(model, 'data.csv', `${text}\n\n`);
    expect(end).toBe(40_000);
    expect(tables.map(([firstRow]) => firstRow)).toEqual([0, 16_384, 32_768]);
    expect(said.join('\n')).toMatch(/skipped \d+ empty lines between records/);
  });
  it.each([
    ['a record too short', 'a,c1,p,true,1\n'],
    ['a record too long', 'a,c1,p,true,1,2,3\n'],
    ['text behind a quote', '"a"b,c1,p,true,1,2\n'],
    ['a quote that is not closed', '"a,c1,p,true,1,2\n'],
    ['a text for a number', 'a,c1,p,true,one,2\n'],
    ['a number that is not finite', 'a,c1,p,true,1e999,2\n'],
    ['a NUL', 'a,c1,\0,true,1,2\n'],
    ['the header again', 'plan,city,pad,member,visits,score\n'],
    ['a record of more than 2 MB', `a,c1,${'p'.repeat(2_097_153)},true,1,2\n`],
  ])('CSV: %s is refused with its line', async (_, bad) => {
    const { end } = await compare(model, 'data.csv', `${text}\n${bad}${rows.slice(0, 100).join('')}`);
    expect(end).toMatch(/line \d{5}/);
  });
  it('CSV: bytes that are not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(text), Buffer.from('\na,c\xe9,p,true,1,2\n', 'latin1')]);
    expect((await compare(model, 'data.csv', bytes)).end).toMatch(/expected UTF-8 in column "city", got other bytes/);
  });

  const record = (i: number) => ({
    plan: r.pick(['a', 'basic', 'é"x', null]),
    ...(r.chance(0.01) && { later: i }),
    city: `c${i % 9}`,
    pad: r.chance(0.001) ? 'p'.repeat(200_000) : r.pick(['', [1, { a: [] }], 'q\n', 1.5, null]),
    member: r.pick([true, false, null]),
    visits: r.pick([i / 8, String(i), null, 123456789.123456789]),
    score: -i,
  });
  const lines = Array.from(
    { length: 40_000 },
    (_, i) => `${JSON.stringify(record(i))}${r.chance(0.01) ? '\n \n' : '\n'}`,
  );
  it('JSON lines: blocks, notes', async () => {
    const { tables, said, end } = await compare(model, 'data.jsonl', lines.join(''));
    expect(end).toBe(40_000);
    expect(tables.length).toBe(3);
    expect(said.join('\n')).toMatch(/ignored 2 columns the model does not use: .*later/);
  });
  const good = '"city":"c1","pad":1,"member":true,"visits":1,"score":1}\n';
  it.each([
    ['a field twice', `{"plan":"a","pad":2,${good}`],
    [
      'brackets too deep',
      `{"plan":"a","city":"c1","pad":${'['.repeat(201)}${']'.repeat(201)},"member":true,"visits":1,"score":1}\n`,
    ],
    ['half a surrogate pair', '{"plan":"a","city":"c1","pad":"\\ud800","member":true,"visits":1,"score":1}\n'],
    ['a number that is wrong', '{"plan":"a","city":"c1","pad":1,"member":true,"visits":01,"score":1}\n'],
    ['NaN', '{"plan":"a","city":"c1","pad":1,"member":true,"visits":NaN,"score":1}\n'],
    ['a number that is not finite', '{"plan":"a","city":"c1","pad":1,"member":true,"visits":1e999,"score":1}\n'],
    ['two objects', `{"plan":"a",${good.trim()}{}\n`],
    ['a list', '[]\n'],
  ])('JSON lines: %s is refused with its line', async (_, bad) => {
    const { end } = await compare(model, 'data.jsonl', `${lines.join('')}\n${bad}${lines.slice(0, 100).join('')}`);
    expect(end).toMatch(/line 40\d{3}/);
  });
});

it('a weight below 0 is refused, a class that is missing too', async () => {
  const model = models['conformance/categorical'];
  const rows = (weight: string, label: string) =>
    `plan,city,member,visits,score,w,y\n${'a,c,true,1,2,1,yes\n'.repeat(3000)}a,c,true,1,2,${weight},${label}\n${'a,c,true,1,2,1,no\n'.repeat(3000)}`;
  const [label] = model.manifest.classes;
  const further = { target: 'y', weight: 'w' };
  const text = rows('-1', label).replaceAll('yes', label).replaceAll('no', label);
  expect((await compare(model, 'data.csv', text, {}, further)).end).toMatch(/line 3002.*"w".*a finite number >= 0/);
  const other = rows('1', 'nothing').replaceAll('yes', label).replaceAll('no', label);
  expect((await compare(model, 'data.csv', other, {}, further)).end).toMatch(/line 3002.*"y"/);
});
