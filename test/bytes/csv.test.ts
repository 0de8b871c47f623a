import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fit, loadModel, type Model, pickEngine, tableFromRecords } from 'logodds';
import { byteScorer, NO_LABEL, RowError } from 'logodds/bytes';
import { afterAll, describe, expect, it, test } from 'vitest';
import { streamTable } from '../../cli/src/read/scoring.ts';
import { sweep } from '../full.ts';
import { compare, run } from './compare.mjs';
import { csvOf, fieldsOf, MODELS } from './inputs.mjs';

const models = Object.fromEntries(
  MODELS.map((name) => [name, loadModel(readFileSync(new URL(`../${name}.safetensors`, import.meta.url)))]),
);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const engines = (model: Model, onError: 'throw' | 'collect' = 'throw') => [
  byteScorer(model, { onError, engine: pickEngine('wasm') }),
  byteScorer(model, { onError, engine: pickEngine('js') }),
];
const folder = mkdtempSync(join(tmpdir(), 'logodds-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The logits that the command gives a file; or the code of its refusal. */
async function ofCommand(model: Model, bytes: Uint8Array): Promise<number[] | string> {
  const path = join(folder, 'data.csv');
  writeFileSync(path, bytes);
  const logits: number[][] = [];
  try {
    await streamTable(
      model as never,
      { data: path } as never,
      {},
      (table, firstRow) => {
        const scores = model.scorer(pickEngine('js')).score(table, firstRow);
        logits.push([...scores.logits.subarray(0, scores.rows)]);
      },
      () => {},
      // by its own scanners
      { isAhead: false },
    );
    return logits.flat();
  } catch (error) {
    const { code } = error as { code?: string };
    if (!code?.startsWith('ERR_') || code === 'ERR_INTERNAL') throw error;
    return code;
  }
}

describe.each(MODELS)('%s', (name) => {
  const model = models[name];
  const fields = fieldsOf(model);
  it('both engines read the same, and refuse the same', () => {
    const collecting = engines(model, 'collect');
    const throwing = engines(model);
    for (let index = 0; index < sweep(200, 1500); index++) {
      const input = csvOf(fields, 2026, index);
      expect(compare(model, input.collect ? collecting : throwing, input)).toBe(null);
    }
  });
  it('the command reads the same, and refuses the same', async () => {
    const [scorer] = engines(model);
    let read = 0;
    for (let index = 0; index < sweep(30, 200); index++) {
      const input = csvOf(fields, 77, index);
      const expected = await ofCommand(model, input.bytes);
      const { parts, error } = run(scorer, { ...input, collect: false });
      const text = JSON.stringify(new TextDecoder('latin1').decode(input.bytes));
      if (typeof expected === 'string') {
        // the command refuses a file without rows
        const none = parts.every(({ rows }) => rows === 0);
        expect(error !== null || none, `${expected}: ${text}`).toBe(true);
      } else {
        expect(error?.message ?? null, text).toBe(null);
        const logits = parts.flatMap(({ rows, logits: all }) => [...all.subarray(0, rows)]);
        expect(logits.map(String), text).toEqual(expected.map(String));
        read++;
      }
    }
    expect(read).toBeGreaterThan(0);
  });
});

describe('streams', () => {
  const model = models['conformance/categorical'];
  const text =
    '\ufeffplan,"city",extra,member,visits,score\r\na,Zürich,1,true,1,2.5\r\n\r\n "b" ,"x, ""y""",2,False, 007 ,NA\r"a\nb",,3,,"1.5",-2e1\n';
  const bytes = bytesOf(text);
  test('a chunk may end at any byte', () => {
    for (const scorer of engines(model)) {
      const whole = [...scorer.csv(bytes).logits, ...scorer.end().logits];
      expect(whole.length).toBe(3);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const parts = [scorer.csv(bytes.subarray(0, cut)), scorer.csv(bytes.subarray(cut)), scorer.end()];
        expect(parts.flatMap(({ logits }) => [...logits])).toEqual(whole);
      }
      const each = [...bytes].flatMap((byte) => [...scorer.csv(Uint8Array.of(byte)).logits]);
      expect([...each, ...scorer.end().logits]).toEqual(whole);
    }
  });
  test('more rows than fit at a time, and cells of all lengths', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      plan: i % 3 ? 'a' : 'basic',
      city: 'c'.repeat(i % 50),
      member: i % 2 ? 'true' : 'false',
      visits: i / 8,
      score: -i,
    }));
    const header = 'plan,city,pad,member,visits,score\n';
    const csv = rows.map(
      (row, i) => `${row.plan},${row.city},"${'p\n'.repeat(i % 700)}",${row.member},${row.visits},${row.score}\n`,
    );
    const want = rows.map((row) => model.score({ ...row, city: row.city || null }).logit);
    for (const scorer of engines(model)) {
      const all = bytesOf(header + csv.join(''));
      expect([...scorer.csv(all).logits, ...scorer.end().logits]).toEqual(want);
      const found: number[] = [];
      for (let at = 0; at < all.length; at += 99_991) found.push(...scorer.csv(all.subarray(at, at + 99_991)).logits);
      expect([...found, ...scorer.end().logits]).toEqual(want);
    }
  });
  test('in a file of one column an empty line is a missing value, but at its end', () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ x: i, y: i % 3 ? 1 : 0 }));
    const { model: one } = fit(tableFromRecords(rows), { target: 'y' });
    for (const scorer of engines(one)) {
      const parts = [scorer.csv(bytesOf('x\n1\n\n')), scorer.csv(bytesOf('2\n\n')), scorer.end()];
      expect(parts.flatMap(({ defaulted }) => [...defaulted])).toEqual([0, 1, 0]);
    }
  });
  test('a label with a NUL, which no cell has, is not taken for the text before it', () => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const c = ['a\0', 'a\0', 'a\0', 'a', 'b'][i % 5];
      return { c, y: (c === 'a\0') !== i % 7 < 2 };
    });
    const c = { name: 'c', kind: 'categorical', levels: ['a\0', 'b', 'a'] } as const;
    const { model: odd } = fit(tableFromRecords(rows), { target: 'y', C: 1, schema: { features: [c] } });
    for (const scorer of engines(odd)) {
      const found = [...scorer.csv(bytesOf('c,x\na,1\nb,1\n')).logits, ...scorer.end().logits];
      expect(found).toEqual(['a', 'b'].map((label) => odd.score({ c: label }).logit));
    }
  });
  test('lines and csv do not mix', () => {
    for (const scorer of engines(model)) {
      scorer.csv(bytesOf('plan,'));
      expect(() => scorer.lines(bytesOf('{}'))).toThrow(
        'lines: expected the stream to go on with csv, got a chunk for lines; call end() first',
      );
      expect(() => scorer.end()).toThrow(RowError);
      expect(scorer.lines(bytesOf('')).rows).toBe(0);
      expect(scorer.end().rows).toBe(0);
    }
  });
});

