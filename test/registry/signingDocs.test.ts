import { copyFileSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';
import { longSentences } from '../package/sentences.ts';

// plain JavaScript, without declarations
const { differences, stepsOf } = await import(new URL('../../scripts/guide.mjs', import.meta.url).href);
const { folder, run, path } = workspace();

test('the commands of docs/SIGNATURES.md do what it says', () => {
  const markdown = readFileSync('docs/SIGNATURES.md', 'utf8');
  copyFileSync('test/conformance/codes.safetensors', path('loans.safetensors'));
  expect(stepsOf(markdown).length).toBeGreaterThanOrEqual(4);
  expect(differences(markdown, folder, run)).toEqual([]);
  expect(longSentences(markdown, 30)).toEqual([]);
});
