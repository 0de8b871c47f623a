import { expect, test } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json } = workspace();
const train = (out: string, drop: string, ...more: string[]) =>
  json([
    'train',
    oracle('lbw.csv'),
    '--target',
    'low',
    '--drop',
    drop,
    '--no-penalty',
    '--inference',
    '--out',
    out,
    ...more,
  ]);

test('registry diff compares files and references, and says in a sentence what changed most', () => {
  train('a.safetensors', 'id,bwt,ftv');
  train('b.safetensors', 'id,bwt', '--threshold', '0.4');
  const data = ['--data', oracle('lbw.csv')];
  for (const file of ['a', 'b']) expect(run(['push', `${file}.safetensors`, '--name', 'low', ...data]).status).toBe(0);
  const text = run(['registry', 'diff', 'models:/low/1', 'b.safetensors']);
  expect(text.status, text.stderr).toBe(0);
  expect(text.stdout).toMatch(
    /^The feature ftv is new; the weight of age changed most, from -0\.0271 to -0\.0296 \(.* standard errors\); the threshold went from 0\.5 to 0\.4\.\n {2}A {2}models:\/low\/1\n {2}B {2}b\.safetensors\n/,
  );
  expect(text.stdout).toMatch(/new features +ftv\n/);
  expect(text.stdout).toMatch(/coefficient +A +B +B − A +std\. error +z +B − A, per sd +odds ratio\n/);
  expect(text.stdout).toMatch(/\n {2}aic +219\.45 +221\.31 +\+1\.857\n/);
  const both = json(['registry', 'diff', 'models:/low/1', 'models:/low/2']);
  expect(Object.keys(both)).toEqual('a b sentence isSame coefficients schema settings independence metrics'.split(' '));
  expect(both.independence).toMatch(/^Both models were trained on the same data/);
  expect(run(['registry', 'diff', 'a.safetensors', 'a.safetensors']).stdout).toMatch(
    /^Nothing that scores has changed\./,
  );
  expect(run(['registry', 'diff', 'a.safetensors', 'models:/low@champion']).stderr).toMatch(
    /^ERR_REGISTRY low: expected one of its aliases \(none\), got champion/,
  );
});
