import { expect, test } from 'vitest';
// @ts-expect-error plain JavaScript
import { judge, linesOf, summaryOf, tableOf } from './judge.mjs';

const seen = { signal: 'monitor: amount drifted', requests: 200, seconds: 1.5 };
const ledger = { sent: 210, scored: 200, refused: { ERR_RECORD: 10 }, cut: 0, lines: 200 };
const found = {
  id: 'F1',
  name: 'drift',
  by: 'monitor: drift',
  done: null,
  ledger,
  lost: 0,
  seconds: 2,
  seen,
  wrong: [],
};

test('what was not seen, or has something wrong, is not good and says so', () => {
  const judged = [
    judge(found, false),
    judge({ ...found, seen: null }, false),
    judge({ ...found, wrong: ['1 scores without a line in the log'] }, false),
  ];
  expect(judged.map(({ isGood }) => isGood)).toEqual([true, false, false]);
  expect(judged[1].wrong).toEqual(['not seen']);
  expect(linesOf(judged[2]).at(-1)).toBe('          WRONG  1 scores without a line in the log');
  expect(tableOf(judged).slice(2)).toEqual([
    expect.stringMatching(/^F1 +drift +not seen .* FAIL$/),
    expect.stringMatching(/FAIL$/),
  ]);
  // one that must ring, and did not
  const alarmed = { ...found, alarm: 'LogoddsRowsRefused' };
  expect(judge(alarmed, false).wrong).toEqual(['no alert LogoddsRowsRefused']);
  const alerts = [{ alert: 'LogoddsRowsRefused', of: null, requests: 1, seconds: 1, summary: 's' }];
  expect(judge({ ...alarmed, alerts }, false).isGood).toBe(true);
  expect(summaryOf(judged, 6, false)).toBe('1 of 3 seen and nothing lost, 6 s');
});

test('without its injection a failure that is seen is a false alarm', () => {
  expect(judge(found, true)).toMatchObject({
    isGood: false,
    wrong: ['seen without its injection: monitor: amount drifted'],
  });
  expect(judge({ ...found, seen: null }, true).isGood).toBe(true);
});
