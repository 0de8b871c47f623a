import type { ChildProcess } from 'node:child_process';
import { expect } from 'vitest';
import type { workspace } from '../cli/run.ts';
import { modelFile } from './models.ts';

type Workspace = ReturnType<typeof workspace>;

/** Waits for a process. */
export async function ended(child: ChildProcess): Promise<{ status: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (part) => {
    stdout += part;
  });
  child.stderr!.on('data', (part) => {
    stderr += part;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}

/**
 * Sixteen processes push a model each with its signature, and promote it, which demands one; all at once. The history is linear then, nothing of it is lost.
 * @param env  further variables of the environment
 */
export async function pushAtOnce({ write, start, json }: Workspace, place: string, env: Record<string, string> = {}) {
  const numbers = Array.from({ length: 16 }, (_, k) => k);
  const files = numbers.map((k) => write(`at-once-${k}.safetensors`, modelFile(k)));
  const { keyId } = json(['keygen', '--out', 'at-once.key', '--force']);
  for (const file of files) json(['sign', file, '--key', 'at-once.key']);
  const demand = ['registry', 'demand', '*', 'champion', '--key', 'at-once.pem'];
  json([...demand, '--by', 'ann', '--registry', place], { env });
  const runs = await Promise.all(
    files.map((file, k) =>
      ended(
        start(
          ['push', file, '--name', 'fraud', '--alias', 'champion', '--by', `p${k}`, '--registry', place, '--json'],
          env,
        ),
      ),
    ),
  );
  for (const { status, stderr } of runs) expect(status, stderr).toBe(0);
  const versions = runs.map(({ stdout }) => JSON.parse(stdout).version);
  expect([...versions].sort((a, b) => a - b)).toEqual(numbers.map((k) => k + 1));

  const { events } = json(['registry', 'log', '--registry', place], { env });
  expect(events.map(({ seq }: { seq: number }) => seq)).toEqual(Array.from({ length: 49 }, (_, k) => k + 1));
  const signed = events.filter(({ event }: { event: string }) => event === 'signed');
  expect(new Set(signed.map((event: { keyId: string }) => event.keyId))).toEqual(new Set([keyId]));
  expect(signed).toHaveLength(16);
  // each promotion says what was champion before it: one at a time
  const promoted = events.filter(({ event }: { event: string }) => event === 'promoted');
  expect(promoted.map(({ from }: { from: number | null }) => from)).toEqual([
    null,
    ...promoted.slice(0, -1).map(({ version }: { version: number }) => version),
  ]);
  expect(new Set(promoted.map(({ by }: { by: string }) => by)).size).toBe(16);
  const shown = json(['registry', 'show', 'fraud', '--registry', place], { env });
  expect(shown.aliases).toEqual({ champion: promoted.at(-1).version });
  expect(json(['registry', 'verify', '--registry', place], { env })).toMatchObject({
    isSound: true,
    events: 49,
    files: 16,
  });
}
