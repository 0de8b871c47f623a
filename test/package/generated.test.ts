import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// plain JavaScript, without declarations
const { file, text } = await import(new URL('../../scripts/recordReads.mjs', import.meta.url).href);

test('the code that reads records is what its script writes', () => {
  const committed = readFileSync(file, 'utf8');
  expect(committed === text, 'src/encode/recordReads.ts: expected what scripts/recordReads.mjs writes; run it').toBe(
    true,
  );
});
