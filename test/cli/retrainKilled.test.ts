import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { FULL, sweep } from '../full.ts';
import { rowsOf } from './retrainCases.ts';
import { retraining } from './retrainPlaces.ts';

/*
 * A retraining is killed by SIGKILL at a step of its journal: before the line is written, when what it tells of is done, after it, within it, or while a command
 * goes on that it has started. The next one goes on: one version, one rollout, whole files, and it says what it took up.
 */

const { run, json, path, place, folder } = retraining();
const AT = fileURLToPath(new URL('kill/atStep.mjs', import.meta.url));
const ROLLOUT = ['--steps', '0.05,1', '--hold', '1d'];
const rows = rowsOf(6000, 2);

type When = 'before' | 'after' | 'within' | 'while';
const killed = (file: string, at: string, when: When, ...flags: string[]) =>
  run(['retrain', '--policy', file, '--json', ...flags], {
    node: ['--import', AT],
    env: { LOGODDS_KILL: JSON.stringify({ at, when }) },
  });

const BIN = fileURLToPath(new URL('../../cli/bin/logodds.js', import.meta.url));
const start = (flags: readonly string[], at: string, when: 'stopped') =>
  spawn(process.execPath, ['--import', AT, BIN, 'retrain', ...flags], {
    cwd: folder,
    env: { ...process.env, LOGODDS_KILL: JSON.stringify({ at, when }) },
    stdio: 'ignore',
  });

/** Names of a folder and of those below it. */
const names = (folder: string): string[] =>
  readdirSync(path(folder), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ name }) => name);

/** Kills, by the text of the line; how far the run is found to have come. A command that lives on may have done its work by then, or not. */
const STEPS: [at: string, when: When, ...from: string[]][] = [
  ['"step":"ran","command":"logodds push', 'before', 'version'],
  ['rollout', 'while', 'version', 'rollout'],
  ['"step":"set"', 'after', 'rows'],
  ['push', 'while', 'candidate', 'version'],
  ['train', 'while', 'rows', 'candidate'],
  ['"step":"ran","command":"logodds rollout', 'before', 'rollout'],
  ['"step":"started"', 'after', 'nothing'],
  ['"step":"set"', 'before', 'nothing'],
  ['"step":"set"', 'within', 'nothing'],
  ['"step":"ran","command":"logodds train', 'before', 'candidate'],
  ['"step":"ran","command":"logodds train', 'within', 'candidate'],
  ['"step":"pushed"', 'before', 'version'],
  ['"step":"pushed"', 'within', 'version'],
  ['"step":"pushed"', 'after', 'version'],
  ['"step":"ran","command":"logodds gate', 'before', 'version'],
  ['"step":"ran","command":"logodds registry', 'before', 'version'],
  ['"step":"ran","command":"logodds rollout', 'within', 'rollout'],
  ['"step":"ended"', 'before', 'rollout'],
  ['"step":"ended"', 'within', 'rollout'],
];

