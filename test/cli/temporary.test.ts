import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { discard, runFolder } from '../../cli/src/write/temporary.ts';

test('signals are heard before the folder of a run is there, and until it is gone', () => {
  const place = mkdtempSync(join(tmpdir(), 'test-'));
  vi.stubEnv('TMPDIR', place);
  const seen: [string, number][] = [];
  const note = (name: string) => () => {
    seen.push([name, readdirSync(place).length]);
    return process;
  };
  vi.spyOn(process, 'on').mockImplementation(note('on'));
  vi.spyOn(process, 'off').mockImplementation(note('off'));
  const folders = [runFolder(), runFolder()];
  expect(readdirSync(place)).toHaveLength(1);
  for (const folder of folders) discard(folder);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true });
  expect(seen).toEqual(['on', 'on', 'on', 'off', 'off', 'off'].map((name) => [name, 0]));
});
