import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { sweep } from '../full.ts';
import { modelFile } from '../registry/models.ts';
import { pushAtOnce } from '../registry/processes.ts';
import { workspace } from './run.ts';

/*
 * Real processes of the command on one folder.
 */

const space = workspace();
const { folder, write, json } = space;
const COMMAND = fileURLToPath(new URL('../../cli/bin/logodds.js', import.meta.url));

test('sixteen processes push and promote at once: a linear history, nothing lost', () => pushAtOnce(space, 'at-once'));

test('processes that are killed at any moment lose nothing that they said was done, and leave nothing half', async () => {
  const random = splitmix32(11);
  const files = Array.from({ length: 8 }, (_, k) => write(`killed-${k}.safetensors`, modelFile(k)));
  const at = ['--registry', 'killed'];
  // half of them with signatures, which one alias demands
  json(['keygen', '--out', 'killed.key']);
  for (const file of files.slice(0, 4)) json(['sign', file, '--key', 'killed.key']);
  const begun = json(['push', files[0], '--name', 'fraud', '--alias', 'champion', ...at]);
  expect(begun.version).toBe(1);
  json(['registry', 'demand', 'fraud', 'champion', '--key', 'killed.pem', ...at]);
  /** what processes said: aliases by the versions that they were given */
  const promised = new Map<string, number>();
  let killed = 0;
  let done = 0;
  /** how long four at once take when nobody kills them */
  let whole = Number.POSITIVE_INFINITY;
  const all = sweep(6, 40);
  for (let round = 0; killed < all; round++) {
    const begin = performance.now();
    const runs = Array.from({ length: 4 }, (_, k) => {
      const alias = `r${round}p${k}`;
      const file = files[Math.floor(random() * files.length)];
      const args = ['push', file, '--name', 'fraud', '--alias', alias, '--json', ...at];
      const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
      let stdout = '';
      child.stdout.on('data', (part) => {
        stdout += part;
      });
      return { alias, child, closed: new Promise((resolve) => child.once('close', resolve)), said: () => stdout };
    });
    await Promise.all(
      runs.map(async ({ child, closed }) => {
        // from before it reads the registry until after it has ended; of the first round none
        if (whole < Number.POSITIVE_INFINITY) await Promise.race([closed, wait(whole * (0.4 + 0.8 * random()))]);
        else await closed;
        if (child.exitCode === null && child.kill('SIGKILL')) killed++;
        await closed;
      }),
    );
    if (round === 0) whole = performance.now() - begin;
    for (const { alias, child, said } of runs) {
      if (child.exitCode !== 0) continue;
      done++;
      promised.set(alias, JSON.parse(said()).version);
    }
    const { versions, aliases } = json(['registry', 'show', 'fraud', ...at]);
    for (const [alias, version] of promised) expect(aliases[alias], `${alias} in round ${round}`).toBe(version);
    expect(aliases.champion).toBe(1);
    expect(versions.map(({ version }: { version: number }) => version)).toEqual(
      versions.map((_: unknown, k: number) => k + 1),
    );
    expect(new Set(versions.map(({ sha256 }: { sha256: string }) => sha256)).size).toBe(versions.length);
    expect(json(['registry', 'verify', ...at])).toMatchObject({ isSound: true, problems: [] });
  }
  expect(done).toBeGreaterThanOrEqual(4);
}, 1_200_000);
