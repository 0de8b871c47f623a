import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { gate } from '../../cli/src/commands/gate.ts';
import { train } from '../../cli/src/commands/train.ts';
import { rulesOf } from '../../cli/src/jobs/gate/readRules.ts';

/*
 * deploy/pipelines/ against the command. `npm run test:service -- pipelines` asks the linter of each platform.
 */

// biome-ignore lint/suspicious/noExplicitAny: documents of many schemas
type Doc = any;

const read = (file: string) => readFileSync(`deploy/pipelines/${file}`, 'utf8');
const flagsOf = (rows: readonly (readonly [flags: string, ...unknown[]])[]) =>
  new Map(rows.map(([flags]) => [flags.split(' ')[0], flags.includes('<')]));

/** Commands: how many arguments they take, and their flags with whether these take a value. */
const COMMANDS = new Map<string, { takes: number; flags: Map<string, boolean> }>([
  ...[train, gate].map((one) => [one.name, { takes: one.takes.length, flags: flagsOf(one.options) }] as const),
  // of the contract of the registry and of signatures
  ['pull', { takes: 1, flags: new Map([['--out', true]]) }],
  [
    'sign',
    {
      takes: 1,
      flags: new Map([
        ['--key', true],
        ['--passphrase', true],
      ]),
    },
  ],
  [
    'push',
    {
      takes: 1,
      flags: new Map([
        ['--name', true],
        ['--alias', true],
      ]),
    },
  ],
  ['registry alias', { takes: 3, flags: new Map() }],
]);

/** The command lines in a shell text. */
const inShell = (text: string): string[][] =>
  [...text.matchAll(/\blogodds ((?:train|pull|gate|sign|push|registry)\b[^\n)|]*)/g)].map(([, line]) =>
    line
      .replace(/ > .*$/, '')
      .trim()
      .split(/ +/)
      .map((word) => word.replaceAll('"', '')),
  );

const github = parse(read('github.yml')) as Doc;
const gitlab = parse(read('gitlab-ci.yml')) as Doc;
const argo = parse(read('argo.yaml')) as Doc;
const LINES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'github.yml': Object.values<Doc>(github.jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run = '' }: Doc) => inShell(run)),
  ),
  'gitlab-ci.yml': ['train', 'gate', 'release', 'promote'].flatMap((job) => gitlab[job].script.flatMap(inShell)),
  'argo.yaml': argo.spec.templates.flatMap(({ container }: Doc) => (container ? [container.args] : [])),
};

test.each(Object.entries(LINES))(
  '%s: train, pull, gate, sign, push, promote, by commands and flags that there are',
  (_, lines) => {
    const names = lines.map(([name, second]) => (name === 'registry' ? `${name} ${second}` : name));
    expect(names).toEqual(['train', 'pull', 'gate', 'sign', 'push', 'registry alias']);
    lines.forEach((words, k) => {
      const { takes, flags } = COMMANDS.get(names[k])!;
      const given: string[] = [];
      for (let at = names[k].split(' ').length; at < words.length; at++) {
        if (!words[at].startsWith('--')) given.push(words[at]);
        else {
          expect(flags.has(words[at]), `${names[k]} ${words[at]}`).toBe(true);
          if (flags.get(words[at])) at++;
        }
      }
      expect([names[k], given.length]).toEqual([names[k], takes]);
    });
  },
);

test('rules of the example are rules', () => {
  expect(() => rulesOf('gate.json', JSON.parse(read('gate.json')))).not.toThrow();
  expect(readdirSync('deploy/pipelines').sort()).toEqual(['README.md', ...Object.keys(LINES), 'gate.json'].sort());
});

test('a version is told from push to promote, and the workflow waits for a person before', () => {
  expect(github.jobs.promote.environment).toBe('champion');
  expect(gitlab.promote.rules[0].when).toBe('manual');
  const steps = argo.spec.templates[0].steps.flat().map(({ name }: Doc) => name);
  expect(steps.slice(-2)).toEqual(['approve', 'promote']);
});
