// The table was written by `LOGODDS_WRITE=1 npx vitest run test/monitor/driftSimulation.test.ts`, which takes some minutes.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FULL } from '../full.ts';
import { type Found, simulateDrift, WINDOWS } from './driftSimulation.ts';

const path = new URL('../fixtures/driftSimulation.json', import.meta.url);
const LEVEL = 0.05;
const [CALM, MOVED] = [300, 40];
if (process.env['LOGODDS_WRITE']) {
  const rows = simulateDrift(CALM, MOVED, WINDOWS);
  writeFileSync(path, `${JSON.stringify({ calm: CALM, moved: MOVED, rows }, null, 1)}\n`);
}
const table = JSON.parse(readFileSync(path, 'utf8')).rows as Found[];
const of = (name: string): Found[] => table.filter(({ detector }) => detector === name);

describe('drift of windows', () => {
  test.skipIf(!FULL)('finds what the committed table says', () => {
    const sizes = [200, 1000];
    expect(simulateDrift(CALM, MOVED, sizes)).toEqual(table.filter(({ rows }) => sizes.includes(rows)));
  });

  test('is simulated again with fewer windows: false alarms are rare, and great moves are found', () => {
    const [own] = simulateDrift(40, 20, [500]);
    expect(own.falseAlarms).toBeLessThan(1000 * (LEVEL + 3 * Math.sqrt((LEVEL * (1 - LEVEL)) / 40)));
    for (const what of ['mean', 'spread', 'category'] as const) expect(own[what]).toBeLessThan(1);
  });

  test('false alarms are at most nominal', () => {
    const most = 1000 * (LEVEL + 3 * Math.sqrt((LEVEL * (1 - LEVEL)) / CALM));
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
    expect(worse).toEqual(['1000 rows, mean', '1000 rows, spread']);
  });

  test('of windows of 200 to 5,000 rows together fewer calm ones are called drifted', () => {
    const sum = (rows: readonly Found[]): number => rows.reduce((total, { falseAlarms }) => total + falseAlarms, 0);
    expect(sum(of('logodds drift'))).toBeLessThan(sum(of('Evidently, by column')) / 5);
  });
});
