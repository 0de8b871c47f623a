import { readFileSync } from 'node:fs';
import { loadModel, saveModel } from '../../src/index.ts';
import { withBaseline } from '../../src/monitor.ts';
import { type LogOptions, type Row, rowsOf, writeLog } from './retrainCases.ts';
import { workspace } from './run.ts';

/** A champion, and places where it may be trained again: each has a registry, a log and a policy of its own. */
export function retraining() {
  const space = workspace();
  const { run, json, write, path } = space;
  const now = Date.now();
  write(
    'train.jsonl',
    rowsOf(4000, 1)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  );
  json(['train', 'train.jsonl', '--target', 'fraud', '--calibrate', 'platt', '--out', 'plain.safetensors']);
  const champion = withBaseline(loadModel(readFileSync(path('plain.safetensors'))), rowsOf(4000, 1));
  write('champion.safetensors', saveModel(champion));
  const model = loadModel(readFileSync(path('champion.safetensors')));

  let count = 0;
  /** A registry with the champion, a log of rows and a policy, in a folder of their own. */
  function place(rows: readonly Row[], policy: object = {}, log: Partial<LogOptions> = {}) {
    const home = `place-${++count}`;
    const registry = `${home}/registry`;
    json(['push', 'champion.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', registry]);
    writeLog(path(`${home}/log`), model, rows, { now, ...log });
    const file = write(
      `${home}/retrain.json`,
      JSON.stringify({ name: 'fraud', registry: 'registry', logs: ['log/predictions-*'], triggers: {}, ...policy }),
    );
    const entries = () =>
      readFileSync(path(`${home}/retrain/journal.jsonl`), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    return {
      home,
      file,
      registry,
      entries,
      steps: () => entries().map(({ step, command }) => command?.split(' ')[1] ?? step),
      go: (...flags: string[]) => {
        const { status, stdout, stderr } = run(['retrain', '--policy', file, '--json', ...flags]);
        return { status, stderr, result: stdout.startsWith('{') ? JSON.parse(stdout) : null };
      },
      entry: () => json(['registry', 'show', 'fraud', '--registry', registry]),
    };
  }

  /** Home of the last place. */
  const last = () => `place-${count}`;
  return { ...space, place, model, now, last };
}
