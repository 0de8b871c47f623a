import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runSpark } from '../../cli/src/jobs/spark/python.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();

/** A program in place of Python, which says these lines and ends so. */
function program(lines: readonly string[], status = 0, said = ''): string {
  const text = lines.map((line) => `echo '${line}'`).join('\n');
  const name = write('python', `#!/bin/sh\n${text}\necho '${said}' >&2\nexit ${status}\n`);
  chmodSync(path(name), 0o755);
  return path(name);
}

const heard = () => {
  const notes: string[] = [];
  const shares: number[] = [];
  return { notes, shares, note: (text: string) => notes.push(text), progress: (share: number) => shares.push(share) };
};

describe('what Python says of a job of Spark', () => {
  test('notes and progress go on, the result comes back, and other lines are none', async () => {
    const events = heard();
    const said = [
      '{"note":"2 columns are not read"}',
      'Setting default log level',
      '{"progress":0.5}',
      '{"result":{"rows":7}}',
    ];
    expect(await runSpark(['score'], events, program(said))).toEqual({ rows: 7 });
    expect(events.notes).toEqual(['2 columns are not read']);
    expect(events.shares).toEqual([0.5]);
  });

  test('an error has its code', async () => {
    const said = ['{"error":{"code":"ERR_RECORD","message":"a.parquet, row 3 (from 0): …"}}'];
    const failed = runSpark(['score'], heard(), program(said, 1));
    await expect(failed).rejects.toMatchObject({ code: 'ERR_RECORD', message: 'a.parquet, row 3 (from 0): …' });
  });

  test('a Python without the packages, and none, are ERR_ENGINE with the next step', async () => {
    const without = runSpark(['score'], heard(), program([], 1, 'No module named logodds'));
    await expect(without).rejects.toMatchObject({
      code: 'ERR_ENGINE',
      message: expect.stringMatching(/No module named logodds.*pip install/),
    });
    const none = runSpark(['score'], heard(), 'no-such-python');
    await expect(none).rejects.toMatchObject({ code: 'ERR_ENGINE', message: expect.stringMatching(/no such command/) });
  });

  test('a result of a program that fails afterwards is none', async () => {
    await expect(runSpark(['score'], heard(), program(['{"result":{"rows":7}}'], 3))).rejects.toMatchObject({
      code: 'ERR_ENGINE',
    });
  });
});

test('what the rows of Spark have no use for is refused', () => {
  const spark = ['score', 'm.safetensors', 'rows.parquet', '--out', 'scores', '--spark', 'local[1]'];
  for (const option of [
    ['--threads', '2'],
    ['--precision', 'f32'],
    ['--na', 'x'],
    ['--csv-safe'],
    ['--max-unseen', '0.1'],
  ]) {
    const { status, stderr } = run([...spark, ...option]);
    expect([option[0], status]).toEqual([option[0], 2]);
    expect(stderr).toContain('cannot be used with');
  }
});
