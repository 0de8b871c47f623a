import { readFileSync } from 'node:fs';
import { loadModel } from '../../src/index.ts';
import type { Model } from '../../src/model/model.ts';
import { workspace } from '../cli/run.ts';

/*
 * A model of each kind of feature and outcome, fitted by the command: the rows of the table of docs/INTEROP.md.
 */

export interface Row {
  readonly what: string;
  readonly schema?: readonly object[];
  readonly flags?: readonly string[];
  /** default y */
  readonly target?: string;
}

const city = { name: 'city', kind: 'categorical' };
const size = { name: 'size', kind: 'categorical' };

export const ROWS: readonly Row[] = [
  { what: 'numbers', schema: [{ name: 'x', kind: 'numeric' }] },
  {
    what: 'numbers through a transform and a spline',
    schema: [{ name: 'x', kind: 'numeric', transform: 'log1p', spline: 4 }],
  },
  { what: 'numbers in bins', schema: [{ name: 'x', kind: 'numeric', bins: [0, 3, 6, 10], range: 'clip' }] },
  { what: 'categories', schema: [city] },
  { what: 'categories with a level that is an empty text', schema: [{ name: 'blank', kind: 'categorical' }] },
  { what: 'categories with blanks at their ends', schema: [{ name: 'spaced', kind: 'categorical' }] },
  { what: 'categories, target-encoded', schema: [{ ...city, encoding: 'target' }] },
  { what: 'categories in a hash', schema: [{ ...city, encoding: 'hash', buckets: 8 }] },
  { what: 'crosses', schema: [city, size, { kind: 'cross', of: ['city', 'size'] }] },
  {
    what: 'crosses in a hash',
    schema: [city, size, { kind: 'cross', name: 'both', of: ['city', 'size'], buckets: 8 }],
  },
  { what: 'parts of dates', schema: [{ name: 'day', kind: 'date', parts: ['month', 'weekday', 'epochDays'] }] },
  { what: 'tags', schema: [{ name: 'tags', kind: 'tags', separator: '|' }] },
  { what: 'words', schema: [{ name: 'words', kind: 'text', buckets: 16 }] },
  {
    what: 'a column that is a number and a category',
    schema: [
      { name: 'x', kind: 'numeric' },
      { name: 'x as text', kind: 'categorical', column: 'x' },
    ],
  },
  { what: 'offset', flags: ['--offset', 'known', '--drop', 'k,day,tags,words,blank,spaced'] },
  { what: 'several classes: softmax', target: 'k' },
  { what: 'several classes: one against the rest', target: 'k', flags: ['--multiclass', 'ovr'] },
  ...['platt', 'temperature', 'beta', 'isotonic'].map((method) => ({
    what: `calibration: ${method}`,
    flags: ['--calibrate', method],
  })),
  { what: 'a prior', flags: ['--prior', '0.2'] },
  { what: 'a threshold, costs of two classes', flags: ['--costs', 'FP=1,FN=5'] },
  { what: 'costs of several classes', target: 'k', flags: ['--costs', 'costs.json'] },
  { what: 'a band for review', flags: ['--review', '0.4:0.6'] },
];

function data(): string {
  const cities = ['Bonn', 'Köln', 'Ulm', 'Trier'];
  const rows = Array.from({ length: 240 }, (_, i) => {
    const x = (i * 7) % 10;
    const y = (i * 37 + 11) % 17 < 4 + 3 * ((i * 3) % 4) ? 'yes' : 'no';
    return {
      ...{
        x,
        city: cities[(i * 3) % 4],
        size: i % 3 ? 'large' : 'small',
        blank: i % 4 ? 'full' : '',
        spaced: i % 3 ? 'a ' : 'b',
      },
      ...{
        day: `2024-0${1 + (i % 9)}-1${i % 10}`,
        tags: i % 2 ? 'a|b' : 'b|c',
        words: `word ${cities[i % 4]} and ${i % 5}`,
      },
      ...{ known: (i % 3) / 10, y, k: 'abc'[(i * 5 + (i >> 4)) % 3] },
    };
  });
  return rows.map((row) => JSON.stringify(row)).join('\n');
}

/** Fits them in a folder of the test. @returns the file of each, by what it has */
export function kinds({ run, write }: ReturnType<typeof workspace>): ReadonlyMap<string, string> {
  write('data.jsonl', data());
  write('costs.json', '[[0, 2, 1], [1, 0, 1], [3, 1, 0]]');
  return new Map(
    ROWS.map(({ what, schema, flags = [], target = 'y' }, i) => {
      write('schema.json', JSON.stringify({ features: schema ?? [{ name: 'x', kind: 'numeric' }, city] }));
      const own = flags.includes('--drop') ? [] : ['--schema', 'schema.json'];
      const file = `kind${i}.safetensors`;
      const { status, stderr } = run(['train', 'data.jsonl', '--target', target, ...own, ...flags, '--out', file]);
      if (status !== 0) throw new Error(`${what}: ${stderr}`);
      return [what, file] as const;
    }),
  );
}

/** The models of `kinds`. */
export function kindModels(): [name: string, model: Model][] {
  const space = workspace();
  return [...kinds(space)].map(([what, file]) => [what, loadModel(readFileSync(space.path(file)))]);
}
