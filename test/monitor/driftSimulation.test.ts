// The table was written by `LOGODDS_WRITE=1 npx vitest run --mode full test/monitor/driftSimulation.test.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FULL } from '../full.ts';
import { type Found, simulateDrift, WINDOWS } from './driftSimulation.ts';

const path = new URL('../fixtures/driftSimulation.json', import.meta.url);
const LEVEL = 0.05;

describe('drift of windows', () => {
  const found = FULL ? simulateDrift(1000, 100) : simulateDrift(40, 20, [500]);
  const of = (name: string): Found[] => found.filter(({ detector }) => detector === name);

  test.skipIf(!FULL)('finds what the committed table says', () => {
    if (process.env['LOGODDS_WRITE']) writeFileSync(path, `${JSON.stringify(found, null, 1)}\n`);
    expect(found).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  test('false alarms are at most nominal', () => {
    const most = 1000 * (LEVEL + 3 * Math.sqrt((LEVEL * (1 - LEVEL)) / (FULL ? 1000 : 40)));
    for (const { rows, falseAlarms } of of('logodds drift')) expect([rows, falseAlarms <= most]).toEqual([rows, true]);
  });

  test('needs no greater move than the defaults of Evidently where these tell calm windows from others', () => {
    const peers = of('Evidently, by column');
    const worse = of('logodds drift').flatMap((own, k) =>
      // windows of 500 rows and fewer it calls drifted in any case
      peers[k].falseAlarms > 200
        ? []
        : (['mean', 'spread', 'category'] as const).flatMap((what) =>
            (own[what] ?? 9) > (peers[k][what] ?? 9) ? [`${own.rows} rows, ${what}`] : [],
          ),
    );
    // its limit of a tenth of a standard deviation is made for windows of this size
    expect(worse).toEqual(FULL ? ['1000 rows, mean'] : []);
    expect(WINDOWS).toHaveLength(4);
  });

  test.skipIf(!FULL)('of windows of 200 to 5,000 rows together fewer calm ones are called drifted', () => {
    const sum = (rows: readonly Found[]): number => rows.reduce((total, { falseAlarms }) => total + falseAlarms, 0);
    expect(sum(of('logodds drift'))).toBeLessThan(sum(of('Evidently, by column')) / 5);
  });
});
