import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, write, path, json } = workspace();

/** Rows of home, income, when and y; deterministic. */
function rows(
  count: number,
  cell: (i: number) => readonly [home: string, income: string, when: string] = usual,
): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const y = (i * 7919) % 10 < 3 + (i % 2) * 4 ? 'yes' : 'no';
    return [...cell(i), y].join();
  });
  return `home,income,when,y\n${lines.join('\n')}\n`;
}

const day = (i: number) => new Date(Date.UTC(2024, 0, 1) + i * 86_400_000).toISOString().slice(0, 10);
const usual = (i: number) => [['own', 'rent'][i % 2], String(6 + ((i * 37) % 954)), day(i % 28)] as const;

const SCHEMA = JSON.stringify({
  features: [
    { name: 'home', kind: 'categorical' },
    { name: 'income', kind: 'numeric' },
    { name: 'when', kind: 'date', parts: ['month', 'weekday'] },
    { kind: 'cross', of: ['home', 'when.weekday'] },
  ],
});

write('train.csv', rows(400));
write('schema.json', SCHEMA);
const trained = run([
  'train',
  'train.csv',
  '--target',
  'y',
  '--drop',
  'when',
  '--no-holdout',
  '--out',
  'plain.safetensors',
]);
const rich = run([
  ...['train', 'train.csv', '--target', 'y', '--schema', 'schema.json', '--no-holdout', '--out', 'rich.safetensors'],
]);