describe('a retraining that is killed', () => {
  test.each(sweep(STEPS.slice(0, 2), STEPS))('%s %s: goes on from the %s', (at, when, ...from) => {
    const { home, file, registry, go, entry, entries } = place(rows, { rollout: ROLLOUT, metrics: 'retrain.prom' });
    expect(killed(file, at, when, '--force').status).toBe(null);
    // whoever only looks changes nothing, and says it
    const before = readFileSync(path(`${home}/retrain/journal.jsonl`), 'utf8');
    expect(go('--dry-run').stderr).toMatch(/note: run 1 was cut short before its end: without --dry-run it goes on/);
    expect(readFileSync(path(`${home}/retrain/journal.jsonl`), 'utf8')).toBe(before);

    const { status, stderr, result } = go();
    expect([status, result?.why ?? stderr]).toEqual([0, result?.why ?? stderr]);
    expect(result).toMatchObject({ run: 1, by: ['force'], outcome: 'rollout', version: 2, why: null });
    expect(from).toContain(result.resumed);
    expect(stderr).toMatch(/note: run 1 was cut short before its end: /);
    const { versions, aliases, rollout } = entry();
    expect(versions).toHaveLength(2);
    expect([aliases, rollout.challenger]).toEqual([{ champion: 1, challenger: 2 }, 2]);
    const log = readFileSync(path(`${registry}/log.jsonl`), 'utf8');
    expect(log.match(/"event":"pushed"/g)).toHaveLength(2);
    expect(log.match(/"event":"rollout-started"/g)).toHaveLength(1);
    // half a line of the journal is all that may be left
    const whole = readFileSync(path(`${home}/retrain/journal.jsonl`), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line));
    expect(whole.filter(({ step }) => step === 'ended')).toMatchObject([{ run: 1, outcome: 'rollout', version: 2 }]);
    expect(names(`${home}/retrain`).filter((name) => /tmp|lock/.test(name))).toEqual([]);
    expect(names(registry).filter((name) => /tmp/.test(name))).toEqual([]);
    expect(readFileSync(path(`${home}/retrain.prom`), 'utf8')).toMatch('outcome="rollout"} 1\n');
    // it has ended: another look is a look
    expect(go().result).toMatchObject({ outcome: null, resumed: null });
    if (when !== 'within') expect(entries().every(({ run }) => run >= 1)).toBe(true);
  });

  test('at its look, nothing had begun: the next one looks, and folders of looks do not take the place of runs', () => {
    const { home, file, go } = place(rows, { keep: 1, triggers: { volume: { labels: 100 } } });
    expect(go().result).toMatchObject({ run: 1, outcome: 'named', version: 2 });
    expect(killed(file, '"step":"looked"', 'after').status).toBe(null);
    expect(go().result).toMatchObject({ run: 3, outcome: null, resumed: null });
    expect(readdirSync(path(`${home}/retrain`)).sort()).toEqual(['journal.jsonl', 'run-1']);
  });

  test.runIf(FULL)(
    'is not taken up beside another champion, without its files, or again and again: that is said',
    () => {
      const { home, file, registry, go, entry } = place(rows, { rollout: ROLLOUT });
      const cut = (at = '"step":"pushed"') => expect(killed(file, at, 'after', '--force').status).toBe(null);
      cut();
      rmSync(path(`${home}/retrain/run-1`), { recursive: true });
      expect(go().stderr).toMatch(
        /note: run 1 was cut short before its end, and is not taken up: the files of the run are gone. Version 2 of fraud is pushed: /,
      );
      cut('"step":"set"');
      for (let i = 0; i < 3; i++) expect(killed(file, '"step":"ran"', 'within').status).toBe(null);
      expect(go().stderr).toMatch(/is not taken up: it was taken up 3 times before/);
      cut('"step":"set"');
      json(['push', 'plain.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', registry]);
      expect(go().stderr).toMatch(/is not taken up: version 3 is the champion since/);
      expect(entry().rollout).toBe(null);
    },
  );

  test.runIf(FULL)('waits for a rollout that somebody has begun since, and says so', () => {
    const { file, registry, go, entries } = place(rows, { rollout: ROLLOUT });
    expect(killed(file, '"step":"set"', 'after', '--force').status).toBe(null);
    json(['push', 'plain.safetensors', '--name', 'fraud', '--registry', registry]);
    run(['rollout', 'start', 'fraud', '--challenger', '2', '--share', '0.1', '--registry', registry]);
    expect(go().result).toMatchObject({
      ...{ run: 1, resumed: 'rows', outcome: null },
      why: 'run 1 was cut short and goes on when the rollout of version 2 has ended',
    });
    const count = entries().length;
    run(['rollout', 'abort', 'fraud', '--registry', registry]);
    expect(go().result).toMatchObject({ run: 1, resumed: 'rows', outcome: 'rollout', version: 3 });
    expect(entries()[count]).toMatchObject({ step: 'resumed', from: 'rows' });
  });
});

describe('two at once on one policy', () => {
  test('one goes on, the other says which process works on it and leaves everything', async () => {
    const { file, home, go, entry, entries } = place(rows);
    const child = start(['--policy', file, '--force'], '"step":"started"', 'stopped');
    const journal = path(`${home}/retrain/journal.jsonl`);
    await vi.waitFor(() => expect(readFileSync(journal, 'utf8')).toMatch('"step":"started"'), 30_000);
    const before = readFileSync(journal, 'utf8');
    for (const flags of [['--force'], []]) {
      const { status, stderr } = go(...flags);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^ERR_DATA .*journal.jsonl: expected a file that nobody else writes, got one of process ${child.pid}, `,
        ),
      );
    }
    expect(readFileSync(journal, 'utf8')).toBe(before);
    child.kill('SIGCONT');
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0);
    expect(entries().at(-1)).toMatchObject({ step: 'ended', outcome: 'named', version: 2 });
    expect(entry().versions).toHaveLength(2);
  });
});