describe('what is refused', () => {
  const model = models['conformance/categorical'];
  const head = 'plan,city,member,visits,score\n';
  const cases: readonly (readonly [name: string, text: string, row: number, offset: number, message: string])[] = [
    [
      'an absent column',
      'plan,city\na,b\n',
      0,
      0,
      'header: expected columns "member", "visits", "score", got "plan", "city"; add what is absent under that name (null for a missing value)',
    ],
    [
      'a column twice',
      'plan,plan,city\n',
      0,
      0,
      'header: expected distinct column names, got "plan" twice; rename one',
    ],
    [
      'no header',
      '\n\n',
      0,
      2,
      'row 0 (from 0), byte 2 (from 0): expected a header, got something else; write the names of the columns in the first line',
    ],
    [
      'two delimiters',
      'a,b;c\n',
      0,
      0,
      'row 0 (from 0), byte 0 (from 0): expected one mark between the names, not several equally often, got something else; write the line sep=, before it',
    ],
    [
      'a cell too few',
      `${head}a,b,true,1\n`,
      0,
      30,
      'row 0 (from 0), byte 30 (from 0): expected 5 cells, got 4; correct it and send it again',
    ],
    [
      'a cell too many',
      `${head}a,b,true,1,2\na,b,true,1,2,3\n`,
      1,
      43,
      'row 1 (from 0), byte 43 (from 0): expected 5 cells, got 6; correct it and send it again',
    ],
    [
      'text for a number',
      `${head}a,b,true,1,far\n`,
      0,
      30,
      'record 0 (from 0), field "score": expected a finite number, got text; leave it empty for a missing value',
    ],
    [
      'an open quote',
      `${head}a,"b,true,1,2\n`,
      0,
      32,
      'row 0 (from 0), byte 32 (from 0): expected a closing quote, got the end; correct it and send it again',
    ],
    [
      'a NUL',
      `${head}a,b\0,true,1,2\n`,
      0,
      33,
      'row 0 (from 0), byte 33 (from 0): expected no NUL character, got one; correct it and send it again',
    ],
    [
      'the header again',
      `${head}${head}`,
      0,
      30,
      'row 0 (from 0), byte 30 (from 0): expected a record behind the header, got something else; remove the second header',
    ],
  ];
  test.each(cases)('%s', (_, text, row, offset, message) => {
    for (const scorer of engines(model)) {
      let error: RowError | undefined;
      try {
        scorer.csv(bytesOf(text));
        scorer.end();
      } catch (thrown) {
        error = thrown as RowError;
      }
      expect(error).toBeInstanceOf(RowError);
      expect([error?.row, error?.offset, error?.message]).toEqual([row, offset, message]);
      expect(scorer.end().rows).toBe(0);
    }
  });
  test('a record of more than 2 MiB, in bounded memory', () => {
    for (const scorer of engines(model)) {
      scorer.csv(bytesOf(`${head}a,"`));
      const chunk = bytesOf('x'.repeat(2 ** 16));
      expect(() => {
        for (let i = 0; i < 40; i++) scorer.csv(chunk);
      }).toThrow(/expected a record of at most 2 MiB/);
    }
  });
  test('a record of more than 2 MiB that ends in the chunk, and nothing else', () => {
    const row = (length: number) => `a,"${'x'.repeat(length - 13)}",true,1,2`;
    for (const scorer of engines(model, 'collect')) {
      const { rows, errors } = scorer.csv(bytesOf(`${head}a,b,true,1,2\n${row(2 ** 21 + 1)}\n${row(2 ** 21)}\n`));
      expect(rows).toBe(3);
      expect(errors.map((error) => [error.row, error.offset, error.code])).toEqual([[1, 43, 'ERR_DATA']]);
      expect(scorer.end().rows).toBe(0);
    }
  });
  test('a faulty row with the chunk that ends its line', () => {
    for (const scorer of engines(model, 'collect')) {
      scorer.csv(bytesOf(head));
      expect(scorer.csv(bytesOf('"a"x,b,true,1,2\n')).errors.length).toBe(1);
      expect(scorer.csv(bytesOf('a\0,b,true,1,2\n')).errors.length).toBe(1);
      expect(scorer.end().rows).toBe(0);
    }
  });
  test('the size of chunks and the number of columns do not multiply the work', () => {
    const columns = Array.from({ length: 50_000 }, (_, i) => `k${i}`).join();
    const long = bytesOf(`a,"${'x'.repeat(300_000)}",true,1,2\n`);
    for (const scorer of engines(model)) {
      expect(scorer.csv(bytesOf(`${head.trim()},${columns}\na,b,true,1,2,${columns}\n`)).rows).toBe(1);
      scorer.end();
      scorer.csv(bytesOf(head));
      let rows = 0;
      for (let at = 0; at < long.length; at++) rows += scorer.csv(long.subarray(at, at + 1)).rows;
      expect(rows).toBe(1);
      scorer.end();
    }
  });
  test('the rows around one that is collected are scored', () => {
    for (const scorer of engines(model, 'collect')) {
      const { labels, errors } = scorer.csv(bytesOf(`${head}a,b,true,1,2\na,"b"x,true,1,2\na,b,true,1,2\n`));
      expect(labels[1]).toBe(NO_LABEL);
      expect([labels[0], labels[2]].every((label) => label < 2)).toBe(true);
      expect(errors.map(({ row }) => row)).toEqual([1]);
    }
  });
});
