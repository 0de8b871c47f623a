import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
// @ts-expect-error plain JavaScript
import { fileOf } from '../bundlers/fileOf.mjs';

test('the server of the bundler tests serves its folder and nothing else', () => {
  const folder = join(sep, 'a', 'app');
  expect(fileOf(folder, '/x/y%20z.js?q=1')).toBe(join(folder, 'x', 'y z.js'));
  for (const path of ['/..%2f..%2fetc/passwd', '/%2e%2e%2fapp2/x', '/x%2f..%2f..%2fb', '/%00', '/%ff', '//'])
    expect([path, fileOf(folder, path)]).toEqual([path, null]);
});
