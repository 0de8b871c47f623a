import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Checkpoint } from '../../cli/src/jobs/spark/checkpoint.ts';
import type { Remote } from '../../src/internal.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
  path = join(folder, 'fit.ckpt');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Answers twice the first number, and counts its questions. */
class Doubling implements Remote {
  questions = 0;
  rows = 1;

  ask({ op }: { readonly op: string }, values: readonly Float64Array[] = []) {
    this.questions++;
    return { facts: null, values: Float64Array.of(op === 'encode' ? this.rows : 2 * values[0][0], -0, Number.NaN) };
  }
}

const params = (x: number) => [Float64Array.of(x)];

/** Encodes, and asks at 1, 2 … */
function run(remote: Remote, points: number): { checkpoint: Checkpoint; said: Float64Array[] } {
  const checkpoint = new Checkpoint(path, remote);
  checkpoint.ask({ op: 'encode' });
  const said = Array.from({ length: points }, (_, i) => checkpoint.ask({ op: 'at' }, params(i + 1)).values);
  checkpoint.close();
  return { checkpoint, said };
}

it('answers from the file what was asked before, with the same bits', () => {
  const first = run(new Doubling(), 3);
  const remote = new Doubling();
  const second = run(remote, 5);
  expect(remote.questions).toBe(1 + 2);
  expect(second.checkpoint.answered).toBe(3);
  second.said.slice(0, 3).forEach((values, i) => {
    expect(new BigUint64Array(values.buffer)).toEqual(new BigUint64Array(first.said[i].buffer));
  });
  expect(second.said[4][0]).toBe(10);
});

it('another question is none that was asked', () => {
  run(new Doubling(), 1);
  const remote = new Doubling();
  const checkpoint = new Checkpoint(path, remote);
  checkpoint.ask({ op: 'encode' });
  checkpoint.ask({ op: 'hessian' }, params(1));
  checkpoint.ask({ op: 'at', columns: [0] }, params(1));
  checkpoint.ask({ op: 'at' }, params(-1));
  checkpoint.close();
  expect(remote.questions).toBe(4);
});

it('a record that was cut short, or changed, is asked for again', () => {
  run(new Doubling(), 3);
  const whole = readFileSync(path);
  for (let cut = 1; cut < whole.length; cut += 7) {
    writeFileSync(path, whole);
    truncateSync(path, whole.length - cut);
    expect(run(new Doubling(), 3).said[2][0]).toBe(6);
    expect(readFileSync(path)).toEqual(whole);
  }
  const changed = Uint8Array.from(whole);
  changed[whole.length - 20] ^= 1;
  writeFileSync(path, changed);
  const remote = new Doubling();
  expect(run(remote, 3).said[2][0]).toBe(6);
  expect(remote.questions).toBe(2);
});

it('a file of other rows, or another file, is refused and stays as it is', () => {
  run(new Doubling(), 2);
  const other = new Doubling();
  other.rows = 2;
  expect(() => run(other, 1)).toThrow(/expected a checkpoint of these rows, partitions and options/);
  writeFileSync(path, 'mine');
  expect(() => run(new Doubling(), 1)).toThrow(/expected a checkpoint/);
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

it('is removed when the fit is done', () => {
  run(new Doubling(), 2).checkpoint.remove();
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});