describe('values that training did not have are named', () => {
  it('has models to try', () => {
    expect([trained.status, rich.status, rich.stderr]).toEqual([0, 0, expect.anything()]);
  });

  it('among many rows without any: score counts what eval counts', () => {
    // blocks have 16,384 rows, of which most need no look
    write(
      'rare.csv',
      rows(40_000, (i) => {
        const [home, income, when] = usual(i);
        return [i === 20_000 ? 'CASTLE' : i === 5 ? '' : home, i === 39_999 ? '1e6' : i === 17_000 ? '' : income, when];
      }),
    );
    const scored = json(['score', 'plain.safetensors', 'rare.csv', '--out', 'o.csv']);
    expect(scored['unseen']).toHaveLength(3);
    expect(scored['unseen']).toEqual(json(['eval', 'plain.safetensors', 'rare.csv', '--target', 'y'])['unseen']);
    const crossed = json(['score', 'rich.safetensors', 'rare.csv', '--out', 'o.csv']);
    expect(crossed['unseen']).toEqual(json(['eval', 'rich.safetensors', 'rare.csv', '--target', 'y'])['unseen']);
  });

  it('a column of one unseen value, by score and eval, as text and as JSON', () => {
    write(
      'unseen.csv',
      rows(300, (i) => ['CASTLE', usual(i)[1], day(3)]),
    );
    const { status, stdout, stderr } = run(['score', 'plain.safetensors', 'unseen.csv', '--out', 'o.csv']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/home: 300 of 300 values unseen/);
    expect(stderr).toMatch(/warning: UNSEEN_VALUES home: 300 of 300 values unseen .*more than 10 %/);
    const scored = json(['score', 'plain.safetensors', 'unseen.csv', '--out', 'o.csv']);
    expect(scored.unseen).toEqual([
      expect.objectContaining({ feature: 'home', kind: 'unseen', rows: 300, of: 300, share: 1 }),
    ]);
    expect(scored.warnings).toEqual([
      expect.objectContaining({ code: 'UNSEEN_VALUES', features: ['home'] }),
      expect.objectContaining({ code: 'NOTE' }),
    ]);
    const judged = run(['eval', 'plain.safetensors', 'unseen.csv']);
    expect(judged.stdout).toMatch(/home: 300 of 300 values unseen/);
    expect(json(['eval', 'plain.safetensors', 'unseen.csv', '--target', 'y']).unseen[0].share).toBe(1);
  });

  it('numbers in another unit: beyond the fitted range, with examples', () => {
    write(
      'units.csv',
      rows(300, (i) => [usual(i)[0], String(1000 * Number(usual(i)[1])), day(3)]),
    );
    const { stdout, stderr } = run(['score', 'plain.safetensors', 'units.csv', '--out', 'o.csv']);
    expect(stdout).toMatch(/income: 300 of 300 beyond the fitted 6 … 958 \(6000, 43000, 80000, …\)/);
    expect(stderr).toMatch(/warning: BEYOND_RANGE income: 300 of 300/);
    const [found] = json(['score', 'plain.safetensors', 'units.csv', '--out', 'o.csv']).unseen;
    expect(found).toMatchObject({ kind: 'beyond', range: [6, 958], examples: ['6000', '43000', '80000'] });
  });

  it('rows like those of training have none, and no warning', () => {
    const { stdout, stderr } = run(['score', 'plain.safetensors', 'train.csv', '--out', 'o.csv']);
    expect(stdout.trim().split('\n').length).toBe(1);
    expect(stderr).not.toMatch(/warning/);
  });

  it('parts of dates and crosses', () => {
    write(
      'june.csv',
      rows(60, (i) => [usual(i)[0], usual(i)[1], day(155 + (i % 7))]),
    );
    const { unseen } = json(['score', 'rich.safetensors', 'june.csv', '--out', 'o.csv']);
    expect(unseen).toEqual([
      expect.objectContaining({ feature: 'when.month', kind: 'unseen', rows: 60, of: 60, examples: ['6'] }),
    ]);
    write(
      'castle.csv',
      rows(60, (i) => ['CASTLE', usual(i)[1], day(i % 28)]),
    );
    const crossed = json(['score', 'rich.safetensors', 'castle.csv', '--out', 'o.csv']).unseen;
    expect(crossed.map(({ feature, share }: { feature: string; share: number }) => [feature, share])).toEqual([
      ['home', 1],
      ['home × when.weekday', 1],
    ]);
  });

  it('the held-out rows of train: a month that no fitted row has', () => {
    write(
      'months.csv',
      rows(300, (i) => [usual(i)[0], usual(i)[1], day(i)]),
    );
    const args = ['train', 'months.csv', '--target', 'y', '--schema', 'schema.json', '--holdout-by', 'when'];
    const { stdout, stderr } = run([...args, '--out', 'm.safetensors']);
    expect(stdout).toMatch(
      /when\.month: 60 of 60 values unseen in training \("8", "9", "10", …\)|when\.month: \d+ of 60/,
    );
    expect(stderr).toMatch(/UNSEEN_VALUES when\.month/);
    const { unseen, warnings } = json([...args, '--out', 'm.safetensors']);
    expect(unseen[0]).toMatchObject({ feature: 'when.month', kind: 'unseen' });
    expect(warnings.map(({ code }: { code: string }) => code)).toContain('UNSEEN_VALUES');
  });

  it('a column that is empty altogether, and cells missing where no fitted row lacked one', () => {
    write(
      'empty.csv',
      rows(50, (i) => [i % 2 ? '' : 'own', '', day(3)]),
    );
    const { unseen } = json(['score', 'plain.safetensors', 'empty.csv', '--out', 'o.csv']);
    expect(unseen).toEqual([
      expect.objectContaining({ feature: 'income', kind: 'missing', rows: 50, of: 50 }),
      expect.objectContaining({ feature: 'home', kind: 'missing', rows: 25, of: 50 }),
    ]);
  });

  it.each(['score', 'eval', 'train'])('--max-unseen fails %s, and leaves no output', (command) => {
    write(
      'unseen.csv',
      rows(300, (i) => ['CASTLE', usual(i)[1], day(i)]),
    );
    const args = {
      score: ['score', 'plain.safetensors', 'unseen.csv', '--out', 'gone.csv'],
      eval: ['eval', 'plain.safetensors', 'unseen.csv', '--report', 'gone.csv.html'],
      train: [
        ...['train', 'unseen.csv', '--target', 'y', '--schema', 'schema.json', '--holdout-by', 'when'],
        ...['--out', 'gone.safetensors'],
      ],
    }[command]!;
    for (const file of ['gone.csv', 'gone.csv.html', 'gone.safetensors']) rmSync(path(file), { force: true });
    expect(run([...args, '--max-unseen', '1']).status).toBe(0);
    for (const file of ['gone.csv', 'gone.csv.html', 'gone.safetensors']) rmSync(path(file), { force: true });
    const { status, stderr } = run([...args, '--max-unseen', '0.05']);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ERR_DATA --max-unseen 0.05: expected at most 5 % of the values .* got (home: 300 of 300|when\.month: \d+)/m,
    );
    for (const file of ['gone.csv', 'gone.csv.html', 'gone.safetensors']) expect(existsSync(path(file))).toBe(false);
  });
});
