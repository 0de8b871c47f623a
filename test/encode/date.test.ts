import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDate, partOf } from '../../src/encode/date.ts';
import type { DatePart } from '../../src/encode/schema.ts';
import { fixture } from './fixture.ts';

interface Dated {
  readonly text: string;
  readonly zoned: string;
  readonly epochMs: number;
  readonly parts: Record<DatePart, number>;
}

test('dates of three thousand years, with and without zone, and their parts are those of Python', () => {
  for (const { text, zoned, epochMs, parts } of fixture.dates as Dated[]) {
    expect(parseDate(text)).toBe(epochMs);
    expect(parseDate(zoned)).toBe(epochMs);
    for (const [part, value] of Object.entries(parts)) {
      expect([text, part, partOf(epochMs, part as DatePart)]).toEqual([text, part, value]);
    }
  }
});

test.each([
  ['2024-05-03', '2024-05-03T00:00:00.000Z'],
  ['2024-05-03T12:30', '2024-05-03T12:30:00.000Z'],
  ['2024-05-03 12:30:15.5', '2024-05-03T12:30:15.500Z'],
  ['2024-05-03 12:30:15,07', '2024-05-03T12:30:15.070Z'],
  ['2024-05-03T12:30:15.123456789Z', '2024-05-03T12:30:15.123Z'],
  ['2024-05-03T12:30Z', '2024-05-03T12:30:00.000Z'],
  ['2024-05-03T12:30+02:00', '2024-05-03T10:30:00.000Z'],
  ['2024-05-03T12:30:15.9-0930', '2024-05-03T22:00:15.900Z'],
  ['2024-05-03T12:30:15+02', '2024-05-03T10:30:15.000Z'],
  ['2000-02-29', '2000-02-29T00:00:00.000Z'],
  ['0000-02-29', '0000-02-29T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, expected) => {
  expect(parseDate(text)).toBe(Date.parse(expected));
});

test.each([
  '2023-02-29',
  '1900-02-29',
  '2024-04-31',
  '2024-00-10',
  '2024-13-10',
  '2024-05-00',
  '2024-05-32',
  '2024-5-3',
  '3/5/2024',
  'May 3, 2024',
  '20240503',
  '2024-05',
  ' 2024-05-03',
  '2024-05-03 ',
  '2024-05-03\n',
  '2024-05-03T',
  '2024-05-03T12',
  '2024-05-03T24:00',
  '2024-05-03T12:60',
  '2024-05-03T12:30:60',
  '2024-05-03T12:30:15.',
  '2024-05-03T12:30:15.1234567890',
  '2024-05-03Z',
  '2024-05-03T12:30+24:00',
  '2024-05-03T12:30+02:60',
  '2024-05-03T12:30+2:00',
  '+002024-05-03',
  '٢٠٢٤-٠٥-٠٣',
  '',
  'x'.repeat(1e7),
])('%.40s is no date', (text) => {
  expect(parseDate(text)).toBe(null);
});

test('every time of a Date is read back, and its parts are those of the calendar of the runtime', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const ms = date.getTime();
      expect(parseDate(date.toISOString())).toBe(ms);
      expect(partOf(ms, 'year')).toBe(date.getUTCFullYear());
      expect(partOf(ms, 'month')).toBe(date.getUTCMonth() + 1);
      expect(partOf(ms, 'day')).toBe(date.getUTCDate());
      expect(partOf(ms, 'weekday')).toBe(date.getUTCDay() || 7);
      expect(partOf(ms, 'minute')).toBe(date.getUTCMinutes());
    }),
    { numRuns: 1000, seed: 2 },
  );
});

test('parts of no number are no number', () => {
  expect(partOf(Number.NaN, 'year')).toBeNaN();
  expect(partOf(Number.POSITIVE_INFINITY, 'weekday')).toBeNaN();
});
