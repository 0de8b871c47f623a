import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { simd } from '../engine/kernels.ts';

let program: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./script.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  program = outputFiles[0].text;
});

/** One part of script.ts in a process of its own, which must end by itself within 20 s. */
function run(part: string, ...flags: string[]) {
  const started = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-', part], {
    input: program,
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 20_000,
    encoding: 'utf8',
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return { seconds: (performance.now() - started) / 1000, value: JSON.parse(stdout) };
}

describe.runIf(simd)('workers', () => {
  test('take part', () => {
    for (const claimed of run('shares').value) expect(claimed).toBeGreaterThan(0);
  });

  test('do not hold the program open', () => {
    expect(run('ends').value).toBe(3);
    expect(run('endsAtOnce').value).toBe(4);
  });

  test('sleep while there is nothing to do: less than 100 ms of processor time in a second', () => {
    expect(run('idle').value).toBeLessThan(100);
  });

  test('one that exits in the middle of a job is an error at once, not a hang', () => {
    const { during, seconds, after, closed, expected } = run('exits').value;
    const error =
      'ERR_ENGINE threads: expected 2, got fewer: a worker has failed (it exited with code 3); close this engine and take a new one';
    expect(during).toBe(error);
    expect(after).toBe(error);
    expect(closed).toBe(expected);
    // far below the minute after which a silent worker is given up
    expect(seconds).toBeLessThan(5);
  });

  test('one that fails says why', () => {
    const { during, closed, expected } = run('throws').value;
    expect(during).toContain('got fewer: a worker has failed (Error: broken on purpose)');
    expect(closed).toBe(expected);
  });

  test('one that was ended from outside is an error of the next job', () => {
    const { before, after, expected } = run('terminated').value;
    expect(before).toBe(expected);
    expect(after).toContain('threads: expected 3, got fewer: worker 2 has ended (exit code 1)');
  });

  test('one that ends while nobody listens takes nothing with it', () => {
    const { after, expected } = run('terminatedUnheard').value;
    expect(after).toBe(expected);
  });

  test('one that does not start is an error, for those who wait and for the next job', () => {
    const { ready, job } = run('doesNotStart').value;
    expect(ready).toContain('ERR_ENGINE threads: expected 2, got fewer: worker 1 has ended (Error: not today)');
    expect(job).toBe(ready);
  });
});

describe('where threads cannot be had, one thread, and the reason', () => {
  test.runIf(simd).each([
    ['withoutSharedMemory', 'there is no SharedArrayBuffer (a page must be cross-origin isolated)'],
    ['withoutWorkers', 'there are no workers'],
    ['withoutSleep', 'this thread may not sleep (the main thread of a page): use a worker'],
  ])('%s', (part, why) => {
    const { name, threads, reason, gradient } = run(part).value;
    expect({ name, threads }).toEqual({ name: 'wasm', threads: 1 });
    expect(reason).toBe(`WebAssembly SIMD is available; one thread: threads cannot be had here: ${why}`);
    expect(gradient.length).toBe(3);
  });

  test('without WebAssembly SIMD: JavaScript', () => {
    const { value } = run('withoutSimd', '--no-enable-sse4-1', '--no-enable-ssse3');
    expect({ name: value.name, threads: value.threads }).toEqual({ name: 'js', threads: 1 });
    expect(value.reason).toMatch(
      /^WebAssembly SIMD is not available here .*; one thread: threads cannot be had here: /,
    );
    expect(value.gradient.length).toBe(3);
  });
});
