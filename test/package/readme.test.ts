import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const readme = readFileSync('README.md', 'utf8');

test('the example of the README runs as printed', () => {
  const code = readme.match(/```js\n([\s\S]*?)```/)?.[1];
  expect(code).toBeDefined();
  mkdirSync('build/readme', { recursive: true });
  writeFileSync('build/readme/example.mjs', code!);
  const out = execFileSync(process.execPath, ['build/readme/example.mjs'], { encoding: 'utf8' });
  const lines = out.trim().split('\n');
  expect(lines[0]).toContain('true');
  expect(out).toContain('(intercept)');
  expect(lines.at(-1)).toBe('true');
});

test('the README stays under 200 lines, ARCHITECTURE under 150', () => {
  expect(readme.split('\n').length).toBeLessThan(200);
  expect(readFileSync('ARCHITECTURE.md', 'utf8').split('\n').length).toBeLessThan(150);
});
