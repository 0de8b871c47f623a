import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bodyOf } from '../../cli/src/serve/body.ts';
import type { Served } from '../../service/src/models/served.ts';
import { ScoreJson } from '../../service/src/responses/scoreJson.ts';
import { ScoreRows } from '../../service/src/responses/scoreRows.ts';
import { encoded } from '../../service/src/responses/text.ts';
import type { Answer } from '../../service/src/scoring/question.ts';
import { random } from '../train/oracles.ts';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const next = random(5);
const decoder = new TextDecoder();
const ODD = [0, -0, 1, 1e-300, -1e21, 5e-7, Number.NaN, Number.POSITIVE_INFINITY];
const numbers = (length: number) =>
  Float64Array.from({ length }, () => (next() < 0.1 ? ODD[Math.floor(8 * next())] : 10 * next() - 5));

/** A model of which only what is written counts. */
const servedOf = (classes: readonly string[], vectors: number, abstain: object | null) =>
  ({
    name: 'm "1"',
    version: '1',
    sha256: 'ab',
    model: { manifest: { classes, decision: { abstain } }, intercept: new Float64Array(vectors) },
  }) as unknown as Served;

function answerOf(
  rows: number,
  vectors: number,
  classes: number,
  hasReview: boolean,
  faults: readonly number[],
): Answer {
  const bad = new Set(faults);
  return {
    scores: {
      rows,
      logits: numbers(rows * vectors),
      probabilities: numbers(rows * vectors),
      // a row with a fault has the label of none
      labels: Uint32Array.from({ length: rows }, (_, row) =>
        bad.has(row) ? 0xffffffff : Math.floor(classes * next()),
      ),
      defaulted: Float64Array.from({ length: rows }, () => Math.floor(4 * next()) / 3),
      outOfRange: numbers(rows),
      review: hasReview ? Uint8Array.from({ length: rows }, () => Number(next() < 0.5)) : null,
      errors: [],
    },
    faults: faults.map((row) => ({ row, error: Object.assign(new Error(`no "${row}"`), { code: 'ERR_RECORD' }) })),
    details: [],
  };
}

test.each([
  ['of two classes', ['no', 'yés "1"'], 1, false],
  ['with a band for review', ['no', 'yes'], 1, true],
  ['of several classes', ['a', 'b,\n', 'c'], 3, false],
  ['of several classes, with a band for review', ['a', 'b', 'c', 'd'], 4, true],
] as const)('many rows have the bytes of each: %s', (_, classes, vectors, hasReview) => {
  const served = servedOf(classes, vectors, hasReview ? { low: 0.4 } : null);
  const [one, many] = [new ScoreJson(served), new ScoreRows(served)];
  const faults = [[], [0], [299], [3, 4, 5, 100], Array.from({ length: 300 }, (_, row) => row)];
  for (const rows of [0, 1, 7, 8, 300])
    for (const bad of faults) {
      if (bad.some((row) => row >= rows)) continue;
      const answer = answerOf(rows, vectors, classes.length, hasReview, bad);
      for (const end of [',', '\n'] as const) {
        const expected = one.rows(answer).map((row) => `${row}${end}`);
        const text = decoder.decode(encoded(many.text(answer, end)));
        // one that differs is easier to read than all
        let at = 0;
        for (const row of expected) {
          if (!text.startsWith(row, at)) expect(text.slice(at, at + row.length)).toBe(row);
          at += row.length;
        }
        expect(text.length).toBe(at);
      }
    }
});

const records = Array.from({ length: 40 }, (_, i) => ({ code: String(i % 3), x: i / 7 - 2 }));
const scores = records.map((record) => models.codes.score(record));

