import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelLog, labelOf, predictionLog, predictionOf } from '../../src/monitor.ts';
import { sweep } from '../full.ts';

const SHA = 'ab'.repeat(32);
const line = {
  at: '2026-03-01T12:00:00.250Z',
  id: 'r1',
  entity: 'c7',
  model: 'flights',
  version: '3',
  sha256: SHA,
  route: 'challenger',
  logit: -0.25,
  probability: 0.4378,
  label: 'no',
  inputs: { distance: 12 },
};

describe('a line of a prediction log', () => {
  test('is a prediction, its time in milliseconds; what else it has is left out', () => {
    expect(predictionOf({ ...line, more: 1 }).row).toEqual({ ...line, at: Date.parse(line.at) });
    expect(
      predictionOf({ ...line, at: 5, entity: null, route: undefined, inputs: null, logit: [1, 2, 3] }).row,
    ).toMatchObject({
      at: 5,
      entity: null,
      route: null,
      inputs: null,
      logit: [1, 2, 3],
    });
  });

  test.each([
    ['at', 'yesterday'],
    ['at', '2026-03-01'],
    ['at', Number.NaN],
    ['id', ''],
    ['id', 7],
    ['entity', 7],
    ['model', null],
    ['version', 3],
    ['sha256', 'AB'.repeat(32)],
    ['sha256', `${SHA}0`],
    ['route', 1],
    ['logit', null],
    ['logit', Number.POSITIVE_INFINITY],
    ['logit', [1]],
    ['logit', [1, '2']],
    ['probability', 1.5],
    ['probability', '0.5'],
    ['label', 1],
    ['inputs', []],
    ['inputs', 'x'],
  ] as const)('names the field: %s %j', (field, value) => {
    expect(predictionOf({ ...line, [field]: value }).fault?.field).toBe(field);
  });

  test.each([[null], ['x'], [[]], [7]])('%j is no object', (value) => {
    expect(predictionOf(value).fault).toEqual({ field: null, rule: 'an object' });
    expect(labelOf(value).fault).toEqual({ field: null, rule: 'an object' });
  });

  test('fields of a prototype are none', () => {
    expect(predictionOf(Object.create(line)).fault?.field).toBe('at');
  });
});

test('labels have an id or an entity, and the text of a class', () => {
  expect(labelOf({ id: 'a', label: true, at: 5 }).row).toEqual({ id: 'a', label: 'true', at: 5 });
  expect(labelOf({ entity: 'c', label: 'x', at: 5, outcomeAt: '2026-01-01T00:00:00+01:00' }).row?.outcomeAt).toBe(
    Date.parse('2025-12-31T23:00:00Z'),
  );
  expect(labelOf({ label: 'x', at: 5 }).fault?.field).toBe('id');
  expect(labelOf({ id: 'a', label: null, at: 5 }).fault?.field).toBe('label');
  expect(labelOf({ id: 'a', label: 'x', at: 5, outcomeAt: 'soon' }).fault?.field).toBe('outcomeAt');
});

describe('a log in pieces', () => {
  const text = [
    JSON.stringify(line),
    '',
    '{"id": NaN}',
    JSON.stringify({ ts: 1, message: 'another schema' }),
    JSON.stringify({ ...line, id: 'r2', sha256: 'cd'.repeat(32) }),
    JSON.stringify({ ...line, id: 'r3', probability: 7 }),
    `{"id":"${'x'.repeat(2000)}"}`,
    JSON.stringify({ ...line, id: 'ä r4' }),
    JSON.stringify(line).slice(0, 60),
  ].join('\r\n');

  const read = (pieces: readonly string[]) => {
    const log = predictionLog({ known: [SHA], longest: 1000 });
    const rows = [...pieces.flatMap((piece) => log.add(piece)), ...log.end()];
    return { ids: rows.map(({ id }) => id), counts: log.counts, faults: log.faults, unknown: log.unknownModels };
  };

  test('names and counts what is no line, and reads the rest', () => {
    expect(read([text])).toEqual({
      ids: ['r1', 'ä r4'],
      counts: { lines: 8, read: 2, cut: 1, notJson: 1, otherSchema: 2, tooLong: 1, unknownModel: 1 },
      faults: [
        { field: 'at', rule: 'a time in ISO 8601 with its zone, or milliseconds since 1970', count: 1, line: 3 },
        { field: 'probability', rule: 'a number from 0 to 1', count: 1, line: 5 },
      ],
      unknown: { ['cd'.repeat(32)]: 1 },
    });
  });

  test('says the same wherever it is cut', () => {
    const whole = read([text]);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(read(at.slice(1).map((end, i) => text.slice(at[i], end)))).toEqual(whole);
      }),
      { seed: 21, numRuns: sweep(200, 2000) },
    );
  });

  test('never throws and counts every line, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), fc.constant(JSON.stringify(line)))), (lines) => {
        const log = predictionLog();
        log.add(lines.join('\n'));
        log.end();
        const { lines: all, ...parts } = log.counts;
        expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(all);
      }),
      { seed: 22, numRuns: sweep(300, 3000) },
    );
  });

  test('a last line without its end is read if it is whole', () => {
    const log = labelLog();
    expect(log.add('{"id":"a","label":"x","at":1}')).toEqual([]);
    expect(log.end()).toEqual([{ id: 'a', label: 'x', at: 1 }]);
    expect(log.end()).toEqual([]);
    expect(log.counts).toMatchObject({ lines: 1, read: 1, cut: 0 });
  });

  test('unknown digests are named to a hundred', () => {
    const log = predictionLog({ known: [] });
    for (let i = 0; i < 150; i++) log.add(`${JSON.stringify({ ...line, sha256: i.toString(16).padStart(64, '0') })}\n`);
    expect(Object.keys(log.unknownModels)).toHaveLength(101);
    expect(log.unknownModels['others']).toBe(50);
  });

  test('a line without an end takes no more memory than the longest', () => {
    const log = predictionLog({ longest: 100 });
    for (let i = 0; i < 1000; i++) log.add('x'.repeat(99));
    expect(log.add(`\n${JSON.stringify(line)}\n`)).toEqual([]);
    expect(log.counts).toMatchObject({ lines: 2, tooLong: 2 });
    expect(() => predictionLog({ longest: 0 })).toThrow(/longest/);
    expect(() => labelLog({ known: [], long: 1 } as never)).toThrow(/long/);
  });
});
