import { expect, test } from 'vitest';
import { enclosedArray } from '../../service/src/requests/enclosed.ts';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const encoder = new TextEncoder();
const found = (text: string) => {
  const array = enclosedArray(encoder.encode(text), ['instances', 'records']);
  return array && [array.name, new TextDecoder().decode(array.bytes)];
};

test.each([
  ['{"instances":[{"x":1}]}', ['instances', '[{"x":1}]']],
  [' {\n "records" : [ ] }\t', ['records', '[ ]']],
  ['{"instances":[1],"signature_name":"a"}', null],
  ['{"instances":{}}', null],
  ['{"rows":[1]}', null],
  ['{"instances":[1]', null],
  ['{"instances":]}', null],
  ['{"instances', null],
  ['\v{"instances":[1]}', null],
  ['[1]', null],
  ['{', null],
  ['', null],
])('the array of %j is %j', (text, expected) => {
  expect(found(text)).toEqual(expected);
});

// what looks like an array on the outside may be none
test.each([
  ['{"instances":[{"code":"2","x":0.5}],"instances":[{"code":"2","x":0.25}]}', 200, [0.25]],
  ['{"instances":[{"code":"2","x":0.5}],"other":[]}', 200, [0.5]],
  ['{"instances":[{"code":"2","x":0.5}]]}', 400, null],
  ['{"instances":[{"code":"2","x":0.5}}]}', 400, null],
  ['{"instances":[["2",0.5]]}', 200, [0.5]],
  ['{"instances":[{"code":"2","x":"far"}]}', 400, null],
  ['{"instances":[]}', 200, []],
])('%s is answered with %i as if it were parsed', async (body, status, xs) => {
  const { ask } = serviceOf('codes');
  const response = await ask('/v1/models/codes:predict', body, JSON_TYPE);
  expect(response.status).toBe(status);
  const expected = xs?.map((x) => models.codes.score({ code: '2', x }).probability);
  expect((await response.json()).predictions).toEqual(expected);
});
