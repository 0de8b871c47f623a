/** npm run fuzz:files -- --count 100000 --seed 1 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { differ, fileOf, isRead } from './compare.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'logodds-messy-'));
try {
  const from = Number(values.only ?? values.seed);
  const count = values.only === undefined ? Number(values.count) : 1;
  let [read, wrong] = [0, 0];
  for (let seed = from; seed < from + count && wrong < 20; seed++) {
    const difference = await differ(folder, seed).catch((error: Error) => `threw ${error.stack}`);
    if (isRead(seed)) read++;
    if (difference === null) continue;
    wrong++;
    const { name, bytes, options } = fileOf(seed);
    console.log(
      `file ${seed} (${name}, ${JSON.stringify(options)}): ${difference}\n${JSON.stringify(bytes.toString('latin1')).slice(0, 1500)}\n`,
    );
  }
  console.log(`${count} files from seed ${from}: ${read} read, ${count - read} refused, ${wrong} wrong`);
  process.exitCode = wrong > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
