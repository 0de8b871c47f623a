import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { oracle, workspace } from './run.ts';

/*
 * What a gate says of a version of a registry, and what comes of it.
 */

const { run, json, write, path } = workspace();
const data = oracle('lbw.csv');
const at = ['--registry', 'gated'];
for (const [k, C] of ['1', '2', '3'].entries()) {
  json(['train', data, '--target', 'low', '--drop', 'id,bwt', '--out', `m${k + 1}.safetensors`, '--C', C]);
  json(['push', `m${k + 1}.safetensors`, '--name', 'low', ...at]);
}
json(['push', 'm1.safetensors', '--name', 'other', ...at]);
json(['registry', 'alias', 'low', '1', 'champion', ...at]);
write('strict.json', JSON.stringify({ rules: { size: { mostBytes: 10 } } }));
write('none-given.json', JSON.stringify({ rules: {} }));
write('mild.json', JSON.stringify({ rules: { size: { mostBytes: 1e6 } } }));

const gate = (candidate: string, against: string, rules: string) =>
  run([
    ...['gate', candidate, '--against', against, '--data', data, '--target', 'low', '--rules', `${rules}.json`],
    ...at,
  ]);
const events = () => json(['registry', 'log', ...at]).events;
const last = () => events().at(-1);

test('the registry keeps what a gate said: a version that failed it is not promoted, one that passed it is', () => {
  json(['registry', 'demand', 'low', 'champion', '--gate', ...at]);
  const promote = (version: string) => run(['registry', 'alias', 'low', version, 'champion', ...at]);
  expect(promote('2').stderr).toMatch(/^ERR_REGISTRY version 2 of low: .* got one that went through none/);
  expect(gate('models:/low/2', 'models:/low@champion', 'strict').status).toBe(1);
  expect(last()).toMatchObject({
    ...{ event: 'gated', name: 'low', version: 2, against: 1, passed: false, failed: ['size'] },
    why: 'gate against models:/low@champion',
  });
  expect(promote('2').stderr).toMatch(/got one that failed it \(size\)/);
  expect(gate('models:/low/2', 'models:/low@champion', 'mild').status).toBe(0);
  expect(last()).toMatchObject({ event: 'gated', version: 2, against: 1, passed: true, failed: [] });
  expect(promote('2').status).toBe(0);
  expect(json(['registry', 'show', 'low', ...at]).versions[1].gate).toMatchObject({ passed: true, against: 1 });
});

test('a gate without a rule passes, says that it counts for nothing, and is not kept; what failed gets no traffic', () => {
  const before = events().length;
  const { status, stderr } = gate('models:/low/3', 'models:/low@champion', 'none-given');
  expect(status).toBe(0);
  expect(stderr).toMatch(/note: no rule was checked but schema and scored, which every gate has: .* --rules\n$/);
  expect(events()).toHaveLength(before);
  expect(run(['registry', 'alias', 'low', '3', 'champion', ...at]).stderr).toMatch(/got one that went through none/);
  // it takes no verdict back either
  gate('models:/low/3', 'models:/low@champion', 'strict');
  gate('models:/low/3', 'models:/low@champion', 'none-given');
  for (const flags of [
    ['--share', '0.1'],
    ['--kind', 'blue-green'],
  ])
    expect(run(['rollout', 'start', 'low', '--challenger', '3', ...flags, ...at]).stderr).toMatch(
      /^ERR_REGISTRY version 3 of low: expected one that has passed its gate, got one that failed it \(size\)/,
    );
  expect(run(['rollout', 'start', 'low', '--challenger', '3', '--kind', 'shadow', ...at]).stderr).toBe('');
  run(['rollout', 'abort', 'low', ...at]);
});

test('against a model of another name, or a file, no version is named; of a candidate that is a file nothing is kept', () => {
  for (const against of ['models:/other/1', 'm1.safetensors']) {
    expect(gate('models:/low/3', against, 'mild').status).toBe(0);
    expect(last()).toMatchObject({ event: 'gated', version: 3, against: null, why: `gate against ${against}` });
  }
  const before = readFileSync(path('gated/log.jsonl'), 'utf8');
  expect(gate('m3.safetensors', 'models:/low@champion', 'strict').status).toBe(1);
  // what could not be judged is no verdict
  expect(gate('models:/low/9', 'models:/low@champion', 'mild').status).toBe(1);
  expect(gate('models:/low/3', 'models:/low@champion', 'none').status).toBe(2);
  expect(readFileSync(path('gated/log.jsonl'), 'utf8')).toBe(before);
});
