import { expect, test } from 'vitest';
import type { BlockTask } from '../../bindings/blocks.ts';
import { Control, LATER, NONE } from '../../bindings/control.ts';
import { patienceOf } from '../../bindings/crew.ts';

const TASK: BlockTask = { kind: 'rows', kernel: 'sigmoidF64', args: [], steps: [], count: 0, part: 1 };

test('no block begins while the place of its result is taken, and results are found by their block', () => {
  const control = new Control(2);
  control.begin(TASK, 5, 2);
  expect([control.claim(), control.claim(), control.claim()]).toEqual([0, 1, LATER]);
  control.finish(1, 0.25);
  expect([control.result(0), control.result(1)]).toEqual([undefined, 0.25]);
  expect(control.claim()).toBe(LATER);
  control.finish(0, 0.5);
  expect(control.result(0)).toBe(0.5);
  control.taken(1);
  expect([control.claim(), control.claim()]).toEqual([2, LATER]);
  // the place of block 0 is block 2's now
  expect(control.result(2)).toBeUndefined();
  control.finish(2, 1);
  control.taken(3);
  expect([control.claim(), control.claim(), control.claim()]).toEqual([3, 4, NONE]);
});

test('nothing can be claimed of a job that was ended', () => {
  const control = new Control(2);
  control.begin(TASK, 5, 2);
  expect(control.claim()).toBe(0);
  control.end();
  expect(control.claim()).toBe(NONE);
  control.begin(TASK, 5, 2);
  expect(control.claim()).toBe(0);
});

test('both ends see one control: what a worker says of itself, and only its first words', () => {
  const control = new Control(3);
  const worker = new Control(3, control.shared);
  const known = control.news;
  worker.fail(2, 'first');
  worker.fail(2, 'second');
  expect([control.faults, control.fault, control.state(2), control.state(1)]).toEqual([1, 'first', 2, 0]);
  expect(control.waitForNews(known, 1000)).toBe(true);
  expect(control.waitForNews(control.news, 1)).toBe(false);
});

test('a task whose text has no room is refused before anybody sees it', () => {
  const control = new Control(2);
  expect(() => control.begin({ ...TASK, args: new Array(600).fill(1) } as BlockTask, 5, 2)).toThrow(
    /^task: expected at most 1023 characters, got \d+; use one thread$/,
  );
  expect(control.claim()).toBe(NONE);
});

test('patience grows with the work of a block', () => {
  const batch = { layout: 'rows', address: 0, extent: 4000, values: 0, slots: 4000, wide: true } as const;
  const hessian = { kind: 'hessian', batch, data: { classes: 1 }, block: 32768 } as BlockTask;
  expect(patienceOf(TASK)).toBe(60);
  // 5.2e11 multiply-adds, of which the slowest host does 1e8 a second
  expect(patienceOf(hessian)).toBe(60 + Math.ceil((32768 * 4001 ** 2) / 1e8));
});
