import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** decisions in force; others may name what is gone */
const DECISIONS = readdirSync('docs/decisions')
  .map((name) => `docs/decisions/${name}`)
  .filter((path) => /Status: in force/.test(readFileSync(path, 'utf8')));
const GUIDES = [
  'README.md',
  'docs/README.md',
  'docs/reference.md',
  ...readdirSync('docs/guide')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/guide/${name}`),
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/VERSIONING.md',
  'docs/rooms.md',
  'docs/walks.md',
  'cli/README.md',
  '.github/pull_request_template.md',
];
const WORKFLOWS = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
/** the address of a file of this repository, as packages name it */
const HERE = /https:\/\/github\.com\/logodds\/logodds\/(?:blob|tree)\/main\/([\w./-]+)/g;

test.each([...GUIDES, ...DECISIONS, ...WORKFLOWS])('%s names commands, files and functions that exist', (guide) => {
  const text = readFileSync(guide, 'utf8');
  const commands = [...text.matchAll(/\bnpm run (?:-s )?([\w:]+)/g), ...text.matchAll(/`((?:test|fuzz):\w+)`/g)];
  expect(commands.map(([, name]) => name).filter((name) => !(name in scripts))).toEqual([]);
  const files = [
    ...[...text.matchAll(/`((?:\.github|assembly|bindings|cli|docs|scripts|src|test)\/[\w./-]+)`/g)].map(
      ([, path]) => path,
    ),
    ...[...text.matchAll(HERE)].map(([, path]) => path),
    ...[...text.matchAll(/\]\((?!https?:)([\w./-]+)\)/g)].map(([, path]) => join(dirname(guide), path)),
  ];
  // a capital name stands for one to be written
  const named = files.filter((path) => !path.includes('NAME'));
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
  // `name` in `file`
  const parts = [
    ...text.matchAll(/`#?([\w$]+)`\s+in\s+`((?:assembly|bindings|cli|scripts|src|test)\/[\w/-]+\.m?[jt]s)`/g),
  ].map(([, name, path]) => ({
    name,
    path,
  }));
  const absent = ({ name, path }: { name: string; path: string }) =>
    !new RegExp(`\\b${name}\\b`).test(readFileSync(path, 'utf8'));
  expect(parts.filter(absent)).toEqual([]);
});

test('actions are pinned to a major version, and no workflow has more rights than it says for a job', () => {
  for (const workflow of WORKFLOWS) {
    const text = readFileSync(workflow, 'utf8');
    const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^actions\/[\w-]+@v\d+$/);
    expect(text).toMatch(/^permissions:(?: \{\}|\n {2}contents: read)$/m);
  }
  const writes = WORKFLOWS.flatMap((workflow) => readFileSync(workflow, 'utf8').match(/^.*: write\b/gm) ?? []);
  expect(writes.map((line) => line.trim())).toEqual(['id-token: write']);
});
