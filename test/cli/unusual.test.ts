import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

it('whole numbers beyond 2⁵³ are levels by their digits, also of JSON lines under a schema', () => {
  const ids = ['9007199254740992', '9007199254740993', '-9007199254740993', '4611686018427387905'];
  const rows = Array.from({ length: 40 }, (_, i) => `{"id":${ids[i % 4]},"x":${i % 7},"y":${(i % 4) % 2}}\n`);
  write('ids.jsonl', rows.join(''));
  for (const encoding of ['onehot', 'target']) {
    write('ids.json', JSON.stringify({ features: [{ name: 'id', kind: 'categorical', encoding }] }));
    json(['train', 'ids.jsonl', '--target', 'y', '--schema', 'ids.json', '--no-holdout', '--out', 'ids.safetensors']);
    const { defaulted } = json(['score', 'ids.safetensors', 'ids.jsonl', '--out', 'ids.csv']);
    expect(defaulted).toBe(0);
    const scores = readFileSync(path('ids.csv'), 'utf8').trim().split('\n').slice(1, 5);
    expect(scores.map((line) => line.split(',')[3])).toEqual(['0', '1', '0', '1']);
  }
});

it('a header with a line break in a name, in a file of Windows', () => {
  write('lines.csv', 'a,"b\nc",y\r\n1,x,0\r\n3,"z\nz",1\r\n2,x,1\r\n');
  const { status, stdout } = run([
    ...['train', 'lines.csv', '--target', 'y', '--no-holdout', '--json', '--out', 'lines.safetensors'],
  ]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).rows).toEqual({ train: 3, holdout: 0 });
});
