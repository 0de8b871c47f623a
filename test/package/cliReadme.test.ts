import { copyFileSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { oracle, workspace } from '../cli/run.ts';

const { run, path } = workspace();
const blocks = [...readFileSync('cli/README.md', 'utf8').matchAll(/```console\n([\s\S]*?)```/g)].map(
  ([, text]) => text,
);

/** Commands of a block, each with the lines it is said to print. */
const steps = blocks.flatMap((text) =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command, ...lines] = step.trimEnd().split('\n');
      return { command, lines };
    }),
);

test('the README of the command shows what its commands print', () => {
  expect(steps.length).toBe(4);
  for (const file of ['pima_train.csv', 'pima_test.csv']) copyFileSync(oracle(file), path(file));
  for (const { command, lines } of steps) {
    const [program, ...args] = command.split(' ');
    let printed: string[];
    if (program === 'head') {
      expect(args[0]).toBe('-3');
      printed = readFileSync(path(args[1]), 'utf8').split('\n').slice(0, 3);
    } else {
      expect(program).toBe('logodds');
      const { status, stdout, stderr } = run(args);
      expect(status, stderr).toBe(0);
      printed = stdout.trimEnd().split('\n');
    }
    // a line "…" stands for some; the others come one after another
    let at = 0;
    for (const [i, line] of lines.entries()) {
      if (line === '…') continue;
      const found = printed.indexOf(line, at);
      expect(found, `${command}: ${line}`).toBeGreaterThanOrEqual(at);
      if (lines[i - 1] !== '…') expect(found, `${command}: lines before ${line}`).toBe(at);
      at = found + 1;
    }
    if (lines.at(-1) !== '…') expect(at, `${command}: lines at the end`).toBe(printed.length);
  }
});