test('every protocol answers many rows with the numbers of model.score, spelled as JSON.stringify does', async () => {
  const { ask } = serviceOf('codes');
  const text = async (path: string, body: object | string, type: Record<string, string> = JSON_TYPE) => {
    const response = await ask(path, typeof body === 'string' ? body : JSON.stringify(body), type);
    const found = await response.text();
    expect([path, response.status]).toEqual([path, 200]);
    return found;
  };
  const probabilities = scores.map(({ probability }) => probability);
  const predictions = JSON.stringify({ predictions: probabilities });
  const csv = ['code,x', ...records.map(({ code, x }) => `${code},${x}`)].join('\n');
  expect(await text('/v1/models/codes:predict', { instances: records })).toBe(predictions);
  expect(await text('/invocations', { dataframe_records: records })).toBe(predictions);
  expect(await text('/invocations', csv, { 'content-type': 'text/csv' })).toBe(predictions);
  const own = await text('/models/codes/score', records);
  expect(own).toBe(JSON.stringify(JSON.parse(own)));
  expect(JSON.parse(own).scores.map(({ probability }: { probability: number }) => probability)).toEqual(probabilities);
  const inputs = [
    { name: 'code', shape: [40], datatype: 'BYTES', data: records.map(({ code }) => code) },
    { name: 'x', shape: [40], datatype: 'FP64', data: records.map(({ x }) => x) },
  ];
  const v2 = await text('/v2/models/codes/infer', { inputs });
  expect(v2).toBe(JSON.stringify(JSON.parse(v2)));
  expect(JSON.parse(v2).outputs.map(({ name, data }: { name: string; data: unknown }) => [name, data])).toEqual([
    ['probability', codesOf(probabilities)],
    ['label', scores.map(({ label }) => label)],
    ['logit', scores.map(({ logit }) => logit)],
  ]);
});

/** Of each row the probabilities of both classes. */
function codesOf(probabilities: readonly number[]): number[] {
  const { classes, positive } = models.codes.manifest;
  return probabilities.flatMap((p) => classes.map((name) => (name === positive ? p : 1 - p)));
}

test('CSV of many rows has the numbers of model.score, bad rows their error', async () => {
  const { ask } = serviceOf('codes');
  const lines = records.map(({ code, x }, i) => `${code},${i === 20 ? 'far' : x}`);
  const response = await ask('/models/codes/score', ['code,x', ...lines].join('\n'), { 'content-type': 'text/csv' });
  const [head, ...rows] = (await response.text()).trimEnd().split('\n');
  const { classes } = models.codes.manifest;
  expect(head).toBe(['row', ...classes.map((name) => `p_${name}`), 'label', 'error'].join());
  expect(rows[20]).toMatch(/^20,,,,"?row 20|^20,,,,.*record 20/);
  rows.forEach((row, i) => {
    if (i === 20) return;
    expect(row).toBe([i, ...codesOf([scores[i].probability]), scores[i].label, ''].join());
  });
});

/** A body that comes in pieces, each in a turn of its own or with the one before it. */
const arriving = (turns: readonly (readonly Uint8Array[])[]) => {
  const incoming = new Readable({ read() {} });
  const send = async () => {
    for (const turn of turns) {
      for (const piece of turn) incoming.push(piece);
      await new Promise((resolve) => setTimeout(resolve));
    }
    incoming.push(null);
  };
  return { incoming, send };
};
const piece = (length: number, byte: number) => new Uint8Array(length).fill(byte);

test('a body comes as what each turn of the event loop brings', async () => {
  const { incoming, send } = arriving([[piece(3, 1), piece(2, 2)], [piece(4, 3)], [piece(1, 4), piece(1, 5)]]);
  const reader = bodyOf(incoming).getReader();
  const read = async () => [...((await reader.read()).value ?? [])];
  const first = read();
  const sent = send();
  expect(await first).toEqual([1, 1, 1, 2, 2]);
  expect(await read()).toEqual([3, 3, 3, 3]);
  expect(await read()).toEqual([4, 5]);
  expect(await reader.read()).toEqual({ done: true, value: undefined });
  await sent;
});

test('a body that nobody reads is not taken, but for what was on its way', async () => {
  let made = 0;
  const incoming = new Readable({
    highWaterMark: 2 ** 16,
    read() {
      made += 2 ** 16;
      this.push(made > 2 ** 23 ? null : piece(2 ** 16, 1));
    },
  });
  const reader = bodyOf(incoming).getReader();
  let total = (await reader.read()).value!.length;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(made - total).toBeLessThanOrEqual(2 ** 18 + 2 * 2 ** 16);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
  }
  expect(total).toBe(2 ** 23);
});

test('a body that breaks off rejects; one that is left is not listened to', async () => {
  const broken = new Readable({ read() {} });
  const reader = bodyOf(broken).getReader();
  const read = reader.read();
  broken.destroy();
  await expect(read).rejects.toThrow('Premature close');
  const left = new Readable({ read() {} });
  const other = bodyOf(left).getReader();
  const waits = other.read();
  await other.cancel();
  expect(await waits).toEqual({ done: true, value: undefined });
  expect(left.listenerCount('data')).toBe(0);
});
