import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, write } = workspace();

const failure = (...args: string[]) => {
  const { status, stderr } = run([...args, '--out', 'm.safetensors']);
  expect(status).toBe(1);
  return stderr.split('\n').filter((line) => line.startsWith('ERR_'))[0];
};

/** Rows of which the one of this number is wrong; one before it has no target, and an empty line stands before both. */
const file = (name: string, header: string, wrong: number, row: (i: number, bad: boolean) => string) =>
  write(name, `${header}\n\n${Array.from({ length: 60 }, (_, i) => row(i, i === wrong)).join('\n')}\n`);

describe('what the fit refuses is named by the line of the file', () => {
  const trials = file('trials.csv', 'x,hits,n', 40, (i, bad) => `${i % 7},${i === 3 ? '' : bad ? 9 : i % 3},4`);

  it.each([
    ['held out at random', []],
    ['with all rows fitted', ['--no-holdout']],
    ['rows left out', ['--no-holdout', '--missing', 'drop']],
    ['within a limit of memory', ['--no-holdout', '--memory', '300MB']],
  ])('more successes than trials, %s', (_, args) => {
    expect(failure('train', trials, '--target', 'hits', '--trials', 'n', ...args)).toBe(
      'ERR_RANGE trials.csv, line 43, target "hits", row 40 (from 0): expected a whole number from 0 to 4 ("n"), got 9; correct it',
    );
  });

  it('weights that are to count rows, in train, cv and a query', () => {
    const weights = file('weights.csv', 'x,w,y', 50, (i, bad) => `${i % 7},${bad ? 1.5 : 2},${i % 3 ? 1 : 0}`);
    const args = ['--target', 'y', '--weight', 'w', '--weight-kind', 'count'];
    const rule = 'weight "w", row 50 (from 0): expected a whole number (weights count rows), got 1.5';
    for (const command of ['cv', 'train']) {
      const all = command === 'train' ? ['--no-holdout'] : [];
      expect(failure(command, weights, ...args, ...all)).toContain(`ERR_RANGE weights.csv, line 53, ${rule}`);
    }
    expect(failure('train', '--query', `from '${weights}'`, ...args, '--no-holdout')).toContain(`ERR_RANGE ${rule}`);
    // by the seed the row is among those held out
    for (const more of [[], ['--memory', '300MB']])
      expect(failure('train', weights, ...args, ...more)).toContain(`ERR_RANGE weights.csv, line 53, ${rule}`);
  });

  it('a cell that the schema refuses, in a held-out row too', () => {
    write('schema.json', '{"features":[{"name":"x","kind":"numeric","missing":"error"}]}');
    for (const wrong of [5, 20, 33, 59]) {
      const cells = file('cells.csv', 'x,y', wrong, (i, bad) => `${bad ? '' : i % 7},${i % 3 ? 1 : 0}`);
      expect(failure('train', cells, '--target', 'y', '--schema', 'schema.json')).toMatch(
        new RegExp(`^ERR_RECORD cells\\.csv, line ${wrong + 3}, row ${wrong} \\(from 0\\), column "x"`),
      );
    }
  });
});

describe('what the online learner refuses is named by its line', () => {
  it.each([
    ['in the warm-up', ['--warmup', '50']],
    ['behind it', ['--warmup', '10']],
  ])('a negative weight %s', (_, args) => {
    const weights = file('online.csv', 'x,w,y', 40, (i, bad) => `${i % 7},${bad ? -1 : 2},${i % 3 ? 1 : 0}`);
    expect(failure('train', weights, '--online', '--target', 'y', '--weight', 'w', ...args)).toMatch(
      /^ERR_R\w+ online\.csv, line 43, .*row 40 \(from 0\)/,
    );
  });

  it('a third class', () => {
    const labels = file('third.csv', 'x,y', 40, (i, bad) => `${i % 7},${bad ? 7 : i % 3 ? 1 : 0}`);
    expect(failure('train', labels, '--online', '--target', 'y', '--warmup', '10')).toMatch(
      /^ERR_RECORD third\.csv, line 43, row 40 \(from 0\), column "y": expected a class/,
    );
  });
});

describe('a list is no category', () => {
  const model = () => {
    const rows = Array.from(
      { length: 60 },
      (_, i) => `{"x":${i % 7},"c":"${i % 2 ? 'red' : 'blue'}","y":"${i % 3 ? 'a' : 'b'}"}`,
    );
    write('list.jsonl', `${rows.join('\n')}\n`);
    expect(run(['train', 'list.jsonl', '--target', 'y', '--out', 'list.safetensors']).status).toBe(0);
  };

  it.each(['["red"]', '[]', '[[1]]', '[null]', '["x",{}]'])('%s in a row to score is refused by its line', (list) => {
    model();
    write('lists.jsonl', `{"x":1,"c":"red"}\n{"x":1,"c":${list}}\n`);
    const { status, stderr } = run(['score', 'list.safetensors', 'lists.jsonl', '--out', 'scores.csv']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'ERR_RECORD lists.jsonl, line 2, row 1 (from 0), column "c": expected a string, finite number or boolean, got',
    );
    write('only.jsonl', `{"x":1,"c":["red"]}\n`);
    const query = run(['score', 'list.safetensors', '--query', "from 'only.jsonl'", '--out', 'scores.csv']);
    expect(query.stderr).toMatch(/ERR_SCHEMA .*column "c": expected text, numbers or booleans, got VARCHAR\[\]/);
  });
});
