import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// plain JavaScript, without declarations
const { problems, released } = await import(new URL('../../scripts/release.mjs', import.meta.url).href);

const read = (file: string) => readFileSync(file, 'utf8');
const over = (files: Record<string, string>) => (file: string) => files[file] ?? read(file);
const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- One.\n\n## 0.0.1 (2026-01-01)\n\n- Zero.\n';

test('packages, lockfile and model files say one version', () => {
  expect(problems(read)).toEqual([]);
  const cli = read('cli/package.json').replace(/"version": "[^"]+"/, '"version": "9.9.9"');
  expect(problems(over({ 'cli/package.json': cli }))).toEqual([
    expect.stringMatching(/^cli\/package\.json: expected version \S+ \(of package\.json\), got 9\.9\.9;/),
  ]);
});

test('a release writes its version everywhere and dates what was unreleased', () => {
  const files = released(over({ 'CHANGELOG.md': CHANGELOG }), '7.8.10', '2026-12-01');
  expect(files['CHANGELOG.md']).toBe(CHANGELOG.replace('## Unreleased\n', '## Unreleased\n\n## 7.8.10 (2026-12-01)\n'));
  for (const file of [
    'package.json',
    'cli/package.json',
    'client/package.json',
    'openfeature/package.json',
    'service/package.json',
  ])
    expect(JSON.parse(files[file]).version).toBe('7.8.10');
  const lock = JSON.parse(files['package-lock.json']);
  expect(['', 'cli', 'client', 'openfeature', 'service'].map((folder) => lock.packages[folder].version)).toEqual(
    new Array(5).fill('7.8.10'),
  );
  expect(lock.version).toBe('7.8.10');
  expect(lock.packages.service.dependencies.logodds).toBe('7.8.10');
  expect(JSON.parse(files['service/package.json']).dependencies.logodds).toBe('7.8.10');
  expect(files['src/model/manifest.ts']).toContain("PRODUCER = 'logodds 7.8.10'");
  // nothing else changed
  const others = (text: string) => text.replaceAll(/\d+\.\d+\.\d+/g, '');
  for (const file of ['package.json', 'cli/package.json', 'package-lock.json', 'src/model/manifest.ts'])
    expect(others(files[file]), file).toBe(others(read(file)));
  const after = over(files);
  expect(problems(after, 'v7.8.10')).toEqual([]);
  expect(problems(after, 'v7.8.9')).toEqual(['tag: expected v7.8.10 (of package.json), got v7.8.9']);
  expect(() => released(after, '7.8.11', '2026-12-02')).toThrow('expected text under "Unreleased", got none');
});

test('a tag without an entry, or with changes that have none, is no release', () => {
  const { version } = JSON.parse(read('package.json'));
  expect(problems(over({ 'CHANGELOG.md': CHANGELOG }), `v${version}`)).toEqual([
    `CHANGELOG.md: expected an entry "## ${version} (date)", got none; run npm run release`,
    'CHANGELOG.md: expected nothing under "Unreleased", got text',
  ]);
});

test.each([
  ['1.0', 'expected MAJOR.MINOR.PATCH, got 1.0'],
  [undefined, 'expected MAJOR.MINOR.PATCH, got undefined'],
  ['0.0.9', 'or greater, got 0.0.9'],
])('%s is no next version', (version, sentence) => {
  expect(() => released(over({ 'CHANGELOG.md': CHANGELOG }), version, '2026-12-01')).toThrow(sentence);
});

test('a version that has an entry is not released again', () => {
  const changelog = CHANGELOG.replace('## 0.0.1 (', '## 9.0.0 (');
  expect(() => released(over({ 'CHANGELOG.md': changelog }), '9.0.0', '2026-12-01')).toThrow('without an entry');
});
