import { copyFileSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { oracle, workspace } from './run.ts';

const { run, path, write } = workspace();
const bytesOf = (name: string) => readFileSync(path(name)).toString('base64');

const LBW = [oracle('lbw.csv'), '--target', 'low', '--features', 'lwt,smoke,ht,race', '--categorical', 'race'];

describe('the same training writes the same bytes', () => {
  it.each([
    ['train', ['train', ...LBW, '--inference']],
    ['train --calibrate --costs', ['train', ...LBW, '--calibrate', 'platt', '--costs', 'FP=1,FN=3']],
    ['train --bootstrap', ['train', ...LBW, '--bootstrap', '20']],
    ['cv', ['cv', ...LBW, '--count', '6', '--folds', '3']],
    ['train --online', ['train', ...LBW, '--online']],
  ])('%s', (_, args) => {
    const outs = ['one.safetensors', 'two.safetensors'].map((out) => {
      const { status, stderr } = run([...args, '--out', out]);
      expect(status, stderr).toBe(0);
      return bytesOf(out);
    });
    expect(outs[0]).toBe(outs[1]);
  });

  it('with any number of threads', () => {
    const outs = ['1', '2'].map((threads) => {
      expect(run(['train', ...LBW, '--threads', threads, '--out', `${threads}.safetensors`]).status).toBe(0);
      return bytesOf(`${threads}.safetensors`);
    });
    expect(outs[0]).toBe(outs[1]);
  });

  it('the model file has nothing of the clock, the report has', () => {
    const { status, stdout } = run(['train', ...LBW, '--out', 'm.safetensors', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).fit.seconds).toBeGreaterThan(0);
    expect(loadModel(readFileSync(path('m.safetensors'))).manifest.fit).not.toHaveProperty('seconds');
  });
});

describe('logodds migrate', () => {
  const FIRST = fileURLToPath(new URL('../fixtures/models/first-categorical.safetensors', import.meta.url));
  const record = { city: 'city 114', plan: 'plus', member: false, visits: 2, score: 0.19163453159853816 };

  it('brings a file of the first format to what this release writes; the scores stay', () => {
    copyFileSync(FIRST, path('first.safetensors'));
    const first = loadModel(readFileSync(FIRST));
    // what the format had in its beginning
    expect(first.manifest.fit).toHaveProperty('seconds');
    const { status, stdout } = run(['migrate', 'first.safetensors', '--out', 'now.safetensors']);
    expect(status).toBe(0);
    const now = loadModel(readFileSync(path('now.safetensors')));
    expect(stdout).toBe(`now.safetensors: rewritten, sha256 ${now.sha256} (was ${first.sha256})\n`);
    expect(now.manifest).toMatchObject({ multiclass: null, reference: null });
    expect(now.manifest.fit).not.toHaveProperty('seconds');
    expect(now.score(record)).toEqual(first.score(record));
    expect(now.score(record).logit).toBe(first.score(record).logit);
    // over itself, and once more
    expect(run(['migrate', 'first.safetensors']).status).toBe(0);
    expect(bytesOf('first.safetensors')).toBe(bytesOf('now.safetensors'));
    expect(run(['migrate', 'now.safetensors']).stdout).toContain('already in the form of this release');
    expect(bytesOf('first.safetensors')).toBe(bytesOf('now.safetensors'));
  });

  it('what is no model stays as it is', () => {
    write('data.csv', 'a,b\n1,2\n');
    const { status, stderr } = run(['migrate', 'data.csv']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_FORMAT data\.csv: model file: expected a model/)]);
    expect(readFileSync(path('data.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });
});
